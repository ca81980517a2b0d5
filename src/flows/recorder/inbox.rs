//! Where records wait for the writer. Whoever answers a launch packs its record here, into the memory of many: to hand
//! it over as it is, with a dozen texts that another thread frees, costs more than all that the writer does with it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::domain::content::ContentKey;
use crate::domain::launch_record::CallRecord;
use crate::store::Happened;

/// So many are stored in one transaction at most: what one batch holds. While it is filed, other writers of an
/// embedded database wait.
const BATCH: usize = 1_000;
/// So many records wait at most, those included that the writer is at. They are stored as fast as they come; this is
/// room for a database that is away for a moment.
pub(super) const ROOM: usize = 100_000;

/// So many batches are taken at once. More than one is there where much came while the database was busy: a batch for
/// each of its turns would be too little then.
const TAKEN: usize = 16;

/// The memory of so many batches is kept for the next ones.
const SPARE: usize = 2;

/// Batches, the oldest first; records go into the last.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    held: Mutex<Held>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Held {
    batches: VecDeque<Batch>,
    /// How many records are in them and in the writer's hands.
    records: usize,
    /// How many ever came, also those for which there was no room.
    ever: u64,
    /// What was stored, emptied: its memory is that of batches to come.
    spare: Vec<Happened>,
}

/// What happened, and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) happened: Happened,
    /// Until it is stored, in whatever form.
    pub(super) stored: Vec<oneshot::Sender<()>>,
    /// Until it is in the tables.
    pub(super) settled: Vec<oneshot::Sender<()>>,
}

impl Batch {
    /// Whether somebody waits for it.
    fn is_asked_for(&self) -> bool {
        !self.stored.is_empty() || !self.settled.is_empty()
    }

    fn is_full(&self) -> bool {
        self.happened.len() >= BATCH
    }
}

impl Inbox {
    /// A launch, packed; `false` where there is no more room.
    pub(super) fn launch(&self, packed: &[u8]) -> bool {
        self.record(|happened| happened.launches.push_packed(packed))
    }

    /// A call; `false` where there is no more room.
    pub(super) fn call(&self, call: CallRecord) -> bool {
        self.record(|happened| happened.calls.push(call))
    }

    /// Content of which a session was opened; `false` where there is no more room.
    pub(super) fn in_use(&self, content: ContentKey) -> bool {
        self.record(|happened| {
            happened.in_use.insert(content);
        })
    }

    fn record(&self, put: impl FnOnce(&mut Happened)) -> bool {
        let mut held = self.held();
        held.ever += 1;
        if held.records >= ROOM {
            return false;
        }
        let batch = held.open(Batch::is_full);
        let before = batch.happened.len();
        put(&mut batch.happened);
        held.records += held.last_len() - before;
        drop(held);
        self.tell(before == 0);
        true
    }

    /// Somebody waits until what is here is stored, or in the tables.
    pub(super) fn ask(&self, ask: impl FnOnce(&mut Batch)) {
        ask(self.held().open(|_| false));
        self.tell(true);
    }

    fn tell(&self, is_news: bool) {
        if is_news {
            self.came.notify_one();
        }
    }

    /// Waits until something is here.
    pub(super) async fn came(&self) {
        while self.held().batches.is_empty() {
            self.came.notified().await;
        }
    }

    /// Whether there is a full batch, or one that somebody waits for.
    pub(super) fn is_due(&self) -> bool {
        let held = self.held();
        let first = held.batches.front();
        first.is_some_and(|batch| batch.is_full() || batch.is_asked_for())
    }

    /// The oldest batches, for the writer; their records count as waiting until they are [`Inbox::done`].
    pub(super) fn take(&self) -> Vec<Batch> {
        let mut held = self.held();
        let many = held.batches.len().min(TAKEN);
        held.batches.drain(..many).collect()
    }

    /// What was taken is stored, or lost.
    pub(super) fn done(&self, happened: Vec<Happened>) {
        let records: usize = happened.iter().map(Happened::len).sum();
        let emptied = happened.into_iter().map(Happened::emptied);
        let mut held = self.held();
        held.records -= records;
        let room = SPARE - held.spare.len();
        held.spare.extend(emptied.take(room));
    }

    /// How many records ever came.
    pub(super) fn ever(&self) -> u64 {
        self.held().ever
    }

    /// How many records wait.
    pub(super) fn waiting(&self) -> usize {
        self.held().records
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// The last batch, or a new one where there is none or that one is closed.
    fn open(&mut self, is_closed: impl FnOnce(&Batch) -> bool) -> &mut Batch {
        if self.batches.back().is_none_or(is_closed) {
            let happened = self.spare.pop().unwrap_or_default();
            self.batches.push_back(Batch {
                happened,
                ..Batch::default()
            });
        }
        self.batches.back_mut().expect("one was just added")
    }

    fn last_len(&self) -> usize {
        self.batches.back().map_or(0, |last| last.happened.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LaunchRecords;
    use crate::store::tests::launches::launch;

    #[test]
    fn batches_are_taken_in_their_order_and_all_that_came_is_counted() {
        let inbox = Inbox::default();
        let packed = LaunchRecords::packed(&launch(1)).unwrap();
        let put = |many: usize| (0..many).filter(|_| inbox.launch(&packed)).count();
        assert_eq!(put(BATCH - 1), BATCH - 1);
        assert!(!inbox.is_due());
        assert_eq!(put(BATCH * TAKEN + 1), BATCH * TAKEN + 1);
        assert!(inbox.is_due());
        let sizes = || -> Vec<usize> {
            inbox
                .take()
                .iter()
                .map(|batch| batch.happened.len())
                .collect()
        };
        assert_eq!(sizes(), [BATCH; TAKEN]);
        assert_eq!(sizes(), [BATCH]);
        // What the writer is at takes room until it is stored; what there is no room for is counted, too.
        let room = ROOM - BATCH * (TAKEN + 1);
        assert_eq!(put(ROOM), room);
        assert_eq!(inbox.waiting(), ROOM);
        assert_eq!(inbox.ever(), (BATCH * (TAKEN + 1) + ROOM) as u64);
        let stored = (0..BATCH).map(|_| launch(1)).collect();
        inbox.done(vec![Happened {
            launches: stored,
            ..Happened::default()
        }]);
        assert_eq!(put(BATCH + 1), BATCH);
    }

    #[test]
    fn a_batch_that_somebody_waits_for_is_due() {
        let inbox = Inbox::default();
        inbox.in_use(crate::store::tests::content_key(7));
        assert!(!inbox.is_due());
        let (done, _wait) = oneshot::channel();
        inbox.ask(|batch| batch.stored.push(done));
        assert!(inbox.is_due());
        let taken = inbox.take();
        assert_eq!(
            (taken.len(), taken[0].happened.len(), taken[0].stored.len()),
            (1, 1, 1)
        );
        assert!(!inbox.is_due());
    }
}
