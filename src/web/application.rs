//! The running gateway: built from settings, served until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use chrono::Utc;
use tokio::task::JoinHandle;

use super::api::Document;
use super::front_door::front_door;
use super::limits::Limits;
use super::meters;
use crate::flows::configuration::{LoadError, watch};
use crate::flows::gateway::{Lifetimes, Logins};
use crate::flows::recorder::Recorder;
use crate::flows::{Gateway, Start, cleaning, journal, lms, sysadmin};
use crate::opening::{self, OpenError, Opened};
use crate::outbound::{self, Outbound};
use crate::settings::Settings;
use crate::store::{Budget, Store, StoreError};

/// What is under way when the gateway is told to stop has this long to end.
const DRAIN: Duration = Duration::from_secs(10);
/// What was recorded has at least this long to be stored then.
const RECORDS: Duration = Duration::from_secs(2);

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StartError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {address}: {error}")]
    Listen {
        address: SocketAddr,
        error: std::io::Error,
    },
}

/// A gateway that listens.
pub struct Application {
    server: Server,
    address: SocketAddr,
    gateway: Gateway,
    watcher: JoinHandle<()>,
    keeper: JoinHandle<()>,
    meters: JoinHandle<()>,
    cleaner: JoinHandle<()>,
    bulk: JoinHandle<()>,
    presence: JoinHandle<()>,
    changes: JoinHandle<()>,
    recorder: JoinHandle<()>,
}

impl Application {
    /// Opens database and port; when it returns, requests are answered as soon as it runs.
    pub async fn build(settings: &Settings) -> Result<Self, StartError> {
        let Opened {
            store,
            common,
            secret_keys,
        } = opening::open_with(settings, Budget::INSTANCE).await?;
        let failed = |error| StartError::Listen {
            address: settings.listen,
            error,
        };
        let listener = TcpListener::bind(settings.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let public_url = settings
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));

        let version = store.configuration_version().await?;
        let (recorder, recorder_task) = Recorder::start(store.clone());
        let gateway = Gateway::start(Start {
            store,
            public_url,
            secret_keys,
            lifetimes: Lifetimes {
                author: settings.state_author,
                learner: settings.state_learner,
            },
            logins: Logins::of(settings),
            recorder,
            outbound: Outbound::new(outbound::Limits::with_archives_of(settings.archive_max_mib)),
        })
        .await?;

        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        let limits = web::Data::new(Limits::of(settings));
        let document = web::Data::new(Document::of(gateway.public_url()));
        let (database, shared) = (settings.database.clone(), gateway.clone());
        let server = HttpServer::new(move || {
            // Each worker has connections of its own: a query is cheapest on the thread that asks.
            let store = Store::open(&database, &common, Budget::per_worker(workers))
                .expect("the same store was opened at start");
            App::new()
                .app_data(web::Data::new(shared.on_thread(store)))
                .app_data(limits.clone())
                .app_data(document.clone())
                .wrap(from_fn(front_door))
                .configure(super::routes)
        })
        .workers(workers)
        .shutdown_timeout(DRAIN.as_secs())
        .disable_signals()
        .listen(listener)
        .map_err(failed)?
        .run();
        let watcher = tokio::spawn(watch(gateway.clone(), version));
        let meters = meters::start();
        let cleaner = tokio::spawn(cleaning::keep(gateway.clone(), settings.launches_kept));
        let keeper = tokio::spawn(journal::keep(gateway.clone()));
        let watched = gateway.store.clone();
        let presence = tokio::spawn(async move { watched.keep_presence().await });
        let told = gateway.store.clone();
        let changes = tokio::spawn(async move { told.hear_changes().await });
        let bulk = tokio::spawn(lms::bulk::keep(gateway.clone()));
        Ok(Self {
            server,
            address,
            gateway,
            watcher,
            keeper,
            meters,
            cleaner,
            bulk,
            presence,
            changes,
            recorder: recorder_task,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How browsers reach it, without a slash at the end.
    pub fn public_url(&self) -> &str {
        self.gateway.public_url()
    }

    /// A one-time address with which the first sysadmin is made, where there is none yet.
    pub async fn first_start(&self) -> Result<Option<String>, StoreError> {
        sysadmin::first::address(&self.gateway, Utc::now()).await
    }

    /// Serves until `stop` is ready; then it is not ready any more, takes no new connections, finishes
    /// what is under way (ten seconds at most) and stores what was recorded.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handle = self.server.handle();
        let server = tokio::spawn(self.server);
        stop.await;
        tracing::info!("stopping");
        let end = Instant::now() + DRAIN;
        self.gateway.begin_stopping();
        handle.stop(true).await;
        let outcome = server
            .await
            .unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if let Err(cut) = self
            .gateway
            .seen_through(end.saturating_duration_since(Instant::now()))
            .await
        {
            tracing::error!(
                cut,
                "calls are cut short: what they made on external servers is not known here"
            );
        }
        for task in [
            self.watcher,
            self.keeper,
            self.meters,
            self.cleaner,
            self.bulk,
            self.changes,
        ] {
            task.abort();
        }
        let left = end.saturating_duration_since(Instant::now()).max(RECORDS);
        if !self.gateway.records_stored(left).await {
            tracing::error!("launch records are lost: the database did not take them in time");
        }
        self.recorder.abort();
        self.presence.abort();
        let store = self.gateway.store.clone();
        store.close().await;
        tracing::info!("stopped");
        outcome
    }
}
