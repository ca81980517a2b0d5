//! Forgetting what is not needed any more, in the background and a little at a time. Several instances may do
//! it at once: whoever comes second finds nothing.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use super::{Gateway, sysadmin};
use crate::store::StoreError;

/// How often.
const PAUSE: Duration = Duration::from_secs(3600);
/// After a failure, and between two parts.
const SHORT_PAUSE: Duration = Duration::from_secs(1);

/// Forgets launches, calls and failed journal entries that are older than `kept`, the files of settled
/// entries, lists of enrollments that are done, and what is over of sign-ins and states; never ends.
pub async fn keep(gateway: Gateway, kept: TimeDelta) {
    loop {
        let pause = match clean(&gateway, kept).await {
            Ok(true) => SHORT_PAUSE,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, "what is not needed any more cannot be forgotten");
                PAUSE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Forgets a part; whether there may be more.
async fn clean(gateway: &Gateway, kept: TimeDelta) -> Result<bool, StoreError> {
    let before = Utc::now() - kept;
    sysadmin::clean(gateway, Utc::now()).await?;
    gateway.store.clean_states(Utc::now()).await?;
    gateway
        .store
        .clean_remembered(Utc::now() - gateway.csv_kept())
        .await?;
    gateway.store.clean_journal(before).await?;
    gateway.store.clean_bulks(before).await?;
    gateway.store.clean_launches(before).await
}
