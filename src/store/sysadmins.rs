//! Sysadmins, and the one-time addresses with which the first of them is made.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::audit::record;
use super::{Store, StoreError, Tx, count, read, statements, within};
use crate::domain::audit::Entry;

statements! {
    ALL = "select id, name, created_at, password_changed_at, last_sign_in_at from sysadmins order by name_key";
    ONE = "select id, name, created_at, password_changed_at, last_sign_in_at from sysadmins where id = $1";
    CREDENTIALS = "select id, name, password_hash from sysadmins where name_key = $1";
    HOW_MANY = "select count(*) from sysadmins";
    INSERT = "insert into sysadmins (id, name, name_key, password_hash, created_at, password_changed_at)
        values ($1, $2, $3, $4, $5, $5)";
    /// Holds every sysadmin until the transaction ends, so that two removals cannot both think that the
    /// other one stays.
    HOLD_ALL = "update sysadmins set name = name";
    REMOVE = "delete from sysadmins where id = $1";
    SET_PASSWORD = "update sysadmins set password_hash = $2, password_changed_at = $3 where id = $1";
    END_OTHERS = "delete from sysadmin_sessions where sysadmin_id = $1 and id <> $2";
    RENEW = "update sysadmin_sessions set id_hash = $3 where sysadmin_id = $1 and id = $2";
    FORGET_OTHER_DEVICES = "delete from sysadmin_devices where sysadmin_id = $1 and token_hash <> $2";
    PUT_FIRST = "insert into first_start_tokens (token_hash, expires_at) values ($1, $2)";
    FIRST = "select count(*) from first_start_tokens where token_hash = $1 and expires_at > $2";
    /// In one statement, so that of two browsers that use two addresses at once the second finds none.
    USE_FIRST = "delete from first_start_tokens returning token_hash, expires_at";
}

/// A sysadmin.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct SysadminRecord {
    pub id: String,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub password_changed_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// What a sysadmin's password is checked with.
#[derive(Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct Credentials {
    pub id: String,
    pub name: String,
    pub password_hash: String,
}

/// A sysadmin to be stored.
pub struct NewSysadmin<'a> {
    /// A new id.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// What no two names may have in common.
    pub name_key: &'a str,
    /// A PHC string.
    pub password_hash: &'a str,
    /// Now.
    pub at: DateTime<Utc>,
}

/// A new password to be stored, and what of its sysadmin outlives it.
pub struct PasswordChange<'a> {
    /// Whose.
    pub sysadmin: &'a str,
    /// A PHC string.
    pub password_hash: &'a str,
    /// The one session that stays, and the hash of the new id that it gets.
    pub keep: Option<(&'a str, [u8; 32])>,
    /// The hash of the one device that stays known.
    pub device: Option<[u8; 32]>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// What became of the wish to remove a sysadmin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// Gone, with all sessions.
    Done,
    /// There is no such sysadmin.
    Unknown,
    /// It is the only one.
    Last,
}

impl Store {
    /// All sysadmins, by name.
    pub async fn sysadmins(&self) -> Result<Vec<SysadminRecord>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(ALL).fetch_all(pool))?)
    }

    /// The sysadmin of an id.
    pub async fn sysadmin(&self, id: &str) -> Result<Option<SysadminRecord>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(ONE).bind(id).fetch_optional(pool))?)
    }

    /// What the password of a name is checked with.
    pub async fn credentials(&self, name_key: &str) -> Result<Option<Credentials>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(CREDENTIALS).bind(name_key).fetch_optional(pool))?)
    }

    /// Whether there is any sysadmin.
    pub async fn has_sysadmins(&self) -> Result<bool, StoreError> {
        let many: i64 = read!(self, pool => sqlx::query_scalar(HOW_MANY).fetch_one(pool))?;
        Ok(many > 0)
    }

    /// Stores one more sysadmin; addresses for the first are worth nothing from then on.
    /// [`StoreError::Duplicate`] where the name is taken.
    pub async fn add_sysadmin(
        &self,
        new: &NewSysadmin<'_>,
        audit: &Entry,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        use_first(&mut tx).await?;
        insert(&mut tx, new, audit).await?;
        tx.commit().await
    }

    /// Stores the first sysadmin, where the address is good and there is none yet; every such address is
    /// used up by it. Otherwise nothing changes, and `false`.
    pub async fn add_first_sysadmin(
        &self,
        token_hash: &[u8],
        new: &NewSysadmin<'_>,
        audit: &Entry,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let good = use_first(&mut tx)
            .await?
            .iter()
            .any(|(hash, expires_at)| hash == token_hash && *expires_at > new.at);
        let many: i64 = within!(&mut tx, c => sqlx::query_scalar(HOW_MANY).fetch_one(c))?;
        if !good || many > 0 {
            return Ok(false);
        }
        insert(&mut tx, new, audit).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Stores the hash of an address for the first sysadmin.
    pub async fn put_first_start(
        &self,
        token_hash: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        within!(&mut tx, c => sqlx::query(PUT_FIRST)
            .bind(token_hash).bind(expires_at).execute(c).map_ok(count))?;
        tx.commit().await
    }

    /// Whether an address for the first sysadmin is good.
    pub async fn is_first_start(
        &self,
        token_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let found: i64 = read!(self, pool => sqlx::query_scalar(FIRST)
            .bind(token_hash).bind(now).fetch_one(pool))?;
        Ok(found > 0)
    }

    /// Stores a new password; sessions and known devices end, but for those that are named. `false` where
    /// there is no such sysadmin.
    pub async fn set_password(
        &self,
        change: &PasswordChange<'_>,
        audit: &Entry,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let written = within!(&mut tx, c => sqlx::query(SET_PASSWORD)
            .bind(change.sysadmin).bind(change.password_hash).bind(change.at)
            .execute(c).map_ok(count))?;
        if written == 0 {
            return Ok(false);
        }
        let (kept, new_id) = change.keep.unzip();
        within!(&mut tx, c => sqlx::query(END_OTHERS)
            .bind(change.sysadmin).bind(kept.unwrap_or_default()).execute(c).map_ok(count))?;
        if let Some(new_id) = new_id {
            within!(&mut tx, c => sqlx::query(RENEW)
                .bind(change.sysadmin).bind(kept).bind(&new_id[..]).execute(c).map_ok(count))?;
        }
        let device = change.device.unwrap_or_default();
        within!(&mut tx, c => sqlx::query(FORGET_OTHER_DEVICES)
            .bind(change.sysadmin).bind(&device[..]).execute(c).map_ok(count))?;
        record(&mut tx, audit).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Removes a sysadmin, but never the last one.
    pub async fn remove_sysadmin(&self, id: &str, audit: &Entry) -> Result<Removed, StoreError> {
        let mut tx = self.begin().await?;
        let held = within!(&mut tx, c => sqlx::query(HOLD_ALL).execute(c).map_ok(count))?;
        let removed = within!(&mut tx, c => sqlx::query(REMOVE).bind(id).execute(c).map_ok(count))?;
        if removed == 0 {
            return Ok(Removed::Unknown);
        }
        if held < 2 {
            return Ok(Removed::Last);
        }
        record(&mut tx, audit).await?;
        tx.commit().await?;
        Ok(Removed::Done)
    }
}

async fn use_first(tx: &mut Tx) -> Result<Vec<(Vec<u8>, DateTime<Utc>)>, StoreError> {
    Ok(within!(tx, c => sqlx::query_as(USE_FIRST).fetch_all(c))?)
}

async fn insert(tx: &mut Tx, new: &NewSysadmin<'_>, audit: &Entry) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(INSERT)
        .bind(new.id).bind(new.name).bind(new.name_key).bind(new.password_hash).bind(new.at)
        .execute(c).map_ok(count))?;
    record(tx, audit).await
}
