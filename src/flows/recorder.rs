//! Records of what happened, written behind the response and in batches: launches, outgoing calls, who opened
//! a session, which content is in use. Nothing waits for them but what reads them. None is lost silently: they are
//! tried again while the database is away, and counted in the log where there is no more room.
//!
//! There are two stages. While little comes, [`writer`] stores it in the tables that are searched. When much comes,
//! that would take the learners' processor from them: then it stores a thousand records as one packed row, and
//! [`filer`] sorts them into the tables when there is time, or when somebody wants to read them.

mod filer;
mod inbox;
mod losses;
#[cfg(test)]
mod tests;
mod waiting;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::inbox::{Batch, Inbox};
use self::losses::Losses;
use self::waiting::Waiting;
use crate::domain::content::ContentKey;
use crate::domain::launch_record::{CallRecord, LaunchRecord};
use crate::store::{Store, StoreError};

/// Takes records; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    inbox: Arc<Inbox>,
    losses: Arc<Losses>,
    waiting: Arc<Waiting>,
}

/// A reader waits this long at most for what was recorded before.
const SETTLE: Duration = Duration::from_secs(1);

impl Recorder {
    /// Starts the writer and the filer, which go on until they are stopped.
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let (readers, asked) = mpsc::unbounded_channel();
        let recorder = Self::default();
        let Self {
            inbox,
            losses,
            waiting,
        } = recorder.clone();
        let task = tokio::spawn(async move {
            tokio::join!(
                writer::write(&store, &inbox, readers, &losses, &waiting),
                filer::file(&store, asked, &waiting),
            );
        });
        (recorder, task)
    }

    /// A browser request was answered. One that took a learner to a session is also noted there.
    pub fn launch(&self, launch: &LaunchRecord) {
        self.taken(self.inbox.launch(launch));
    }

    /// A call to an external server ended.
    pub fn call(&self, call: CallRecord) {
        self.taken(self.inbox.call(call));
    }

    /// A session of content was opened for the first time.
    pub fn in_use(&self, content: ContentKey) {
        self.taken(self.inbox.in_use(content));
    }

    fn taken(&self, taken: Result<bool, StoreError>) {
        match taken {
            Ok(true) => {}
            Ok(false) => self.losses.add(),
            Err(error) => tracing::error!(%error, "a launch record is lost"),
        }
    }

    /// Waits until what was recorded so far can be read, a second at most; whether it can.
    pub async fn settle(&self) -> bool {
        self.settled_within(SETTLE).await
    }

    async fn settled_within(&self, patience: Duration) -> bool {
        self.when(patience, |batch, done| batch.settled.push(done))
            .await
    }

    /// Waits until the contents of which a session was opened so far are known as in use, a second at most. Launches
    /// may not be found yet.
    pub async fn stored(&self) {
        self.stored_within(SETTLE).await;
    }

    /// Waits until what was recorded so far will survive this process; whether it will.
    pub async fn stored_within(&self, patience: Duration) -> bool {
        self.when(patience, |batch, done| batch.stored.push(done))
            .await
    }

    async fn when(
        &self,
        patience: Duration,
        ask: impl FnOnce(&mut Batch, oneshot::Sender<()>),
    ) -> bool {
        let (done, wait) = oneshot::channel();
        self.inbox.ask(|batch| ask(batch, done));
        let outcome = tokio::time::timeout(patience, wait).await;
        outcome.is_ok_and(|outcome| outcome.is_ok())
    }

    /// How many records of this instance are not in the tables yet: those in memory, and the launches of its
    /// batches.
    pub fn waiting(&self) -> i64 {
        let in_memory = i64::try_from(self.inbox.waiting()).unwrap_or(i64::MAX);
        in_memory.saturating_add(self.waiting.launches())
    }
}
