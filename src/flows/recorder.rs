//! Records of what happened, written behind the response and in batches: launches, outgoing calls, who opened
//! a session, which content is in use. Nothing waits for them but what reads them. None is lost silently: they are
//! tried again while the database is away, and counted in the log where there is no more room.
//!
//! There are two stages. While little comes, [`writer`] stores it in the tables that are searched. When much comes,
//! that would take the learners' processor from them: then it stores a thousand records as one packed row, and
//! [`filer`] sorts them into the tables when there is time, or when somebody wants to read them.

mod filer;
mod losses;
#[cfg(test)]
mod tests;
mod waiting;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::losses::Losses;
use self::waiting::Waiting;
use crate::domain::content::ContentKey;
use crate::domain::launch_record::{CallRecord, LaunchRecord};
use crate::store::Store;

/// Takes records; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Record>,
    losses: Arc<Losses>,
    waiting: Arc<Waiting>,
}

#[derive(Debug)]
enum Record {
    InUse(ContentKey),
    Launch(Box<LaunchRecord>),
    Call(Box<CallRecord>),
    /// Somebody waits until what came before is stored, in whatever form.
    Stored(oneshot::Sender<()>),
    /// Somebody waits until it is in the tables.
    Settled(oneshot::Sender<()>),
}

/// So many records wait in memory at most. They are packed as fast as they come; this is room for a database that
/// is away for a moment.
const ROOM: usize = 100_000;
/// A reader waits this long at most for what was recorded before.
const SETTLE: Duration = Duration::from_secs(1);

impl Recorder {
    /// Starts the writer and the filer.
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let (queue, records) = mpsc::channel(ROOM);
        let (readers, asked) = mpsc::unbounded_channel();
        let recorder = Self {
            queue,
            losses: Arc::default(),
            waiting: Arc::default(),
        };
        let (losses, waiting) = (recorder.losses.clone(), recorder.waiting.clone());
        let task = tokio::spawn(async move {
            tokio::join!(
                writer::write(&store, records, readers, &losses, &waiting),
                filer::file(&store, asked, &waiting),
            );
        });
        (recorder, task)
    }

    /// A browser request was answered. One that took a learner to a session is also noted there.
    pub fn launch(&self, launch: LaunchRecord) {
        self.take(Record::Launch(Box::new(launch)));
    }

    /// A call to an external server ended.
    pub fn call(&self, call: CallRecord) {
        self.take(Record::Call(Box::new(call)));
    }

    /// A session of content was opened for the first time.
    pub fn in_use(&self, content: ContentKey) {
        self.take(Record::InUse(content));
    }

    fn take(&self, record: Record) {
        if self.queue.try_send(record).is_err() {
            self.losses.add();
        }
    }

    /// Waits until what was recorded so far can be read, a second at most; whether it can.
    pub async fn settle(&self) -> bool {
        self.when(Record::Settled, SETTLE).await
    }

    /// Waits until the contents of which a session was opened so far are known as in use, a second at most. Launches
    /// may not be found yet.
    pub async fn stored(&self) {
        self.stored_within(SETTLE).await;
    }

    /// Waits until what was recorded so far will survive this process; whether it will.
    pub async fn stored_within(&self, patience: Duration) -> bool {
        self.when(Record::Stored, patience).await
    }

    async fn when(&self, wanted: fn(oneshot::Sender<()>) -> Record, patience: Duration) -> bool {
        let (done, wait) = oneshot::channel();
        self.queue.try_send(wanted(done)).is_ok()
            && tokio::time::timeout(patience, wait)
                .await
                .is_ok_and(|outcome| outcome.is_ok())
    }

    /// How many records of this instance are not in the tables yet: those in memory, and the launches of its
    /// batches.
    pub fn waiting(&self) -> i64 {
        let in_memory = self.queue.max_capacity() - self.queue.capacity();
        i64::try_from(in_memory).unwrap_or(i64::MAX) + self.waiting.launches()
    }
}
