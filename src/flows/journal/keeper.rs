//! Keeping the journal true: this instance says that it is at its calls, and finds those of instances
//! that are gone.

use std::time::Duration;

use chrono::Utc;

use super::LEASE;
use super::owner::is_gone;
use crate::flows::Gateway;
use crate::store::StoreError;

/// How often.
const PULSE: Duration = Duration::from_secs(1);
// What an instance was at that died elsewhere is taken over within half a minute, by one that looks this often.
const _: () = assert!(LEASE.num_seconds() as u64 + 3 * PULSE.as_secs() < 30);

/// Keeps leases and finds calls whose owner is gone; never ends. First says what is unsettled already.
pub async fn keep(gateway: Gateway) {
    tell(&gateway).await;
    loop {
        // Who cannot say that it is alive does not call others dead.
        if extend(&gateway).await {
            match lose(&gateway).await {
                Ok(0) => {}
                Ok(_) => tell(&gateway).await,
                Err(error) => {
                    tracing::warn!(%error, "calls of instances that are gone cannot be looked for");
                }
            }
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

/// Says that this process is at its calls; whether that could be said.
async fn extend(gateway: &Gateway) -> bool {
    for id in gateway.calls() {
        if let Err(error) = gateway
            .store
            .extend_lease(&id, gateway.lease(Utc::now()))
            .await
        {
            tracing::warn!(entry = id, %error, "the journal cannot be told what is under way");
            return false;
        }
    }
    true
}

/// Makes calls unsettled whose owner is gone; how many.
pub(super) async fn lose(gateway: &Gateway) -> Result<usize, StoreError> {
    let now = Utc::now();
    let mut lost = 0;
    for (id, owner, until) in gateway.store.calling_entries().await? {
        if until < now || is_gone(&owner) {
            gateway.store.lose_entry(&id, &owner, now).await?;
            lost += 1;
        }
    }
    Ok(lost)
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
