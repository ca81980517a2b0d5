//! Every request that the gateway makes, under one policy: where it may go, how long it may take, how
//! much it may answer, how many there are at once, when one is made again and when none is made at all.
//! Called by flows; knows nothing of the database.

mod adapter_page;
mod breaker;
mod connection_test;
mod excerpt;
mod failure;
mod lane;
mod lms;
mod network;
mod request;
mod retry;
mod signing;
mod spool;
mod transfer;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use adapter_page::Asked;
pub use connection_test::{Answered, Connection, Found, Insecure, Trial, Unreached};
pub use failure::{Aftermath, Failure, OutboundError};
pub use lane::Health;
pub use lms::{Account, Enrollment, LmsCode, LmsError, LmsFailure, Planned, Set, Tried, Wanted};
pub use request::Page;
pub use spool::{Spool, SpoolError, SpoolReader, SpoolWriter};
pub use transfer::Portfolio;

use crate::domain::id::ServerId;
use crate::domain::launch_record::{About, CallRecord};
use crate::domain::lms::Lms;
use crate::domain::server::Server;
use lane::{Door, Lane};
use lms::{Remembered, Tokens};
use request::Patience;

/// Makes the gateway's requests. Clones share everything.
#[derive(Clone)]
pub struct Outbound {
    lanes: Arc<Mutex<Lanes>>,
    lms: Arc<OfLms>,
    limits: Limits,
    /// Whether it waits where an LMS says so, and does not ask again at once.
    in_background: bool,
    /// What calls to LMSs are about, where a launch makes them.
    about: Option<About>,
    on_call: Option<OnCall>,
}

/// The ways to all servers.
type Lanes = HashMap<(ServerId, Door), Arc<Lane>>;

/// What is remembered of LMSs.
#[derive(Default)]
struct OfLms {
    tokens: Tokens,
    dummies: Remembered,
    /// Moodles, by server and address, that take no role where an enrollment ends.
    without_role: Mutex<HashSet<(ServerId, String)>>,
    /// Until when LMSs want to be left alone.
    left_alone: Mutex<HashMap<ServerId, Instant>>,
}

/// Is told of each call that ended and is about content or a session.
pub type OnCall = Arc<dyn Fn(CallRecord) + Send + Sync>;

/// How long calls may take, and how much they may answer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A call in all, where its server has no limit of its own.
    pub total: Duration,
    /// A call about an enrollment or grades in all, where its server has no limit of its own.
    pub lms: Duration,
    /// An import, export or portfolio in all.
    pub transfer: Duration,
    /// The time without a byte of an answer, but that of an import.
    pub idle: Duration,
    /// How long a call waits for those before it.
    pub queue: Duration,
    /// The bytes of an export or import.
    pub archive: u64,
}

impl Limits {
    /// The usual ones, with archives of so many MiB.
    pub fn with_archives_of(mib: u32) -> Self {
        Self {
            total: Duration::from_secs(15),
            lms: Duration::from_secs(10),
            transfer: Duration::from_secs(120),
            idle: Duration::from_secs(20),
            queue: Duration::from_secs(15),
            archive: u64::from(mib) << 20,
        }
    }
}

impl Outbound {
    /// A way out with these limits. Connections are made when they are needed, kept and used again.
    pub fn new(limits: Limits) -> Self {
        Self {
            lanes: Arc::default(),
            lms: Arc::default(),
            limits,
            in_background: false,
            about: None,
            on_call: None,
        }
    }

    /// The same, and whoever is told of calls.
    #[must_use]
    pub fn telling(self, on_call: OnCall) -> Self {
        Self {
            on_call: Some(on_call),
            ..self
        }
    }

    /// The same for work in the background: where an LMS says how long it wants to be left alone, every call of
    /// that work waits so long.
    #[must_use]
    pub fn in_background(&self) -> Self {
        Self {
            in_background: true,
            ..self.clone()
        }
    }

    /// The same for calls to an LMS that a launch makes: they are told as being about its session.
    #[must_use]
    pub fn about(&self, about: About) -> Self {
        Self {
            about: Some(about),
            ..self.clone()
        }
    }

    /// The same with nothing remembered: no breaker, no token, nobody to be left alone. For a try, which has to
    /// work while calls are held back, and teaches them nothing.
    pub(super) fn apart(&self) -> Self {
        Self::new(self.limits)
    }

    /// The bytes that an archive may have.
    pub fn longest_archive(&self) -> u64 {
        self.limits.archive
    }

    fn patience(&self, server: &Server) -> Patience {
        Patience {
            total: server.timeout.unwrap_or(self.limits.total),
            idle: self.limits.idle,
        }
    }

    fn lms_patience(&self, lms: &Lms) -> Patience {
        Patience {
            total: lms.timeout.unwrap_or(self.limits.lms),
            idle: self.limits.idle,
        }
    }

    fn tokens(&self) -> &Tokens {
        &self.lms.tokens
    }

    fn remembered(&self) -> &Remembered {
        &self.lms.dummies
    }

    /// Whether a Moodle is known to take no role where an enrollment ends.
    fn role_is_refused(&self, lms: &Lms) -> bool {
        let known = self.lms.without_role.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.contains(&(lms.server.clone(), lms.address.root().to_owned()))
    }

    fn note_role_is_refused(&self, lms: &Lms) {
        let known = self.lms.without_role.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.insert((lms.server.clone(), lms.address.root().to_owned()));
    }

    /// For what a server gives in bulk.
    fn long_patience(&self) -> Patience {
        Patience {
            total: self.limits.transfer,
            idle: self.limits.idle,
        }
    }

    /// For what a server takes in bulk: it says nothing before it has all of it, and read it.
    fn import_patience(&self) -> Patience {
        Patience {
            total: self.limits.transfer,
            idle: self.limits.transfer,
        }
    }
}

#[cfg(test)]
mod tests;
