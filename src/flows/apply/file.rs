//! The form of the file, and where in it a mistake is.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::enrollment::EnrollmentEntry;
use super::secret::Secret;
use crate::domain::base_url::BaseUrl;
use crate::domain::id::{PlatformId, ServerId, Signature};
use crate::domain::platform::CallbackState;
use crate::domain::tool::{ItemValues, Tool};

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
    pub(super) custom_csv: Option<Spanned<String>>,
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
    pub(super) timeout_ms: Option<Spanned<i64>>,
    #[serde(default = "yes")]
    pub(super) private_network: bool,
    pub(super) tools: Option<Vec<Spanned<Signature>>>,
    pub(super) enrollment: Option<EnrollmentEntry>,
    /// Keys of the interface that this version takes without using them.
    pub(super) login_window_minutes: Option<toml::Value>,
    pub(super) time_zone: Option<toml::Value>,
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
    let tools = table.get("tools").and_then(toml::Value::as_array);
    let written: Result<_, _> = tools.into_iter().flatten().map(toml::to_string).collect();
    file.definitions = written.map_err(|error| file_error(text, 0, &error.to_string()))?;
    text.clone_into(&mut file.text);
    Ok(file)
}

impl File {
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
