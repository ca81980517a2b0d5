//! Contents, and the callbacks that give them their external ids.

use chrono::{DateTime, Utc};

use super::rows::{ContentRow, parsed};
use futures_util::TryFutureExt;

use super::{Db, Store, StoreError, count, on, read, statements, within};
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
    CLEAN_STATES = "delete from used_states where expires_at < $1";
    SAVE = "update contents set ext_tool_content_id = $4, define_later = false, locked_until = null, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3
        returning server_id";
    SET_DEFINE_LATER = "update contents set define_later = $4, locked_until = null, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
    SET_RUN_OFFLINE = "update contents set run_offline = $4, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3";
}

/// What [`SAVE`] and [`USE_STATE`] do, in one statement: nothing where the state was used before, which is told by
/// there being no row or, where that happened at the same moment, a duplicate. On PostgreSQL alone.
const SAVE_ONCE: &str = "with saved as (
        update contents set ext_tool_content_id = $4, define_later = false, locked_until = null, updated_at = $5
        where platform_id = $1 and signature = $2 and tool_content_id = $3
            and not exists (select 1 from used_states where nonce = $6)
        returning server_id
    ), used as (
        insert into used_states (nonce, ext_tool_content_id, expires_at) select $6, $4, $7 from saved
    )
    select server_id from saved";

/// What [`FIND`] does and, where that finds nothing, [`INSERT`], in one statement. No row where another request stores
/// the content at the same moment. On PostgreSQL alone.
const FIND_OR_INSERT: &str = "with found as (
        select tool_content_id, server_id, ext_user, ext_course, ext_section, ext_course_url,
            ext_tool_content_id, define_later, locked_until, run_offline, content_in_use, created_at, updated_at
        from contents where platform_id = $1 and signature = $2 and tool_content_id = $3
    ), made as (
        insert into contents (platform_id, signature, tool_content_id, server_id, ext_user, ext_course,
            ext_section, ext_course_url, define_later, run_offline, content_in_use, created_at, updated_at)
        select $1, $2, $3, $4, $5, $6, $7, $8, false, false, false, $9, $9 where not exists (select 1 from found)
        on conflict (platform_id, signature, tool_content_id) do nothing
        returning tool_content_id, server_id, ext_user, ext_course, ext_section, ext_course_url,
            ext_tool_content_id, define_later, locked_until, run_offline, content_in_use, created_at, updated_at
    )
    select * from found union all select * from made";

/// The statements that only PostgreSQL knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] =
    &[("SAVE_ONCE", SAVE_ONCE), ("FIND_OR_INSERT", FIND_OR_INSERT)];

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

    /// The content of a key; where there is none, new content at a place, stored. `None` where another request stored
    /// it first, and it was removed again at once.
    pub async fn content_or_new(
        &self,
        key: &ContentKey,
        place: &Place,
        at: DateTime<Utc>,
    ) -> Result<Option<Content>, StoreError> {
        let found = match &self.write {
            Db::Postgres(pool, presence) => {
                let query = sqlx::query_as::<_, ContentRow>(FIND_OR_INSERT);
                let query = query
                    .bind(key.platform.as_str())
                    .bind(key.signature.as_str());
                let query = query.bind(key.id.get()).bind(place.server.as_str());
                let query = query
                    .bind(&place.user)
                    .bind(&place.course)
                    .bind(&place.section);
                let row = query.bind(&place.course_url).bind(at).fetch_optional(pool);
                let row = presence.while_there(row).await?;
                row.map(|row| row.content(&key.platform, &key.signature))
                    .transpose()?
            }
            Db::Sqlite(..) => match self.content(key).await? {
                None if self.insert_content(key, place, at).await? => {
                    Some(Content::new(key.clone(), place.clone(), at))
                }
                found => found,
            },
        };
        match found {
            None => self.content(key).await,
            found => Ok(found),
        }
    }

    /// Stores new content; `false` where another request stored it first, whose stays.
    async fn insert_content(
        &self,
        key: &ContentKey,
        place: &Place,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let written = on!(&self.write, pool => sqlx::query(INSERT)
            .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.id.get())
            .bind(place.server.as_str()).bind(&place.user).bind(&place.course)
            .bind(&place.section).bind(&place.course_url).bind(at)
            .execute(pool).map_ok(count))?;
        Ok(written > 0)
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
        let saved = self.save(callback).await;
        self.changes.content_changed(callback.content);
        let saved = match saved {
            // The same state at the same moment.
            Err(StoreError::Duplicate(_)) => None,
            saved => saved?,
        };
        if let Some(server) = saved {
            return Ok(Stored::Now(parsed(server, "a server id")?));
        }
        let Some((nonce, _)) = callback.state else {
            return Ok(Stored::NoContent);
        };
        let with: Option<String> = on!(&self.write, pool =>
            sqlx::query_scalar(USED_WITH).bind(nonce).fetch_optional(pool))?;
        // Content that was removed since is not saved, also where there is other content of its number now.
        let is_saved = async || {
            let content = self.content(callback.content).await?;
            Ok::<_, StoreError>(content.is_some_and(|content| content.ext_id.is_some()))
        };
        Ok(match with {
            None => Stored::NoContent,
            Some(_) if !is_saved().await? => Stored::NoContent,
            Some(with) if with == callback.ext_id.as_str() => Stored::Before,
            Some(_) => Stored::StateUsedOtherwise,
        })
    }

    /// The server of the content; `None` where there is none, or the state was used before.
    async fn save(&self, callback: Callback<'_>) -> Result<Option<String>, StoreError> {
        let (key, ext_id) = (callback.content, callback.ext_id.as_str());
        let (platform, signature) = (key.platform.as_str(), key.signature.as_str());
        let Some((nonce, expires_at)) = callback.state else {
            return Ok(on!(&self.write, pool => sqlx::query_scalar(SAVE)
                .bind(platform).bind(signature).bind(key.id.get()).bind(ext_id).bind(callback.at)
                .fetch_optional(pool))?);
        };
        if let Db::Postgres(pool, presence) = &self.write {
            let query = sqlx::query_scalar(SAVE_ONCE).bind(platform).bind(signature);
            let query = query.bind(key.id.get()).bind(ext_id).bind(callback.at);
            let saved = query.bind(nonce).bind(expires_at).fetch_optional(pool);
            return Ok(presence.while_there(saved).await?);
        }
        let mut tx = self.begin().await?;
        let fresh = within!(&mut tx, c => sqlx::query(USE_STATE)
            .bind(nonce).bind(ext_id).bind(expires_at)
            .execute(c).map_ok(count))?;
        if fresh == 0 {
            return Ok(None);
        }
        let saved = within!(&mut tx, c => sqlx::query_scalar(SAVE)
            .bind(platform).bind(signature).bind(key.id.get()).bind(ext_id).bind(callback.at)
            .fetch_optional(c))?;
        if saved.is_some() {
            tx.commit().await?;
        }
        Ok(saved)
    }

    /// Forgets states that can be used no more.
    pub async fn clean_states(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(CLEAN_STATES).bind(now).execute(pool).map_ok(count))?;
        Ok(())
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
