//! The JSON form of Joanie's setting `JOANIE_LMS_BACKENDS`, checked as Joanie checks it and in its words, and
//! more strictly where Joanie would fail later.

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::lint::look_alike;
use super::{Backend, COURSE_GROUP, LmsAddress, Pattern};

/// One entry of the list, of the right form.
#[derive(Debug, Clone)]
pub struct JoanieEntry {
    /// BACKEND
    pub backend: Backend,
    /// BASE_URL
    pub address: LmsAddress,
    /// SELECTOR_REGEX
    pub selector: Pattern,
    /// COURSE_REGEX
    pub course: Pattern,
    /// API_TOKEN
    pub api_token: Option<SecretString>,
    /// Every other key.
    pub extras: Map<String, Value>,
    /// What is worth a second look.
    pub warnings: Vec<String>,
}

/// Why a text is no such list. Nothing of its values is in the message but expressions and class paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoanieError {
    /// It is no JSON.
    #[error("line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// It is JSON of another form.
    #[error("LMS Backends must be a list of dictionaries.")]
    NotAList,
    /// A setting beside the list is wrong.
    #[error("{0}")]
    Setting(&'static str),
    /// An entry is wrong.
    #[error("entry {number}: {message}")]
    Entry {
        /// From 1.
        number: usize,
        /// What is wrong with it.
        message: String,
    },
}

impl JoanieError {
    /// What is wrong, in Joanie's words where it has some.
    pub fn message(&self) -> String {
        match self {
            JoanieError::Entry { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }
}

/// Keys that every entry must have, in the order in which Joanie asks for them.
const REQUIRED: [&str; 4] = ["BACKEND", "BASE_URL", "SELECTOR_REGEX", "COURSE_REGEX"];

/// Reads the list. The order of checks is Joanie's.
pub fn read_joanie(text: &str) -> Result<Vec<JoanieEntry>, JoanieError> {
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|error| JoanieError::Json {
        line: error.line(),
        column: error.column(),
        message: without_place(&error.to_string()),
    })?;
    let Value::Array(entries) = value else {
        return Err(JoanieError::NotAList);
    };
    let is_object = |entry: Value| match entry {
        Value::Object(entry) => Ok(entry),
        _ => Err(JoanieError::NotAList),
    };
    let entries: Vec<_> = entries
        .into_iter()
        .map(is_object)
        .collect::<Result<_, _>>()?;
    let read = |(at, entry)| {
        read_entry(entry).map_err(|message| JoanieError::Entry {
            number: at + 1,
            message,
        })
    };
    entries.into_iter().enumerate().map(read).collect()
}

fn read_entry(mut entry: Map<String, Value>) -> Result<JoanieEntry, String> {
    if let Some(key) = REQUIRED.iter().find(|key| !entry.contains_key(**key)) {
        return Err(format!("Missing key {key} in LMS Backend."));
    }
    let mut text = |key: &str| match entry.remove(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(format!("{key} must be a string.")),
    };
    let (selector, course) = (text("SELECTOR_REGEX")?, text("COURSE_REGEX")?);
    let warnings = [("SELECTOR_REGEX", &selector), ("COURSE_REGEX", &course)];
    let warnings = warnings
        .into_iter()
        .filter_map(|(key, text)| look_alike(key, text));
    let warnings = warnings.collect();
    let pattern = |text: &str| {
        Pattern::parse(text).map_err(|_| format!("Invalid regex {text} in LMS Backend."))
    };
    let (selector, course) = (pattern(&selector)?, pattern(&course)?);
    let (path, address) = (text("BACKEND")?, text("BASE_URL")?);
    if Backend::named(&path).is_none() && !is_module_path(&path) {
        return Err(format!("{path} must be a valid python module path string."));
    }
    match entry.get("COURSE_RUN_SYNC_NO_UPDATE_FIELDS") {
        None | Some(Value::Array(_)) => {}
        Some(_) => return Err("COURSE_RUN_SYNC_NO_UPDATE_FIELDS must be a list.".to_owned()),
    }
    let backend = Backend::named(&path)
        .ok_or_else(|| format!("BACKEND {path} is not one that is known here in LMS Backend."))?;
    let address =
        LmsAddress::parse(&address).map_err(|error| format!("BASE_URL {error} in LMS Backend."))?;
    if backend.needs_course_group() && !course.has_course_group() {
        return Err(format!(
            "COURSE_REGEX must have a group named {COURSE_GROUP}, (?P<{COURSE_GROUP}>…), in LMS Backend."
        ));
    }
    let api_token = match entry.remove("API_TOKEN") {
        None | Some(Value::Null) => None,
        Some(Value::String(token)) if token.is_empty() => None,
        Some(Value::String(token)) => Some(SecretString::from(token)),
        Some(_) => return Err("API_TOKEN must be a string.".to_owned()),
    };
    Ok(JoanieEntry {
        backend,
        address,
        selector,
        course,
        api_token,
        extras: entry,
        warnings,
    })
}

/// Joanie's `^([a-zA-Z_]+\.)*[a-zA-Z_]+$`.
fn is_module_path(path: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    path.split('.').all(plain)
}

/// A message of the JSON reader without the place, which is said before it.
fn without_place(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(at) => message[..at].to_owned(),
        None => message.to_owned(),
    }
}
