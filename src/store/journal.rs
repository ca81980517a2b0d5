//! The journal, and the one transaction in which an entry is settled and what it made is stored.

use std::io::Read;

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::rows::parsed;
use super::{Store, StoreError, Tx, audit, count, on, read, statements, within};
use crate::domain::audit::{Entry as Told, Place as TimePlace};
use crate::domain::content::Place;
use crate::domain::id::ExtId;
use crate::domain::journal::{Entry, EntryKey, EntryState, Operation, Request};

statements! {
    BEGIN = "insert into journal (id, platform_id, server_id, signature, operation, local_id, request, payload,
            state, owner, lease_until, tries, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 'calling', $9, $10, 1, $11, $11)
        on conflict (platform_id, signature, operation, local_id) where state <> 'failed' do nothing";
    CURRENT = "select id, platform_id, server_id, signature, operation, local_id, request, payload, state, tries,
            ext_id, error, created_at, updated_at
        from journal
        where platform_id = $1 and signature = $2 and operation = $3 and local_id = $4 and state <> 'failed'";
    FIND = "select id, platform_id, server_id, signature, operation, local_id, request, payload, state, tries,
            ext_id, error, created_at, updated_at
        from journal where id = $1";
    OPEN = "select id, platform_id, server_id, signature, operation, local_id, request, payload, state, tries,
            ext_id, error, created_at, updated_at
        from journal where state in ('calling', 'unsettled') order by created_at, id limit 1000";
    FAILED = "select id, platform_id, server_id, signature, operation, local_id, request, payload, state, tries,
            ext_id, error, created_at, updated_at
        from journal where state = 'failed' order by updated_at desc, id desc limit $1";
    OLDER_FAILED = "select id, platform_id, server_id, signature, operation, local_id, request, payload, state,
            tries, ext_id, error, created_at, updated_at
        from journal where state = 'failed' and (updated_at, id) < ($2, $3)
        order by updated_at desc, id desc limit $1";
    AGAIN = "update journal set state = 'calling', owner = $2, lease_until = $3, tries = tries + 1, updated_at = $4
        where id = $1 and state = 'unsettled'";
    EXTEND = "update journal set lease_until = $3 where id = $1 and owner = $2 and state = 'calling'";
    CALLING = "select id, owner, lease_until from journal where state = 'calling'";
    LOSE = "update journal set state = 'unsettled', updated_at = $3,
            error = 'the gateway that sent it ended before the server answered'
        where id = $1 and owner = $2 and state = 'calling'";
    UNSETTLED = "select count(*) from journal where state = 'unsettled'";
    /// By its owner, also one that was taken for gone, but not once another has taken the entry up.
    END = "update journal set state = $4, error = $5, updated_at = $6
        where id = $1 and owner = $2 and tries = $3 and state in ('calling', 'unsettled')";
    GIVE_UP = "update journal set state = 'failed', error = $2, updated_at = $3
        where id = $1 and state = 'unsettled'";
    SETTLE = "update journal set state = 'done', ext_id = $4, error = null, updated_at = $5
        where id = $1 and owner = $2 and tries = $3 and state in ('calling', 'unsettled')";
    ADOPT = "update journal set state = 'done', ext_id = $2, error = null, updated_at = $3
        where id = $1 and state = 'unsettled'";
    STORE_SESSION = "insert into sessions (platform_id, signature, tool_session_id, tool_content_id, name,
            ext_session_id, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    STORE_CONTENT = "insert into contents (platform_id, signature, tool_content_id, server_id, ext_user, ext_course,
            ext_section, ext_course_url, ext_tool_content_id, define_later, run_offline, content_in_use,
            created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, false, $12, $12)";
    STORE_PART = "insert into journal_files (entry_id, part, bytes) values ($1, $2, $3)";
    PART = "select bytes from journal_files where entry_id = $1 and part = $2";
    FORGET_FILE = "delete from journal_files where entry_id = $1";
    FORGET_FILES = "delete from journal_files
        where entry_id in (select id from journal where state in ('done', 'failed'))";
    FORGET_FAILED = "delete from journal where state = 'failed' and updated_at < $1";
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: String,
    platform_id: String,
    server_id: String,
    signature: String,
    operation: String,
    local_id: i64,
    request: String,
    payload: String,
    state: String,
    tries: i64,
    ext_id: Option<String>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl EntryRow {
    fn entry(self) -> Result<Entry, StoreError> {
        let unreadable = || StoreError::Unreadable(format!("the journal entry {}", self.id));
        Ok(Entry {
            key: EntryKey {
                operation: Operation::stored(&self.operation).ok_or_else(unreadable)?,
                platform: parsed(self.platform_id.clone(), "a platform id")?,
                signature: parsed(self.signature.clone(), "a signature")?,
                local_id: self.local_id,
            },
            server: parsed(self.server_id.clone(), "a server id")?,
            request: serde_json::from_str(&self.request).map_err(|_| unreadable())?,
            payload: serde_json::from_str(&self.payload).map_err(|_| unreadable())?,
            state: EntryState::stored(&self.state).ok_or_else(unreadable)?,
            tries: self.tries,
            ext_id: self.ext_id.map(ExtId::stored),
            error: self.error,
            created_at: self.created_at,
            updated_at: self.updated_at,
            id: self.id,
        })
    }
}

/// Who is at an entry, and until when that is believed.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// The instance.
    pub owner: &'a str,
    /// When it counts as gone, unless it says otherwise before.
    pub until: DateTime<Utc>,
}

impl Store {
    /// Writes an entry down before its call is sent, with the file that it sends; `false` where there is one
    /// of the same key.
    pub async fn begin_entry(
        &self,
        entry: &Entry,
        lease: Lease<'_>,
        file: Option<&mut (dyn Read + Send)>,
    ) -> Result<bool, StoreError> {
        let unreadable = |_| StoreError::Unreadable("a journal entry".to_owned());
        let request = serde_json::to_string(&entry.request).map_err(unreadable)?;
        let payload = serde_json::to_string(&entry.payload).map_err(unreadable)?;
        let key = &entry.key;
        let mut tx = self.begin().await?;
        let written = within!(&mut tx, c => sqlx::query(BEGIN)
            .bind(&entry.id).bind(key.platform.as_str()).bind(entry.server.as_str())
            .bind(key.signature.as_str()).bind(key.operation.as_str()).bind(key.local_id)
            .bind(&request).bind(&payload).bind(lease.owner).bind(lease.until).bind(entry.created_at)
            .execute(c).map_ok(count))?;
        if let Some(file) = file.filter(|_| written > 0) {
            store_file(&mut tx, &entry.id, file).await?;
            // Storing it may have taken its time.
            let until = Utc::now() + (lease.until - entry.created_at);
            within!(&mut tx, c => sqlx::query(EXTEND).bind(&entry.id).bind(lease.owner).bind(until)
                .execute(c).map_ok(count))?;
        }
        tx.commit().await?;
        Ok(written > 0)
    }

    /// A part of the file that an entry's call sends, from 0; nothing after the last.
    pub async fn entry_file_part(
        &self,
        id: &str,
        part: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(PART).bind(id).bind(part).fetch_optional(pool))?)
    }

    /// Forgets failed entries that nobody touched since, and the files of entries that are settled.
    pub async fn clean_journal(&self, since: DateTime<Utc>) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(FORGET_FILES).execute(pool).map_ok(count))?;
        on!(&self.write, pool => sqlx::query(FORGET_FAILED).bind(since).execute(pool).map_ok(count))?;
        Ok(())
    }

    /// The entry of a key that is not free.
    pub async fn current_entry(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let row = read!(self, pool => sqlx::query_as::<_, EntryRow>(CURRENT)
            .bind(key.platform.as_str()).bind(key.signature.as_str())
            .bind(key.operation.as_str()).bind(key.local_id)
            .fetch_optional(pool))?;
        row.map(EntryRow::entry).transpose()
    }

    /// The entry of an id.
    pub async fn entry(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        let row =
            read!(self, pool => sqlx::query_as::<_, EntryRow>(FIND).bind(id).fetch_optional(pool))?;
        row.map(EntryRow::entry).transpose()
    }

    /// The entries that are under way or unsettled, oldest first; a thousand at most.
    pub async fn open_entries(&self) -> Result<Vec<Entry>, StoreError> {
        let rows = read!(self, pool => sqlx::query_as::<_, EntryRow>(OPEN).fetch_all(pool))?;
        rows.into_iter().map(EntryRow::entry).collect()
    }

    /// So many failed entries at most, the newest first; those before a place, where one is given.
    pub async fn failed_entries(
        &self,
        before: Option<&TimePlace>,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<EntryRow> = match before {
            None => read!(self, pool => sqlx::query_as(FAILED).bind(most).fetch_all(pool))?,
            Some(place) => read!(self, pool => sqlx::query_as(OLDER_FAILED)
                .bind(most).bind(place.at).bind(&place.id).fetch_all(pool))?,
        };
        rows.into_iter().map(EntryRow::entry).collect()
    }

    /// Takes an unsettled entry up again, which the audit is told; `false` where it is not unsettled.
    pub async fn retry_entry(
        &self,
        id: &str,
        lease: Lease<'_>,
        told: &Told,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let written = within!(&mut tx, c => sqlx::query(AGAIN)
            .bind(id).bind(lease.owner).bind(lease.until).bind(at)
            .execute(c).map_ok(count))?;
        told_if(tx, written, told).await
    }

    /// Says that an instance is still at an entry.
    pub async fn extend_lease(&self, id: &str, lease: Lease<'_>) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(EXTEND).bind(id).bind(lease.owner).bind(lease.until)
            .execute(pool).map_ok(count))?;
        Ok(())
    }

    /// The entries that somebody is at, each with its owner and how long that is believed.
    pub async fn calling_entries(
        &self,
    ) -> Result<Vec<(String, String, DateTime<Utc>)>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(CALLING).fetch_all(pool))?)
    }

    /// Makes an entry unsettled whose owner is gone.
    pub async fn lose_entry(
        &self,
        id: &str,
        owner: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(LOSE).bind(id).bind(owner).bind(at)
            .execute(pool).map_ok(count))?;
        Ok(())
    }

    /// How many entries are unsettled.
    pub async fn unsettled_entries(&self) -> Result<i64, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(UNSETTLED).fetch_one(pool))?)
    }

    /// Ends an entry without an id, as failed or unsettled, for its owner; `false` where it is the owner's
    /// no more.
    pub async fn end_entry(
        &self,
        entry: &Entry,
        owner: &str,
        state: EntryState,
        error: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let written = end(&mut tx, entry, owner, state, error, at).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// Gives an unsettled entry up, which the audit is told; `false` where it is not unsettled.
    pub async fn give_up_entry(
        &self,
        id: &str,
        words: &str,
        told: &Told,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let written = within!(&mut tx, c => sqlx::query(GIVE_UP).bind(id).bind(words).bind(at)
            .execute(c).map_ok(count))?;
        if written > 0 {
            within!(&mut tx, c => sqlx::query(FORGET_FILE).bind(id).execute(c).map_ok(count))?;
        }
        told_if(tx, written, told).await
    }

    /// Settles an unsettled entry with an id that an operator found, and stores that, which the audit is
    /// told, in one transaction; `false` where it is not unsettled.
    pub async fn adopt_entry(
        &self,
        entry: &Entry,
        ext_id: &ExtId,
        told: &Told,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let settled = within!(&mut tx, c => sqlx::query(ADOPT)
            .bind(&entry.id).bind(ext_id.as_str()).bind(at)
            .execute(c).map_ok(count))?;
        if settled > 0 {
            store_made(&mut tx, entry, Some(ext_id.as_str()), at).await?;
        }
        told_if(tx, settled, told).await
    }

    /// Settles an entry with the id that its call made, and stores that, in one transaction; `false` where
    /// it is the owner's no more.
    pub async fn settle_entry(
        &self,
        entry: &Entry,
        owner: &str,
        ext_id: Option<&ExtId>,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ext_id = ext_id.map(ExtId::as_str);
        let settled = within!(&mut tx, c => sqlx::query(SETTLE)
            .bind(&entry.id).bind(owner).bind(entry.tries).bind(ext_id).bind(at)
            .execute(c).map_ok(count))?;
        if settled == 0 {
            return Ok(false);
        }
        store_made(&mut tx, entry, ext_id, at).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Lists an id that was made for an entry and has no place here any more, and ends the entry where it is
    /// still the owner's: as failed, or as unsettled where an earlier try may have made something too.
    pub async fn abandon_entry(
        &self,
        entry: &Entry,
        owner: &str,
        ext_id: &ExtId,
        why: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = &entry.key;
        let mut tx = self.begin().await?;
        let there = (entry.server.as_str(), ext_id.as_str());
        let place = Some(&entry.payload.place);
        super::removal::leave_behind(
            &mut tx,
            &key.platform,
            &key.signature,
            there,
            place,
            why,
            at,
        )
        .await?;
        let words = format!("{ext_id} was made and is left behind: {why}");
        // Of a try before this one nothing more is known than before.
        let (state, words) = match &entry.error {
            Some(before) if entry.tries > 1 => {
                (EntryState::Unsettled, format!("{words}; before: {before}"))
            }
            _ => (EntryState::Failed, words),
        };
        end(&mut tx, entry, owner, state, &words, at).await?;
        tx.commit().await
    }
}

/// Ends an entry without an id; `false` where it is the owner's no more. What failed needs its file no more.
async fn end(
    tx: &mut Tx,
    entry: &Entry,
    owner: &str,
    state: EntryState,
    error: &str,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let written = within!(&mut *tx, c => sqlx::query(END)
        .bind(&entry.id).bind(owner).bind(entry.tries).bind(state.as_str()).bind(error).bind(at)
        .execute(c).map_ok(count))?;
    if written > 0 && state == EntryState::Failed {
        within!(&mut *tx, c => sqlx::query(FORGET_FILE).bind(&entry.id).execute(c).map_ok(count))?;
    }
    Ok(written > 0)
}

/// Commits what was written for an operator together with what the audit is told; whether anything was.
async fn told_if(mut tx: Tx, written: u64, told: &Told) -> Result<bool, StoreError> {
    if written == 0 {
        return Ok(false);
    }
    audit::record(&mut tx, told).await?;
    tx.commit().await?;
    Ok(true)
}

/// Stores what an entry's call made.
async fn store_made(
    tx: &mut Tx,
    entry: &Entry,
    ext_id: Option<&str>,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (key, payload) = (&entry.key, &entry.payload);
    match &entry.request {
        Request::Session { content } => {
            within!(&mut *tx, c => sqlx::query(STORE_SESSION)
                .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.local_id)
                .bind(content).bind(&payload.name).bind(ext_id).bind(at)
                .execute(c).map_ok(count))?;
        }
        Request::Copy { place, .. } => {
            store_content(tx, key, place, ext_id, (false, false), at).await?;
        }
        Request::Import {
            place,
            define_later,
            run_offline,
            ..
        } => {
            let flags = (*define_later, *run_offline);
            store_content(tx, key, place, ext_id, flags, at).await?;
            within!(&mut *tx, c => sqlx::query(FORGET_FILE).bind(&entry.id).execute(c).map_ok(count))?;
        }
    }
    Ok(())
}

/// Stores content that a call made; the flags are "define later" and "run offline".
async fn store_content(
    tx: &mut Tx,
    key: &EntryKey,
    place: &Place,
    ext_id: Option<&str>,
    (define_later, run_offline): (bool, bool),
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(STORE_CONTENT)
        .bind(key.platform.as_str()).bind(key.signature.as_str()).bind(key.local_id)
        .bind(place.server.as_str()).bind(&place.user).bind(&place.course)
        .bind(&place.section).bind(&place.course_url).bind(ext_id)
        .bind(define_later).bind(run_offline).bind(at)
        .execute(c).map_ok(count))?;
    Ok(())
}

/// A file is stored in parts of so many bytes.
const PART_LENGTH: u64 = 1 << 20;

async fn store_file(
    tx: &mut Tx,
    entry: &str,
    file: &mut (dyn Read + Send),
) -> Result<(), StoreError> {
    for part in 0_i64.. {
        let mut bytes = Vec::new();
        file.take(PART_LENGTH)
            .read_to_end(&mut bytes)
            .map_err(|error| StoreError::File {
                path: "a temporary file".to_owned(),
                error,
            })?;
        if bytes.is_empty() {
            break;
        }
        within!(&mut *tx, c => sqlx::query(STORE_PART).bind(entry).bind(part).bind(bytes)
            .execute(c).map_ok(count))?;
    }
    Ok(())
}
