//! Sysadmins: how the first one comes to be, how they sign in, what they may do to each other.

pub mod first;
pub mod password;
pub mod people;
pub mod sessions;
pub mod sign_in;

use chrono::{DateTime, Utc};

use super::{Gateway, random};
use crate::domain::sysadmin::{DEVICE, IDLE, LONGEST, TRIES_KEPT};
use crate::domain::ticket::Ticket;
use crate::store::{Stale, StoreError};

/// Forgets sessions, devices, tries and addresses that are over. They count for nothing before they are
/// forgotten; this only keeps the tables small.
pub(super) async fn clean(gateway: &Gateway, now: DateTime<Utc>) -> Result<(), StoreError> {
    let stale = Stale {
        session_seen: now - IDLE,
        session_created: now - LONGEST,
        device_used: now - DEVICE,
        tried: now - TRIES_KEPT,
        first_start_expired: now,
    };
    gateway.store.forget_stale(stale).await
}

/// A new ticket.
fn ticket() -> Ticket {
    Ticket::of(random::bytes())
}

/// A new id that is no secret.
fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
