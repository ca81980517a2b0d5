//! The audit. An entry is written within the transaction of the change that it tells of.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Store, StoreError, Tx, count, read, within};
use crate::domain::audit::{Entry, Filter, Place};

/// Declares searches by what their index begins with; all take the same values.
macro_rules! searches {
    ({ $($search:ident = $first:literal;)+ } { $($name:ident = $sql:literal;)+ }) => {
        $(const $search: &str = concat!(
            "select id, happened_at, actor, action, subject, before_json, after_json from audit
            where (happened_at, id) < ($1, $2) and happened_at >= $3 and ", $first, "
                and (cast($5 as text) is null or actor = $5)
                and (cast($6 as text) is null or subject = $6)
                and (cast($7 as text) is null or action = $7)
                and (cast($8 as text) is null or substr(action, 1, length(cast($8 as text))) = $8)
            order by happened_at desc, id desc limit $4");)+
        $(const $name: &str = $sql;)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] =
            &[$((stringify!($search), $search),)+ $((stringify!($name), $name)),+];
    };
}

searches! {{
    ALL = "1 = 1";
    OF_SUBJECT = "subject = $6";
    OF_ACTOR = "actor = $5";
    OF_ACTION = "action = $7";
} {
    NEWEST = "select id, happened_at, actor, action, subject, before_json, after_json from audit
        where (happened_at, id) < ($1, $2) order by happened_at desc, id desc limit $3";
    INSERT = "insert into audit (id, happened_at, actor, action, subject, before_json, after_json)
        values ($1, $2, $3, $4, $5, $6, $7)";
}}

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

    /// So many entries at most of those that are looked for, the newest first; those before a place, where
    /// one is given.
    pub async fn audit(
        &self,
        filter: &Filter,
        before: Option<&Place>,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let Filter { actor, subject, .. } = filter;
        // Each action has a dot; what has none stands before one.
        let action = filter.action.as_ref().filter(|action| action.contains('.'));
        let kind = filter
            .action
            .as_ref()
            .filter(|action| !action.contains('.'));
        let kind = kind.map(|kind| format!("{kind}."));
        // No entry of a moment comes before one without an id.
        let end = Place {
            at: filter.until.unwrap_or(NEVER),
            id: String::new(),
        };
        let place = match before {
            Some(place) if place.at < end.at => place,
            _ => &end,
        };
        let only_the_end = Filter {
            until: filter.until,
            ..Filter::default()
        };
        if *filter == only_the_end {
            // Alone: with conditions that may be nothing, PostgreSQL would rather sort all of it.
            let rows: Vec<EntryRow> = read!(self, pool => sqlx::query_as(NEWEST)
                .bind(place.at).bind(&place.id).bind(most).fetch_all(pool))?;
            return Ok(rows.into_iter().map(Entry::from).collect());
        }
        let sql = match (subject, actor, action) {
            (Some(_), _, _) => OF_SUBJECT,
            (None, Some(_), _) => OF_ACTOR,
            (None, None, Some(_)) => OF_ACTION,
            (None, None, None) => ALL,
        };
        let rows: Vec<EntryRow> = read!(self, pool => sqlx::query_as(sql)
            .bind(place.at).bind(&place.id).bind(filter.from.unwrap_or(DateTime::UNIX_EPOCH)).bind(most)
            .bind(actor).bind(subject).bind(action).bind(&kind)
            .fetch_all(pool))?;
        Ok(rows.into_iter().map(Entry::from).collect())
    }
}

/// No entry is as late: the year 9999.
const NEVER: DateTime<Utc> = match DateTime::from_timestamp(253_402_214_400, 0) {
    Some(never) => never,
    None => DateTime::<Utc>::MAX_UTC,
};
