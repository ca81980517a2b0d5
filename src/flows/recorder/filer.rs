//! Sorts packed batches into the tables that are searched, the oldest first: not while learners want the
//! processor for themselves, at once when somebody waits to read, and also those of instances that are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::waiting::Waiting;
use crate::store::{Store, StoreError, first_id_of, place_after_all};

/// What lasts longer than this is no rush: then it files beside it.
const LONGEST_RUSH: Duration = Duration::from_secs(600);
/// While it rests it looks so often whether it still is a rush.
const GLANCE: Duration = Duration::from_millis(200);
/// How often it looks for batches of other instances.
const LOOK: Duration = Duration::from_secs(5);
/// Where the newest batch is as old as this, whoever packed it has time for it, or is gone.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(10);
/// The same after the database was away.
const AWAY: Duration = Duration::from_secs(1);
/// So long it waits for a batch that another instance is at.
const SHORT: Duration = Duration::from_millis(20);

/// Somebody waits until all batches up to an id are in the tables.
struct Reader {
    until: i64,
    done: oneshot::Sender<()>,
}

impl Reader {
    fn new(done: oneshot::Sender<()>) -> Self {
        Self {
            until: place_after_all(),
            done,
        }
    }
}

/// What it knows.
struct Filer<'a> {
    store: &'a Store,
    waiting: &'a Waiting,
    readers: Vec<Reader>,
    /// Since when it has seen a rush, with something left to file.
    rush_began: Option<Instant>,
    /// Batches that could not be filed. Another version may.
    left_out: BTreeSet<i64>,
}

/// Files batches, for as long as the writer passes readers on.
pub(super) async fn file(
    store: &Store,
    mut asked: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    waiting: &Waiting,
) {
    let mut filer = Filer {
        store,
        waiting,
        readers: Vec::new(),
        rush_began: None,
        left_out: BTreeSet::new(),
    };
    let mut look = LOOK;
    loop {
        tokio::select! {
            reader = asked.recv() => match reader {
                Some(done) => filer.readers.push(Reader::new(done)),
                None => return,
            },
            () = waiting.packed() => {}
            () = sleep(look) => {}
        }
        look = LOOK;
        if let Err(error) = filer.work(&mut asked).await {
            tracing::debug!(%error, "batches of launch records wait for the database");
            // Who waits for them would not see them.
            filer.readers.clear();
            look = AWAY;
        }
    }
}

impl Filer<'_> {
    /// Files what there is.
    async fn work(
        &mut self,
        asked: &mut mpsc::UnboundedReceiver<oneshot::Sender<()>>,
    ) -> Result<(), StoreError> {
        self.rush_began = None;
        loop {
            self.rest(asked).await;
            while let Ok(done) = asked.try_recv() {
                self.readers.push(Reader::new(done));
            }
            self.readers.retain(|reader| !reader.done.is_closed());
            let asked_for = self.readers.iter().map(|reader| reader.until).max();
            // Mostly nothing is left, and readers wait for no more than this question.
            if let Some(until) = asked_for
                && !self.is_left(until).await?
            {
                continue;
            }
            let until = match asked_for.or(self.waiting.newest()) {
                Some(until) => until,
                None => match self.left_behind().await? {
                    Some(until) => until,
                    None => return Ok(()),
                },
            };
            let Some(filed) = self.store.file_batch(until, &self.left_out).await? else {
                if self.is_left(until).await? {
                    // Another instance is at it.
                    sleep(SHORT).await;
                }
                continue;
            };
            self.waiting.remove(filed.id);
            if let Err(error) = filed.outcome {
                let (batch, launches) = (filed.id, filed.launches);
                tracing::error!(%error, batch, launches, "a batch of launch records cannot be filed, and is kept");
                self.left_out.insert(filed.id);
            }
        }
    }

    /// Rests while it is a rush and nobody waits. The little that it could file meanwhile would be paid for by
    /// learners: the indexes of a thousand launches are as much to write as a hundred thousand of them packed.
    async fn rest(&mut self, asked: &mut mpsc::UnboundedReceiver<oneshot::Sender<()>>) {
        while self.waiting.is_rush() && asked.is_empty() {
            let rush = self.rush_began.get_or_insert_with(Instant::now).elapsed();
            if !self.readers.is_empty() || rush >= LONGEST_RUSH {
                return;
            }
            match timeout(GLANCE, asked.recv()).await {
                Ok(Some(done)) => self.readers.push(Reader::new(done)),
                Ok(None) => return,
                Err(_) => {}
            }
        }
        self.rush_began = None;
    }

    /// Whether a batch up to an id is still to be filed. Readers are told of those that are.
    async fn is_left(&mut self, until: i64) -> Result<bool, StoreError> {
        let mut left = self.store.batches_left(until).await?;
        self.waiting.retain(until, &left);
        left.retain(|id| !self.left_out.contains(id));
        let oldest = left.first().copied().unwrap_or(i64::MAX);
        let mine = |reader: &mut Reader| reader.until <= until && reader.until < oldest;
        for reader in self.readers.extract_if(.., mine) {
            let _ = reader.done.send(());
        }
        Ok(!left.is_empty())
    }

    /// The newest batch, where nobody is about to file it.
    async fn left_behind(&self) -> Result<Option<i64>, StoreError> {
        let left_alone = first_id_of(Utc::now() - LEFT_ALONE);
        let newest = self.store.newest_batch().await?;
        Ok(newest.filter(|id| *id < left_alone && !self.left_out.contains(id)))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::store::tests::{Database, Kind};

    #[actix_web::test]
    async fn in_a_rush_it_rests_before_it_files_but_for_who_waits() {
        let database = Database::new(Kind::Sqlite).await;
        let waiting = Waiting::default();
        let mut filer = Filer {
            store: &database.store,
            waiting: &waiting,
            readers: Vec::new(),
            rush_began: None,
            left_out: BTreeSet::new(),
        };
        let (readers, mut asked) = mpsc::unbounded_channel();
        waiting.set_rush(true);
        assert!(filer.work(&mut asked).now_or_never().is_none());
        assert!(filer.rush_began.is_some(), "it rests first");
        let (done, _wait) = oneshot::channel();
        readers.send(done).unwrap();
        assert!(filer.rest(&mut asked).now_or_never().is_some());
    }
}
