//! Sessions.

use chrono::{DateTime, Utc};

use super::rows::SessionRow;
use super::{Store, StoreError, read, statements};
use crate::domain::content::ContentKey;
use crate::domain::session::{Session, SessionKey};

statements! {
    FIND = "select tool_session_id, tool_content_id, name, ext_session_id, created_at
        from sessions where platform_id = $1 and signature = $2 and tool_session_id = $3";
    OF_CONTENT = "select tool_session_id, tool_content_id, name, ext_session_id, created_at
        from sessions where platform_id = $1 and signature = $2 and tool_content_id = $3
        order by name, tool_session_id";
    /// All that can change between two launches of one session, by primary keys alone.
    FLAGS = "select c.define_later, c.locked_until, c.run_offline, c.content_in_use, u.finished_at
        from sessions s
        join contents c on c.platform_id = s.platform_id and c.signature = s.signature
            and c.tool_content_id = s.tool_content_id
        left join session_users u on u.platform_id = s.platform_id and u.signature = s.signature
            and u.tool_session_id = s.tool_session_id and u.name = $4
        where s.platform_id = $1 and s.signature = $2 and s.tool_session_id = $3 and s.ext_session_id = $5";
}

/// What can change between two launches of one session.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Flags {
    /// See [`crate::domain::content::Content::define_later`].
    pub define_later: bool,
    /// See [`crate::domain::content::Content::locked_until`].
    pub locked_until: Option<DateTime<Utc>>,
    /// See [`crate::domain::content::Content::run_offline`].
    pub run_offline: bool,
    /// See [`crate::domain::content::Content::in_use`].
    pub content_in_use: bool,
    /// When the person of the launch finished the session.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The session of a key.
    pub async fn session(&self, key: &SessionKey) -> Result<Option<Session>, StoreError> {
        let row = read!(self, pool => sqlx::query_as::<_, SessionRow>(FIND)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .fetch_optional(pool))?;
        row.map(|row| row.session(&key.platform, &key.signature))
            .transpose()
    }

    /// The sessions of content, by name.
    pub async fn sessions_of(&self, content: &ContentKey) -> Result<Vec<Session>, StoreError> {
        let rows = read!(self, pool => sqlx::query_as::<_, SessionRow>(OF_CONTENT)
            .bind(content.platform.as_str()).bind(content.signature.as_str()).bind(content.id.get())
            .fetch_all(pool))?;
        rows.into_iter()
            .map(|row| row.session(&content.platform, &content.signature))
            .collect()
    }

    /// What a launch of `person` has to know and that may have changed since the last one; `None` where
    /// the session is no more, or was made anew with another copy.
    pub async fn flags(
        &self,
        session: &Session,
        person: &str,
    ) -> Result<Option<Flags>, StoreError> {
        let key = &session.key;
        Ok(read!(self, pool => sqlx::query_as::<_, Flags>(FLAGS)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get()).bind(person)
            .bind(session.ext_id.as_str())
            .fetch_optional(pool))?)
    }
}
