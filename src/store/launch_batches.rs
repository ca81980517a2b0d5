//! Batches of what happened, packed: one row for a thousand records, which costs next to nothing, until they are
//! filed into the tables that are searched. Whoever files a batch deletes it in the same transaction, so that each
//! is filed once, however many instances there are.

use std::collections::BTreeSet;

use futures_util::TryFutureExt;
use lz4_flex::block::{compress_into, get_maximum_output_size};
use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::launches::reserve_ids;
use super::users::mark_in_use;
use super::{Happened, Store, StoreError, Tx, count, read, statements, within};
use crate::domain::launch_record::{CallRecord, LaunchRecord};

statements! {
    PACK = "insert into launch_batches (id, launches, body) values ($1, $2, $3)";
    /// The oldest after a place and up to another, of a form that is known.
    TAKE = "delete from launch_batches where id = (
            select id from launch_batches where id > $1 and id <= $2 and substr(body, 1, 1) in ($3, $4)
            order by id limit 1)
        returning id, launches, body";
    LEFT = "select id from launch_batches where id <= $1 and substr(body, 1, 1) in ($2, $3)
        order by id limit 100";
    NEWEST = "select max(id) from launch_batches where substr(body, 1, 1) in ($1, $2)";
    WAITING = "select cast(coalesce(sum(launches), 0) as bigint) from launch_batches";
}

/// The same, but for those that another instance is filing.
const TAKE_FREE: &str = "delete from launch_batches where id = (
        select id from launch_batches where id > $1 and id <= $2 and substr(body, 1, 1) in ($3, $4)
        order by id limit 1 for update skip locked)
    returning id, launches, body";

/// The statements that only PostgreSQL knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] = &[("TAKE_FREE", TAKE_FREE)];

/// The form that is written here: how long the blocks of launches are, these blocks, and one block of calls. Lengths
/// are of four bytes, the lowest first. A block is its length, then how long it is when it is not compressed, and
/// `postcard` of one record after the other (of calls: of a list), compressed by LZ4. The first byte is the form's number.
const FORM: u8 = 2;
/// What was written before: `postcard` of two lists, launches and calls, compressed by LZ4 in one piece. It is read
/// for whoever comes from such a version with batches that are not filed.
const OLD_FORM: u8 = 1;
/// Blocks are compressed once they have so many bytes: in some twenty microseconds, by whoever answers a launch. Larger
/// ones would be hardly smaller in all, since LZ4 does not look back further than 64 KiB.
const BLOCK: usize = 32 * 1024;
/// LZ4 makes nothing smaller than this part of it.
const SMALLEST: usize = 256;
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
    pub async fn pack(&self, happened: &[Happened]) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut rows = Vec::with_capacity(happened.len());
        let mut stored = Vec::with_capacity(happened.len());
        for one in happened {
            let launches = i64::try_from(one.launches.len()).unwrap_or(i64::MAX);
            // Each of its records will have an id of its own from then on.
            let id = reserve_ids(one.launches.len() + one.calls.len());
            rows.push((id, launches, packed(one)?));
        }
        let mut tx = self.begin().await?;
        mark_in_use(&mut tx, happened).await?;
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
        Ok(read!(self, pool => sqlx::query_scalar(LEFT).bind(until)
                .bind([FORM].as_slice()).bind([OLD_FORM].as_slice())
                .fetch_all(pool))?)
    }

    /// The newest batch, if there is any.
    pub async fn newest_batch(&self) -> Result<Option<i64>, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(NEWEST)
                .bind([FORM].as_slice()).bind([OLD_FORM].as_slice())
                .fetch_one(pool))?)
    }

    /// How many launches stand in batches that are not filed yet.
    pub async fn launches_waiting(&self) -> Result<i64, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(WAITING).fetch_one(pool))?)
    }
}

async fn take(tx: &mut Tx, after: i64, until: i64) -> Result<Option<BatchRow>, StoreError> {
    let sql = match tx {
        Tx::Postgres(..) => TAKE_FREE,
        Tx::Sqlite(..) => TAKE,
    };
    Ok(within!(tx, c => sqlx::query_as(sql)
        .bind(after).bind(until).bind([FORM].as_slice()).bind([OLD_FORM].as_slice())
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

fn packed(happened: &Happened) -> Result<Vec<u8>, StoreError> {
    let launches = &happened.launches;
    let mut calls = Vec::new();
    append(&happened.calls, &mut calls)?;
    let rest = launches.blocks.len() + most_of_block(launches.open.len());
    let mut body = Vec::with_capacity(1 + 4 + rest + most_of_block(calls.len()));
    body.push(FORM);
    body.extend([0; 4]);
    body.extend_from_slice(&launches.blocks);
    push_block(&mut body, &launches.open);
    let length = length_of(&body[1 + 4..]);
    body[1..][..4].copy_from_slice(&length);
    push_block(&mut body, &calls);
    Ok(body)
}

fn unpacked(body: &[u8]) -> Result<(Vec<LaunchRecord>, Vec<CallRecord>), StoreError> {
    match body.split_first() {
        Some((&FORM, rest)) => {
            let (blocks, rest) = split_length(rest)?;
            let mut launches = Vec::new();
            unpack_blocks(blocks, &mut launches)?;
            let (calls, _) = split_length(rest)?;
            Ok((launches, read_all(&plain(calls)?)?))
        }
        Some((&OLD_FORM, rest)) => read_all(&plain(rest)?),
        _ => Err(no_batch()),
    }
}

/// How long a text of bytes is, as it stands before it.
fn length_of(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// How many bytes a block takes at most, of so many that are not compressed.
fn most_of_block(plain: usize) -> usize {
    4 + 4 + get_maximum_output_size(plain)
}

/// Appends a block.
fn push_block(to: &mut Vec<u8>, plain: &[u8]) {
    let begin = to.len();
    to.resize(begin + most_of_block(plain.len()), 0);
    let length = compress_into(plain, &mut to[begin + 4 + 4..]);
    let length = length.expect("there is room for what cannot be made smaller");
    to.truncate(begin + 4 + 4 + length);
    to[begin + 4..][..4].copy_from_slice(&length_of(plain));
    let length = length_of(&to[begin + 4..]);
    to[begin..][..4].copy_from_slice(&length);
}

/// A length, and what is behind it.
fn take_length(bytes: &[u8]) -> Result<(usize, &[u8]), StoreError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(no_batch)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| no_batch())?;
    Ok((length, rest))
}

/// A text of bytes behind its length, and what is behind it.
fn split_length(bytes: &[u8]) -> Result<(&[u8], &[u8]), StoreError> {
    let (length, rest) = take_length(bytes)?;
    rest.split_at_checked(length).ok_or_else(no_batch)
}

/// What was compressed, behind its length.
fn plain(compressed: &[u8]) -> Result<Vec<u8>, StoreError> {
    let (length, rest) = take_length(compressed)?;
    // Memory is taken for what can be there, not for what is said.
    if length / SMALLEST > rest.len() {
        return Err(no_batch());
    }
    lz4_flex::decompress(rest, length).map_err(|_| no_batch())
}

fn unpack_blocks(mut blocks: &[u8], launches: &mut Vec<LaunchRecord>) -> Result<(), StoreError> {
    while !blocks.is_empty() {
        let (block, rest) = split_length(blocks)?;
        unpack_block(&plain(block)?, launches)?;
        blocks = rest;
    }
    Ok(())
}

fn unpack_block(mut plain: &[u8], launches: &mut Vec<LaunchRecord>) -> Result<(), StoreError> {
    while !plain.is_empty() {
        let launch;
        (launch, plain) = postcard::take_from_bytes(plain).map_err(no_record)?;
        launches.push(launch);
    }
    Ok(())
}

fn read_all<T: DeserializeOwned>(plain: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(plain).map_err(|_| no_batch())
}

/// Launches, packed as a batch holds them.
#[derive(Debug, Clone, Default)]
pub struct LaunchRecords {
    many: usize,
    blocks: Vec<u8>,
    /// What will be the next block.
    open: Vec<u8>,
}

impl LaunchRecords {
    /// Adds one. Refused where its time is one that has no form: before 1677 or after 2262.
    pub fn push(&mut self, launch: &LaunchRecord) -> Result<(), StoreError> {
        let before = self.open.len();
        append(launch, &mut self.open).inspect_err(|_| self.open.truncate(before))?;
        self.many += 1;
        if self.open.len() >= BLOCK {
            push_block(&mut self.blocks, &self.open);
            self.open.clear();
        }
        Ok(())
    }

    /// Takes all out.
    pub fn clear(&mut self) {
        self.many = 0;
        self.blocks.clear();
        self.open.clear();
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.many
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.many == 0
    }

    /// All of them, in their order, behind those that are there.
    pub(super) fn unpack(&self, launches: &mut Vec<LaunchRecord>) -> Result<(), StoreError> {
        unpack_blocks(&self.blocks, launches)?;
        unpack_block(&self.open, launches)
    }
}

/// Appends one or several records, packed.
fn append(records: &impl Serialize, to: &mut Vec<u8>) -> Result<(), StoreError> {
    postcard::serialize_with_flavor(records, Appending(to)).map_err(no_record)
}

/// Takes texts in one piece; postcard's own way to append goes byte by byte.
struct Appending<'a>(&'a mut Vec<u8>);

impl Flavor for Appending<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

fn no_batch() -> StoreError {
    StoreError::Unreadable("a batch of launches".to_owned())
}

fn no_record(error: postcard::Error) -> StoreError {
    StoreError::Unreadable(format!("a record ({error})"))
}

#[cfg(test)]
impl FromIterator<LaunchRecord> for LaunchRecords {
    fn from_iter<T: IntoIterator<Item = LaunchRecord>>(launches: T) -> Self {
        let mut records = Self::default();
        for launch in launches {
            records.push(&launch).unwrap();
        }
        records
    }
}
