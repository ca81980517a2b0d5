//! Reading what an LMS answered, and its own words in it.

use serde_json::Value;

use super::ask::Answer;
use super::failure::{LmsCode, LmsFailure};
use crate::outbound::excerpt::excerpt_without;

/// The keys in which LMSs say what is wrong, the most telling first.
const WORDS: [&str; 6] = [
    "message",
    "detail",
    "error_description",
    "developer_message",
    "error",
    "exception",
];

/// The LMS's own words in an answer: its message where it is JSON, else its beginning; none in an empty one.
pub(super) fn said_in(answer: &[u8], secrets: &[&str]) -> Option<String> {
    if answer.trim_ascii().is_empty() {
        return None;
    }
    let json: Option<Value> = serde_json::from_slice(answer).ok();
    let words = json.as_ref().and_then(said_in_json);
    let text = words.as_deref().map_or(answer, str::as_bytes);
    Some(excerpt_without(text, secrets))
}

fn said_in_json(json: &Value) -> Option<String> {
    let words = WORDS.iter().find_map(|key| json[*key].as_str())?;
    match json["debuginfo"].as_str() {
        Some(more) if !more.trim().is_empty() => Some(format!("{words} ({more})")),
        _ => Some(words.to_owned()),
    }
}

impl Answer {
    /// Whether its status is one of success.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Its JSON; nothing for an empty body and for `null`.
    pub(super) fn json(&self, secrets: &[&str]) -> Result<Option<Value>, LmsFailure> {
        if self.body.trim_ascii().is_empty() {
            return Ok(None);
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Null) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.unreadable("its answer is no JSON", secrets)),
        }
    }

    /// A failure by its status.
    pub(super) fn refused(&self, secrets: &[&str]) -> LmsFailure {
        let code = match self.status {
            401 => LmsCode::Credentials,
            403 => LmsCode::Forbidden,
            404 | 410 => LmsCode::NotFound,
            _ => LmsCode::BadRequest,
        };
        LmsFailure::new(code, format!("it answered with status {}", self.status))
            .saying(said_in(&self.body, secrets))
    }

    /// An answer that is not of the form that it must have.
    pub(super) fn unreadable(&self, words: &str, secrets: &[&str]) -> LmsFailure {
        LmsFailure::new(LmsCode::Protocol, words).saying(said_in(&self.body, secrets))
    }
}

/// True, false, or one of the numbers that stand for them.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}
