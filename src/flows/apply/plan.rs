//! From file and present state to what is stored afterwards.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::Sources;
use super::enrollment::{EnrollmentEntry, Sealed, second_looks};
use super::file::{Auth, File, FileError, PlatformEntry, ServerEntry};
use super::order::give_places;
use super::report::{Outcome, Report};
use super::secret::Secret;
use crate::domain::platform::CallbackState;
use crate::domain::secret_keys::{Drawer, Vault};
use crate::domain::server::Signing;
use crate::flows::configuration::{OPEN, SIGNED};
use crate::flows::lms::stored::TABLE;
use crate::flows::random;
use crate::store::{
    EnrollmentRecord, PlatformRecord, ServerRecord, StoredConfiguration, ToolRecord,
};

/// What a file makes of the present state.
pub(super) struct Plan {
    /// Every object that the file names, as it is afterwards.
    after: StoredConfiguration,
    pub(super) report: Report,
}

/// A secret shorter than this is worth a warning; in characters.
const SHORT: usize = 16;

impl Plan {
    pub(super) fn of(
        file: &File,
        before: &StoredConfiguration,
        vault: &Vault,
        sources: Sources,
    ) -> Result<Self, FileError> {
        let mut plan = Planner {
            file,
            before,
            vault,
            sources,
            warnings: Vec::new(),
        };
        let mut after = StoredConfiguration::default();
        for entry in &file.platforms {
            let record = plan.platform(entry)?;
            if after.platforms.insert(record.id.clone(), record).is_some() {
                return Err(file.error(entry.id.span(), "the file names this platform twice"));
            }
        }
        for entry in &file.servers {
            let record = plan.server(entry)?;
            if after.servers.insert(record.id.clone(), record).is_some() {
                return Err(file.error(entry.id.span(), "the file names this server twice"));
            }
        }
        for (entry, definition) in file.tools.iter().zip(&file.definitions) {
            let signature = entry.get_ref().signature.to_string();
            let record = match before.tools.get(&signature) {
                // Comments and order are no change, but where somebody edits them.
                Some(old) if !file.verbatim && same_meaning(&old.definition, definition) => {
                    old.clone()
                }
                _ => ToolRecord {
                    signature: signature.clone(),
                    definition: definition.clone(),
                },
            };
            if after.tools.insert(signature, record).is_some() {
                return Err(file.error(entry.span(), "the file defines this tool twice"));
            }
        }
        let warnings = plan.warnings;
        let named = file
            .servers
            .iter()
            .map(|entry| entry.id.get_ref().to_string());
        give_places(before, &mut after, &Vec::from_iter(named));
        Ok(Self::comparing(before, after, warnings))
    }

    /// What it takes to get from one state to the objects of another.
    pub(super) fn comparing(
        before: &StoredConfiguration,
        after: StoredConfiguration,
        warnings: Vec<String>,
    ) -> Self {
        let mut report = Report {
            objects: Vec::new(),
            warnings,
        };
        compare(
            "platform",
            &before.platforms,
            &after.platforms,
            platform_fields,
            &mut report,
        );
        compare(
            "server",
            &before.servers,
            &after.servers,
            server_fields,
            &mut report,
        );
        compare(
            "tool",
            &before.tools,
            &after.tools,
            tool_fields,
            &mut report,
        );
        Self { after, report }
    }

    /// Everything that is stored afterwards.
    pub(super) fn merged(&self, before: &StoredConfiguration) -> StoredConfiguration {
        let mut merged = before.clone();
        merged.platforms.extend(self.after.platforms.clone());
        merged.servers.extend(self.after.servers.clone());
        merged.tools.extend(self.after.tools.clone());
        merged
    }

    /// The objects that have to be written.
    pub(super) fn changes(&self) -> StoredConfiguration {
        let written: BTreeSet<(&str, &str)> = self
            .report
            .objects
            .iter()
            .filter(|(_, _, outcome)| matches!(outcome, Outcome::Created | Outcome::Changed(_)))
            .map(|(kind, id, _)| (*kind, id.as_str()))
            .collect();
        let mut changes = self.after.clone();
        changes
            .platforms
            .retain(|id, _| written.contains(&("platform", id)));
        changes
            .servers
            .retain(|id, _| written.contains(&("server", id)));
        changes
            .tools
            .retain(|id, _| written.contains(&("tool", id)));
        changes
    }
}

struct Planner<'a> {
    file: &'a File,
    before: &'a StoredConfiguration,
    vault: &'a Vault,
    sources: Sources,
    warnings: Vec<String>,
}

impl Planner<'_> {
    fn platform(&mut self, entry: &PlatformEntry) -> Result<PlatformRecord, FileError> {
        let id = entry.id.get_ref().to_string();
        let before = self.before.platforms.get(&id);
        let drawer = Drawer {
            table: "platforms",
            row: &id,
            column: "launch_secret",
        };
        let launch_secret = self.secret(
            "launch_secret of platform",
            &entry.launch_secret,
            before.and_then(|b| b.launch_secret.clone()),
            drawer,
        )?;
        let api_token_hash =
            match self.reveal(&entry.api_token, &format!("api_token of platform {id}"))? {
                Some(token) => Some(Sha256::digest(token.expose_secret()).to_vec()),
                None => before.and_then(|b| b.api_token_hash.clone()),
            };
        if matches!(entry.launch_auth, Auth::Signed) && launch_secret.is_none() {
            self.warnings.push(format!(
                "platform {id} signs its launches, but has no launch_secret: every launch will be refused"
            ));
        }
        Ok(PlatformRecord {
            name: entry.name.clone().unwrap_or_else(|| id.clone()),
            url: entry.url.to_string(),
            launch_auth: match entry.launch_auth {
                Auth::Signed => SIGNED.to_owned(),
                Auth::Open => OPEN.to_owned(),
            },
            launch_secret,
            callback_state: match entry.callback_state {
                CallbackState::Required => "required".to_owned(),
                CallbackState::Off => "off".to_owned(),
            },
            api_token_hash,
            custom_csv: entry.custom_csv.as_str().to_owned(),
            finish_url: entry.finish_url.as_ref().map(|url| url.get_ref().clone()),
            id,
        })
    }

    fn server(&mut self, entry: &ServerEntry) -> Result<ServerRecord, FileError> {
        let id = entry.id.get_ref().to_string();
        let before = self.before.servers.get(&id);
        let drawer = Drawer {
            table: "servers",
            row: &id,
            column: "server_key",
        };
        let server_key = self.secret(
            "key of server",
            &entry.key,
            before.and_then(|b| b.server_key.clone()),
            drawer,
        )?;
        let tools = match &entry.tools {
            Some(tools) => tools
                .iter()
                .map(|tool| tool.get_ref().to_string())
                .collect(),
            None => before.map(|b| b.tools.clone()).unwrap_or_default(),
        };
        let enrollment = match &entry.enrollment {
            Some(given) => {
                let old = before.and_then(|server| server.enrollment.as_ref());
                Some(self.enrollment(&id, given, old)?)
            }
            None => None,
        };
        let settings = entry.settings.iter();
        Ok(ServerRecord {
            enrollment,
            name: entry.name.clone().unwrap_or_else(|| id.clone()),
            url: entry.url.to_string(),
            server_key,
            prefix: entry.prefix.as_ref().map(|prefix| prefix.get_ref().clone()),
            enabled: entry.enabled,
            sign_redirects: entry.sign_redirects,
            signature: entry
                .signature
                .as_ref()
                .map_or(Signing::Legacy.number(), |signature| *signature.get_ref()),
            timeout_ms: entry.timeout_ms.as_ref().map(|ms| *ms.get_ref()),
            private_network: entry.private_network,
            login_window_minutes: entry.login_window_minutes.as_ref().map(|m| *m.get_ref()),
            time_zone: entry.time_zone.as_ref().map(|zone| zone.get_ref().clone()),
            tools,
            settings: settings
                .filter(|(_, items)| !items.is_empty())
                .map(|(tool, items)| (tool.get_ref().to_string(), items.clone()))
                .collect(),
            id,
        })
    }

    fn enrollment(
        &mut self,
        id: &str,
        given: &EnrollmentEntry,
        old: Option<&EnrollmentRecord>,
    ) -> Result<EnrollmentRecord, FileError> {
        let file = self.file;
        let record = given.record(file)?;
        let drawer = |column| Drawer {
            table: TABLE,
            row: id,
            column,
        };
        let sealed = Sealed {
            api_token: self.secret(
                "api_token of server",
                &given.api_token,
                old.and_then(|old| old.api_token.clone()),
                drawer("api_token"),
            )?,
            client_secret: self.secret(
                "client_secret of server",
                &given.client_secret,
                old.and_then(|old| old.client_secret.clone()),
                drawer("client_secret"),
            )?,
        };
        let record = given.sealed(file, record, sealed)?;
        let looks = second_looks(&record).into_iter();
        self.warnings
            .extend(looks.map(|words| format!("server {id}: {words}")));
        Ok(record)
    }

    /// A secret to be stored: as it is where it is left out or the same, else sealed anew.
    fn secret(
        &mut self,
        called: &str,
        given: &Option<Spanned<Secret>>,
        before: Option<Vec<u8>>,
        drawer: Drawer<'_>,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let Some(secret) = self.reveal(given, &format!("{called} {}", drawer.row))? else {
            return Ok(before);
        };
        Ok(Some(sealed_anew(self.vault, &secret, before, drawer)))
    }

    fn reveal(
        &mut self,
        given: &Option<Spanned<Secret>>,
        what: &str,
    ) -> Result<Option<SecretString>, FileError> {
        let Some(given) = given else { return Ok(None) };
        let secret = given
            .get_ref()
            .reveal(self.sources)
            .map_err(|message| self.file.error(given.span(), message))?;
        if secret.expose_secret().chars().count() < SHORT {
            self.warnings.push(format!(
                "the {what} is shorter than {SHORT} characters; a longer one is harder to guess"
            ));
        }
        Ok(Some(secret))
    }
}

/// A secret to be stored: as it is where it is the same, else sealed.
pub(super) fn sealed_anew(
    vault: &Vault,
    secret: &SecretString,
    before: Option<Vec<u8>>,
    drawer: Drawer<'_>,
) -> Vec<u8> {
    match before {
        Some(sealed) if vault.holds(&sealed, drawer, secret) => sealed,
        _ => vault.seal(secret.expose_secret(), drawer, random::bytes()),
    }
}

/// Whether two texts of TOML say the same.
fn same_meaning(one: &str, other: &str) -> bool {
    let read = |text| toml::from_str::<toml::Table>(text).ok();
    one == other || read(one).is_some_and(|one| Some(one) == read(other))
}

fn compare<R: PartialEq>(
    kind: &'static str,
    before: &BTreeMap<String, R>,
    after: &BTreeMap<String, R>,
    fields: fn(&R, &R) -> Vec<&'static str>,
    report: &mut Report,
) {
    for (id, record) in after {
        let outcome = match before.get(id) {
            None => Outcome::Created,
            Some(old) if old == record => Outcome::Same,
            Some(old) => Outcome::Changed(fields(old, record)),
        };
        report.objects.push((kind, id.clone(), outcome));
    }
    for id in before.keys().filter(|id| !after.contains_key(*id)) {
        report.objects.push((kind, id.clone(), Outcome::NotNamed));
    }
}

macro_rules! differing {
    ($old:ident, $new:ident, $($field:ident = $called:literal),+) => {
        [$(($old.$field != $new.$field, $called)),+]
            .into_iter().filter(|(differs, _)| *differs).map(|(_, called)| called).collect()
    };
}

fn platform_fields(old: &PlatformRecord, new: &PlatformRecord) -> Vec<&'static str> {
    differing!(
        old,
        new,
        name = "name",
        url = "url",
        launch_auth = "launch_auth",
        launch_secret = "launch_secret",
        callback_state = "callback_state",
        api_token_hash = "api_token",
        custom_csv = "custom_csv",
        finish_url = "finish_url"
    )
}

fn server_fields(old: &ServerRecord, new: &ServerRecord) -> Vec<&'static str> {
    differing!(
        old,
        new,
        name = "name",
        url = "url",
        server_key = "key",
        prefix = "prefix",
        enabled = "enabled",
        sign_redirects = "sign_redirects",
        signature = "signature",
        timeout_ms = "timeout_ms",
        private_network = "private_network",
        login_window_minutes = "login_window_minutes",
        time_zone = "time_zone",
        tools = "tools",
        settings = "settings",
        enrollment = "enrollment"
    )
}

fn tool_fields(_: &ToolRecord, _: &ToolRecord) -> Vec<&'static str> {
    vec!["definition"]
}
