//! Records of what happened, written behind the response and in batches: who opened a session, which
//! content is in use. Nothing waits for them but what reads them. None is lost silently: they are
//! tried again while the database is away, and counted in the log where there is no more room.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::domain::content::ContentKey;
use crate::domain::session::SessionKey;
use crate::store::{Store, StoreError};

/// Takes records; cheap to clone.
#[derive(Debug, Clone)]
pub struct Recorder(mpsc::Sender<Record>);

#[derive(Debug)]
enum Record {
    Opened(SessionKey, String, DateTime<Utc>),
    InUse(ContentKey),
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

    /// A person opened a session.
    pub fn opened(&self, session: SessionKey, name: String, at: DateTime<Utc>) {
        self.take(Record::Opened(session, name, at));
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
        let mut opened = Vec::new();
        let mut in_use = HashSet::new();
        let mut settled = Vec::new();
        for record in records.drain(..) {
            match record {
                Record::Opened(session, name, at) => opened.push((session, name, at)),
                Record::InUse(content) => {
                    in_use.insert(content);
                }
                Record::Settle(done) => settled.push(done),
            }
        }
        // In one order everywhere, so that two instances never wait for each other's rows.
        opened.sort_by(|a, b| (a.0.id, &a.1).cmp(&(b.0.id, &b.1)));
        let mut in_use: Vec<_> = in_use.into_iter().collect();
        in_use.sort_by_key(|content| content.id);
        if !opened.is_empty() || !in_use.is_empty() {
            store_batch(&store, &opened, &in_use).await;
        }
        for done in settled {
            let _ = done.send(());
        }
    }
}

/// Stores a batch, trying again while the database is away.
async fn store_batch(
    store: &Store,
    opened: &[(SessionKey, String, DateTime<Utc>)],
    in_use: &[ContentKey],
) {
    let mut pause = Duration::from_millis(200);
    while let Err(error) = store.record_launches(opened, in_use).await {
        if !matches!(error, StoreError::Unavailable(_)) {
            let lost = opened.len() + in_use.len();
            tracing::error!(%error, lost, "launch records are lost: they could not be stored");
            return;
        }
        tracing::warn!(%error, "launch records wait for the database");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}
