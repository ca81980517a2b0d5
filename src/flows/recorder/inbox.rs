//! Where records wait for the writer. Whoever answers a launch packs its record here, into the memory of many: to hand
//! it over as it is, with a dozen texts that another thread frees, costs more than all that the writer does with it.
//! Threads that answer have lanes of their own, so that none waits for another, and what is packed in one piece after
//! a thousand launches would keep a browser waiting for milliseconds: it is packed by the piece, in microseconds.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::domain::content::ContentKey;
use crate::domain::launch_record::{CallRecord, LaunchRecord};
use crate::store::{Happened, StoreError};

/// So many are stored in one transaction at most: what one batch holds. While it is filed, other writers of an
/// embedded database wait.
const BATCH: usize = 1_000;
/// Where so many records wait, those included that the writer is at, no new batch is begun: each lane may still fill
/// its own. They are stored as fast as they come; this is room for a database that is away for a moment.
pub(super) const ROOM: usize = 100_000;

/// So many batches are taken at once. More than one is there where much came while the database was busy: a batch for
/// each of its turns would be too little then.
const TAKEN: usize = 16;

/// Lanes, and the batches that are closed. Whoever holds a lane may lock the batches, not the other way round.
#[derive(Debug)]
pub(super) struct Inbox {
    lanes: Box<[Mutex<Lane>]>,
    closed: Mutex<Closed>,
    /// How many records are in closed batches and in the writer's hands.
    records: AtomicUsize,
    came: Notify,
}

/// What one thread, or a few, recorded since the last batch of theirs was closed. Apart from the next one, so that no
/// processor waits for what another writes beside its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane {
    open: Happened,
    /// How many ever came, also those for which there was no room.
    ever: u64,
}

#[derive(Debug, Default)]
struct Closed {
    /// The oldest first.
    batches: VecDeque<Batch>,
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

impl Default for Inbox {
    /// With a lane for each processor.
    fn default() -> Self {
        Self::with_lanes(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl Inbox {
    fn with_lanes(lanes: usize) -> Self {
        Self {
            lanes: (0..lanes).map(|_| Mutex::default()).collect(),
            closed: Mutex::default(),
            records: AtomicUsize::new(0),
            came: Notify::new(),
        }
    }

    /// A launch; `false` where there is no more room. Refused as [`LaunchRecords::push`] refuses it.
    ///
    /// [`LaunchRecords::push`]: crate::store::LaunchRecords::push
    pub(super) fn launch(&self, launch: &LaunchRecord) -> Result<bool, StoreError> {
        self.record(|happened| happened.launches.push(launch))
    }

    /// A call; `false` where there is no more room.
    pub(super) fn call(&self, call: CallRecord) -> Result<bool, StoreError> {
        self.record(|happened| {
            happened.calls.push(call);
            Ok(())
        })
    }

    /// Content of which a session was opened; `false` where there is no more room.
    pub(super) fn in_use(&self, content: ContentKey) -> Result<bool, StoreError> {
        self.record(|happened| {
            happened.in_use.insert(content);
            Ok(())
        })
    }

    fn record(
        &self,
        put: impl FnOnce(&mut Happened) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let mut lane = held(self.lane());
        lane.ever += 1;
        let is_first = lane.open.is_empty();
        if is_first && self.records.load(Ordering::Relaxed) >= ROOM {
            return Ok(false);
        }
        put(&mut lane.open)?;
        if lane.open.len() >= BATCH {
            self.close(&mut lane);
        }
        drop(lane);
        if is_first {
            self.came.notify_one();
        }
        Ok(true)
    }

    /// The lane of this thread.
    fn lane(&self) -> &Mutex<Lane> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        &self.lanes[MINE.with(|mine| *mine) % self.lanes.len()]
    }

    /// What is in a lane becomes a batch.
    fn close(&self, lane: &mut Lane) {
        let mut closed = held(&self.closed);
        let next = closed.spare.pop().unwrap_or_default();
        let happened = std::mem::replace(&mut lane.open, next);
        self.records.fetch_add(happened.len(), Ordering::Relaxed);
        closed.batches.push_back(Batch {
            happened,
            ..Batch::default()
        });
    }

    /// What is in the lanes becomes batches, however little it is.
    pub(super) fn close_all(&self) {
        for lane in &self.lanes {
            let mut lane = held(lane);
            if !lane.open.is_empty() {
                self.close(&mut lane);
            }
        }
    }

    /// Somebody waits until what is here is stored, or in the tables.
    pub(super) fn ask(&self, ask: impl FnOnce(&mut Batch)) {
        self.close_all();
        let mut closed = held(&self.closed);
        if closed.batches.is_empty() {
            closed.batches.push_back(Batch::default());
        }
        // Behind all that came before.
        closed.batches.back_mut().map(ask);
        drop(closed);
        self.came.notify_one();
    }

    /// Waits until something is here.
    pub(super) async fn came(&self) {
        let is_empty = |lane: &Mutex<Lane>| held(lane).open.is_empty();
        while !self.is_due() && self.lanes.iter().all(is_empty) {
            self.came.notified().await;
        }
    }

    /// Whether a batch is closed: it is full, or somebody waits for it.
    pub(super) fn is_due(&self) -> bool {
        !held(&self.closed).batches.is_empty()
    }

    /// The oldest batches, for the writer; their records count as waiting until they are [`Inbox::done`].
    pub(super) fn take(&self) -> Vec<Batch> {
        let mut closed = held(&self.closed);
        let many = closed.batches.len().min(TAKEN);
        closed.batches.drain(..many).collect()
    }

    /// What was taken is stored, or lost.
    pub(super) fn done(&self, happened: Vec<Happened>) {
        let records: usize = happened.iter().map(Happened::len).sum();
        self.records.fetch_sub(records, Ordering::Relaxed);
        let emptied = happened.into_iter().map(Happened::emptied);
        let mut closed = held(&self.closed);
        let room = self.lanes.len().saturating_sub(closed.spare.len());
        closed.spare.extend(emptied.take(room));
    }

    /// How many records ever came.
    pub(super) fn ever(&self) -> u64 {
        self.lanes.iter().map(|lane| held(lane).ever).sum()
    }

    /// How many records wait.
    pub(super) fn waiting(&self) -> usize {
        let open: usize = self.lanes.iter().map(|lane| held(lane).open.len()).sum();
        self.records.load(Ordering::Relaxed) + open
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::launches::launch;

    #[test]
    fn batches_are_taken_in_their_order_and_all_that_came_is_counted() {
        let inbox = Inbox::default();
        let one = launch(1);
        let put = |many: usize| (0..many).filter(|_| inbox.launch(&one).unwrap()).count();
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
    fn who_asks_waits_for_all_lanes() {
        let inbox = Inbox::with_lanes(3);
        std::thread::scope(|threads| {
            for _ in 0..9 {
                threads.spawn(|| inbox.launch(&launch(1)).unwrap());
            }
        });
        assert_eq!((inbox.ever(), inbox.waiting()), (9, 9));
        let (done, _wait) = oneshot::channel();
        inbox.ask(|batch| batch.stored.push(done));
        let taken = inbox.take();
        let many: usize = taken.iter().map(|batch| batch.happened.len()).sum();
        assert_eq!(many, 9);
        let (last, before) = taken.split_last().unwrap();
        assert_eq!(last.stored.len(), 1);
        assert!(before.iter().all(|batch| batch.stored.is_empty()));
        assert!(inbox.lanes.iter().all(|lane| held(lane).open.is_empty()));
    }

    #[test]
    fn a_batch_that_somebody_waits_for_is_due() {
        let inbox = Inbox::default();
        inbox.in_use(crate::store::tests::content_key(7)).unwrap();
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
