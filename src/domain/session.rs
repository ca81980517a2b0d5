//! A session: the run-time copy of content for one group, known by platform, signature and
//! `toolSessionID`.

use chrono::{DateTime, Utc};

use super::content::ContentKey;
use super::id::{ExtId, PlatformId, Signature, ToolContentId, ToolSessionId};

/// Which session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The platform whose it is.
    pub platform: PlatformId,
    /// The tool.
    pub signature: Signature,
    /// Its number there.
    pub id: ToolSessionId,
}

/// The same, of names that lie elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionRef<'a> {
    /// The platform whose it is.
    pub platform: &'a PlatformId,
    /// The tool.
    pub signature: &'a Signature,
    /// Its number there.
    pub id: ToolSessionId,
}

impl SessionRef<'_> {
    /// With names of its own.
    pub fn to_key(self) -> SessionKey {
        SessionKey {
            platform: self.platform.clone(),
            signature: self.signature.clone(),
            id: self.id,
        }
    }
}

impl<'a> From<&'a SessionKey> for SessionRef<'a> {
    fn from(key: &'a SessionKey) -> Self {
        Self {
            platform: &key.platform,
            signature: &key.signature,
            id: key.id,
        }
    }
}

/// A session as it is stored. Nothing of it changes while it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which it is.
    pub key: SessionKey,
    /// The content that it was made from.
    pub content: ToolContentId,
    /// Its name, usually the group's.
    pub name: String,
    /// The id of its own copy on the server.
    pub ext_id: ExtId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Session {
    /// The content that it was made from.
    pub fn content_key(&self) -> ContentKey {
        ContentKey {
            platform: self.key.platform.clone(),
            signature: self.key.signature.clone(),
            id: self.content,
        }
    }
}

/// What is known of one person in one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendance {
    /// The name that launches and states give: the LAMS login.
    pub name: String,
    /// When the person first opened the session.
    pub opened_at: Option<DateTime<Utc>>,
    /// When the person came back from it as finished.
    pub finished_at: Option<DateTime<Utc>>,
}
