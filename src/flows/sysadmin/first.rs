//! The first sysadmin: made by whoever opens the one-time address that the gateway printed at its start.

use chrono::{DateTime, Utc};

use super::people::{self, NotSet, Wanted};
use super::ticket;
use crate::domain::audit::Actor;
use crate::domain::sysadmin::FIRST_START;
use crate::domain::ticket::Ticket;
use crate::flows::{Gateway, Refusal};
use crate::store::StoreError;

/// A new address for the first sysadmin, where there is none yet. Each start makes one of its own, on
/// each instance; all end when one is used.
pub async fn address(gateway: &Gateway, now: DateTime<Utc>) -> Result<Option<String>, StoreError> {
    if gateway.store.has_sysadmins().await? {
        return Ok(None);
    }
    let token = ticket();
    gateway
        .store
        .put_first_start(&token.hash(), now + FIRST_START)
        .await?;
    let public_url = gateway.public_url();
    Ok(Some(format!(
        "{public_url}/admin/first?token={}",
        token.text()
    )))
}

/// Reads a token that still makes the first sysadmin.
pub async fn read(gateway: &Gateway, token: &str, now: DateTime<Utc>) -> Result<Ticket, Refusal> {
    let token = Ticket::parse(token).ok_or(Refusal::FirstStartOver)?;
    let good = gateway.store.is_first_start(&token.hash(), now).await?
        && !gateway.store.has_sysadmins().await?;
    if good {
        Ok(token)
    } else {
        Err(Refusal::FirstStartOver)
    }
}

/// Makes the first sysadmin. Of several who try at once, with one address or with several, one does.
pub async fn make(
    gateway: &Gateway,
    token: &Ticket,
    wanted: Wanted<'_>,
    now: DateTime<Utc>,
) -> Result<(), NotSet> {
    let checked = people::check(wanted)?;
    let new = people::hashed(gateway, &checked).await?;
    let audit = people::added(&Actor::FirstStart, checked.name.as_str(), now);
    let made = gateway
        .store
        .add_first_sysadmin(&token.hash(), &new.record(now), &audit)
        .await
        .map_err(Refusal::from)?;
    if made {
        tracing::info!("the first sysadmin was made");
        Ok(())
    } else {
        Err(Refusal::FirstStartOver.into())
    }
}
