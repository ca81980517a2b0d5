//! Which servers have a tool, saved from the boxes of its page: a file of those servers that get it or lose
//! it, applied as a file of one is.

use std::collections::{BTreeMap, BTreeSet};

use super::check::lacking;
use super::written::{WholeServer, WrittenFile};
use super::{ApplyError, FileError, MadeFrom, Report, Sources, parse};
use crate::domain::audit::Actor;
use crate::domain::secret_keys::Vault;
use crate::domain::tool::Tool;
use crate::store::{ServerRecord, Store};

/// Why no mapping was saved. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// These servers, by id, cannot have the tool: why, in words.
    #[error("some servers cannot have the tool")]
    Cannot(BTreeMap<String, String>),
    /// A server was added or deleted, or got or lost the tool, since the form was made.
    #[error("somebody else changed it in the meantime")]
    Newer,
    /// Anything else.
    #[error(transparent)]
    Failed(#[from] ApplyError),
}

/// What keeps a server from having a tool, in words; nothing where it can have it.
pub fn obstacle(record: &ServerRecord, tool: &Tool) -> Option<String> {
    let lacks = lacking(record);
    if !lacks.is_empty() {
        return Some(format!("it needs a {} first", lacks.join(" and a ")));
    }
    let none = BTreeMap::new();
    let items = record.settings.get(tool.signature.as_str());
    let wrong = tool.check_items(items.unwrap_or(&none), true).err()?;
    Some(wrong.to_string())
}

/// Gives a tool to the servers whose ids are `wanted`, and takes it from all others, if all is still as the
/// form was made from.
pub(in crate::flows) async fn save_mapping(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    (tool, made_from): (&Tool, &MadeFrom),
    wanted: &BTreeSet<String>,
) -> Result<Report, MappingError> {
    let signature = tool.signature.as_str();
    let change = store
        .change_configuration()
        .await
        .map_err(ApplyError::from)?;
    if MadeFrom::mapping(signature, &change.before) != *made_from {
        return Err(MappingError::Newer);
    }
    let mut cannot = BTreeMap::new();
    let mut servers = Vec::new();
    for record in change.before.servers.values() {
        let is_wanted = wanted.contains(&record.id);
        if record.tools.contains(signature) == is_wanted {
            continue;
        }
        let mut server = WholeServer::of(record);
        if is_wanted {
            if let Some(words) = obstacle(record, tool) {
                cannot.insert(record.id.clone(), words);
            }
            server.server.tools.insert(signature.to_owned());
        } else {
            server.server.tools.remove(signature);
        }
        servers.push(server);
    }
    if !cannot.is_empty() {
        return Err(MappingError::Cannot(cannot));
    }
    let ids: Vec<String> = servers
        .iter()
        .map(|whole| whole.server.id.clone())
        .collect();
    let file = WrittenFile::from(servers);
    let text = toml::to_string(&file).map_err(|error| wrong(error.to_string()))?;
    let file = parse(&text).map_err(ApplyError::from)?;
    let applied = super::apply_to(change, vault, actor, &file, Sources::TextOnly).await;
    applied.map_err(|error| match error {
        // Something else of a server is not in order.
        ApplyError::File(error) => match server_at(&text, error.line, &ids) {
            Some(id) => MappingError::Cannot(BTreeMap::from([(id, error.message)])),
            None => ApplyError::File(error).into(),
        },
        error => error.into(),
    })
}

fn wrong(message: String) -> ApplyError {
    ApplyError::File(FileError {
        line: 1,
        key: String::new(),
        about: String::new(),
        message,
    })
}

/// The server that a line of the file is about.
fn server_at(text: &str, line: usize, ids: &[String]) -> Option<String> {
    let begun = text.lines().take(line);
    let begun = begun.filter(|line| *line == "[[servers]]").count();
    ids.get(begun.checked_sub(1)?).cloned()
}
