//! Turning rows into domain types. What is stored was checked before; should it be unreadable all the
//! same, it is named, not guessed.

use chrono::{DateTime, Utc};

use super::StoreError;
use crate::domain::content::{Content, ContentKey, Place};
use crate::domain::id::{ExtId, PlatformId, Signature, ToolContentId, ToolSessionId};
use crate::domain::session::{Session, SessionKey};

#[derive(Debug, sqlx::FromRow)]
pub(super) struct PlaceRow {
    server_id: String,
    ext_user: String,
    ext_course: String,
    ext_section: Option<String>,
    ext_course_url: Option<String>,
}

impl PlaceRow {
    pub(super) fn place(self) -> Result<Place, StoreError> {
        Ok(Place {
            server: parsed(self.server_id, "a server id")?,
            user: self.ext_user,
            course: self.ext_course,
            section: self.ext_section,
            course_url: self.ext_course_url,
        })
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct ContentRow {
    tool_content_id: i64,
    #[sqlx(flatten)]
    place: PlaceRow,
    ext_tool_content_id: Option<String>,
    define_later: bool,
    locked_until: Option<DateTime<Utc>>,
    run_offline: bool,
    content_in_use: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl ContentRow {
    pub(super) fn content(
        self,
        platform: &PlatformId,
        signature: &Signature,
    ) -> Result<Content, StoreError> {
        Ok(Content {
            key: ContentKey {
                platform: platform.clone(),
                signature: signature.clone(),
                id: content_id(self.tool_content_id)?,
            },
            place: self.place.place()?,
            ext_id: self.ext_tool_content_id.map(ExtId::stored),
            define_later: self.define_later,
            locked_until: self.locked_until,
            run_offline: self.run_offline,
            in_use: self.content_in_use,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct SessionRow {
    tool_session_id: i64,
    tool_content_id: i64,
    name: String,
    ext_session_id: String,
    created_at: DateTime<Utc>,
}

impl SessionRow {
    pub(super) fn session(
        self,
        platform: &PlatformId,
        signature: &Signature,
    ) -> Result<Session, StoreError> {
        Ok(Session {
            key: SessionKey {
                platform: platform.clone(),
                signature: signature.clone(),
                id: ToolSessionId::from_number(self.tool_session_id)
                    .map_err(|_| StoreError::Unreadable("a session id".to_owned()))?,
            },
            content: content_id(self.tool_content_id)?,
            name: self.name,
            ext_id: ExtId::stored(self.ext_session_id),
            created_at: self.created_at,
        })
    }
}

pub(super) fn content_id(number: i64) -> Result<ToolContentId, StoreError> {
    ToolContentId::from_number(number)
        .map_err(|_| StoreError::Unreadable("a content id".to_owned()))
}

pub(super) fn parsed<T: std::str::FromStr>(text: String, what: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Unreadable(what.to_owned()))
}
