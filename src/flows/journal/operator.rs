//! What an operator does with the journal: look, send again, adopt an id, give up.

use chrono::Utc;

use super::send;
use crate::domain::id::ExtId;
use crate::domain::journal::{Entry, EntryState};
use crate::flows::{Gateway, Refusal};
use crate::store::StoreError;

/// Why an entry cannot be settled so.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none of this id.
    #[error("there is no entry {0}")]
    Unknown(String),
    /// It is not unsettled.
    #[error("the entry {0} is {1}, not unsettled")]
    NotUnsettled(String, &'static str),
    /// The id to adopt is none of the tool's form.
    #[error("{0:?} cannot be an external id of {1}")]
    NotAnExtId(String, String),
    /// What was made could not be stored.
    #[error("the id could not be stored: {0}")]
    NotStored(StoreError),
    /// The call was sent again, and refused or lost again.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The entries that are under way or unsettled, oldest first.
pub async fn list(gateway: &Gateway) -> Result<Vec<Entry>, JournalError> {
    gateway.store.expire_leases(Utc::now()).await?;
    Ok(gateway.store.open_entries().await?)
}

/// Sends an unsettled entry's call again, under the same `rid`. Answers the id that it made.
pub async fn retry(gateway: &Gateway, id: &str) -> Result<ExtId, JournalError> {
    let entry = unsettled(gateway, id).await?;
    let now = Utc::now();
    if !gateway
        .store
        .retry_entry(id, gateway.lease(now), now)
        .await?
    {
        return Err(JournalError::NotUnsettled(
            id.to_owned(),
            "taken up by somebody else",
        ));
    }
    let work = |gateway: Gateway| async move { send(&gateway, &entry).await };
    Ok(gateway.see_through(work).await?)
}

/// Stores an id that an operator found on the external server as what the call made.
pub async fn adopt(gateway: &Gateway, id: &str, ext_id: &str) -> Result<ExtId, JournalError> {
    let entry = unsettled(gateway, id).await?;
    let signature = &entry.key.signature;
    let configuration = gateway.configuration();
    let tool = configuration
        .tool(signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let wrong = |_| JournalError::NotAnExtId(ext_id.to_owned(), signature.to_string());
    let ext_id = tool.id_form.parse(ext_id).map_err(wrong)?;
    match gateway
        .store
        .settle_entry(&entry, &ext_id, Utc::now())
        .await
    {
        Ok(true) => Ok(ext_id),
        Ok(false) => Err(JournalError::NotUnsettled(
            id.to_owned(),
            "settled by somebody else",
        )),
        Err(error) => Err(JournalError::NotStored(error)),
    }
}

/// Gives an unsettled entry up: the next same call is sent anew.
pub async fn drop_entry(gateway: &Gateway, id: &str) -> Result<(), JournalError> {
    let entry = unsettled(gateway, id).await?;
    let before = entry.error.unwrap_or_default();
    let words = format!("given up by an operator; before: {before}");
    if gateway
        .store
        .end_entry(id, EntryState::Failed, &words, Utc::now())
        .await?
    {
        return Ok(());
    }
    Err(JournalError::NotUnsettled(
        id.to_owned(),
        "settled by somebody else",
    ))
}

async fn unsettled(gateway: &Gateway, id: &str) -> Result<Entry, JournalError> {
    gateway.store.expire_leases(Utc::now()).await?;
    let entry = gateway.store.entry(id).await?;
    let entry = entry.ok_or_else(|| JournalError::Unknown(id.to_owned()))?;
    match entry.state {
        EntryState::Unsettled => Ok(entry),
        state => Err(JournalError::NotUnsettled(id.to_owned(), state.as_str())),
    }
}
