//! What can happen to a call, and what it may have left on the server.

use std::time::Duration;

use super::breaker::Ending;
use crate::domain::id::ServerId;
use crate::domain::server::Signing;

/// Why a call to a server brought nothing. Says which server, and never the address: that holds a hash.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the server {server}: {failure}")]
pub struct OutboundError {
    /// The server that was called.
    pub server: ServerId,
    /// What happened.
    pub failure: Failure,
}

/// What happened to a call.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// The configuration says where to call in a way that cannot be called.
    #[error("it cannot be called: {0}")]
    NotCallable(String),
    /// It failed so often lately that it is left alone for a while.
    #[error("it has failed several times just now, and is not called again for {} s", .0.as_secs().max(1))]
    Open(Duration),
    /// All calls that it may get at once are under way, and none ended in time.
    #[error("it is busy with as many calls as it may get at once")]
    Busy,
    /// No connection came about; the server has not seen the request.
    #[error("no connection came about: {0}")]
    NotSent(String),
    /// No connection came about in time; the server has not seen the request.
    #[error("no connection came about in time")]
    NoConnectionInTime,
    /// The server did not answer in time. It may have done what was asked.
    #[error("it did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The connection broke after the request was sent. The server may have done what was asked.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// It refused the signature.
    #[error("{}", refused(*.0))]
    HashRefused(Signing),
    /// It sent the call to another place, where this gateway does not follow.
    #[error("it sends the call elsewhere ({status}), to {to}, where it is not followed")]
    Elsewhere {
        /// The status.
        status: u16,
        /// The origin that it names, if it names one.
        to: String,
    },
    /// It answered with another status than 200.
    #[error("it answered with status {status}: {answer}")]
    Status {
        /// The status.
        status: u16,
        /// The beginning of what it answered.
        answer: String,
    },
    /// It answered that it cannot do it now.
    #[error("it answered with status {status}")]
    Later {
        /// The status: 429, or one of 500 and more.
        status: u16,
        /// Its own words.
        said: Option<String>,
        /// How long it wants to be left alone.
        after: Option<Duration>,
    },
    /// It answered 200, but not with what was asked for.
    #[error("it answered with something that is no {expected}: {answer}")]
    Unexpected {
        /// What was asked for.
        expected: &'static str,
        /// The beginning of what it answered.
        answer: String,
    },
    /// It answered 200 with what may be an id, but with something before it. It may have made something.
    #[error("it answered with an id that is not alone on its first line: {0}")]
    Garbled(String),
    /// It answered with the id that it was to copy.
    #[error("it answered with the id {0} that was to be copied, not with that of a copy")]
    SameId(String),
    /// It answered with more than is taken.
    #[error("it answered with more than {} MiB", .0 >> 20)]
    TooLong(u64),
    /// The answer could not be kept here.
    #[error("its answer could not be kept: {0}")]
    NotKept(String),
}

fn refused(signing: Signing) -> &'static str {
    match signing {
        Signing::Legacy => {
            "it refused the hash (401): compare the key and the server id on both sides"
        }
        Signing::Two => {
            "it refused signature 2 (401): compare the key, the server id and the clocks on both sides, and see \
             whether its pages check signature 2"
        }
    }
}

/// What a failed call may have left on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// Nothing: the server has not seen it.
    NotSent,
    /// Nothing: the server saw it and refused.
    Refused,
    /// Nobody knows.
    Unknown,
}

impl Failure {
    /// What it may have left on the server.
    pub fn aftermath(&self) -> Aftermath {
        match self {
            Failure::NotSent(_)
            | Failure::NoConnectionInTime
            | Failure::NotCallable(_)
            | Failure::Open(_)
            | Failure::Busy => Aftermath::NotSent,
            Failure::Status {
                status: 200..300 | 500..,
                ..
            }
            | Failure::Later { status: 500.., .. }
            | Failure::TimedOut(_)
            | Failure::Broken(_)
            | Failure::Garbled(_)
            | Failure::NotKept(_) => Aftermath::Unknown,
            Failure::HashRefused(_)
            | Failure::Elsewhere { .. }
            | Failure::Status { .. }
            | Failure::Later { .. }
            | Failure::Unexpected { .. }
            | Failure::SameId(_)
            | Failure::TooLong(_) => Aftermath::Refused,
        }
    }

    /// Whether the server was certainly not reached, but may be the next moment.
    pub(super) fn was_not_sent(&self) -> bool {
        matches!(self, Failure::NotSent(_) | Failure::NoConnectionInTime)
    }

    /// Whether a call that changes nothing may succeed when it is made again at once.
    pub(super) fn is_passing(&self) -> bool {
        self.was_not_sent()
            || matches!(
                self,
                Failure::Broken(_)
                    | Failure::Status {
                        status: 429 | 502..=504,
                        ..
                    }
                    | Failure::Later {
                        status: 429 | 502..=504,
                        ..
                    }
            )
    }

    /// How a breaker sees it.
    pub(super) fn ending(&self) -> Ending {
        match self {
            Failure::NotSent(_)
            | Failure::NoConnectionInTime
            | Failure::TimedOut(_)
            | Failure::Broken(_)
            | Failure::Later { status: 500.., .. }
            | Failure::Status { status: 500.., .. } => Ending::Failed,
            Failure::NotCallable(_) | Failure::Open(_) | Failure::Busy | Failure::NotKept(_) => {
                Ending::Abandoned
            }
            _ => Ending::Answered,
        }
    }

    /// Its name in the metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Failure::NotCallable(_) => "not_callable",
            Failure::Open(_) => "breaker_open",
            Failure::Busy => "busy",
            Failure::NotSent(_) | Failure::NoConnectionInTime => "not_sent",
            Failure::TimedOut(_) => "timed_out",
            Failure::Broken(_) => "broken",
            Failure::HashRefused(_) => "hash_refused",
            Failure::Elsewhere { .. } => "sent_elsewhere",
            Failure::Status { .. } | Failure::Later { .. } => "status",
            Failure::Unexpected { .. } | Failure::Garbled(_) | Failure::SameId(_) => {
                "unexpected_answer"
            }
            Failure::TooLong(_) => "too_long",
            Failure::NotKept(_) => "not_kept",
        }
    }
}
