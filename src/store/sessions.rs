//! Sessions.

use chrono::{DateTime, Utc};

use super::rows::{PlaceRow, SessionRow, content_id};
use super::{Changes, Store, StoreError, read, statements};
use crate::domain::content::{ContentKey, Place};
use crate::domain::id::{ExtId, ToolContentId};
use crate::domain::session::{Session, SessionKey};

statements! {
    FIND = "select tool_session_id, tool_content_id, name, ext_session_id, created_at
        from sessions where platform_id = $1 and signature = $2 and tool_session_id = $3";
    OF_CONTENT = "select tool_session_id, tool_content_id, name, ext_session_id, created_at
        from sessions where platform_id = $1 and signature = $2 and tool_content_id = $3
        order by name, tool_session_id";
    /// All that a launch needs, by primary keys alone.
    OPENING = "select s.tool_content_id, s.ext_session_id, c.server_id, c.ext_user, c.ext_course, c.ext_section,
            c.ext_course_url, c.define_later, c.locked_until, c.run_offline, c.content_in_use,
            exists (select 1 from session_users u where u.platform_id = s.platform_id and u.signature = s.signature
                and u.tool_session_id = s.tool_session_id and u.finished_at is not null) as somebody_finished
        from sessions s
        join contents c on c.platform_id = s.platform_id and c.signature = s.signature
            and c.tool_content_id = s.tool_content_id
        where s.platform_id = $1 and s.signature = $2 and s.tool_session_id = $3";
    /// One more than are kept in memory.
    FINISHED_BY = "select name from session_users
        where platform_id = $1 and signature = $2 and tool_session_id = $3 and finished_at is not null
        limit 1001";
    HAS_FINISHED = "select 1 from session_users
        where platform_id = $1 and signature = $2 and tool_session_id = $3 and name = $4 and finished_at is not null";
}

/// The most names of people who finished a session that are kept in memory with it.
const FINISHED_KEPT: usize = 1000;

/// What a launch has to know of a session and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The content that the session was made from.
    pub content: ToolContentId,
    /// The id of its own copy on the server.
    pub ext_id: ExtId,
    /// Where that is.
    pub place: Place,
    /// See [`crate::domain::content::Content::define_later`].
    pub define_later: bool,
    /// See [`crate::domain::content::Content::locked_until`].
    pub locked_until: Option<DateTime<Utc>>,
    /// See [`crate::domain::content::Content::run_offline`].
    pub run_offline: bool,
    /// See [`crate::domain::content::Content::in_use`].
    pub in_use: bool,
    /// Who finished it, by name; `None` where they are too many to be kept: see [`Store::has_finished`].
    pub finished: Option<Box<[Box<str>]>>,
}

#[derive(sqlx::FromRow)]
struct OpeningRow {
    tool_content_id: i64,
    ext_session_id: String,
    #[sqlx(flatten)]
    place: PlaceRow,
    define_later: bool,
    locked_until: Option<DateTime<Utc>>,
    run_offline: bool,
    content_in_use: bool,
    somebody_finished: bool,
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

    /// What a launch of a session has to know; `None` where there is no such session.
    pub async fn opening(&self, key: &SessionKey) -> Result<Option<Opening>, StoreError> {
        let row: Option<OpeningRow> = read!(self, pool => sqlx::query_as(OPENING)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .fetch_optional(pool))?;
        let Some(row) = row else { return Ok(None) };
        let finished: Vec<String> = if row.somebody_finished {
            read!(self, pool => sqlx::query_scalar(FINISHED_BY)
                .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
                .fetch_all(pool))?
        } else {
            Vec::new()
        };
        let few = finished.len() <= FINISHED_KEPT;
        Ok(Some(Opening {
            content: content_id(row.tool_content_id)?,
            ext_id: ExtId::stored(row.ext_session_id),
            place: row.place.place()?,
            define_later: row.define_later,
            locked_until: row.locked_until,
            run_offline: row.run_offline,
            in_use: row.content_in_use,
            finished: few.then(|| finished.into_iter().map(String::into_boxed_str).collect()),
        }))
    }

    /// Whether somebody finished a session.
    pub async fn has_finished(&self, key: &SessionKey, name: &str) -> Result<bool, StoreError> {
        let found: Option<i32> = read!(self, pool => sqlx::query_scalar(HAS_FINISHED)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get()).bind(name)
            .fetch_optional(pool))?;
        Ok(found.is_some())
    }

    /// What is known of changes.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }
}
