//! The way to one server: its connections, its breaker, and how many calls it gets at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::breaker::{Admission, Breaker, Ending};
use super::request::Page;
use super::retry::Effect;
use super::{Failure, OnCall, Outbound, OutboundError, network};
use crate::domain::id::ServerId;
use crate::domain::launch_record::{About, CallRecord};
use crate::domain::lms::Lms;
use crate::domain::server::Server;

/// How long a connection may take to come about, TLS included.
pub(super) const CONNECT: Duration = Duration::from_secs(3);
/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(4);
/// So many calls a server gets at once.
const AT_ONCE: usize = 8;
/// So many of them only read: who looks at results does not keep learners from their sessions.
const READING: usize = 4;

/// What of a server is called: each has a way of its own, so that one that fails does not close the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Door {
    /// Its adapter pages.
    Pages,
    /// Its enrollments and grades.
    Lms,
}

/// Whom a call is for, and what it is about.
#[derive(Debug, Clone)]
pub(super) struct Callee {
    server: ServerId,
    door: Door,
    made_for: MadeFor,
    about: Option<About>,
}

impl From<Page<'_>> for Callee {
    fn from(page: Page<'_>) -> Self {
        Self {
            server: page.server.id.clone(),
            door: Door::Pages,
            made_for: made_for(page.server),
            about: page.about.cloned(),
        }
    }
}

impl Callee {
    /// The LMS of a connection.
    pub(super) fn of_lms(lms: &Lms, about: Option<&About>) -> Self {
        Self {
            server: lms.server.clone(),
            door: Door::Lms,
            made_for: made_for_lms(lms),
            about: about.cloned(),
        }
    }
}

/// The way to one server.
#[derive(Debug)]
pub(super) struct Lane {
    client: reqwest::Client,
    turns: Arc<Semaphore>,
    reading: Arc<Semaphore>,
    breaker: Breaker,
    /// When it last answered a call.
    answered: Mutex<Option<DateTime<Utc>>>,
    made_for: MadeFor,
}

/// What of a server's configuration makes the way to it another one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MadeFor {
    url: String,
    private_network: bool,
    timeout: Option<Duration>,
}

/// How a server does, as this instance has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// When it last answered a call.
    pub answered: Option<DateTime<Utc>>,
    /// How long it is not called any more, where its breaker is open.
    pub closed_for: Option<Duration>,
}

impl Lane {
    fn make(door: Door, made_for: MadeFor) -> Result<Self, reqwest::Error> {
        let reading = match door {
            Door::Pages => READING,
            // Enrolling is mostly looking.
            Door::Lms => AT_ONCE,
        };
        let client = client(made_for.private_network, made_for.timeout)?;
        Ok(Self {
            client,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            reading: Arc::new(Semaphore::new(reading)),
            breaker: Breaker::default(),
            answered: Mutex::new(None),
            made_for,
        })
    }
}

/// Connections under the policy of all calls.
pub(super) fn client(
    private_network: bool,
    timeout: Option<Duration>,
) -> Result<reqwest::Client, reqwest::Error> {
    // An error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Before the whole call's time is up, so that it is known that nothing was sent.
    let connect = timeout.map_or(CONNECT, |total| CONNECT.min(total.mul_f32(0.8)));
    reqwest::Client::builder()
        .connect_timeout(connect)
        // Shorter than servers keep theirs: a call must not meet a connection that is closing.
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(network::Filter::of_system(private_network)))
        .user_agent(concat!("toolgate/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// A call's turn to use a lane. Ends by [`Turn::end`], or as abandoned.
pub(super) struct Turn {
    lane: Arc<Lane>,
    admission: Admission,
    server: ServerId,
    about: Option<About>,
    calls: Option<OnCall>,
    method: String,
    begun: Instant,
    ended: bool,
    _permits: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

impl Outbound {
    /// Waits for a call's turn.
    pub(super) async fn turn(
        &self,
        callee: &Callee,
        method: &str,
        effect: Effect,
    ) -> Result<Turn, OutboundError> {
        let server = &callee.server;
        let outcome = async {
            let lane = self.lane(callee)?;
            if let Some(wait) = lane.breaker.closed_for(Instant::now()) {
                return Err(Failure::Open(wait));
            }
            let permits = async {
                let reading = match effect {
                    Effect::Creates | Effect::Once => None,
                    Effect::Repeatable => Some(lane.reading.clone().acquire_owned().await?),
                };
                Ok::<_, AcquireError>((lane.turns.clone().acquire_owned().await?, reading))
            };
            let permits = tokio::time::timeout(self.limits.queue, permits).await;
            let permits = permits
                .map_err(|_| Failure::Busy)?
                .map_err(|_| Failure::Busy)?;
            // Those before may have found that the server is down.
            let begun = Instant::now();
            let admission = lane.breaker.admit(begun).map_err(Failure::Open)?;
            Ok(Turn {
                lane,
                admission,
                server: server.clone(),
                about: callee.about.clone(),
                calls: self.on_call.clone(),
                method: method.to_owned(),
                begun,
                ended: false,
                _permits: permits,
            })
        };
        outcome.await.map_err(|failure| {
            count(server, method, failure.outcome());
            OutboundError {
                server: server.clone(),
                failure,
            }
        })
    }

    /// Whether a server is left alone for now, and how long.
    pub fn check_open(&self, server: &Server) -> Result<(), OutboundError> {
        match self.health(server).closed_for {
            None => Ok(()),
            Some(wait) => Err(OutboundError {
                server: server.id.clone(),
                failure: Failure::Open(wait),
            }),
        }
    }

    /// How a server does.
    pub fn health(&self, server: &Server) -> Health {
        self.health_of((server.id.clone(), Door::Pages), &made_for(server))
    }

    /// How the LMS of a connection does.
    pub fn lms_health(&self, lms: &Lms) -> Health {
        self.health_of((lms.server.clone(), Door::Lms), &made_for_lms(lms))
    }

    fn health_of(&self, key: (ServerId, Door), made_for: &MadeFor) -> Health {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get(&key).filter(|lane| lane.made_for == *made_for);
        Health {
            answered: lane
                .and_then(|lane| *lane.answered.lock().unwrap_or_else(PoisonError::into_inner)),
            closed_for: lane.and_then(|lane| lane.breaker.closed_for(Instant::now())),
        }
    }

    /// The way to a server as it is configured now.
    fn lane(&self, callee: &Callee) -> Result<Arc<Lane>, Failure> {
        let (door, made_for) = (callee.door, callee.made_for.clone());
        let key = (callee.server.clone(), door);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(&key).filter(|lane| lane.made_for == made_for) {
            return Ok(lane.clone());
        }
        let made =
            Lane::make(door, made_for).map_err(|error| Failure::NotCallable(error.to_string()))?;
        let made = Arc::new(made);
        lanes.insert(key, made.clone());
        Ok(made)
    }
}

fn made_for(server: &Server) -> MadeFor {
    MadeFor {
        url: server.url.as_str().to_owned(),
        private_network: server.private_network,
        timeout: server.timeout,
    }
}

fn made_for_lms(lms: &Lms) -> MadeFor {
    MadeFor {
        url: lms.address.root().to_owned(),
        private_network: lms.private_network,
        timeout: lms.timeout,
    }
}

/// What a call is made with in its turn.
#[derive(Debug)]
pub(super) struct Way {
    /// The connections to the server.
    pub(super) client: reqwest::Client,
    /// Whether private addresses may be called.
    pub(super) private_network: bool,
    /// When its turn began.
    pub(super) begun: Instant,
}

impl Turn {
    /// What the call is made with.
    pub(super) fn way(&self) -> Way {
        Way {
            client: self.lane.client.clone(),
            private_network: self.lane.made_for.private_network,
            begun: self.begun,
        }
    }

    /// Ends the call with what came of it.
    pub(super) fn end<T>(mut self, outcome: Result<T, Failure>) -> Result<T, OutboundError> {
        match &outcome {
            Ok(_) => self.note("ok", Ending::Answered, None),
            Err(failure) => {
                let reason = Some(failure.to_string());
                self.note(failure.outcome(), failure.ending(), reason);
            }
        }
        let server = self.server.clone();
        outcome.map_err(|failure| OutboundError { server, failure })
    }

    fn note(&mut self, outcome: &'static str, ending: Ending, reason: Option<String>) {
        self.ended = true;
        self.lane
            .breaker
            .note(self.admission, ending, Instant::now());
        if ending == Ending::Answered {
            *self
                .lane
                .answered
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(Utc::now());
        }
        count(&self.server, &self.method, outcome);
        let elapsed = self.begun.elapsed().as_secs_f64();
        metrics::histogram!("toolgate_outgoing_seconds", "server" => self.server.to_string())
            .record(elapsed);
        if let (Some(about), Some(calls)) = (self.about.take(), &self.calls) {
            calls(CallRecord {
                at: Utc::now(),
                about,
                server: self.server.clone(),
                method: std::mem::take(&mut self.method),
                outcome: outcome.into(),
                reason,
                ms: elapsed * 1000.0,
            });
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.ended {
            self.note("abandoned", Ending::Abandoned, None);
        }
    }
}

fn count(server: &ServerId, method: &str, outcome: &'static str) {
    metrics::counter!("toolgate_outgoing_calls_total",
        "server" => server.to_string(), "method" => method.to_owned(), "outcome" => outcome)
    .increment(1);
}
