//! `toolgate rotate-keys`: seals every stored secret anew under the first of the secret keys, all of them
//! in one transaction or none, so that the older keys can be taken off the list.

use std::collections::BTreeMap;

use chrono::Utc;
use secrecy::ExposeSecret;

use super::audit::entry;
use super::configuration::{LoadError, secret_of};
use super::lms::stored::TABLE;
use super::random;
use crate::domain::audit::Actor;
use crate::domain::secret_keys::{Drawer, Vault};
use crate::store::{EnrollmentRecord, ServerRecord, Store, StoredConfiguration};

/// What was sealed under which key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// The key that seals.
    pub first: String,
    /// How many secrets were sealed under it already.
    pub already: usize,
    /// How many were not, by the key that they were sealed under.
    pub older: BTreeMap<String, usize>,
    /// Whether those were sealed anew; else that was only looked at.
    pub resealed: bool,
}

impl std::fmt::Display for Rotated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first = &self.first;
        for (key, count) in &self.older {
            let secrets = secrets(*count);
            if self.resealed {
                writeln!(
                    f,
                    "sealed anew {secrets} of the key {key}, now under {first}"
                )?;
            } else {
                writeln!(f, "still sealed by the older key {key}: {secrets}")?;
            }
        }
        writeln!(f, "sealed by {first} before: {}", secrets(self.already))?;
        match (self.older.is_empty(), self.resealed) {
            (false, false) => Ok(()),
            _ => writeln!(
                f,
                "no stored secret needs another key than {first}; state tokens made under older ones do until \
                 they expire"
            ),
        }
    }
}

fn secrets(count: usize) -> String {
    match count {
        1 => "1 secret".to_owned(),
        count => format!("{count} secrets"),
    }
}

/// Seals what is sealed under another key than the first; with `dry_run` only says what is.
pub async fn rotate(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    dry_run: bool,
) -> Result<Rotated, LoadError> {
    let change = store.change_configuration().await?;
    let mut work = Work {
        vault,
        rotated: Rotated {
            first: vault.first().to_owned(),
            resealed: !dry_run,
            ..Rotated::default()
        },
    };
    let changed = work.resealed(&change.before)?;
    let rotated = work.rotated;
    if !dry_run && !changed.is_empty() {
        let now = Utc::now();
        let before = serde_json::json!({ "sealed_by": rotated.older });
        let count: usize = rotated.older.values().sum();
        let after = serde_json::json!({ "sealed_by": { (rotated.first.as_str()): count } });
        let told = entry(
            actor,
            "secrets.sealed-anew",
            "secret keys",
            [Some(before), Some(after)],
            now,
        );
        change.commit(&changed, &[told], now).await?;
    }
    Ok(rotated)
}

struct Work<'a> {
    vault: &'a Vault,
    rotated: Rotated,
}

impl Work<'_> {
    /// The objects whose secrets were sealed anew.
    fn resealed(&mut self, before: &StoredConfiguration) -> Result<StoredConfiguration, LoadError> {
        let mut changed = StoredConfiguration::default();
        for platform in before.platforms.values() {
            let drawer = Drawer {
                table: "platforms",
                row: &platform.id,
                column: "launch_secret",
            };
            if let Some(sealed) = self.anew(platform.launch_secret.as_deref(), drawer)? {
                let mut platform = platform.clone();
                platform.launch_secret = Some(sealed);
                changed.platforms.insert(platform.id.clone(), platform);
            }
        }
        for server in before.servers.values() {
            let drawer = Drawer {
                table: "servers",
                row: &server.id,
                column: "server_key",
            };
            let key = self.anew(server.server_key.as_deref(), drawer)?;
            let connection = self.connection(server)?;
            if key.is_none() && connection.is_none() {
                continue;
            }
            let mut server = server.clone();
            server.server_key = key.or(server.server_key);
            server.enrollment = connection.or(server.enrollment);
            changed.servers.insert(server.id.clone(), server);
        }
        Ok(changed)
    }

    /// A server's LMS connection, where a secret of it was sealed anew.
    fn connection(&mut self, server: &ServerRecord) -> Result<Option<EnrollmentRecord>, LoadError> {
        let Some(connection) = &server.enrollment else {
            return Ok(None);
        };
        let drawer = |column| Drawer {
            table: TABLE,
            row: &server.id,
            column,
        };
        let token = self.anew(connection.api_token.as_deref(), drawer("api_token"))?;
        let client = self.anew(connection.client_secret.as_deref(), drawer("client_secret"))?;
        if token.is_none() && client.is_none() {
            return Ok(None);
        }
        let mut connection = connection.clone();
        connection.api_token = token.or(connection.api_token);
        connection.client_secret = client.or(connection.client_secret);
        Ok(Some(connection))
    }

    /// A secret sealed under the first key, where it is not already. Each is opened: one that does not open
    /// must not be counted as safe.
    fn anew(
        &mut self,
        sealed: Option<&[u8]>,
        drawer: Drawer<'_>,
    ) -> Result<Option<Vec<u8>>, LoadError> {
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let Drawer { table, row, column } = drawer;
        let Some(secret) = secret_of(self.vault, table, row, column, Some(sealed))? else {
            return Ok(None);
        };
        let key = Vault::key_of(sealed).unwrap_or_default();
        if key == self.vault.first() {
            self.rotated.already += 1;
            return Ok(None);
        }
        *self.rotated.older.entry(key.to_owned()).or_default() += 1;
        let anew = self
            .vault
            .seal(secret.expose_secret(), drawer, random::bytes());
        Ok(Some(anew))
    }
}
