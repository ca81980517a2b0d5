//! Forgetting sessions and contents. What they were on the external server is written down in the same
//! transaction: nothing is left behind unseen.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Store, StoreError, Tx, count, read, statements, within};
use crate::domain::content::ContentKey;
use crate::domain::id::{PlatformId, Signature};
use crate::domain::session::SessionKey;

statements! {
    CONTENT = "select server_id, ext_tool_content_id from contents
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
    SESSIONS = "select s.tool_session_id, c.server_id from sessions s
        join contents c on c.platform_id = s.platform_id and c.signature = s.signature
            and c.tool_content_id = s.tool_content_id
        where s.platform_id = $1 and s.signature = $2 and s.tool_content_id = $3";
    SESSION = "select s.tool_session_id, c.server_id from sessions s
        join contents c on c.platform_id = s.platform_id and c.signature = s.signature
            and c.tool_content_id = s.tool_content_id
        where s.platform_id = $1 and s.signature = $2 and s.tool_session_id = $3";
    DELETE_SESSION = "delete from sessions where platform_id = $1 and signature = $2 and tool_session_id = $3
        returning ext_session_id";
    DELETE_CONTENT = "delete from contents where platform_id = $1 and signature = $2 and tool_content_id = $3";
    FREE_KEY = "delete from journal
        where platform_id = $1 and signature = $2 and operation = $3 and local_id = $4 and state = 'done'";
    LEAVE_BEHIND = "insert into left_behind (id, platform_id, server_id, signature, ext_id, why, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    LEFT_BEHIND = "select created_at, server_id, signature, ext_id, why from left_behind
        order by created_at, id limit 1000";
}

/// What became of content that was to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is forgotten.
    Done,
    /// There is none of that number.
    Unknown,
    /// It has sessions, and they were not to go with it.
    HasSessions,
}

/// Something that still stands on an external server.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LeftBehind {
    /// When it was forgotten here.
    pub created_at: DateTime<Utc>,
    /// Where it stands.
    pub server_id: String,
    /// Of which tool it is.
    pub signature: String,
    /// Its id there.
    pub ext_id: String,
    /// What it was here.
    pub why: String,
}

impl std::fmt::Display for LeftBehind {
    /// One line for an operator.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.created_at.format("%Y-%m-%dT%H:%M:%SZ");
        write!(
            f,
            "left behind {at} {} {} on {}: {}",
            self.signature, self.ext_id, self.server_id, self.why
        )
    }
}

type SessionThere = (i64, String);

impl Store {
    /// Forgets a session and who was in it, and frees its key; `false` where there is none.
    pub async fn remove_session(
        &self,
        key: &SessionKey,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let found: Option<SessionThere> = within!(&mut tx, c => sqlx::query_as(SESSION)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .fetch_optional(c))?;
        let Some(session) = found else {
            return Ok(false);
        };
        let removed = remove_session(&mut tx, &key.platform, &key.signature, session, at).await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// Forgets content, and frees its key; its sessions go with it only where that is asked for.
    pub async fn remove_content(
        &self,
        key: &ContentKey,
        with_sessions: bool,
        at: DateTime<Utc>,
    ) -> Result<Removal, StoreError> {
        let (platform, signature) = (&key.platform, &key.signature);
        let mut tx = self.begin().await?;
        let found: Option<(String, Option<String>)> = within!(&mut tx, c => sqlx::query_as(CONTENT)
            .bind(platform.as_str()).bind(signature.as_str()).bind(key.id.get())
            .fetch_optional(c))?;
        let Some((server, ext_id)) = found else {
            return Ok(Removal::Unknown);
        };
        let sessions: Vec<SessionThere> = within!(&mut tx, c => sqlx::query_as(SESSIONS)
            .bind(platform.as_str()).bind(signature.as_str()).bind(key.id.get())
            .fetch_all(c))?;
        if !sessions.is_empty() && !with_sessions {
            return Ok(Removal::HasSessions);
        }
        for session in sessions {
            remove_session(&mut tx, platform, signature, session, at).await?;
        }
        if let Some(ext_id) = ext_id {
            let why = format!("content {platform}/{signature}/{} was removed", key.id);
            leave_behind(&mut tx, platform, signature, (&server, &ext_id), &why, at).await?;
        }
        let deleted = within!(&mut tx, c => sqlx::query(DELETE_CONTENT)
            .bind(platform.as_str()).bind(signature.as_str()).bind(key.id.get())
            .execute(c).map_ok(count));
        match deleted.map_err(StoreError::from) {
            Ok(0) => return Ok(Removal::Unknown),
            Ok(_) => {}
            // A session was made in the meantime.
            Err(StoreError::Partner(_)) => return Ok(Removal::HasSessions),
            Err(error) => return Err(error),
        }
        free_key(&mut tx, platform, signature, "copy", key.id.get()).await?;
        tx.commit().await?;
        Ok(Removal::Done)
    }

    /// What still stands on external servers, oldest first; a thousand at most.
    pub async fn left_behind(&self) -> Result<Vec<LeftBehind>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as::<_, LeftBehind>(LEFT_BEHIND).fetch_all(pool))?)
    }
}

async fn remove_session(
    tx: &mut Tx,
    platform: &PlatformId,
    signature: &Signature,
    (id, server): SessionThere,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let deleted: Option<String> = within!(&mut *tx, c => sqlx::query_scalar(DELETE_SESSION)
        .bind(platform.as_str()).bind(signature.as_str()).bind(id)
        .fetch_optional(c))?;
    let Some(ext_id) = deleted else {
        return Ok(false);
    };
    free_key(tx, platform, signature, "session", id).await?;
    let why = format!("session {platform}/{signature}/{id} was removed");
    leave_behind(tx, platform, signature, (&server, &ext_id), &why, at).await?;
    Ok(true)
}

async fn free_key(
    tx: &mut Tx,
    platform: &PlatformId,
    signature: &Signature,
    operation: &str,
    id: i64,
) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(FREE_KEY)
        .bind(platform.as_str()).bind(signature.as_str()).bind(operation).bind(id)
        .execute(c).map_ok(count))?;
    Ok(())
}

/// Writes down what still stands on an external server.
pub(super) async fn leave_behind(
    tx: &mut Tx,
    platform: &PlatformId,
    signature: &Signature,
    (server, ext_id): (&str, &str),
    why: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(LEAVE_BEHIND)
        .bind(uuid::Uuid::new_v4().to_string()).bind(platform.as_str()).bind(server)
        .bind(signature.as_str()).bind(ext_id).bind(why).bind(at)
        .execute(c).map_ok(count))?;
    Ok(())
}
