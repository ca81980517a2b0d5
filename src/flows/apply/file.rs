//! The form of the file, and where in it a mistake is.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::enrollment::EnrollmentEntry;
use super::secret::Secret;
use crate::domain::base_url::BaseUrl;
use crate::domain::id::{PlatformId, ServerId, Signature};
use crate::domain::platform::{CallbackState, CsvSource};
use crate::domain::tool::{ItemValues, Mistake, Tool, place_of_signature};

/// A file, of the right form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// `[[platforms]]`
    #[serde(default)]
    pub(super) platforms: Vec<PlatformEntry>,
    /// `[[servers]]`
    #[serde(default)]
    pub(super) servers: Vec<ServerEntry>,
    /// `[[tools]]`
    #[serde(default)]
    pub(super) tools: Vec<Spanned<Tool>>,
    /// The tools' definitions as they are stored.
    #[serde(skip)]
    pub(super) definitions: Vec<String>,
    /// Whether a definition is stored as it is written, also where it means what is stored already.
    #[serde(skip)]
    pub(super) verbatim: bool,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlatformEntry {
    pub(super) id: Spanned<PlatformId>,
    pub(super) name: Option<String>,
    pub(super) url: BaseUrl,
    #[serde(default)]
    pub(super) launch_auth: Auth,
    pub(super) launch_secret: Option<Spanned<Secret>>,
    #[serde(default)]
    pub(super) callback_state: CallbackState,
    pub(super) api_token: Option<Spanned<Secret>>,
    #[serde(default)]
    pub(super) custom_csv: CsvSource,
    pub(super) finish_url: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Auth {
    #[default]
    Signed,
    Open,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerEntry {
    pub(super) id: Spanned<ServerId>,
    pub(super) name: Option<String>,
    pub(super) url: BaseUrl,
    pub(super) key: Option<Spanned<Secret>>,
    pub(super) prefix: Option<Spanned<String>>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default = "yes")]
    pub(super) sign_redirects: bool,
    pub(super) signature: Option<Spanned<i64>>,
    pub(super) timeout_ms: Option<Spanned<i64>>,
    #[serde(default = "yes")]
    pub(super) private_network: bool,
    pub(super) tools: Option<Vec<Spanned<Signature>>>,
    pub(super) login_window_minutes: Option<Spanned<i64>>,
    pub(super) time_zone: Option<Spanned<String>>,
    pub(super) enrollment: Option<EnrollmentEntry>,
    #[serde(default)]
    pub(super) settings: BTreeMap<Spanned<Signature>, ItemValues>,
}

fn yes() -> bool {
    true
}

/// A mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {message}", if key.is_empty() { String::new() } else { format!(", {key}") })]
pub struct FileError {
    /// The line, from 1.
    pub line: usize,
    /// The key or table that stands on that line.
    pub key: String,
    /// The key that it is about, where that is another one, which the file lacks; else empty.
    pub about: String,
    /// What is wrong.
    pub message: String,
}

/// Reads a file.
pub fn parse(text: &str) -> Result<File, FileError> {
    let failed = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        file_error(text, at, error.message())
    };
    let mut file: File = toml::from_str(text).map_err(failed)?;
    let table: toml::Table = toml::from_str(text).map_err(failed)?;
    if let Some(at) = zero_byte(text, &table) {
        return Err(file_error(
            text,
            at,
            "a text must not hold the character U+0000",
        ));
    }
    let tools = table.get("tools").and_then(toml::Value::as_array);
    let written: Result<_, _> = tools.into_iter().flatten().map(toml::to_string).collect();
    file.definitions = written.map_err(|error| file_error(text, 0, &error.to_string()))?;
    text.clone_into(&mut file.text);
    Ok(file)
}

/// Where the file writes a zero byte, which no database takes.
fn zero_byte(text: &str, table: &toml::Table) -> Option<usize> {
    fn holds(value: &toml::Value) -> bool {
        match value {
            toml::Value::String(text) => text.contains('\0'),
            toml::Value::Array(values) => values.iter().any(holds),
            toml::Value::Table(table) => {
                table.iter().any(|(key, v)| key.contains('\0') || holds(v))
            }
            _ => false,
        }
    }
    let written = ["\\u0000", "\\U00000000", "\\x00"];
    let found = || written.iter().filter_map(|escape| text.find(escape)).min();
    holds(&toml::Value::Table(table.clone())).then(|| found().unwrap_or(0))
}

impl File {
    /// A file of one definition, which is all of its text.
    pub(in crate::flows) fn of_definition(text: &str) -> Result<Self, Mistake> {
        let tool = Tool::read(text)?;
        let at = place_of_signature(text).unwrap_or_default();
        Ok(Self {
            platforms: Vec::new(),
            servers: Vec::new(),
            tools: vec![Spanned::new(at, tool)],
            definitions: vec![text.to_owned()],
            verbatim: true,
            text: text.to_owned(),
        })
    }

    /// A mistake at a place of the file.
    pub(super) fn error(&self, at: Range<usize>, message: impl Into<String>) -> FileError {
        file_error(&self.text, at.start, &message.into())
    }

    /// A mistake at a place of the file, about a key that is not there.
    pub(super) fn error_about(
        &self,
        about: &str,
        at: Range<usize>,
        message: impl Into<String>,
    ) -> FileError {
        FileError {
            about: about.to_owned(),
            ..self.error(at, message)
        }
    }
}

fn file_error(text: &str, at: usize, message: &str) -> FileError {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    // What stands left of the equals sign, here or where a value of several lines began: never the value,
    // which may be a secret.
    let key = text
        .lines()
        .take(line)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .find_map(key_on);
    let key = key.unwrap_or_default();
    FileError {
        line,
        key: key.to_owned(),
        about: String::new(),
        message: message.to_owned(),
    }
}

/// The key or table that a line names.
fn key_on(line: &str) -> Option<&str> {
    let line = line.trim();
    match line.split_once('=') {
        Some((key, _)) if !key.trim().contains(['"', '#']) => Some(key.trim()),
        None if line.starts_with('[') && line.ends_with(']') => Some(line),
        _ => None,
    }
}
