//! What every flow works with: the database, the configuration in memory, keys, caches, the way out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use chrono::TimeDelta;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Refusal;
use super::archive::Archives;
use super::configuration::{LoadError, load};
use super::journal::this_process;
use super::lms::launching::Enrolled;
use super::recorder::Recorder;
use super::session_facts::Sessions;
use super::sysadmin::password::Passwords;
use crate::domain::configuration::Configuration;
use crate::domain::launch_record::LaunchRecord;
use crate::domain::secret_keys::{SecretKeys, Vault};
use crate::domain::server::Server;
use crate::domain::state_token::StateKeys;
use crate::opening::Opened;
use crate::outbound::{Health, Limits, Outbound, OutboundError};
use crate::settings::Settings;
use crate::store::{Store, StoreError};

/// One thread's hold on the gateway: its own database connections, all else shared.
#[derive(Clone)]
pub struct Gateway {
    /// The database, through this thread's connections.
    pub store: Store,
    shared: Arc<Shared>,
}

struct Shared {
    configuration: ArcSwap<Configuration>,
    /// One loads at a time: who began earlier must not put what is older in place of what is newer.
    loading: tokio::sync::Mutex<()>,
    public_url: String,
    public_path: String,
    state_keys: StateKeys,
    vault: Vault,
    lifetimes: Lifetimes,
    logins: Logins,
    sessions: Sessions,
    recorder: Recorder,
    outbound: Outbound,
    passwords: Passwords,
    archives: Archives,
    enrolled: Enrolled,
    /// Names this process in the journal.
    instance: String,
    /// The journal's entries that this process is at.
    calls: Mutex<HashMap<String, WhyFailed>>,
    stopping: AtomicBool,
    /// The runtime and store of what has to be seen through, whoever gives up on it.
    main: (Handle, Store),
    under_way: watch::Sender<usize>,
}

/// Why a call to an external server failed, once it has: for those who wait for the same.
pub(super) type WhyFailed = Arc<OnceLock<OutboundError>>;

/// How long state tokens live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Those of authoring.
    pub author: TimeDelta,
    /// Those of learners, teachers and monitors.
    pub learner: TimeDelta,
}

/// How logins into platforms are taken.
#[derive(Debug, Clone, Copy)]
pub struct Logins {
    /// How long a customCSV is remembered.
    pub csv_kept: TimeDelta,
    /// By how many minutes the time of a login may be off, where its server says nothing else; 0: any time
    /// counts.
    pub window_minutes: i64,
}

/// What a gateway starts with.
pub struct Start {
    /// The database.
    pub store: Store,
    /// How browsers reach it, without a slash at the end.
    pub public_url: String,
    /// Its keys.
    pub secret_keys: SecretKeys,
    /// How long state tokens live.
    pub lifetimes: Lifetimes,
    /// How logins are taken.
    pub logins: Logins,
    /// Who writes the launch records.
    pub recorder: Recorder,
    /// The way out.
    pub outbound: Outbound,
}

impl Logins {
    /// As the settings have it.
    pub fn of(settings: &Settings) -> Self {
        Self {
            csv_kept: settings.csv_kept,
            window_minutes: settings.login_window_minutes,
        }
    }
}

impl Gateway {
    /// Loads the configuration.
    pub async fn start(start: Start) -> Result<Self, LoadError> {
        let vault = start.secret_keys.vault();
        let configuration = load(&start.store, &vault).await?;
        let shared = Shared {
            configuration: ArcSwap::from_pointee(configuration),
            loading: tokio::sync::Mutex::default(),
            public_path: path_of(&start.public_url),
            public_url: start.public_url,
            state_keys: start.secret_keys.state_keys(),
            vault,
            lifetimes: start.lifetimes,
            logins: start.logins,
            sessions: Sessions::default(),
            outbound: start.outbound.telling(Arc::new({
                let recorder = start.recorder.clone();
                move |call| recorder.call(call)
            })),
            recorder: start.recorder,
            passwords: Passwords::default(),
            archives: Archives::default(),
            enrolled: Enrolled::default(),
            instance: this_process(),
            calls: Mutex::default(),
            stopping: AtomicBool::new(false),
            main: (Handle::current(), start.store.clone()),
            under_way: watch::Sender::new(0),
        };
        Ok(Self {
            store: start.store,
            shared: Arc::new(shared),
        })
    }

    /// A gateway for one command of an operator: it serves nothing.
    pub async fn for_command(settings: &Settings, opened: &Opened) -> Result<Self, LoadError> {
        let (recorder, _) = Recorder::start(opened.store.clone());
        Self::start(Start {
            store: opened.store.clone(),
            public_url: settings.public_url.clone().unwrap_or_default(),
            secret_keys: opened.secret_keys.clone(),
            lifetimes: Lifetimes {
                author: settings.state_author,
                learner: settings.state_learner,
            },
            logins: Logins::of(settings),
            recorder,
            outbound: Outbound::new(Limits::with_archives_of(settings.archive_max_mib)),
        })
        .await
    }

    /// The same gateway for another thread, with connections of that thread's own.
    pub fn on_thread(&self, store: Store) -> Self {
        Self {
            store,
            shared: self.shared.clone(),
        }
    }

    /// Loads the configuration anew and swaps the snapshot.
    pub async fn reload(&self) -> Result<(), LoadError> {
        let _alone = self.shared.loading.lock().await;
        let configuration = load(&self.store, &self.shared.vault).await?;
        self.shared.configuration.store(Arc::new(configuration));
        Ok(())
    }

    /// The configuration now; use one for a whole request.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.shared.configuration.load_full()
    }

    /// The same for as long as a request takes, without counting who holds it.
    pub fn configuration_now(&self) -> Guard<Arc<Configuration>> {
        self.shared.configuration.load()
    }

    /// How browsers reach the gateway, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.shared.public_url
    }

    /// The path of that address: empty, or with a slash at its beginning.
    pub fn public_path(&self) -> &str {
        &self.shared.public_path
    }

    /// How long a customCSV of a LoginRequest is remembered.
    pub fn csv_kept(&self) -> TimeDelta {
        self.shared.logins.csv_kept
    }

    /// By how many minutes the time of a login may be off, where its server says nothing else.
    pub fn login_window_minutes(&self) -> i64 {
        self.shared.logins.window_minutes
    }

    /// The bytes that an archive may have.
    pub fn longest_archive(&self) -> u64 {
        self.shared.outbound.longest_archive()
    }

    /// Each server's id, and whether it is left alone for now because it failed. A disabled one is not.
    pub fn breakers(&self) -> Vec<(String, bool)> {
        let open = |server: &Server| server.enabled && self.outbound().check_open(server).is_err();
        self.configuration()
            .servers()
            .map(|server| (server.id.to_string(), open(server)))
            .collect()
    }

    /// The same for its LMS. One that has none, or is disabled, is not left alone.
    pub fn lms_breakers(&self) -> Vec<(String, bool)> {
        let is_open = |server: &Server| {
            let lms = server.lms.as_ref().filter(|_| server.enabled);
            lms.is_some_and(|lms| self.outbound().lms_health(lms).closed_for.is_some())
        };
        self.configuration()
            .servers()
            .map(|server| (server.id.to_string(), is_open(server)))
            .collect()
    }

    /// How a server does, as this instance has seen it.
    pub fn health(&self, server: &Server) -> Health {
        self.shared.outbound.health(server)
    }

    /// From now on it is not ready, and connections are not kept.
    pub fn begin_stopping(&self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
    }

    /// Does work to its end, also when its caller gives up waiting: on the gateway's main runtime, with
    /// connections of that runtime.
    pub(super) async fn see_through<T, F>(
        &self,
        work: impl FnOnce(Gateway) -> F,
    ) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refusal>> + Send + 'static,
    {
        match self.spawn(work).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(Refusal::Stopped),
            },
        }
    }

    /// The same for work that nobody waits for.
    pub(super) fn see_through_later<F>(&self, work: impl FnOnce(Gateway) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(self.spawn(work));
    }

    fn spawn<T, F>(&self, work: impl FnOnce(Gateway) -> F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (runtime, store) = &self.shared.main;
        let begun = UnderWay::begin(self.shared.clone());
        let work = work(self.on_thread(store.clone()));
        runtime.spawn(async move {
            let outcome = work.await;
            drop(begun);
            outcome
        })
    }

    /// Waits until nothing is under way that has to be seen through; how much is, where it takes too
    /// long.
    pub async fn seen_through(&self, patience: Duration) -> Result<(), usize> {
        let mut under_way = self.shared.under_way.subscribe();
        let done = tokio::time::timeout(patience, under_way.wait_for(|count| *count == 0)).await;
        if done.is_ok() {
            Ok(())
        } else {
            Err(*self.shared.under_way.borrow())
        }
    }

    /// Writes down a browser request that was answered, behind the answer.
    pub fn record(&self, launch: &LaunchRecord) {
        self.recorder().launch(launch);
    }

    /// Waits until what was recorded is stored; whether it is.
    pub async fn records_stored(&self, patience: Duration) -> bool {
        self.recorder().stored_within(patience).await
    }

    /// How many records of this instance are not filed yet.
    pub fn records_waiting(&self) -> i64 {
        self.recorder().waiting()
    }

    /// Whether the database answers now.
    pub async fn database_answers(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Whether it is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.shared.stopping.load(Ordering::Relaxed)
    }

    pub(super) fn state_keys(&self) -> &StateKeys {
        &self.shared.state_keys
    }

    /// Where secrets are kept.
    pub(super) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    pub(super) fn lifetimes(&self) -> Lifetimes {
        self.shared.lifetimes
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.shared.sessions
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.shared.recorder
    }

    pub(super) fn outbound(&self) -> &Outbound {
        &self.shared.outbound
    }

    /// What is known of enrollments.
    pub(super) fn enrolled(&self) -> &Enrolled {
        &self.shared.enrolled
    }

    /// Whose turn it is to hash or check a password.
    pub(super) fn passwords(&self) -> &Passwords {
        &self.shared.passwords
    }

    /// Reads archives, a few at once.
    pub(super) fn archives(&self) -> &Archives {
        &self.shared.archives
    }

    /// Names this process in the journal.
    pub(super) fn instance(&self) -> &str {
        &self.shared.instance
    }

    /// Notes that this process is at a journal entry, for as long as what it answers lives.
    pub(super) fn begin_call(&self, entry: &str) -> Call {
        let mut calls = self.shared.locked_calls();
        calls.insert(entry.to_owned(), WhyFailed::default());
        Call(self.shared.clone(), entry.to_owned())
    }

    /// The journal's entries that this process is at.
    pub(super) fn calls(&self) -> Vec<String> {
        self.shared.locked_calls().keys().cloned().collect()
    }

    /// Where it will stand why the call of an entry failed, if this process is at it.
    pub(super) fn why_failed(&self, entry: &str) -> Option<WhyFailed> {
        self.shared.locked_calls().get(entry).cloned()
    }
}

fn path_of(public_url: &str) -> String {
    let url = url::Url::parse(public_url);
    url.map_or(String::new(), |url| {
        url.path().trim_end_matches('/').to_owned()
    })
}

/// Counts one piece of work for as long as it lives.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    fn begin(shared: Arc<Shared>) -> Self {
        shared.under_way.send_modify(|count| *count += 1);
        Self(shared)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

impl Shared {
    fn locked_calls(&self) -> MutexGuard<'_, HashMap<String, WhyFailed>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One journal entry that this process is at, for as long as it lives.
pub(super) struct Call(Arc<Shared>, String);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.locked_calls().remove(&self.1);
    }
}
