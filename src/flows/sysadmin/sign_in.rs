//! Signing in. A try is counted before its password is looked at, in the database, so that neither many
//! at once nor many instances give a guesser more tries; the count is of the name, known or not, or of the
//! device, where the browser has signed in as that sysadmin before.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{new_id, ticket};
use crate::domain::audit::Actor;
use crate::domain::sysadmin::{DEVICE, FREE_TRIES, name_key, wait_after};
use crate::domain::ticket::Ticket;
use crate::flows::{Gateway, Refusal, audit};
use crate::store::{NewSession, Tried};

/// Somebody who wants in.
pub struct Attempt<'a> {
    /// The name as typed.
    pub name: &'a str,
    /// The password as typed.
    pub password: SecretString,
    /// What the browser holds since it signed in before.
    pub device: Option<Ticket>,
    /// The session that the browser holds; it ends when a new one begins.
    pub session: Option<Ticket>,
    /// What the browser says it is.
    pub user_agent: &'a str,
    /// Where it is.
    pub address: Option<IpAddr>,
}

/// What came of it.
pub enum Outcome {
    /// In.
    In {
        /// The new session's id.
        session: Ticket,
        /// By which the browser is known again.
        device: Ticket,
    },
    /// Name or password is wrong; which, nobody is told.
    Wrong,
    /// It came too early; not even looked at.
    TooEarly {
        /// The next may be made in so many seconds.
        seconds: u64,
    },
}

/// As much is kept of what a browser says it is, in characters.
const USER_AGENT: usize = 250;

/// Whether a browser signed in before, as whoever it was.
pub async fn is_known(
    gateway: &Gateway,
    device: &Ticket,
    now: DateTime<Utc>,
) -> Result<bool, Refusal> {
    let hash = device.hash();
    let owner = gateway.store.owner_of_device(&hash, now - DEVICE);
    Ok(owner.await?.is_some())
}

/// Signs in.
pub async fn sign_in(
    gateway: &Gateway,
    attempt: Attempt<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome, Refusal> {
    let credentials = gateway.store.credentials(&name_key(attempt.name)).await?;
    let owner = match &attempt.device {
        Some(device) => {
            gateway
                .store
                .owner_of_device(&device.hash(), now - DEVICE)
                .await?
        }
        None => None,
    };
    let known = credentials.as_ref().map(|found| found.id.as_str());
    let own_device = attempt
        .device
        .filter(|_| known.is_some() && owner.as_deref() == known);
    let subject = match &own_device {
        Some(device) => device.hash(),
        None => subject_of_name(attempt.name),
    };
    let guess = Guess {
        subject,
        password: attempt.password,
        hash: credentials
            .as_ref()
            .map(|found| found.password_hash.clone()),
    };
    match (self::guess(gateway, guess, now).await?, credentials) {
        (Guessed::TooEarly(seconds), _) => Ok(Outcome::TooEarly { seconds }),
        (Guessed::Right, Some(found)) => {
            let session = ticket();
            // A device is known to one sysadmin; another on the same browser gets a ticket of their own.
            let device = own_device.unwrap_or_else(ticket);
            let new = NewSession {
                id: &new_id(),
                id_hash: session.hash(),
                sysadmin: &found.id,
                password_hash: &found.password_hash,
                instead_of: attempt.session.as_ref().map(Ticket::hash),
                device: device.hash(),
                tries: &[subject],
                user_agent: &attempt
                    .user_agent
                    .chars()
                    .take(USER_AGENT)
                    .collect::<String>(),
                address: attempt.address.map(|address| address.to_string()),
                at: now,
            };
            if !gateway.store.begin_session(&new).await? {
                return Ok(Outcome::Wrong);
            }
            tracing::info!(name = found.name, "a sysadmin signed in");
            Ok(Outcome::In { session, device })
        }
        (Guessed::Wrong(failures), found) => {
            // Of an unknown name nothing is written down: it may be a password in the wrong field.
            if let Some(found) = found.filter(|_| failures > FREE_TRIES) {
                note_failures(gateway, found.name, failures, attempt.address, now);
            }
            Ok(Outcome::Wrong)
        }
        (Guessed::Right, None) => Ok(Outcome::Wrong),
    }
}

/// Writes failures beyond the free ones into the audit, behind the answer: it must not take longer for a
/// name that exists.
fn note_failures(
    gateway: &Gateway,
    name: String,
    failures: i64,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) {
    tracing::warn!(name, failures, "wrong passwords in a row for a sysadmin");
    let after = json!({"failures": failures, "address": address});
    let entry = audit::entry(
        &Actor::Nobody,
        "sysadmin.sign-in-failed",
        &name,
        [None, Some(after)],
        now,
    );
    gateway.see_through_later(move |gateway| async move {
        if let Err(error) = gateway.store.record(&entry).await {
            tracing::error!(%error, "failed sign-ins are not in the audit");
        }
    });
}

/// A password to be checked.
pub(super) struct Guess {
    /// What the try is counted for.
    pub(super) subject: [u8; 32],
    pub(super) password: SecretString,
    /// Nothing where the name is unknown.
    pub(super) hash: Option<String>,
}

/// What a guess was; a wrong one with how many there are in a row by now.
pub(super) enum Guessed {
    Right,
    Wrong(i64),
    TooEarly(u64),
}

/// Counts and checks a guess.
pub(super) async fn guess(
    gateway: &Gateway,
    guess: Guess,
    now: DateTime<Utc>,
) -> Result<Guessed, Refusal> {
    // The turn first: a try that finds no room is not counted.
    let turn = gateway.passwords().turn().await?;
    let tried = gateway
        .store
        .count_try(&guess.subject, now, wait_after)
        .await?;
    let failures = match tried {
        Tried::Counted(failures) => failures,
        Tried::TooEarly { until } => {
            let left = (until - now).num_milliseconds().max(0).unsigned_abs();
            return Ok(Guessed::TooEarly(left.div_ceil(1000).max(1)));
        }
    };
    let right = turn.check(guess.password, guess.hash).await?;
    Ok(if right {
        Guessed::Right
    } else {
        Guessed::Wrong(failures)
    })
}

/// What tries for a name are counted for: nothing of the name itself is kept, it may be a password in the
/// wrong field.
pub(super) fn subject_of_name(name: &str) -> [u8; 32] {
    subject("name", &name_key(name))
}

/// What tries within a session are counted for.
pub(super) fn subject_of_session(id: &str) -> [u8; 32] {
    subject("session", id)
}

fn subject(kind: &str, text: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(text)
        .finalize()
        .into()
}
