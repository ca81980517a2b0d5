//! `toolgate apply --joanie`: LMS connections from the JSON form of Joanie's `JOANIE_LMS_BACKENDS`. An entry is
//! known again by its backend and base address; a new one makes a server named after its host.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;

use super::enrollment::without_secret;
use super::order::give_places;
use super::plan::{Plan, sealed_anew};
use super::{ApplyError, Report, finish, overlap_warnings};
use crate::domain::audit::Actor;
use crate::domain::id::ServerId;
use crate::domain::lms::{Backend, GradesApi, JoanieEntry, JoanieError, read_joanie};
use crate::domain::secret_keys::{Drawer, SecretKeys, Vault};
use crate::domain::server::Signing;
use crate::flows::lms::stored::TABLE;
use crate::flows::random;
use crate::store::{EnrollmentRecord, ServerRecord, Store, StoredConfiguration};

/// What Joanie has for all Moodles together. Nothing where it is not set, which keeps what is stored; empty
/// for the default.
#[derive(Debug, Clone, Default)]
pub struct JoanieSettings {
    /// `JOANIE_LMS_MOODLE_STUDENT_ROLE_ID`
    pub role_id: Option<String>,
    /// `MOODLE_AUTH_METHOD`
    pub user_auth: Option<String>,
}

impl JoanieSettings {
    /// From the environment.
    pub fn from_environment() -> Self {
        Self {
            role_id: std::env::var("JOANIE_LMS_MOODLE_STUDENT_ROLE_ID").ok(),
            user_auth: std::env::var("MOODLE_AUTH_METHOD").ok(),
        }
    }
}

/// Says what a list would make where there is no database yet.
pub fn plan_joanie_on_nothing(text: &str, settings: &JoanieSettings) -> Result<Report, ApplyError> {
    let vault = SecretKeys::of_one(random::bytes()).vault();
    let nothing = StoredConfiguration::default();
    Ok(plan(text, settings, &nothing, &vault)?.report)
}

/// Applies the text of a list in somebody's name; with `dry_run` only says what would change.
pub async fn apply_joanie(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    (text, settings): (&str, &JoanieSettings),
    dry_run: bool,
) -> Result<Report, ApplyError> {
    let change = store.change_configuration().await?;
    let plan = plan(text, settings, &change.before, vault)?;
    if dry_run {
        return Ok(plan.report);
    }
    finish(change, plan, actor).await
}

fn plan(
    text: &str,
    settings: &JoanieSettings,
    before: &StoredConfiguration,
    vault: &Vault,
) -> Result<Plan, ApplyError> {
    let entries = read_joanie(text)?;
    let moodles = Moodles::read(settings)?;
    let mut after = StoredConfiguration::default();
    let mut named = Vec::new();
    let mut warnings = Vec::new();
    for entry in entries {
        let known = known_again(&entry, before, &after);
        let mut server = known.unwrap_or_else(|| new_server(&entry, before, &after));
        let id = server.id.clone();
        warnings.extend(
            entry
                .warnings
                .iter()
                .map(|words| format!("server {id}: {words}")),
        );
        let connection = connection(entry, &server, &moodles, vault);
        warnings.extend(without_secret(&connection).map(|words| format!("server {id}: {words}")));
        server.enrollment = Some(connection);
        named.push(id.clone());
        after.servers.insert(id, server);
    }
    give_places(before, &mut after, &named);
    let mut plan = Plan::comparing(before, after, warnings);
    let overlaps = overlap_warnings(plan.merged(before), vault)?;
    plan.report.warnings.extend(overlaps);
    Ok(plan)
}

/// What holds for all Moodles of the list.
struct Moodles {
    role_id: Option<Option<i64>>,
    user_auth: Option<Option<String>>,
}

impl Moodles {
    fn read(settings: &JoanieSettings) -> Result<Self, JoanieError> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let number = |text: String| match text.parse() {
            Ok(id @ 1..) => Ok(id),
            _ => Err(JoanieError::Setting(
                "JOANIE_LMS_MOODLE_STUDENT_ROLE_ID must be a number from 1 on.",
            )),
        };
        Ok(Self {
            role_id: match &settings.role_id {
                Some(text) => Some(given(text).map(number).transpose()?),
                None => None,
            },
            user_auth: settings.user_auth.as_ref().map(given),
        })
    }
}

/// The server of the same backend and base address: the first that no entry before this one has taken.
fn known_again(
    entry: &JoanieEntry,
    before: &StoredConfiguration,
    taken: &StoredConfiguration,
) -> Option<ServerRecord> {
    let same = |server: &&ServerRecord| {
        let connection = server.enrollment.as_ref();
        connection.is_some_and(|connection| {
            connection.base_url == entry.address.as_str()
                && Backend::named(&connection.backend) == Some(entry.backend)
        }) && !taken.servers.contains_key(&server.id)
    };
    let place = |server: &&ServerRecord| server.enrollment.as_ref().map(|c| c.position);
    let found = before.servers.values().filter(same).min_by_key(place);
    found.cloned()
}

fn new_server(
    entry: &JoanieEntry,
    before: &StoredConfiguration,
    taken: &StoredConfiguration,
) -> ServerRecord {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".-_".contains(c) {
            c
        } else {
            '-'
        }
    };
    let host: String = entry.address.host().chars().map(plain).take(60).collect();
    let ids: BTreeSet<&String> = before.servers.keys().chain(taken.servers.keys()).collect();
    let numbered = (2..).map(|number| format!("{host}-{number}"));
    let id = std::iter::once(host.clone())
        .chain(numbered)
        .find(|id| !ids.contains(id) && id.parse::<ServerId>().is_ok())
        .unwrap_or_default();
    let root = entry.address.root();
    let site = root
        .strip_suffix("webservice/rest/server.php")
        .unwrap_or(root);
    ServerRecord {
        name: entry.address.host().to_owned(),
        url: format!("{}/", site.trim_end_matches('/')),
        server_key: None,
        prefix: None,
        enabled: true,
        sign_redirects: true,
        signature: Signing::Legacy.number(),
        timeout_ms: None,
        private_network: true,
        login_window_minutes: None,
        time_zone: None,
        tools: BTreeSet::new(),
        settings: std::collections::BTreeMap::new(),
        enrollment: None,
        id,
    }
}

fn connection(
    entry: JoanieEntry,
    server: &ServerRecord,
    moodles: &Moodles,
    vault: &Vault,
) -> EnrollmentRecord {
    let old = server.enrollment.as_ref();
    let drawer = Drawer {
        table: TABLE,
        row: &server.id,
        column: "api_token",
    };
    let stored = old.and_then(|old| old.api_token.clone());
    let api_token = match &entry.api_token {
        None => stored,
        Some(token) => Some(sealed_anew(vault, token, stored, drawer)),
    };
    debug_assert!(
        entry
            .api_token
            .as_ref()
            .is_none_or(|token| !token.expose_secret().is_empty())
    );
    let is_moodle = entry.backend == Backend::Moodle;
    let of_moodle = |set: &Option<Option<String>>, old: Option<String>| match set {
        Some(set) if is_moodle => set.clone(),
        _ => old,
    };
    let role_id = match &moodles.role_id {
        Some(set) if is_moodle => *set,
        _ => old.and_then(|old| old.role_id),
    };
    EnrollmentRecord {
        position: old.map_or(0, |old| old.position),
        backend: entry.backend.as_str().to_owned(),
        base_url: entry.address.as_str().to_owned(),
        selector_regex: entry.selector.as_str().to_owned(),
        course_regex: Some(entry.course.as_str().to_owned()),
        api_token,
        client_id: old.and_then(|old| old.client_id.clone()),
        client_secret: old.and_then(|old| old.client_secret.clone()),
        auto_enroll: old.is_some_and(|old| old.auto_enroll),
        timeout_ms: old.and_then(|old| old.timeout_ms),
        role_id,
        user_auth: of_moodle(
            &moodles.user_auth,
            old.and_then(|old| old.user_auth.clone()),
        ),
        create_users: old.is_none_or(|old| old.create_users),
        grades_api: old.map_or(GradesApi::default().as_str().to_owned(), |old| {
            old.grades_api.clone()
        }),
        extras: (!entry.extras.is_empty())
            .then(|| serde_json::Value::Object(entry.extras).to_string()),
    }
}
