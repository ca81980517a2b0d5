//! Sysadmins: how the first one comes to be, how they sign in, what they may do to each other.

pub mod first;
pub mod password;
pub mod people;
pub mod sessions;
pub mod sign_in;

use std::time::Duration;

use chrono::Utc;

use super::{Gateway, random};
use crate::domain::sysadmin::{DEVICE, IDLE, LONGEST, TRIES_KEPT};
use crate::domain::ticket::Ticket;
use crate::store::Stale;

/// How often what is over is forgotten.
const TIDY: Duration = Duration::from_secs(600);

/// Forgets sessions, devices, tries and addresses that are over, for as long as the gateway runs. They
/// count for nothing before they are forgotten; this only keeps the tables small.
pub async fn tidy(gateway: Gateway) {
    loop {
        let now = Utc::now();
        let stale = Stale {
            session_seen: now - IDLE,
            session_created: now - LONGEST,
            device_used: now - DEVICE,
            tried: now - TRIES_KEPT,
            first_start_expired: now,
        };
        if let Err(error) = gateway.store.forget_stale(stale).await {
            tracing::warn!(%error, "what is over of sign-ins could not be forgotten");
        }
        tokio::time::sleep(TIDY).await;
    }
}

/// A new ticket.
fn ticket() -> Ticket {
    Ticket::of(random::bytes())
}

/// A new id that is no secret.
fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
