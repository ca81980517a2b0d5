//! Keeping the journal true: this instance says that it is at its calls, and finds those of instances
//! that are gone.

use std::time::Duration;

use chrono::Utc;

use crate::flows::Gateway;

/// How often; a lease lives six times as long.
const PULSE: Duration = Duration::from_secs(1);

/// Keeps leases and finds those that ran out; never ends. First says what is unsettled already.
pub async fn keep(gateway: Gateway) {
    tell(&gateway).await;
    loop {
        extend(&gateway).await;
        match gateway.store.expire_leases(Utc::now()).await {
            Ok(0) => {}
            Ok(_) => tell(&gateway).await,
            Err(error) => tracing::debug!(%error, "the journal cannot be read"),
        }
        tokio::time::sleep(PULSE).await;
    }
}

/// Keeps the leases of one command's calls; never ends.
pub async fn keep_leases(gateway: Gateway) {
    loop {
        extend(&gateway).await;
        tokio::time::sleep(PULSE).await;
    }
}

async fn extend(gateway: &Gateway) {
    if !gateway.is_at_something() {
        return;
    }
    if let Err(error) = gateway.store.extend_leases(gateway.lease(Utc::now())).await {
        tracing::warn!(%error, "the journal cannot be told what is under way");
    }
}

/// Says in the log how many calls are unsettled, if any are.
async fn tell(gateway: &Gateway) {
    match gateway.store.unsettled_entries().await {
        Ok(0) => {}
        Ok(unsettled) => tracing::warn!(
            unsettled,
            "calls to external servers are unsettled: it is not known what they made; see toolgate journal list"
        ),
        Err(error) => tracing::warn!(%error, "the journal cannot be read"),
    }
}
