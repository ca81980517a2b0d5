//! What the sample LMS remembers, and how it changes. No page reaches past these methods.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::activity::{Activity, Attempt, Kind, Post, Settings};
use super::made::Made;
use super::ticket::{Purpose, Ticket, Tickets};
use crate::domain::signature2::Verified;

/// Activities, tickets, and which call made what.
#[derive(Debug)]
pub(super) struct State {
    activities: BTreeMap<u64, Activity>,
    next_id: u64,
    tickets: Tickets,
    made: Made,
    /// The nonces that came, until when each is kept.
    nonces: HashMap<String, DateTime<Utc>>,
}

/// What came of saving.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Saved {
    /// The author goes on to this address with the activity's id.
    BackTo { id: u64, update_address: String },
    /// The monitor stays.
    Here,
}

impl State {
    pub(super) fn new(first_id: u64) -> Self {
        Self {
            activities: BTreeMap::new(),
            next_id: first_id,
            tickets: Tickets::default(),
            made: Made::default(),
            nonces: HashMap::new(),
        }
    }

    pub(super) fn activities(&self) -> impl Iterator<Item = &Activity> {
        self.activities.values()
    }

    pub(super) fn activity(&self, id: u64) -> Option<&Activity> {
        self.activities.get(&id)
    }

    /// The activity of an id, unless it is of another kind.
    pub(super) fn activity_of(&self, kind: Kind, id: u64) -> Option<&Activity> {
        self.activity(id).filter(|activity| activity.kind == kind)
    }

    /// Whether a checked request comes for the first time.
    pub(super) fn take_nonce(&mut self, verified: Verified) -> bool {
        let now = Utc::now();
        self.nonces.retain(|_, until| *until >= now);
        self.nonces
            .insert(verified.nonce, verified.keep_until)
            .is_none()
    }

    pub(super) fn issue_ticket(&mut self, user: &str, purpose: Purpose) -> String {
        self.tickets.issue(user, purpose, Utc::now())
    }

    pub(super) fn ticket(&self, number: &str) -> Option<&Ticket> {
        self.tickets.get(number, Utc::now())
    }

    /// Saves what the holder of a ticket wrote; `None` where the ticket is not one for writing, or its
    /// activity is gone.
    pub(super) fn save(&mut self, number: &str, settings: Settings) -> Option<Saved> {
        match self.ticket(number)?.purpose.clone() {
            Purpose::Create {
                kind,
                course,
                update_address,
            } => {
                let id = self.add(kind, settings, course, None);
                self.tickets.now_edits(number, id);
                Some(Saved::BackTo { id, update_address })
            }
            Purpose::Edit { id, update_address } => {
                self.activities.get_mut(&id)?.settings = settings;
                Some(Saved::BackTo { id, update_address })
            }
            Purpose::Monitor { id, .. } => {
                self.activities.get_mut(&id)?.settings = settings;
                Some(Saved::Here)
            }
            Purpose::Learn { .. } | Purpose::Look { .. } => None,
        }
    }

    /// Copies the settings of an activity, without posts and attempts. An id that is unknown, or of
    /// another kind, makes default content: so does Moodle.
    pub(super) fn clone_of(&mut self, kind: Kind, id: u64, course: &str) -> u64 {
        match self.activity_of(kind, id) {
            Some(from) => {
                let settings = from.settings.clone();
                self.add(kind, settings, course.to_owned(), Some(id))
            }
            None => {
                let settings = Settings {
                    title: kind.title().to_owned(),
                    ..Settings::default()
                };
                self.add(kind, settings, course.to_owned(), Some(0))
            }
        }
    }

    /// Makes an activity of what another server, or this one, exported.
    pub(super) fn import(&mut self, kind: Kind, settings: Settings, course: &str) -> u64 {
        self.add(kind, settings, course.to_owned(), None)
    }

    /// What `make` makes, or what a call with the same `rid` made before, even if that is gone by now.
    pub(super) fn once(&mut self, rid: Option<Uuid>, make: impl FnOnce(&mut Self) -> u64) -> u64 {
        let Some(rid) = rid else {
            return make(self);
        };
        if let Some(id) = self.made.get(rid) {
            return id;
        }
        let id = make(self);
        self.made.remember(rid, id);
        id
    }

    /// Removes an activity with all that learners left in it; whether it was there.
    pub(super) fn delete(&mut self, kind: Kind, id: u64) -> bool {
        self.activity_of(kind, id).is_some() && self.activities.remove(&id).is_some()
    }

    pub(super) fn post(&mut self, id: u64, post: Post) {
        if let Some(activity) = self.activities.get_mut(&id) {
            activity.posts.push(post);
        }
    }

    /// Keeps an attempt, unless there is one of the same person.
    pub(super) fn attempt(&mut self, id: u64, attempt: Attempt) {
        if let Some(activity) = self.activities.get_mut(&id)
            && activity.attempt_of(&attempt.user).is_none()
        {
            activity.attempts.push(attempt);
        }
    }

    fn add(
        &mut self,
        kind: Kind,
        settings: Settings,
        course: String,
        copied_from: Option<u64>,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let activity = Activity {
            id,
            kind,
            settings,
            course,
            copied_from,
            posts: Vec::new(),
            attempts: Vec::new(),
        };
        self.activities.insert(id, activity);
        id
    }
}
