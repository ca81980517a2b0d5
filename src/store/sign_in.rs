//! Signing in: what was tried, the sessions that are open, the devices that are known.

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryFutureExt;

use super::{Store, StoreError, count, on, read, statements, within};
use crate::domain::sysadmin::{CLOCKS, LONGEST_WAIT};

statements! {
    COUNT_TRY = "insert into sign_in_tries (subject, failures, last_at) values ($1, 1, $2)
        on conflict (subject) do update set failures = sign_in_tries.failures + 1, last_at = excluded.last_at
        returning failures, wait_until";
    SET_WAIT = "update sign_in_tries set wait_until = $2 where subject = $1";
    FORGIVE = "delete from sign_in_tries where subject = $1";
    /// Writes only while the password is the one that was checked. It also holds the row, so that a change
    /// of password comes before it or ends the session that comes of it.
    SIGNED_IN = "update sysadmins set last_sign_in_at = $3 where id = $1 and password_hash = $2";
    BEGIN = "insert into sysadmin_sessions (id, id_hash, sysadmin_id, created_at, last_seen_at, user_agent, address)
        values ($1, $2, $3, $4, $4, $5, $6)";
    KNOW_DEVICE = "insert into sysadmin_devices (token_hash, sysadmin_id, last_used_at) values ($1, $2, $3)
        on conflict (token_hash) do update set last_used_at = excluded.last_used_at";
    OWNER_OF_DEVICE = "select sysadmin_id from sysadmin_devices where token_hash = $1 and last_used_at > $2";
    FIND = "select s.id, s.sysadmin_id, a.name, s.created_at, s.last_seen_at
        from sysadmin_sessions s join sysadmins a on a.id = s.sysadmin_id where s.id_hash = $1";
    SEEN = "update sysadmin_sessions set last_seen_at = $2 where id = $1 and last_seen_at < $2";
    OF_SYSADMIN = "select id, created_at, last_seen_at, user_agent, address
        from sysadmin_sessions where sysadmin_id = $1 order by last_seen_at desc, id";
    END = "delete from sysadmin_sessions where sysadmin_id = $1 and id = $2";
    END_OTHERS = "delete from sysadmin_sessions where sysadmin_id = $1 and id <> $2";
    END_BY_HASH = "delete from sysadmin_sessions where id_hash = $1";
    FORGET_SESSIONS = "delete from sysadmin_sessions where last_seen_at < $1 or created_at < $2";
    FORGET_DEVICES = "delete from sysadmin_devices where last_used_at < $1";
    FORGET_TRIES = "delete from sign_in_tries where last_at < $1";
    FORGET_FIRST_STARTS = "delete from first_start_tokens where expires_at < $1";
}

/// What became of a try to sign in, before the password is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It may be made, and is counted as failed until it succeeds: how many there are in a row with it.
    Counted(i64),
    /// It comes too early.
    TooEarly {
        /// The next may be made then.
        until: DateTime<Utc>,
    },
}

/// A session that begins.
pub struct NewSession<'a> {
    /// Its id in lists; no secret.
    pub id: &'a str,
    /// The hash of the id that the browser holds.
    pub id_hash: [u8; 32],
    /// Whose it is.
    pub sysadmin: &'a str,
    /// The stored password hash that was checked.
    pub password_hash: &'a str,
    /// The hash of the session that the browser had before; it ends.
    pub instead_of: Option<[u8; 32]>,
    /// The hash of the device, known from now on.
    pub device: [u8; 32],
    /// What was counted as failed; forgiven.
    pub tries: &'a [[u8; 32]],
    /// What the browser says it is.
    pub user_agent: &'a str,
    /// Where it is.
    pub address: Option<String>,
    /// Now.
    pub at: DateTime<Utc>,
}

/// An open session, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the tables")]
pub struct SessionRecord {
    pub id: String,
    pub sysadmin_id: String,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
}

/// A session in the list of a sysadmin's own.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(missing_docs, reason = "the columns of the table")]
pub struct OwnSession {
    pub id: String,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub user_agent: String,
    pub address: Option<String>,
}

/// What is forgotten when it is older than these.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "named after what they are the limits of")]
pub struct Stale {
    pub session_seen: DateTime<Utc>,
    pub session_created: DateTime<Utc>,
    pub device_used: DateTime<Utc>,
    pub tried: DateTime<Utc>,
    pub first_start_expired: DateTime<Utc>,
}

impl Store {
    /// Counts a try, unless it comes too early; then nothing is written. Counted before the password is
    /// looked at: of a hundred tries at once each is one.
    pub async fn count_try(
        &self,
        subject: &[u8],
        now: DateTime<Utc>,
        wait_after: fn(i64) -> Option<TimeDelta>,
    ) -> Result<Tried, StoreError> {
        let mut tx = self.begin().await?;
        let (failures, wait_until): (i64, Option<DateTime<Utc>>) = within!(&mut tx, c =>
            sqlx::query_as(COUNT_TRY).bind(subject).bind(now).fetch_one(c))?;
        // A wait longer than there is was written by a clock that was ahead; it would keep out who knows the password.
        // `now` may be a little before that of a try at the same moment.
        let latest = now + LONGEST_WAIT + CLOCKS;
        let counts = |until: &DateTime<Utc>| *until > now && *until <= latest;
        if let Some(until) = wait_until.filter(counts) {
            return Ok(Tried::TooEarly { until });
        }
        let wait_until = wait_after(failures).map(|wait| now + wait);
        within!(&mut tx, c => sqlx::query(SET_WAIT)
            .bind(subject).bind(wait_until).execute(c).map_ok(count))?;
        tx.commit().await?;
        Ok(Tried::Counted(failures))
    }

    /// Forgives what was counted.
    pub async fn forgive(&self, subject: &[u8]) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(FORGIVE).bind(subject).execute(pool).map_ok(count))?;
        Ok(())
    }

    /// Begins a session. `false` where the sysadmin is gone or has another password by now; then nothing
    /// is written.
    pub async fn begin_session(&self, new: &NewSession<'_>) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let right = within!(&mut tx, c => sqlx::query(SIGNED_IN)
            .bind(new.sysadmin).bind(new.password_hash).bind(new.at).execute(c).map_ok(count))?;
        if right == 0 {
            return Ok(false);
        }
        if let Some(old) = new.instead_of {
            within!(&mut tx, c => sqlx::query(END_BY_HASH)
                .bind(&old[..]).execute(c).map_ok(count))?;
        }
        within!(&mut tx, c => sqlx::query(BEGIN)
            .bind(new.id).bind(&new.id_hash[..]).bind(new.sysadmin).bind(new.at)
            .bind(new.user_agent).bind(&new.address)
            .execute(c).map_ok(count))?;
        within!(&mut tx, c => sqlx::query(KNOW_DEVICE)
            .bind(&new.device[..]).bind(new.sysadmin).bind(new.at).execute(c).map_ok(count))?;
        for subject in new.tries {
            within!(&mut tx, c => sqlx::query(FORGIVE)
                .bind(&subject[..]).execute(c).map_ok(count))?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whose a known device is.
    pub async fn owner_of_device(
        &self,
        token_hash: &[u8],
        used_since: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(OWNER_OF_DEVICE)
            .bind(token_hash).bind(used_since).fetch_optional(pool))?)
    }

    /// The session of an id's hash, dead or alive.
    pub async fn sysadmin_session(
        &self,
        id_hash: &[u8],
    ) -> Result<Option<SessionRecord>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(FIND).bind(id_hash).fetch_optional(pool))?)
    }

    /// Notes that a session was seen.
    pub async fn session_seen(&self, id: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(SEEN).bind(id).bind(at).execute(pool).map_ok(count))?;
        Ok(())
    }

    /// A sysadmin's sessions, the one seen last first.
    pub async fn sysadmin_sessions(&self, sysadmin: &str) -> Result<Vec<OwnSession>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(OF_SYSADMIN).bind(sysadmin).fetch_all(pool))?)
    }

    /// Ends one session of a sysadmin.
    pub async fn end_session(&self, sysadmin: &str, id: &str) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(END)
            .bind(sysadmin).bind(id).execute(pool).map_ok(count))?;
        Ok(())
    }

    /// Ends all sessions of a sysadmin but one.
    pub async fn end_other_sessions(&self, sysadmin: &str, kept: &str) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(END_OTHERS)
            .bind(sysadmin).bind(kept).execute(pool).map_ok(count))?;
        Ok(())
    }

    /// Forgets what is over.
    pub async fn forget_stale(&self, stale: Stale) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(FORGET_SESSIONS)
            .bind(stale.session_seen).bind(stale.session_created).execute(pool).map_ok(count))?;
        for (sql, before) in [
            (FORGET_DEVICES, stale.device_used),
            (FORGET_TRIES, stale.tried),
            (FORGET_FIRST_STARTS, stale.first_start_expired),
        ] {
            on!(&self.write, pool => sqlx::query(sql).bind(before).execute(pool).map_ok(count))?;
        }
        Ok(())
    }
}
