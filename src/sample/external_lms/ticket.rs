//! Tickets: who somebody is after the signed entry. Not cookies: the demo's servers share one host, and
//! one browser is teacher and learner at once in several tabs.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::activity::Kind;

/// How long a page may stay open.
const LIFETIME: TimeDelta = TimeDelta::hours(8);

/// What somebody came for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To make an activity, and to take its id to `update_address`.
    Create {
        kind: Kind,
        course: String,
        update_address: String,
    },
    /// To edit one, and to take its id to `update_address`.
    Edit { id: u64, update_address: String },
    /// To edit a session's copy and go back.
    Monitor { id: u64, back: String },
    /// To take part.
    Learn {
        id: u64,
        back: String,
        finished: bool,
    },
    /// To see what learners did.
    Look { id: u64, back: String },
}

/// A person and what they came for.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    /// The person's login here.
    pub(super) user: String,
    /// What the ticket is for, and for nothing else.
    pub(super) purpose: Purpose,
    expires_at: DateTime<Utc>,
}

/// The tickets that are out.
#[derive(Debug, Default)]
pub(super) struct Tickets(HashMap<String, Ticket>);

impl Tickets {
    /// Gives out a ticket; those that have expired are forgotten.
    pub(super) fn issue(&mut self, user: &str, purpose: Purpose, now: DateTime<Utc>) -> String {
        self.0.retain(|_, ticket| ticket.expires_at > now);
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the operating system gives random bytes");
        let number = hex::encode(random);
        let ticket = Ticket {
            user: user.to_owned(),
            purpose,
            expires_at: now + LIFETIME,
        };
        self.0.insert(number.clone(), ticket);
        number
    }

    /// The ticket of a number, if it is still valid.
    pub(super) fn get(&self, number: &str, now: DateTime<Utc>) -> Option<&Ticket> {
        self.0.get(number).filter(|ticket| ticket.expires_at > now)
    }

    /// Makes a ticket to create something one to edit what was created, so that a form sent twice
    /// makes one activity.
    pub(super) fn now_edits(&mut self, number: &str, created: u64) {
        let Some(ticket) = self.0.get_mut(number) else {
            return;
        };
        if let Purpose::Create { update_address, .. } = &ticket.purpose {
            ticket.purpose = Purpose::Edit {
                id: created,
                update_address: update_address.clone(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_ends_and_a_made_up_one_is_none() {
        let now = DateTime::from_timestamp(1_262_304_000, 0).unwrap();
        let purpose = Purpose::Look {
            id: 501,
            back: "http://h/".into(),
        };
        let mut tickets = Tickets::default();
        let number = tickets.issue("Bill", purpose, now);
        assert_eq!(tickets.get(&number, now).unwrap().user, "Bill");
        assert!(tickets.get(&number, now + LIFETIME).is_none());
        assert!(tickets.get("", now).is_none());
    }
}
