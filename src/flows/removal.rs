//! `removeToolContent`, `removeToolSession` and `leaveToolSession` (protocol 8). What is forgotten here
//! and still stands on an external server is kept in a list for the operator.

use chrono::{DateTime, Utc};

use super::admission::lams_login;
use super::{Gateway, Refusal};
use crate::domain::content::ContentKey;
use crate::domain::platform::Platform;
use crate::domain::session::SessionKey;
use crate::store::Removal;

/// Forgets content; its sessions go with it where that is asked for, else they keep it.
pub async fn remove_content(
    gateway: &Gateway,
    key: &ContentKey,
    with_sessions: bool,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    // A session that is made at this very moment goes with the next try.
    for _ in 0..3 {
        match gateway
            .store
            .remove_content(key, with_sessions, now)
            .await?
        {
            Removal::Done => return Ok(()),
            Removal::Unknown => return Err(Refusal::UnknownContent),
            Removal::HasSessions if with_sessions => {}
            Removal::HasSessions => break,
        }
    }
    Err(Refusal::HasSessions)
}

/// Forgets a session.
pub async fn remove_session(
    gateway: &Gateway,
    key: &SessionKey,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    gateway.forget_session(key);
    if gateway.store.remove_session(key, now).await? {
        Ok(())
    } else {
        Err(Refusal::UnknownSession)
    }
}

/// Marks a person as finished with a session, and says where the platform wants its learners to go then.
pub async fn leave_session(
    gateway: &Gateway,
    platform: &Platform,
    key: &SessionKey,
    user: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>, Refusal> {
    let person = lams_login("user", user)?;
    if user.trim().is_empty() {
        return Err(Refusal::Login("user"));
    }
    if !gateway.store.mark_finished(key, person.name(), now).await? {
        return Err(Refusal::UnknownSession);
    }
    Ok(platform
        .finish_url
        .as_ref()
        .map(|url| url.fill(key.id, person.name())))
}
