//! The audit: entries about changes, written by the store within the change's own transaction, and pages
//! of them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Gateway, Refusal};
use crate::domain::audit::{Actor, Entry, Filter, Place};

/// An entry to hand to the store together with the change that it tells of. `change` is what the subject
/// was before and what it is after, either as nothing where it was made or removed; fields that hold
/// secrets are masked.
pub fn entry(
    actor: &Actor,
    action: &'static str,
    subject: &str,
    change: [Option<Value>; 2],
    now: DateTime<Utc>,
) -> Entry {
    let id = uuid::Uuid::new_v4().to_string();
    Entry::new(id, now, actor, action, subject, change)
}

/// So many entries stand on a page.
const ON_A_PAGE: usize = 50;

/// A page of the audit.
#[derive(Default)]
pub struct Page {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub older: Option<Place>,
}

/// The newest entries of those that are looked for; those before a place, where one is given.
pub async fn page(
    gateway: &Gateway,
    filter: &Filter,
    before: Option<&Place>,
) -> Result<Page, Refusal> {
    let most = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut entries = gateway.store.audit(filter, before, most).await?;
    let more = entries.len() > ON_A_PAGE;
    entries.truncate(ON_A_PAGE);
    let older = entries.last().filter(|_| more).map(Entry::place);
    Ok(Page { entries, older })
}
