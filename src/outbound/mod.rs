//! Every request that the gateway makes, under one policy: where it may go, how long it may take, how
//! much it may answer. A redirect is never followed. Called by flows; knows nothing of the database.

mod adapter_page;
mod network;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::id::ServerId;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(4);
/// How long a call may take in all, where its server has no limit of its own.
const TOTAL: Duration = Duration::from_secs(15);

/// Makes the gateway's requests.
#[derive(Debug, Clone)]
pub struct Outbound {
    anywhere: reqwest::Client,
    public_only: reqwest::Client,
}

/// Why a call to a server brought nothing. Says which server, and never the address: that holds a hash.
#[derive(Debug, thiserror::Error)]
#[error("the server {server}: {failure}")]
pub struct OutboundError {
    /// The server that was called.
    pub server: ServerId,
    /// What happened.
    pub failure: Failure,
}

/// What happened to a call.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration says where to call in a way that cannot be called.
    #[error("it cannot be called: {0}")]
    NotCallable(String),
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
    /// It refused the hash.
    #[error("it refused the hash (401): compare the key and the server id on both sides")]
    HashRefused,
    /// It answered with another status than 200.
    #[error("it answered with status {status}: {answer}")]
    Status {
        /// The status.
        status: u16,
        /// The beginning of what it answered.
        answer: String,
    },
    /// It answered 200, but with no id.
    #[error("it answered with something that is no id: {0}")]
    NotAnId(String),
    /// It answered with the id that it was to copy.
    #[error("it answered with the id {0} that was to be copied, not with that of a copy")]
    SameId(String),
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
            Failure::NotSent(_) | Failure::NoConnectionInTime => Aftermath::NotSent,
            Failure::Status {
                status: 200..300 | 500..,
                ..
            } => Aftermath::Unknown,
            Failure::TimedOut(_) | Failure::Broken(_) => Aftermath::Unknown,
            Failure::NotCallable(_)
            | Failure::HashRefused
            | Failure::Status { .. }
            | Failure::NotAnId(_)
            | Failure::SameId(_) => Aftermath::Refused,
        }
    }
}

impl Outbound {
    /// Makes the clients; connections are kept and used again.
    pub fn new() -> Result<Self, reqwest::Error> {
        // An error says that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |private_network| {
            reqwest::Client::builder()
                .connect_timeout(CONNECT)
                // Shorter than servers keep theirs: a call must not meet a connection that is closing.
                .pool_idle_timeout(IDLE)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .dns_resolver(Arc::new(network::Filter { private_network }))
                .user_agent(concat!("toolgate/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        Ok(Self {
            anywhere: client(true)?,
            public_only: client(false)?,
        })
    }
}
