//! Lists of enrollments that are worked through in the background, and their rows.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Lease, Store, StoreError, Tx, count, on, read, statements, within};

statements! {
    NEW = "insert into bulk_enrollments (id, platform_id, state, dry_run, total, owner, lease_until, created_at,
            updated_at)
        values ($1, $2, 'waiting', $3, $4, $5, $6, $7, $7)";
    NEW_ROW = "insert into bulk_enrollment_rows (bulk_id, number, request, state, tries)
        values ($1, $2, $3, 'waiting', 0)";
    FIND = "select id, platform_id, state, dry_run, total from bulk_enrollments where id = $1";
    ROWS = "select number, request, state, tries, result from bulk_enrollment_rows where bulk_id = $1 order by number";
    OPEN = "select id, owner, lease_until from bulk_enrollments where state <> 'done' order by created_at, id limit 100";
    /// By whoever has it, or where nobody has: no owner, one that is gone, or one that has not said for long that it
    /// lives.
    TAKE = "update bulk_enrollments set owner = $2, lease_until = $3, state = 'running', updated_at = $4
        where id = $1 and state <> 'done'
            and (owner is null or owner = $2 or owner = $5 or lease_until is null or lease_until < $4)";
    EXTEND_BULK = "update bulk_enrollments set lease_until = $3 where id = $1 and owner = $2 and state <> 'done'";
    LEAVE = "update bulk_enrollments set owner = null, lease_until = null where id = $1 and owner = $2";
    WAITING = "select number, request, state, tries, result from bulk_enrollment_rows
        where bulk_id = $1 and state = 'waiting' and number > $2 order by number limit $3";
    SETTLE_ROW = "update bulk_enrollment_rows set state = $3, tries = $4, result = $5
        where bulk_id = $1 and number = $2 and state = 'waiting'";
    END_BULK = "update bulk_enrollments set state = 'done', owner = null, lease_until = null, updated_at = $3
        where id = $1 and owner = $2
            and not exists (select 1 from bulk_enrollment_rows where bulk_id = $1 and state = 'waiting')";
    FORGET_BULK = "delete from bulk_enrollments where state = 'done' and updated_at < $1";
}

/// Many rows in one statement, as launches are written.
const NEW_ROWS: &str = "insert into bulk_enrollment_rows (bulk_id, number, request, state, tries)
    select $1, number, request, 'waiting', 0 from unnest($2::bigint[], $3::text[]) as new (number, request)";

/// The statements that only PostgreSQL knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] = &[("NEW_ROWS", NEW_ROWS)];

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BulkRecord {
    /// Its id.
    pub id: String,
    /// Whose it is; nothing where it came from a shell.
    pub platform_id: Option<String>,
    /// `waiting`, `running` or `done`.
    pub state: String,
    /// Whether it is only to be said what would be called.
    pub dry_run: bool,
    /// How many rows it has.
    pub total: i64,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BulkRow {
    /// Its number, from 1.
    pub number: i64,
    /// What was asked, as JSON.
    pub request: String,
    /// `waiting`, `done` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// What came of it, as JSON.
    pub result: Option<String>,
}

/// A list that is not done, who is at it, and until when that is believed.
pub type OpenBulk = (String, Option<String>, Option<DateTime<Utc>>);

impl Store {
    /// Stores a list, all of it or none; with a lease it belongs to whoever stores it.
    pub async fn new_bulk(
        &self,
        bulk: &BulkRecord,
        requests: Vec<String>,
        lease: Option<Lease<'_>>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        within!(&mut tx, c => sqlx::query(NEW)
            .bind(&bulk.id).bind(&bulk.platform_id).bind(bulk.dry_run).bind(bulk.total)
            .bind(lease.map(|lease| lease.owner)).bind(lease.map(|lease| lease.until)).bind(at)
            .execute(c).map_ok(count))?;
        match &mut tx {
            Tx::Postgres(postgres, presence) => {
                let numbers: Vec<i64> = (1..).take(requests.len()).collect();
                let query = sqlx::query(NEW_ROWS).bind(&bulk.id);
                let query = query.bind(numbers).bind(requests);
                presence.while_there(query.execute(&mut **postgres)).await?;
            }
            Tx::Sqlite(sqlite, disk) => {
                for (number, request) in (1_i64..).zip(requests) {
                    let query = sqlx::query(NEW_ROW).bind(&bulk.id);
                    let query = query.bind(number).bind(request);
                    disk.noted(query.execute(&mut **sqlite).await)?;
                }
            }
        }
        tx.commit().await
    }

    /// A list, without its rows.
    pub async fn bulk(&self, id: &str) -> Result<Option<BulkRecord>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(FIND).bind(id).fetch_optional(pool))?)
    }

    /// All rows of a list.
    pub async fn bulk_rows(&self, id: &str) -> Result<Vec<BulkRow>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(ROWS).bind(id).fetch_all(pool))?)
    }

    /// The lists that are not done, the oldest first.
    pub async fn open_bulks(&self) -> Result<Vec<OpenBulk>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(OPEN).fetch_all(pool))?)
    }

    /// Takes a list that nobody is at, or `gone` was; whether it could be taken.
    pub async fn take_bulk(
        &self,
        id: &str,
        lease: Lease<'_>,
        gone: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let taken = on!(&self.write, pool => sqlx::query(TAKE)
            .bind(id).bind(lease.owner).bind(lease.until).bind(now).bind(gone)
            .execute(pool).map_ok(count))?;
        Ok(taken > 0)
    }

    /// Says that its owner is still at a list; whether it is its owner.
    pub async fn extend_bulk(&self, id: &str, lease: Lease<'_>) -> Result<bool, StoreError> {
        let extended = on!(&self.write, pool => sqlx::query(EXTEND_BULK)
            .bind(id).bind(lease.owner).bind(lease.until)
            .execute(pool).map_ok(count))?;
        Ok(extended > 0)
    }

    /// Leaves a list to whoever comes next.
    pub async fn leave_bulk(&self, id: &str, owner: &str) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(LEAVE).bind(id).bind(owner).execute(pool).map_ok(count))?;
        Ok(())
    }

    /// The next rows that wait, after a number.
    pub async fn waiting_rows(
        &self,
        id: &str,
        after: i64,
        most: i64,
    ) -> Result<Vec<BulkRow>, StoreError> {
        Ok(
            read!(self, pool => sqlx::query_as(WAITING).bind(id).bind(after).bind(most).fetch_all(pool))?,
        )
    }

    /// Writes down what came of rows.
    pub async fn settle_rows(&self, id: &str, rows: &[BulkRow]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for row in rows {
            within!(&mut tx, c => sqlx::query(SETTLE_ROW)
                .bind(id).bind(row.number).bind(&row.state).bind(row.tries).bind(&row.result)
                .execute(c).map_ok(count))?;
        }
        tx.commit().await
    }

    /// Ends a list, if no row of it waits any more.
    pub async fn end_bulk(
        &self,
        id: &str,
        owner: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(END_BULK).bind(id).bind(owner).bind(now)
            .execute(pool).map_ok(count))?;
        Ok(())
    }

    /// Forgets lists that were done before a moment, and their rows.
    pub async fn clean_bulks(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(FORGET_BULK).bind(before).execute(pool).map_ok(count))?;
        Ok(())
    }
}
