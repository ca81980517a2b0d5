//! Batches of what happened, packed: one row for a thousand records, which costs next to nothing, until they are
//! filed into the tables that are searched. Whoever files a batch deletes it in the same transaction, so that each
//! is filed once, however many instances there are.

use std::collections::BTreeSet;

use futures_util::TryFutureExt;
use lz4_flex::block::{compress_into, get_maximum_output_size};
use postcard::ser_flavors::Flavor;
use serde::Serialize;

use super::launches::reserve_ids;
use super::users::mark_in_use;
use super::{Happened, Store, StoreError, Tx, count, read, statements, within};
use crate::domain::launch_record::{CallRecord, LaunchRecord};

statements! {
    PACK = "insert into launch_batches (id, launches, body) values ($1, $2, $3)";
    /// The oldest after a place and up to another, of a form that is known.
    TAKE = "delete from launch_batches where id = (
            select id from launch_batches where id > $1 and id <= $2 and substr(body, 1, 1) = $3
            order by id limit 1)
        returning id, launches, body";
    LEFT = "select id from launch_batches where id <= $1 and substr(body, 1, 1) = $2 order by id limit 100";
    NEWEST = "select max(id) from launch_batches where substr(body, 1, 1) = $1";
    WAITING = "select cast(coalesce(sum(launches), 0) as bigint) from launch_batches";
}

/// The same, but for those that another instance is filing.
const TAKE_FREE: &str = "delete from launch_batches where id = (
        select id from launch_batches where id > $1 and id <= $2 and substr(body, 1, 1) = $3
        order by id limit 1 for update skip locked)
    returning id, launches, body";

/// The statements that only PostgreSQL knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] = &[("TAKE_FREE", TAKE_FREE)];

/// The form that is written and read here: `postcard` of launches and calls, compressed by LZ4. A batch of another form
/// stays where it is, for an instance that knows it.
const FORM: u8 = 1;
/// Most launches take no more, in bytes.
const USUAL: usize = 1024;
/// A batch that was refused is tried so often in all.
const TRIES: usize = 3;

/// A batch that was filed, or could not be.
#[derive(Debug)]
pub struct FiledBatch {
    /// Its id.
    pub id: i64,
    /// How many launches it holds.
    pub launches: i64,
    /// Why it could not be filed, where it could not: then it is still there.
    pub outcome: Result<(), StoreError>,
}

#[derive(Debug, sqlx::FromRow)]
struct BatchRow {
    id: i64,
    launches: i64,
    body: Vec<u8>,
}

impl Store {
    /// Stores what happened, each as one row, to be filed later, but for which contents are in use: that is stored at
    /// once, since it is asked for while much comes. The id of each row and the number of its launches.
    pub async fn pack(
        &self,
        happened: &[Happened],
        packing: &mut Packing,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut rows = Vec::with_capacity(happened.len());
        let mut stored = Vec::with_capacity(happened.len());
        for one in happened {
            let launches = i64::try_from(one.launches.len()).unwrap_or(i64::MAX);
            // Each of its records will have an id of its own from then on.
            let id = reserve_ids(one.launches.len() + one.calls.len());
            rows.push((id, launches, packed(one, packing)?));
        }
        let in_use = happened.iter().flat_map(|one| one.in_use.iter().cloned());
        let mut tx = self.begin().await?;
        mark_in_use(&mut tx, &in_use.collect()).await?;
        for (id, launches, body) in rows {
            stored.push((id, launches));
            within!(&mut tx, c => sqlx::query(PACK).bind(id).bind(launches).bind(body)
                .execute(c).map_ok(count))?;
        }
        tx.commit().await?;
        Ok(stored)
    }

    /// Files the oldest batch up to an id, but none of `left_out`. `None` where there is none that another instance
    /// is not at.
    pub async fn file_batch(
        &self,
        until: i64,
        left_out: &BTreeSet<i64>,
    ) -> Result<Option<FiledBatch>, StoreError> {
        let (mut after, mut tries, mut with_its_ids) = (0, 0, true);
        loop {
            let mut tx = self.begin().await?;
            let Some(batch) = take(&mut tx, after, until).await? else {
                return Ok(None);
            };
            let (id, launches) = (batch.id, batch.launches);
            if left_out.contains(&id) {
                after = id;
                continue;
            }
            tries += 1;
            let outcome = file(tx, &batch, with_its_ids).await;
            match outcome {
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                // Another instance gave one of its ids to a launch.
                Err(StoreError::Duplicate(_)) if tries < TRIES => with_its_ids = false,
                // Such as a session that was removed just now.
                Err(StoreError::Partner(_) | StoreError::Failed(_)) if tries < TRIES => {}
                outcome => {
                    return Ok(Some(FiledBatch {
                        id,
                        launches,
                        outcome,
                    }));
                }
            }
        }
    }

    /// The batches up to an id that are not filed yet, also those that another instance is at; the hundred oldest
    /// at most.
    pub async fn batches_left(&self, until: i64) -> Result<Vec<i64>, StoreError> {
        Ok(
            read!(self, pool => sqlx::query_scalar(LEFT).bind(until).bind([FORM].as_slice())
                .fetch_all(pool))?,
        )
    }

    /// The newest batch, if there is any.
    pub async fn newest_batch(&self) -> Result<Option<i64>, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(NEWEST).bind([FORM].as_slice()).fetch_one(pool))?)
    }

    /// How many launches stand in batches that are not filed yet.
    pub async fn launches_waiting(&self) -> Result<i64, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(WAITING).fetch_one(pool))?)
    }
}

async fn take(tx: &mut Tx, after: i64, until: i64) -> Result<Option<BatchRow>, StoreError> {
    let sql = match tx {
        Tx::Postgres(..) => TAKE_FREE,
        Tx::Sqlite(_) => TAKE,
    };
    Ok(within!(tx, c => sqlx::query_as(sql)
        .bind(after).bind(until).bind([FORM].as_slice())
        .fetch_optional(c))?)
}

/// Files a batch, all or nothing.
async fn file(mut tx: Tx, batch: &BatchRow, with_its_ids: bool) -> Result<(), StoreError> {
    let filed = insert(&mut tx, batch, with_its_ids).await;
    match filed {
        Ok(()) => tx.commit().await,
        Err(error) => {
            // What is tried next would find the batch still taken.
            tx.rollback().await?;
            Err(error)
        }
    }
}

async fn insert(tx: &mut Tx, batch: &BatchRow, with_its_ids: bool) -> Result<(), StoreError> {
    let (launches, calls) = unpacked(&batch.body)?;
    let first = with_its_ids.then_some(batch.id);
    Store::insert_records(tx, &launches, &calls, first).await
}

/// Where what is packed lies, plain and compressed: the same memory for one batch after the other.
#[derive(Debug, Default)]
pub struct Packing {
    plain: Vec<u8>,
    compressed: Vec<u8>,
}

fn packed(happened: &Happened, packing: &mut Packing) -> Result<Vec<u8>, StoreError> {
    let mut plain = std::mem::take(&mut packing.plain);
    plain.clear();
    // As a pair of two lists would be: each its length, and its records one after the other.
    let plain = appended(&happened.launches.many, plain).and_then(|mut plain| {
        plain.extend_from_slice(&happened.launches.packed);
        appended(&happened.calls, plain)
    });
    packing.plain = plain?;
    let (plain, compressed) = (&packing.plain, &mut packing.compressed);
    compressed.resize(get_maximum_output_size(plain.len()), 0);
    let length = compress_into(plain, compressed)
        .map_err(|_| StoreError::Unreadable("a batch of launches".to_owned()))?;
    let size = u32::try_from(plain.len()).unwrap_or(u32::MAX);
    let mut body = Vec::with_capacity(1 + 4 + length);
    body.push(FORM);
    body.extend_from_slice(&size.to_le_bytes());
    body.extend_from_slice(&compressed[..length]);
    Ok(body)
}

fn unpacked(body: &[u8]) -> Result<(Vec<LaunchRecord>, Vec<CallRecord>), StoreError> {
    let unreadable = || StoreError::Unreadable("a batch of launches".to_owned());
    let compressed = body.strip_prefix(&[FORM]).ok_or_else(unreadable)?;
    let plain = lz4_flex::decompress_size_prepended(compressed).map_err(|_| unreadable())?;
    postcard::from_bytes(&plain).map_err(|_| unreadable())
}

/// Launches, each packed as a batch holds it, one after the other.
#[derive(Debug, Clone, Default)]
pub struct LaunchRecords {
    many: usize,
    packed: Vec<u8>,
}

impl LaunchRecords {
    /// One launch, packed. Refused where its time is one that has no form: before 1677 or after 2262.
    pub fn packed(launch: &LaunchRecord) -> Result<Vec<u8>, StoreError> {
        appended(launch, Vec::with_capacity(USUAL))
    }

    /// Adds one that is packed.
    pub fn push_packed(&mut self, launch: &[u8]) {
        self.many += 1;
        self.packed.extend_from_slice(launch);
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.many = 0;
        self.packed.clear();
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.many
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.many == 0
    }

    /// All of them.
    pub(super) fn unpacked(&self) -> Result<Vec<LaunchRecord>, StoreError> {
        let (mut launches, mut rest) = (Vec::with_capacity(self.many), &*self.packed);
        while !rest.is_empty() {
            let launch;
            (launch, rest) = postcard::take_from_bytes(rest).map_err(no_record)?;
            launches.push(launch);
        }
        Ok(launches)
    }
}

/// Appends one or several records, packed.
fn appended(records: &impl Serialize, to: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    postcard::serialize_with_flavor(records, Appending(to)).map_err(no_record)
}

/// Takes texts in one piece; postcard's own way to append goes byte by byte.
struct Appending(Vec<u8>);

impl Flavor for Appending {
    type Output = Vec<u8>;

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

fn no_record(error: postcard::Error) -> StoreError {
    StoreError::Unreadable(format!("a record ({error})"))
}

#[cfg(test)]
impl FromIterator<LaunchRecord> for LaunchRecords {
    fn from_iter<T: IntoIterator<Item = LaunchRecord>>(launches: T) -> Self {
        let mut records = Self::default();
        for launch in launches {
            records.push_packed(&Self::packed(&launch).unwrap());
        }
        records
    }
}
