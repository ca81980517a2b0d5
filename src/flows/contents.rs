//! Reading content, and `setAsDefineLater` and `setAsRunOffline` (protocol 8).

use chrono::{DateTime, Utc};

use super::{Gateway, Refusal};
use crate::domain::content::{Content, ContentKey};
use crate::domain::launch_record::About;

/// The content of a key, as the API shows it.
pub async fn get(gateway: &Gateway, key: &ContentKey) -> Result<Content, Refusal> {
    gateway.recorder().stored().await;
    gateway
        .store
        .content(key)
        .await?
        .ok_or(Refusal::UnknownContent)
}

/// What a call about content is about.
pub(super) fn about_content(key: &ContentKey) -> About {
    About {
        platform: key.platform.clone(),
        signature: key.signature.clone(),
        content: Some(key.id.get()),
        session: None,
    }
}

/// Sets flags; what is `None` stays. Setting "define later", either way, also ends a teacher's lock.
pub async fn set_flags(
    gateway: &Gateway,
    key: &ContentKey,
    define_later: Option<bool>,
    run_offline: Option<bool>,
    now: DateTime<Utc>,
) -> Result<Content, Refusal> {
    if define_later.is_some() || run_offline.is_some() {
        let known = gateway
            .store
            .set_flags(key, define_later, run_offline, now)
            .await?;
        if !known {
            return Err(Refusal::UnknownContent);
        }
    }
    get(gateway, key).await
}
