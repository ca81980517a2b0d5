//! One platform, server or tool, saved from a sysadmin's form: a file of that one object, applied in the
//! sysadmin's name, unless somebody else has changed the object since the form was made.

use sha2::{Digest, Sha256};

use super::file::File;
use super::order::connected;
use super::written::{WholeServer, WrittenFile, WrittenPlatform};
use super::{ApplyError, FileError, Report, Sources, parse};
use crate::domain::audit::Actor;
use crate::domain::secret_keys::Vault;
use crate::store::{
    Change, Connected, PlatformRecord, ServerRecord, Store, StoredConfiguration, ToolRecord,
};

/// An object in the form of the file, and its secrets as they are stored.
type Stored<'a> = (Result<String, toml::ser::Error>, [Option<&'a [u8]>; 3]);

/// What an object was when a form was made of it: a hash of all that is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFrom(String);

impl MadeFrom {
    /// Of a server as it is stored; nothing where there is none.
    pub fn server(record: Option<&ServerRecord>) -> Self {
        Self::of(record.map(|record| {
            let connection = record.enrollment.as_ref();
            let secrets = [
                record.server_key.as_deref(),
                connection.and_then(|connection| connection.api_token.as_deref()),
                connection.and_then(|connection| connection.client_secret.as_deref()),
            ];
            (toml::to_string(&WholeServer::of(record)), secrets)
        }))
    }

    /// Of a platform as it is stored; nothing where there is none.
    pub fn platform(record: Option<&PlatformRecord>) -> Self {
        Self::of(record.map(|record| {
            let secrets = [
                record.launch_secret.as_deref(),
                record.api_token_hash.as_deref(),
                None,
            ];
            (toml::to_string(&WrittenPlatform::of(record)), secrets)
        }))
    }

    /// Of a tool as it is stored; nothing where there is none.
    pub fn tool(record: Option<&ToolRecord>) -> Self {
        Self::of(record.map(|record| (Ok(record.definition.clone()), [None, None, None])))
    }

    /// Of which servers there are, and which of them have a tool.
    pub fn mapping(signature: &str, stored: &StoredConfiguration) -> Self {
        let servers = stored.servers.values();
        let lines = servers.map(|server| {
            let has = server.tools.contains(signature);
            format!("{} {has}\n", server.id)
        });
        Self::of(Some((Ok(lines.collect()), [None, None, None])))
    }

    /// As a form carries it. Whatever was made of it on the way is another state, which is refused.
    pub fn from_form(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As a form carries it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(stored: Option<Stored<'_>>) -> Self {
        let Some((text, secrets)) = stored else {
            return Self(String::new());
        };
        let mut hash = Sha256::new();
        hash.update(text.unwrap_or_default());
        for secret in secrets {
            // A byte that no text of TOML has keeps the parts apart.
            hash.update([0]);
            hash.update(Sha256::digest(secret.unwrap_or_default()));
        }
        Self(hex::encode(hash.finalize()))
    }
}

/// Why an object was not saved. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// One of its values is wrong.
    #[error(transparent)]
    Wrong(FileError),
    /// It is another one now than it was when the form was made: changed, deleted, or added.
    #[error("somebody else changed it in the meantime")]
    Newer,
    /// Anything else.
    #[error(transparent)]
    Failed(ApplyError),
}

/// Applies a file of one object in a sysadmin's name, if what is stored of it is still what the form was
/// made from.
pub(in crate::flows) async fn save(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    (object, made_from): (Connected<'_>, &MadeFrom),
    mut file: WrittenFile,
) -> Result<Report, SaveError> {
    let change = begin(store, object, made_from).await?;
    file.keep_unshown(&change.before);
    let file = read_again(&file)?;
    finish(change, vault, actor, &file).await
}

/// Moves an LMS connection before the one that stands right before it, if that is still `above`.
pub(in crate::flows) async fn save_order(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    (moved, above): (&str, &str),
) -> Result<Report, SaveError> {
    let change = store
        .change_configuration()
        .await
        .map_err(|error| SaveError::Failed(error.into()))?;
    let order = connected(&change.before);
    let at = order.iter().position(|server| server.id == moved);
    let pair = at
        .and_then(|at| Some([order.get(at)?, order.get(at.checked_sub(1)?)?]))
        .filter(|[_, before]| before.id == above)
        .ok_or(SaveError::Newer)?;
    // The places of those that a file names are given in its order.
    let file = WrittenFile::from(Vec::from(pair.map(|record| WholeServer::of(record))));
    let file = read_again(&file)?;
    finish(change, vault, actor, &file).await
}

/// A file as `parse` reads it.
fn read_again(file: &WrittenFile) -> Result<File, SaveError> {
    let text = toml::to_string(file).map_err(|error| {
        SaveError::Wrong(FileError {
            line: 1,
            key: String::new(),
            about: String::new(),
            message: error.to_string(),
        })
    })?;
    parse(&text).map_err(SaveError::Wrong)
}

/// The same for one definition, stored as it is written.
pub(in crate::flows) async fn save_definition(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    (signature, made_from): (&str, &MadeFrom),
    file: &File,
) -> Result<Report, SaveError> {
    let change = begin(store, Connected::Tool(signature), made_from).await?;
    finish(change, vault, actor, file).await
}

/// Begins a change, if what is stored of an object is still what the form was made from.
async fn begin(
    store: &Store,
    object: Connected<'_>,
    made_from: &MadeFrom,
) -> Result<Change, SaveError> {
    let change = store
        .change_configuration()
        .await
        .map_err(|error| SaveError::Failed(error.into()))?;
    if now(object, &change.before) != *made_from {
        return Err(SaveError::Newer);
    }
    Ok(change)
}

async fn finish(
    change: Change,
    vault: &Vault,
    actor: &Actor,
    file: &File,
) -> Result<Report, SaveError> {
    super::apply_to(change, vault, actor, file, Sources::TextOnly)
        .await
        .map_err(|error| match error {
            ApplyError::File(error) => SaveError::Wrong(error),
            error => SaveError::Failed(error),
        })
}

fn now(object: Connected<'_>, stored: &StoredConfiguration) -> MadeFrom {
    match object {
        Connected::Server(id) => MadeFrom::server(stored.servers.get(id)),
        Connected::Platform(id) => MadeFrom::platform(stored.platforms.get(id)),
        Connected::Tool(id) => MadeFrom::tool(stored.tools.get(id)),
    }
}
