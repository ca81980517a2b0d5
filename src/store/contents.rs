//! Contents, and the callbacks that give them their external ids.

use chrono::{DateTime, Utc};

use super::rows::{ContentRow, parsed};
use futures_util::TryFutureExt;

use super::{Store, StoreError, Tx, count, on, read, statements, within};
use crate::domain::content::{Content, ContentKey, Place};
use crate::domain::id::{ExtId, ServerId};

statements! {
    FIND = "select tool_content_id, server_id, ext_user, ext_course, ext_section, ext_course_url,
            ext_tool_content_id, define_later, locked_until, run_offline, content_in_use, created_at, updated_at
        from contents where platform_id = $1 and signature = $2 and tool_content_id = $3";
    INSERT = "insert into contents (platform_id, signature, tool_content_id, server_id, ext_user, ext_course,
            ext_section, ext_course_url, define_later, run_offline, content_in_use, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, false, false, false, $9, $9)
        on conflict (platform_id, signature, tool_content_id) do nothing";
    LOCK = "update contents set locked_until = $4
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
    USE_STATE = "insert into used_states (nonce, ext_tool_content_id, expires_at) values ($1, $2, $3)
        on conflict (nonce) do nothing";
    USED_WITH = "select ext_tool_content_id from used_states where nonce = $1";
    FORGET_STATES = "delete from used_states where expires_at < $1";
    SAVE = "update contents set ext_tool_content_id = $4, define_later = false, locked_until = null, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3
        returning server_id";
    SET_DEFINE_LATER = "update contents set define_later = $4, locked_until = null, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
    SET_RUN_OFFLINE = "update contents set run_offline = $4, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
}

/// A callback to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// The content it is about.
    pub content: &'a ContentKey,
    /// The external id it brings.
    pub ext_id: &'a ExtId,
    /// The nonce and expiry of its state token, if it has one.
    pub state: Option<(&'a [u8], DateTime<Utc>)>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What became of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is stored now, for content on this server.
    Now(ServerId),
    /// The same callback was stored before.
    Before,
    /// Its state was used with another external id; nothing is stored.
    StateUsedOtherwise,
    /// There is no such content; nothing is stored.
    NoContent,
}

impl Store {
    /// The content of a key.
    pub async fn content(&self, key: &ContentKey) -> Result<Option<Content>, StoreError> {
        let row = read!(self, pool => sqlx::query_as::<_, ContentRow>(FIND)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .fetch_optional(pool))?;
        row.map(|row| row.content(&key.platform, &key.signature))
            .transpose()
    }

    /// Stores new content. Where another request stored it first, that one's stays.
    pub async fn insert_content(
        &self,
        key: &ContentKey,
        place: &Place,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(INSERT)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .bind(place.server.as_str()).bind(&place.user).bind(&place.course)
            .bind(&place.section).bind(&place.course_url).bind(at)
            .execute(pool).map_ok(count))?;
        Ok(())
    }

    /// Makes learners wait until then, while a teacher edits.
    pub async fn lock_content(
        &self,
        key: &ContentKey,
        until: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let locked = on!(&self.write, pool => sqlx::query(LOCK)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get()).bind(until)
            .execute(pool).map_ok(count));
        self.changes.content_changed(key);
        locked?;
        Ok(())
    }

    /// Stores what a callback brings, its state used up in the same transaction.
    pub async fn store_callback(&self, callback: Callback<'_>) -> Result<Stored, StoreError> {
        let mut tx = self.begin().await?;
        if let Some((nonce, expires_at)) = callback.state {
            let fresh = within!(&mut tx, c => sqlx::query(USE_STATE)
                .bind(nonce).bind(callback.ext_id.as_str()).bind(expires_at)
                .execute(c).map_ok(count))?;
            if fresh == 0 {
                let with: String = within!(&mut tx, c =>
                    sqlx::query_scalar(USED_WITH).bind(nonce).fetch_one(c))?;
                let same = with == callback.ext_id.as_str();
                return Ok(if same {
                    Stored::Before
                } else {
                    Stored::StateUsedOtherwise
                });
            }
        }
        let key = callback.content;
        let saved: Option<String> = within!(&mut tx, c => sqlx::query_scalar(SAVE)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .bind(callback.ext_id.as_str()).bind(callback.at)
            .fetch_optional(c))?;
        let Some(server) = saved else {
            return Ok(Stored::NoContent);
        };
        forget_states(&mut tx, callback.at).await?;
        let committed = tx.commit().await;
        self.changes.content_changed(key);
        committed?;
        Ok(Stored::Now(parsed(server, "a server id")?))
    }

    /// `setAsDefineLater` and `setAsRunOffline`; what is `None` stays. `false` where there is no such
    /// content.
    pub async fn set_flags(
        &self,
        key: &ContentKey,
        define_later: Option<bool>,
        run_offline: Option<bool>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let mut written = 0;
        for (sql, flag) in [
            (SET_DEFINE_LATER, define_later),
            (SET_RUN_OFFLINE, run_offline),
        ] {
            let Some(flag) = flag else { continue };
            written += within!(&mut tx, c => sqlx::query(sql)
                .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
                .bind(flag).bind(at)
                .execute(c).map_ok(count))?;
        }
        let committed = tx.commit().await;
        self.changes.content_changed(key);
        committed?;
        Ok(written > 0)
    }
}

async fn forget_states(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
    within!(tx, c => sqlx::query(FORGET_STATES).bind(now).execute(c).map_ok(count))?;
    Ok(())
}
