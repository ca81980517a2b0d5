//! Many enrollments at once: stored, then worked through in the background by one instance, within what the LMSs
//! take. An instance that ends leaves the rest to the next; a row that was under way then is done again, which
//! changes nothing more.

mod work;

use chrono::Utc;
use serde::{Deserialize, Serialize};

pub use work::{keep, work_through};

use super::Asked;
use crate::domain::id::PlatformId;
use crate::flows::{Gateway, Refusal};
use crate::store::{BulkRecord, BulkRow, StoreError};

/// A list has at most so many rows.
pub const MOST_ROWS: usize = 10_000;

/// What came of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields of the API's answer, described there"
)]
pub struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lms_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lms_code: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub calls: Vec<String>,
}

/// A row, and how it stands.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its number, from 1.
    pub number: i64,
    /// What was asked.
    pub asked: Asked,
    /// `waiting`, `done` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// What came of it, once something did.
    pub outcome: Outcome,
}

/// A list, and how it stands.
#[derive(Debug, Clone)]
pub struct Bulk {
    /// `waiting`, `running` or `done`.
    pub state: String,
    /// How many rows it has.
    pub total: i64,
    /// How many are done.
    pub done: usize,
    /// How many failed for good.
    pub failed: usize,
    /// All of them.
    pub rows: Vec<Row>,
}

/// Takes a list, of a platform or from a shell; answers its id. One from a shell belongs to this process.
pub async fn take(
    gateway: &Gateway,
    platform: Option<&PlatformId>,
    rows: Vec<Asked>,
    dry_run: bool,
) -> Result<String, Refusal> {
    if rows.is_empty() || rows.len() > MOST_ROWS {
        return Err(Refusal::Body(format!("rows must be 1 to {MOST_ROWS}")));
    }
    for (at, row) in rows.iter().enumerate() {
        row.check()
            .map_err(|error| Refusal::Body(format!("row {}: {error}", at + 1)))?;
    }
    let requests = rows
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<Vec<_>, _>>();
    let bulk = BulkRecord {
        id: uuid::Uuid::new_v4().to_string(),
        platform_id: platform.map(ToString::to_string),
        state: "waiting".to_owned(),
        dry_run,
        total: i64::try_from(rows.len()).unwrap_or(i64::MAX),
    };
    let now = Utc::now();
    let lease = platform.is_none().then(|| gateway.lease(now));
    let requests = requests.map_err(|error| Refusal::Body(error.to_string()))?;
    gateway.store.new_bulk(&bulk, requests, lease, now).await?;
    Ok(bulk.id)
}

/// How a platform's list stands; from a shell, how any does.
pub async fn find(
    gateway: &Gateway,
    platform: Option<&PlatformId>,
    id: &str,
) -> Result<Bulk, Refusal> {
    let bulk = gateway.store.bulk(id).await?;
    let is_its = |bulk: &BulkRecord| {
        platform.is_none_or(|platform| bulk.platform_id.as_deref() == Some(platform.as_str()))
    };
    let bulk = bulk.filter(is_its).ok_or(Refusal::UnknownBulk)?;
    let rows = gateway.store.bulk_rows(id).await?;
    let unreadable = || StoreError::Unreadable(format!("a row of the list {id}"));
    let rows = rows.into_iter().map(|row| read(row).ok_or_else(unreadable));
    let rows = rows.collect::<Result<Vec<Row>, _>>()?;
    let of = |state: &str| rows.iter().filter(|row| row.state == state).count();
    Ok(Bulk {
        total: bulk.total,
        done: of("done"),
        failed: of("failed"),
        state: bulk.state,
        rows,
    })
}

fn read(row: BulkRow) -> Option<Row> {
    let outcome = row.result.as_deref().map(serde_json::from_str);
    Some(Row {
        number: row.number,
        asked: serde_json::from_str(&row.request).ok()?,
        state: row.state,
        tries: row.tries,
        outcome: outcome.transpose().ok()?.unwrap_or_default(),
    })
}
