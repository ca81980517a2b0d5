//! Records of what happened, written behind the response and in batches: launches, outgoing calls, who opened
//! a session, which content is in use. Nothing waits for them but what reads them. None is lost silently: they are
//! tried again while the database is away, and counted in the log where there is no more room.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::domain::content::ContentKey;
use crate::domain::id::ToolSessionId;
use crate::domain::launch_record::{CallRecord, LaunchKind, LaunchOutcome, LaunchRecord, masked};
use crate::domain::session::SessionKey;
use crate::store::{Happened, Store, StoreError};

/// Takes records; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder(mpsc::Sender<Record>);

#[derive(Debug)]
enum Record {
    InUse(ContentKey),
    Launch(Box<LaunchRecord>),
    Call(Box<CallRecord>),
    Settle(oneshot::Sender<()>),
}

/// So many records wait at most; about what ten seconds of a busy instance make.
const ROOM: usize = 100_000;
/// So many are written in one transaction at most.
const BATCH: usize = 1_000;
/// A reader waits this long at most for what was recorded before.
const SETTLE: Duration = Duration::from_secs(1);

impl Recorder {
    /// Starts the writer.
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(ROOM);
        (Self(sender), tokio::spawn(write(store, receiver)))
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
        if let Err(error) = self.0.try_send(record) {
            tracing::error!(lost = ?error.into_inner(), "a launch record is lost: there is no more room");
        }
    }

    /// Waits until what was recorded so far is stored, a second at most.
    pub async fn settle(&self) {
        self.settle_within(SETTLE).await;
    }

    /// The same with another patience; whether it is stored.
    pub async fn settle_within(&self, patience: Duration) -> bool {
        let (done, wait) = oneshot::channel();
        self.0.try_send(Record::Settle(done)).is_ok()
            && tokio::time::timeout(patience, wait)
                .await
                .is_ok_and(|outcome| outcome.is_ok())
    }
}

async fn write(store: Store, mut receiver: mpsc::Receiver<Record>) {
    let mut records = Vec::new();
    while receiver.recv_many(&mut records, BATCH).await > 0 {
        let (mut happened, mut settled) = (Happened::default(), Vec::new());
        let (mut opened, mut in_use) = (HashMap::new(), HashSet::new());
        for record in records.drain(..) {
            match record {
                Record::InUse(content) => {
                    in_use.insert(content);
                }
                Record::Launch(launch) => {
                    if let Some((session, name)) = opened_by(&launch) {
                        opened.entry((session, name)).or_insert(launch.at);
                    }
                    happened.launches.push(written(*launch));
                }
                Record::Call(call) => happened.calls.push(*call),
                Record::Settle(done) => settled.push(done),
            }
        }
        let opened = opened.into_iter();
        happened.opened = opened
            .map(|((session, name), at)| (session, name, at))
            .collect();
        happened.in_use = in_use.into_iter().collect();
        // In one order everywhere, so that two instances never wait for each other's rows.
        happened
            .opened
            .sort_by(|a, b| (a.0.id, &a.1).cmp(&(b.0.id, &b.1)));
        happened.in_use.sort_by_key(|content| content.id);
        if !happened.is_empty() {
            store_batch(&store, &happened).await;
        }
        for done in settled {
            let _ = done.send(());
        }
    }
}

/// The session that a launch took somebody to, who takes part in it: a learner, or an author who previews.
fn opened_by(launch: &LaunchRecord) -> Option<(SessionKey, String)> {
    let takes_part = matches!(launch.kind, LaunchKind::Learner | LaunchKind::Preview);
    if !takes_part || launch.outcome != LaunchOutcome::Redirected {
        return None;
    }
    let session = SessionKey {
        platform: launch.platform.parse().ok()?,
        signature: launch.signature.parse().ok()?,
        id: ToolSessionId::from_number(launch.noted.session?).ok()?,
    };
    Some((session, launch.noted.user.clone()?))
}

/// A launch as it is written down: without secrets.
fn written(launch: LaunchRecord) -> LaunchRecord {
    LaunchRecord {
        came_with: masked(&launch.came_with),
        sent_to: launch.sent_to.as_deref().map(masked),
        ..launch
    }
}

/// Stores a batch, trying again while the database is away.
async fn store_batch(store: &Store, happened: &Happened) {
    let mut pause = Duration::from_millis(200);
    loop {
        match store.store_happened(happened).await {
            Ok(()) => return,
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(%error, "launch records wait for the database");
            }
            // Another instance took an id at the same moment; it is gone now.
            Err(StoreError::Duplicate(_)) => {}
            Err(error) => {
                let lost = happened.len();
                tracing::error!(%error, lost, "launch records are lost: they could not be stored");
                return;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}
