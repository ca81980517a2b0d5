//! Forgetting sessions and contents. What they were on the external server is written down in the same
//! transaction: nothing is left behind unseen.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::rows::PlaceRow;
use super::{Store, StoreError, Tx, audit, count, read, statements, within};
use crate::domain::audit::Entry as Told;
use crate::domain::content::{ContentKey, Place};
use crate::domain::id::{PlatformId, Signature};
use crate::domain::journal::Operation;
use crate::domain::session::SessionKey;

statements! {
    CONTENT = "select server_id, ext_user, ext_course, ext_section, ext_course_url, ext_tool_content_id from contents
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
    SESSIONS = "select tool_session_id from sessions
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
    OF_SESSION = "select c.server_id, c.ext_user, c.ext_course, c.ext_section, c.ext_course_url, c.ext_tool_content_id
        from sessions s
        join contents c on c.platform_id = s.platform_id and c.signature = s.signature
            and c.tool_content_id = s.tool_content_id
        where s.platform_id = $1 and s.signature = $2 and s.tool_session_id = $3";
    DELETE_SESSION = "delete from sessions where platform_id = $1 and signature = $2 and tool_session_id = $3
        returning ext_session_id";
    DELETE_CONTENT = "delete from contents where platform_id = $1 and signature = $2 and tool_content_id = $3";
    FREE_KEY = "delete from journal
        where platform_id = $1 and signature = $2 and operation = $3 and local_id = $4 and state = 'done'";
    /// Contents, of whichever platform, and sessions may share what is on a server.
    STILL_USED = "select (select count(*) from contents
            where signature = $1 and ext_tool_content_id = $2 and server_id = $3)
        + (select count(*) from sessions s
            join contents c on c.platform_id = s.platform_id and c.signature = s.signature
                and c.tool_content_id = s.tool_content_id
            where s.signature = $1 and s.ext_session_id = $2 and c.server_id = $3)";
    LEAVE_BEHIND = "insert into left_behind (id, platform_id, server_id, signature, ext_id, why, created_at, place)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
    LEFT_BEHIND = "select id, created_at, server_id, signature, ext_id, why, place from left_behind
        order by created_at, id limit 1000";
    COUNT_LEFT_BEHIND = "select count(*) from left_behind";
    ONE_LEFT_BEHIND = "select id, created_at, server_id, signature, ext_id, why, place from left_behind
        where id = $1";
    FORGET_LEFT_BEHIND = "delete from left_behind where id = $1";
}

/// What became of content that was to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is forgotten, and this is what still stands on its server.
    Done(Vec<LeftBehind>),
    /// There is none of that number.
    Unknown,
    /// It has sessions, and they were not to go with it.
    HasSessions,
}

/// Something that still stands on an external server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBehind {
    /// Its id in this list, a UUID.
    pub id: String,
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
    /// In whose name it can be deleted there, where that is known.
    pub place: Option<Place>,
}

#[derive(sqlx::FromRow)]
struct LeftBehindRow {
    id: String,
    created_at: DateTime<Utc>,
    server_id: String,
    signature: String,
    ext_id: String,
    why: String,
    place: Option<String>,
}

impl From<LeftBehindRow> for LeftBehind {
    fn from(row: LeftBehindRow) -> Self {
        Self {
            place: row
                .place
                .and_then(|place| serde_json::from_str(&place).ok()),
            id: row.id,
            created_at: row.created_at,
            server_id: row.server_id,
            signature: row.signature,
            ext_id: row.ext_id,
            why: row.why,
        }
    }
}

#[derive(sqlx::FromRow)]
struct ThereRow {
    #[sqlx(flatten)]
    place: PlaceRow,
    ext_tool_content_id: Option<String>,
}

impl std::fmt::Display for LeftBehind {
    /// One line for an operator.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.created_at.format("%Y-%m-%dT%H:%M:%SZ");
        write!(
            f,
            "{} left behind {at} {} {} on {}: {}",
            self.id, self.signature, self.ext_id, self.server_id, self.why
        )
    }
}

impl Store {
    /// Forgets a session and who was in it, and frees its key; nothing where there is none. What still
    /// stands on its server is answered.
    pub async fn remove_session(
        &self,
        key: &SessionKey,
        at: DateTime<Utc>,
    ) -> Result<Option<Vec<LeftBehind>>, StoreError> {
        let (platform, signature) = (&key.platform, &key.signature);
        let mut tx = self.begin().await?;
        let found: Option<ThereRow> = within!(&mut tx, c => sqlx::query_as(OF_SESSION)
            .bind(platform.as_str()).bind(signature.as_str()).bind(key.id.get())
            .fetch_optional(c))?;
        let Some(row) = found else {
            return Ok(None);
        };
        let place = row.place.place()?;
        let removed =
            remove_session(&mut tx, platform, signature, key.id.get(), &place, at).await?;
        let committed = tx.commit().await;
        self.changes.session_changed(key);
        committed?;
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
        let found: Option<ThereRow> = within!(&mut tx, c => sqlx::query_as(CONTENT)
            .bind(platform.as_str()).bind(signature.as_str()).bind(key.id.get())
            .fetch_optional(c))?;
        let Some(row) = found else {
            return Ok(Removal::Unknown);
        };
        let place = row.place.place()?;
        let sessions: Vec<i64> = within!(&mut tx, c => sqlx::query_scalar(SESSIONS)
            .bind(platform.as_str()).bind(signature.as_str()).bind(key.id.get())
            .fetch_all(c))?;
        if !sessions.is_empty() && !with_sessions {
            return Ok(Removal::HasSessions);
        }
        let mut left = Vec::new();
        for session in sessions {
            let removed = remove_session(&mut tx, platform, signature, session, &place, at).await?;
            left.extend(removed.into_iter().flatten());
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
        if let Some(ext_id) = &row.ext_tool_content_id
            && !is_still_used(&mut tx, signature, ext_id, &place).await?
        {
            let why = format!("content {platform}/{signature}/{} was removed", key.id);
            let there = (place.server.as_str(), ext_id.as_str());
            left.push(
                leave_behind(&mut tx, platform, signature, there, Some(&place), &why, at).await?,
            );
        }
        for operation in [Operation::Copy, Operation::Import] {
            free_key(&mut tx, platform, signature, operation, key.id.get()).await?;
        }
        let committed = tx.commit().await;
        self.changes.content_changed(key);
        committed?;
        Ok(Removal::Done(left))
    }

    /// What still stands on external servers, oldest first; a thousand at most.
    pub async fn left_behind(&self) -> Result<Vec<LeftBehind>, StoreError> {
        let rows =
            read!(self, pool => sqlx::query_as::<_, LeftBehindRow>(LEFT_BEHIND).fetch_all(pool))?;
        Ok(rows.into_iter().map(LeftBehind::from).collect())
    }

    /// How many things still stand on external servers.
    pub async fn left_behind_count(&self) -> Result<i64, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(COUNT_LEFT_BEHIND).fetch_one(pool))?)
    }

    /// One thing that still stands on an external server.
    pub async fn one_left_behind(&self, id: &str) -> Result<Option<LeftBehind>, StoreError> {
        let row = read!(self, pool => sqlx::query_as::<_, LeftBehindRow>(ONE_LEFT_BEHIND).bind(id)
            .fetch_optional(pool))?;
        Ok(row.map(LeftBehind::from))
    }

    /// Whether something of that list is used by content or a session now.
    pub async fn is_used(&self, left: &LeftBehind) -> Result<bool, StoreError> {
        let users: i64 = read!(self, pool => sqlx::query_scalar(STILL_USED)
            .bind(&left.signature).bind(&left.ext_id).bind(&left.server_id)
            .fetch_one(pool))?;
        Ok(users > 0)
    }

    /// Strikes something from that list, which the audit is told where a person did it; `false` where it
    /// is struck already.
    pub async fn forget_left_behind(
        &self,
        id: &str,
        told: Option<&Told>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let struck = within!(&mut tx, c => sqlx::query(FORGET_LEFT_BEHIND).bind(id)
            .execute(c).map_ok(count))?;
        if struck == 0 {
            return Ok(false);
        }
        if let Some(told) = told {
            audit::record(&mut tx, told).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

async fn remove_session(
    tx: &mut Tx,
    platform: &PlatformId,
    signature: &Signature,
    id: i64,
    place: &Place,
    at: DateTime<Utc>,
) -> Result<Option<Vec<LeftBehind>>, StoreError> {
    let deleted: Option<String> = within!(&mut *tx, c => sqlx::query_scalar(DELETE_SESSION)
        .bind(platform.as_str()).bind(signature.as_str()).bind(id)
        .fetch_optional(c))?;
    let Some(ext_id) = deleted else {
        return Ok(None);
    };
    free_key(tx, platform, signature, Operation::Session, id).await?;
    if is_still_used(tx, signature, &ext_id, place).await? {
        return Ok(Some(Vec::new()));
    }
    let why = format!("session {platform}/{signature}/{id} was removed");
    let there = (place.server.as_str(), ext_id.as_str());
    let left = leave_behind(tx, platform, signature, there, Some(place), &why, at).await?;
    Ok(Some(vec![left]))
}

/// Whether another content or session lives in the same thing on a server.
async fn is_still_used(
    tx: &mut Tx,
    signature: &Signature,
    ext_id: &str,
    place: &Place,
) -> Result<bool, StoreError> {
    let users: i64 = within!(&mut *tx, c => sqlx::query_scalar(STILL_USED)
        .bind(signature.as_str()).bind(ext_id).bind(place.server.as_str())
        .fetch_one(c))?;
    Ok(users > 0)
}

async fn free_key(
    tx: &mut Tx,
    platform: &PlatformId,
    signature: &Signature,
    operation: Operation,
    id: i64,
) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(FREE_KEY)
        .bind(platform.as_str()).bind(signature.as_str()).bind(operation.as_str()).bind(id)
        .execute(c).map_ok(count))?;
    Ok(())
}

/// Writes down what still stands on an external server.
pub(super) async fn leave_behind(
    tx: &mut Tx,
    platform: &PlatformId,
    signature: &Signature,
    (server, ext_id): (&str, &str),
    place: Option<&Place>,
    why: &str,
    at: DateTime<Utc>,
) -> Result<LeftBehind, StoreError> {
    let left = LeftBehind {
        id: uuid::Uuid::new_v4().to_string(),
        created_at: at,
        server_id: server.to_owned(),
        signature: signature.to_string(),
        ext_id: ext_id.to_owned(),
        why: why.to_owned(),
        place: place.cloned(),
    };
    let place = place.map(serde_json::to_string).transpose();
    let place = place.map_err(|_| StoreError::Unreadable("a place".to_owned()))?;
    within!(&mut *tx, c => sqlx::query(LEAVE_BEHIND)
        .bind(&left.id).bind(platform.as_str()).bind(server)
        .bind(signature.as_str()).bind(ext_id).bind(why).bind(at).bind(place)
        .execute(c).map_ok(count))?;
    Ok(left)
}
