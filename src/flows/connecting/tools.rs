//! Tools: the list, one of them, which servers have it, and those of one's own: written, saved, deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::servers::Day;
use super::{Deleted, delete, serve};
use crate::domain::audit::Actor;
use crate::domain::launch_record::LaunchOutcome;
use crate::domain::tool::{Mistake, Tool, builtin_definition, place_of_signature};
use crate::flows::apply::{self, File, MadeFrom, MappingError, Report, SaveError};
use crate::flows::{Gateway, Refusal};
use crate::store::{Connected, InUse, ServerRecord, StoreError, StoredConfiguration, ToolRecord};

/// The longest definition that a page takes, in bytes. The longest of the built-in ones has two thousand.
pub const LONGEST: usize = 16 * 1024;

/// A tool in the list.
pub struct Listed {
    /// It.
    pub tool: Arc<Tool>,
    /// Whether it is one's own.
    pub is_own: bool,
    /// How many servers have it and are enabled.
    pub enabled: usize,
    /// What it had in the last 24 hours.
    pub day: Day,
}

/// All tools, the built-in ones first.
pub async fn list(gateway: &Gateway, now: DateTime<Utc>) -> Result<Vec<Listed>, Refusal> {
    let stored = gateway.store.configuration().await?;
    let since = now.timestamp() / 3600 - 23;
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for row in gateway.store.launches_by_tool(since).await? {
        let day = days.entry(row.signature).or_default();
        day.launches += row.launches;
        match LaunchOutcome::stored(&row.outcome) {
            Some(LaunchOutcome::Refused) => day.refused += row.launches,
            Some(LaunchOutcome::Failed) => day.failed += row.launches,
            _ => {}
        }
    }
    let configuration = gateway.configuration();
    let builtin = configuration
        .tools()
        .filter(|tool| builtin_definition(tool.signature.as_str()).is_some());
    let mut tools: Vec<(Arc<Tool>, bool)> = builtin.map(|tool| (tool.clone(), false)).collect();
    for record in stored.tools.values() {
        tools.push((Arc::new(read_stored(record)?), true));
    }
    let listed = tools.into_iter().map(|(tool, is_own)| {
        let signature = tool.signature.as_str();
        let has = |server: &&ServerRecord| server.enabled && server.tools.contains(signature);
        Listed {
            enabled: stored.servers.values().filter(has).count(),
            day: days.get(signature).copied().unwrap_or_default(),
            is_own,
            tool,
        }
    });
    Ok(listed.collect())
}

/// One tool, and all that is stored beside it.
pub struct Found {
    /// It.
    pub tool: Tool,
    /// The text of its definition.
    pub definition: String,
    /// As it is stored, where it is one's own.
    pub record: Option<ToolRecord>,
    /// Everything that is configured.
    pub stored: StoredConfiguration,
}

impl Found {
    /// What a form of its boxes is made from.
    pub fn mapping(&self) -> MadeFrom {
        MadeFrom::mapping(self.tool.signature.as_str(), &self.stored)
    }
}

/// The tool of a signature.
pub async fn find(gateway: &Gateway, signature: &str) -> Result<Found, Refusal> {
    let mut stored = gateway.store.configuration().await?;
    let record = stored.tools.remove(signature);
    let definition = match (builtin_definition(signature), &record) {
        (Some(text), _) => text.to_owned(),
        (None, Some(record)) => record.definition.clone(),
        (None, None) => return Err(Refusal::NotConfigured("tool")),
    };
    let tool = Tool::from_toml(&definition).map_err(|_| unreadable(signature))?;
    Ok(Found {
        tool,
        definition,
        record,
        stored,
    })
}

fn read_stored(record: &ToolRecord) -> Result<Tool, Refusal> {
    Tool::from_toml(&record.definition).map_err(|_| unreadable(&record.signature))
}

fn unreadable(signature: &str) -> Refusal {
    StoreError::Unreadable(format!("the definition of tool {signature:?}")).into()
}

/// A definition like another's, with a signature that is still free.
pub async fn like(gateway: &Gateway, signature: &str) -> Result<String, Refusal> {
    let found = find(gateway, signature).await?;
    let is_free = |name: &str| {
        builtin_definition(name).is_none()
            && !found.stored.tools.contains_key(name)
            && name != signature
    };
    // A signature has 32 characters at most, all of them of ASCII.
    let stem = signature.get(..24).unwrap_or(signature);
    let mut free = format!("{stem}-own");
    let mut number = 2;
    while !is_free(&free) {
        free = format!("{stem}-own{number}");
        number += 1;
    }
    let mut text = found.definition;
    if let Some(at) = place_of_signature(&text) {
        text.replace_range(at, &format!("\"{free}\""));
    }
    Ok(text)
}

/// Why a definition was not saved. Nothing has changed.
#[derive(Debug)]
pub enum DefinitionRefused {
    /// It is wrong.
    Wrong(Misplaced),
    /// It is another one now than it was when the form was made, or there is one of its signature already.
    Newer,
    /// Anything else.
    Failed(apply::ApplyError),
}

/// A mistake in a definition, as people look for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    /// The line, from 1; nothing where it is about all of the text.
    pub line: Option<usize>,
    /// The characters of that line that it is about, counted from 0, where that is known.
    pub columns: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
}

impl Misplaced {
    fn of(text: &str, mistake: Mistake) -> Self {
        let Some(at) = mistake.at.filter(|at| text.is_char_boundary(at.start)) else {
            return Self::whole(mistake.message);
        };
        let before = &text[..at.start];
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        let about = text.get(at.clone()).unwrap_or_default();
        let about = about.lines().next().unwrap_or_default();
        let first = text[begin..at.start].chars().count();
        Self {
            line: Some(before.matches('\n').count() + 1),
            columns: Some(first..first + about.chars().count().max(1)),
            message: mistake.message,
        }
    }

    fn whole(message: String) -> Self {
        Self {
            line: None,
            columns: None,
            message,
        }
    }
}

/// Reads a definition that somebody writes.
pub fn read(text: &str) -> Result<Tool, Misplaced> {
    checked(text)?;
    let wrong = |mistake| Misplaced::of(text, mistake);
    let tool = Tool::read(text).map_err(wrong)?;
    let signature = tool.signature.as_str();
    if builtin_definition(signature).is_some() {
        return Err(wrong(Mistake {
            at: place_of_signature(text),
            message: format!(
                "{signature} is built in; a tool of one's own needs another signature"
            ),
        }));
    }
    Ok(tool)
}

fn checked(text: &str) -> Result<(), Misplaced> {
    if text.len() > LONGEST {
        let message = format!("it has {} bytes; {LONGEST} are the most", text.len());
        return Err(Misplaced::whole(message));
    }
    if let Some(at) = text.find('\u{fffd}') {
        let message = "this is no text in UTF-8".to_owned();
        let at = Some(at..at + '\u{fffd}'.len_utf8());
        return Err(Misplaced::of(text, Mistake { at, message }));
    }
    Ok(())
}

/// Adds a tool of one's own, or, where it is given by its signature, changes one.
pub async fn set(
    gateway: &Gateway,
    actor: &Actor,
    (edited, made_from): (Option<&str>, &MadeFrom),
    text: &str,
) -> Result<Tool, DefinitionRefused> {
    let wrong = |mistake| DefinitionRefused::Wrong(Misplaced::of(text, mistake));
    let tool = read(text).map_err(DefinitionRefused::Wrong)?;
    let signature = tool.signature.as_str();
    if let Some(edited) = edited.filter(|edited| *edited != signature) {
        return Err(wrong(Mistake {
            at: place_of_signature(text),
            message: format!(
                "the signature must stay {edited}: content knows the tool by it; \
                 a tool of another signature is a new one"
            ),
        }));
    }
    let file = File::of_definition(text).map_err(wrong)?;
    let vault = gateway.vault();
    let saved =
        apply::save_definition(&gateway.store, vault, actor, (signature, made_from), &file).await;
    saved.map_err(|error| match error {
        SaveError::Wrong(error) => DefinitionRefused::Wrong(Misplaced {
            line: Some(error.line),
            columns: None,
            message: error.message,
        }),
        SaveError::Newer => DefinitionRefused::Newer,
        SaveError::Failed(error) => DefinitionRefused::Failed(error),
    })?;
    serve(gateway).await;
    Ok(tool)
}

/// What is wrong with a definition whose signature another tool of one's own has.
pub fn taken(text: &str) -> Misplaced {
    let mistake = Mistake {
        at: place_of_signature(text),
        message:
            "there is a tool of this signature already; edit that one, or choose another signature"
                .to_owned(),
    };
    Misplaced::of(text, mistake)
}

/// Gives a tool to the servers whose ids are `wanted`, and takes it from all others.
pub async fn map(
    gateway: &Gateway,
    actor: &Actor,
    (tool, made_from): (&Tool, &MadeFrom),
    wanted: &BTreeSet<String>,
) -> Result<Report, MappingError> {
    let vault = gateway.vault();
    let report =
        apply::save_mapping(&gateway.store, vault, actor, (tool, made_from), wanted).await?;
    serve(gateway).await;
    Ok(report)
}

/// What uses a tool.
pub async fn in_use(gateway: &Gateway, signature: &str) -> Result<InUse, Refusal> {
    Ok(gateway.store.in_use(Connected::Tool(signature)).await?)
}

/// Deletes a tool of one's own that nothing uses.
pub async fn remove(gateway: &Gateway, actor: &Actor, signature: &str) -> Result<Deleted, Refusal> {
    delete(gateway, actor, Connected::Tool(signature)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_counted_in_lines_and_characters() {
        let text = "a = 'ü'\nb = 'ü ö' # x";
        let at = text.find("'ü ö'").map(|at| at..at + "'ü ö'".len());
        let message = "no".to_owned();
        let mistake = Misplaced::of(text, Mistake { at, message });
        assert_eq!((mistake.line, mistake.columns), (Some(2), Some(4..9)));
        // What goes on over lines is marked in the first.
        let at = Some(4..20);
        let message = "no".to_owned();
        let mistake = Misplaced::of(text, Mistake { at, message });
        assert_eq!((mistake.line, mistake.columns), (Some(1), Some(4..7)));
        // The end, and what lies beyond it.
        for at in [text.len()..text.len(), text.len() + 7..text.len() + 9] {
            let message = "no".to_owned();
            Misplaced::of(
                text,
                Mistake {
                    at: Some(at),
                    message,
                },
            );
        }
    }
}
