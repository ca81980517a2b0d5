//! The journal of calls that make something on an external server. The peer knows no idempotency key, so
//! exactly once cannot be promised across the wire; what can be is that no call is repeated blindly, and
//! that one whose outcome is not known is kept, shown, and settled by a person.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::content::{ContentKey, Place};
use super::id::{ExtId, PlatformId, ServerId, Signature};

/// What a call makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A session's copy: `createToolSession`.
    Session,
    /// A copy of content: `copyToolContent`.
    Copy,
    /// Content from an archive: `importToolContent`.
    Import,
}

impl Operation {
    /// As it is stored and listed.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Session => "session",
            Operation::Copy => "copy",
            Operation::Import => "import",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        [Operation::Session, Operation::Copy, Operation::Import]
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }
}

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryState {
    /// An instance is at it.
    Calling,
    /// Its outcome is not known: the call may have made something. A person settles it.
    Unsettled,
    /// It made what it was to make.
    Done,
    /// It made nothing, or was given up. Its key is free.
    Failed,
}

impl EntryState {
    /// As it is stored and listed.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryState::Calling => "calling",
            EntryState::Unsettled => "unsettled",
            EntryState::Done => "done",
            EntryState::Failed => "failed",
        }
    }

    /// From how it is stored.
    pub fn stored(text: &str) -> Option<Self> {
        use EntryState::{Calling, Done, Failed, Unsettled};
        [Calling, Unsettled, Done, Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// What makes two calls the same: the key, and this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "make", rename_all = "lowercase")]
pub enum Request {
    /// A session of this content.
    Session {
        /// `toolContentID`.
        content: i64,
    },
    /// A copy of this content, by a customCSV of these fields.
    Copy {
        /// `toolContentID` of the source, if one was named.
        from: Option<i64>,
        /// Where the copy goes.
        place: Place,
    },
    /// What an archive holds.
    Import {
        /// Where it goes.
        place: Place,
        /// The SHA-256 of what the server is sent, in hexadecimal; nothing where there is content on this
        /// side alone.
        sha256: Option<String>,
        /// See [`crate::domain::content::Content::define_later`].
        define_later: bool,
        /// See [`crate::domain::content::Content::run_offline`].
        run_offline: bool,
    },
}

impl Request {
    /// Where what is made goes, where the call says that.
    pub fn into_place(self) -> Option<Place> {
        match self {
            Request::Session { .. } => None,
            Request::Copy { place, .. } | Request::Import { place, .. } => Some(place),
        }
    }
}

/// All that is needed to send a call again and to store what it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// The id to copy; `0` makes default content; empty for an import.
    pub source: String,
    /// Where the copy goes.
    pub place: Place,
    /// The session's name; empty for content.
    pub name: String,
}

/// What an entry is about: one local number, made once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntryKey {
    /// The platform that asked.
    pub platform: PlatformId,
    /// The tool.
    pub signature: Signature,
    /// What is made.
    pub operation: Operation,
    /// `toolSessionID` or `toolContentID`.
    pub local_id: i64,
}

impl EntryKey {
    /// That of what makes content.
    pub fn of_content(content: &ContentKey, operation: Operation) -> Self {
        Self {
            platform: content.platform.clone(),
            signature: content.signature.clone(),
            operation,
            local_id: content.id.get(),
        }
    }
}

impl std::fmt::Display for Entry {
    /// One line for an operator.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let EntryKey {
            platform,
            signature,
            operation,
            local_id,
        } = &self.key;
        let (state, made) = (self.state.as_str(), operation.as_str());
        let at = self.created_at.format("%Y-%m-%dT%H:%M:%SZ");
        write!(
            f,
            "{} {state} {at} {made} {platform}/{signature}/{local_id} on {}",
            self.id, self.server
        )?;
        match operation {
            Operation::Import => f.write_str(", a file")?,
            _ => write!(f, ", a copy of {}", self.payload.source)?,
        }
        write!(f, ", sent {} times", self.tries)?;
        match &self.error {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, a UUID: `rid` on the wire, the same on every try.
    pub id: String,
    /// What it is about.
    pub key: EntryKey,
    /// The server that is called.
    pub server: ServerId,
    /// What makes two calls the same.
    pub request: Request,
    /// What it takes to send and to store it.
    pub payload: Payload,
    /// How far it is.
    pub state: EntryState,
    /// How often it was sent.
    pub tries: i64,
    /// What the server answered, once it is done.
    pub ext_id: Option<ExtId>,
    /// What went wrong, in words.
    pub error: Option<String>,
    /// When it was first asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_stored() {
        use EntryState::{Calling, Done, Failed, Unsettled};
        let operations = [
            (Operation::Session, "session"),
            (Operation::Copy, "copy"),
            (Operation::Import, "import"),
        ];
        for (operation, word) in operations {
            assert_eq!(operation.as_str(), word);
            assert_eq!(Operation::stored(word), Some(operation));
        }
        assert_eq!(Operation::stored("removal"), None);
        let states = [
            (Calling, "calling"),
            (Unsettled, "unsettled"),
            (Done, "done"),
            (Failed, "failed"),
        ];
        for (state, word) in states {
            assert_eq!(state.as_str(), word);
            assert_eq!(EntryState::stored(word), Some(state));
        }
        assert_eq!(EntryState::stored(""), None);
    }

    #[test]
    fn an_entry_is_one_line_for_an_operator() {
        let entry = |operation, error: Option<&str>| Entry {
            id: "5f".to_owned(),
            key: EntryKey {
                platform: "lams".parse().unwrap(),
                signature: "mdquiz10".parse().unwrap(),
                operation,
                local_id: 7,
            },
            server: "moodle".parse().unwrap(),
            state: EntryState::Unsettled,
            payload: Payload {
                source: "12".to_owned(),
                place: Place {
                    server: "moodle".parse().unwrap(),
                    user: "bill".to_owned(),
                    course: "7".to_owned(),
                    section: None,
                    course_url: None,
                },
                name: String::new(),
            },
            tries: 2,
            error: error.map(str::to_owned),
            request: Request::Session { content: 5 },
            ext_id: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        };
        let copied = entry(Operation::Session, None).to_string();
        let begins = "5f unsettled 1970-01-01T00:00:00Z session lams/mdquiz10/7 on moodle";
        assert_eq!(copied, format!("{begins}, a copy of 12, sent 2 times"));
        let imported = entry(Operation::Import, Some("it broke")).to_string();
        assert!(
            imported.ends_with(" on moodle, a file, sent 2 times: it broke"),
            "{imported}"
        );
    }
}
