//! What the writer and the filer know of each other: which batches wait, and whether much comes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The batches of this instance that are not filed yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Each by its id, with the number of its launches.
    batches: Mutex<BTreeMap<i64, i64>>,
    much_comes: AtomicBool,
    is_rush: AtomicBool,
    packed: Notify,
}

impl Waiting {
    /// Batches were packed.
    pub(super) fn add(&self, packed: &[(i64, i64)]) {
        self.batches().extend(packed.iter().copied());
        self.packed.notify_one();
    }

    /// A batch is filed, or cannot be.
    pub(super) fn remove(&self, id: i64) {
        self.batches().remove(&id);
    }

    /// The newest batch.
    pub(super) fn newest(&self) -> Option<i64> {
        self.batches().last_key_value().map(|(id, _)| *id)
    }

    /// Of the batches up to an id these are the oldest that are there still: those before the last of them are all.
    pub(super) fn retain(&self, until: i64, left: &[i64]) {
        let until = left.last().map_or(until, |last| *last);
        self.batches()
            .retain(|id, _| *id > until || left.contains(id));
    }

    /// How many launches wait.
    pub(super) fn launches(&self) -> i64 {
        self.batches().values().sum()
    }

    /// Ends when a batch was packed since it was waited for last.
    pub(super) async fn packed(&self) {
        self.packed.notified().await;
    }

    /// So much that it is packed.
    pub(super) fn much_comes(&self) -> bool {
        self.much_comes.load(Ordering::Relaxed)
    }

    pub(super) fn set_much_comes(&self, much: bool) {
        self.much_comes.store(much, Ordering::Relaxed);
    }

    /// So much that learners want the processors for themselves.
    pub(super) fn is_rush(&self) -> bool {
        self.is_rush.load(Ordering::Relaxed)
    }

    pub(super) fn set_rush(&self, rush: bool) {
        self.is_rush.store(rush, Ordering::Relaxed);
    }

    fn batches(&self) -> MutexGuard<'_, BTreeMap<i64, i64>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
