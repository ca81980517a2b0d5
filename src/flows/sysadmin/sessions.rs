//! The sessions of sysadmins: who holds one, the list of one's own, ending them.

use chrono::{DateTime, Utc};

use crate::domain::sysadmin::{SEEN_EVERY, is_alive};
use crate::domain::ticket::Ticket;
use crate::flows::{Gateway, Refusal};
use crate::store::{OwnSession, SessionRecord};

/// The session that a browser holds, if it is one. That it was seen is stored, once a minute at most.
pub async fn current(
    gateway: &Gateway,
    ticket: &Ticket,
    now: DateTime<Utc>,
) -> Result<Option<SessionRecord>, Refusal> {
    let Some(session) = still(gateway, ticket, now).await? else {
        return Ok(None);
    };
    if now - session.last_seen_at >= SEEN_EVERY {
        gateway.store.session_seen(&session.id, now).await?;
    }
    Ok(Some(session))
}

/// The same without noting that it was seen: for what a page asks by itself, while nobody may be there.
pub async fn still(
    gateway: &Gateway,
    ticket: &Ticket,
    now: DateTime<Utc>,
) -> Result<Option<SessionRecord>, Refusal> {
    let session = gateway.store.sysadmin_session(&ticket.hash()).await?;
    Ok(session.filter(|s| is_alive(s.created_at, s.last_seen_at, now)))
}

/// The sessions of a sysadmin that are open, the one seen last first.
pub async fn list(
    gateway: &Gateway,
    sysadmin: &str,
    now: DateTime<Utc>,
) -> Result<Vec<OwnSession>, Refusal> {
    let mut sessions = gateway.store.sysadmin_sessions(sysadmin).await?;
    sessions.retain(|s| is_alive(s.created_at, s.last_seen_at, now));
    Ok(sessions)
}

/// Ends one session of a sysadmin's own; that it is over already is as good.
pub async fn end(gateway: &Gateway, sysadmin: &str, id: &str) -> Result<(), Refusal> {
    Ok(gateway.store.end_session(sysadmin, id).await?)
}

/// Ends all sessions of a sysadmin but one.
pub async fn end_others(gateway: &Gateway, sysadmin: &str, kept: &str) -> Result<(), Refusal> {
    Ok(gateway.store.end_other_sessions(sysadmin, kept).await?)
}
