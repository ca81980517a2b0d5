//! The audit. An entry is written within the transaction of the change that it tells of.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Store, StoreError, Tx, count, read, statements, within};
use crate::domain::audit::{Entry, Place};

statements! {
    INSERT = "insert into audit (id, happened_at, actor, action, subject, before_json, after_json)
        values ($1, $2, $3, $4, $5, $6, $7)";
    NEWEST = "select id, happened_at, actor, action, subject, before_json, after_json
        from audit order by happened_at desc, id desc limit $1";
    OLDER = "select id, happened_at, actor, action, subject, before_json, after_json
        from audit where (happened_at, id) < ($2, $3) order by happened_at desc, id desc limit $1";
}

#[derive(Debug, sqlx::FromRow)]
struct EntryRow {
    id: String,
    happened_at: DateTime<Utc>,
    actor: String,
    action: String,
    subject: String,
    before_json: Option<String>,
    after_json: Option<String>,
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        Entry {
            id: row.id,
            at: row.happened_at,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            before: row.before_json,
            after: row.after_json,
        }
    }
}

/// Writes an entry within the transaction of its change.
pub(super) async fn record(tx: &mut Tx, entry: &Entry) -> Result<(), StoreError> {
    within!(tx, c => sqlx::query(INSERT)
        .bind(&entry.id).bind(entry.at).bind(&entry.actor).bind(&entry.action).bind(&entry.subject)
        .bind(&entry.before).bind(&entry.after)
        .execute(c).map_ok(count))?;
    Ok(())
}

impl Store {
    /// Writes an entry about what changes nothing that is stored.
    pub async fn record(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        record(&mut tx, entry).await?;
        tx.commit().await
    }

    /// So many entries at most, the newest first; those before a place, where one is given.
    pub async fn audit(&self, before: Option<&Place>, most: i64) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<EntryRow> = match before {
            None => read!(self, pool => sqlx::query_as(NEWEST).bind(most).fetch_all(pool))?,
            Some(place) => read!(self, pool => sqlx::query_as(OLDER)
                .bind(most).bind(place.at).bind(&place.id).fetch_all(pool))?,
        };
        Ok(rows.into_iter().map(Entry::from).collect())
    }
}
