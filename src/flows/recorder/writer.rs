//! Takes records out of memory and stores them: in the tables while little comes, packed when much does.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::Record;
use super::losses::Losses;
use super::waiting::Waiting;
use crate::store::{Happened, Store, StoreError};

/// So many are stored in one transaction at most: what one batch holds. While it is filed, other writers of an
/// embedded database wait.
const BATCH: usize = 1_000;
/// So many at once, or within [`SPAN`], are much: a thousand a second.
const MUCH: usize = 200;
/// How long records are counted to know whether much comes, and how long it is waited for a full batch then.
const SPAN: Duration = Duration::from_millis(200);
/// Records are looked for so often then. To be woken for each would cost more than to store it.
const STEP: Duration = Duration::from_millis(20);

/// Stores records until nobody can record any more. Who waits for the tables is passed on to the filer.
pub(super) async fn write(
    store: &Store,
    mut queue: mpsc::Receiver<Record>,
    readers: mpsc::UnboundedSender<oneshot::Sender<()>>,
    losses: &Losses,
    waiting: &Waiting,
) {
    let mut records = Vec::new();
    let (mut since, mut counted) = (Instant::now(), 0);
    loop {
        let many = if waiting.much_comes() {
            gather(&mut queue, &mut records).await
        } else {
            queue.recv_many(&mut records, BATCH).await
        };
        let closed = many == 0 && queue.is_closed();
        let Sorted {
            happened,
            stored,
            settled,
        } = sort(records.drain(..));
        counted += happened.len();
        if since.elapsed() >= SPAN || happened.len() >= MUCH {
            waiting.set_much_comes(counted >= MUCH);
            (since, counted) = (Instant::now(), 0);
        }
        if happened.len() >= MUCH {
            pack(store, &happened, waiting).await;
        } else if !happened.is_empty() {
            store_now(store, &happened, waiting).await;
        }
        for done in stored {
            let _ = done.send(());
        }
        for done in settled {
            let _ = readers.send(done);
        }
        losses.tell_rest();
        if closed {
            return;
        }
    }
}

/// While much comes: waits for a full batch, a little at a time, but not where somebody waits for it. How many came;
/// none where none came in the whole time.
async fn gather(queue: &mut mpsc::Receiver<Record>, records: &mut Vec<Record>) -> usize {
    let begun = Instant::now();
    loop {
        while records.len() < BATCH {
            let Ok(record) = queue.try_recv() else { break };
            let is_asked = matches!(record, Record::Stored(_) | Record::Settled(_));
            records.push(record);
            if is_asked {
                return records.len();
            }
        }
        if records.len() >= BATCH || begun.elapsed() >= SPAN || queue.is_closed() {
            return records.len();
        }
        sleep(STEP).await;
    }
}

/// Records, each with its like.
struct Sorted {
    happened: Happened,
    stored: Vec<oneshot::Sender<()>>,
    settled: Vec<oneshot::Sender<()>>,
}

fn sort(records: impl Iterator<Item = Record>) -> Sorted {
    let mut sorted = Sorted {
        happened: Happened::default(),
        stored: Vec::new(),
        settled: Vec::new(),
    };
    for record in records {
        match record {
            Record::InUse(content) => {
                sorted.happened.in_use.insert(content);
            }
            Record::Launch(launch) => sorted.happened.launches.push(*launch),
            Record::Call(call) => sorted.happened.calls.push(*call),
            Record::Stored(done) => sorted.stored.push(done),
            Record::Settled(done) => sorted.settled.push(done),
        }
    }
    sorted
}

/// Stores what happened in the tables, trying again while the database is away. What they refuse is packed: so it is
/// tried again, and kept.
async fn store_now(store: &Store, happened: &Happened, waiting: &Waiting) {
    let mut pause = Pause::default();
    loop {
        match store.store_happened(happened).await {
            Ok(()) => return,
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(%error, "launch records wait for the database");
            }
            // Another instance took an id at the same moment, or a session was removed; it is gone now.
            Err(StoreError::Duplicate(_) | StoreError::Partner(_)) => {}
            Err(error) => {
                tracing::warn!(%error, "launch records were refused, and are kept to be filed later");
                return pack(store, happened, waiting).await;
            }
        }
        pause.wait().await;
    }
}

/// Stores what happened packed, trying again while the database is away.
async fn pack(store: &Store, happened: &Happened, waiting: &Waiting) {
    let mut pause = Pause::default();
    loop {
        match store.pack(happened).await {
            Ok((id, launches)) => return waiting.add(id, launches),
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(%error, "launch records wait for the database");
            }
            Err(StoreError::Duplicate(_)) => {}
            Err(error) => {
                let lost = happened.len();
                tracing::error!(%error, lost, "launch records are lost: they could not be stored");
                return;
            }
        }
        pause.wait().await;
    }
}

/// Between two tries: 200 milliseconds, then twice as long each time, two seconds at most.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(200))
    }
}

impl Pause {
    async fn wait(&mut self) {
        sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(2));
    }
}
