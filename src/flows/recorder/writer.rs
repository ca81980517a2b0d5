//! Takes records out of memory and stores them: in the tables while little comes, packed when much does.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::inbox::Inbox;
use super::losses::Losses;
use super::waiting::Waiting;
use crate::store::{Happened, Store, StoreError};

/// So many at once, or within [`SPAN`], are much: a thousand a second.
const MUCH: u64 = 200;
/// How long records are counted to know whether much comes, and how long it is waited for a full batch then.
const SPAN: Duration = Duration::from_millis(200);
/// So many within [`SPAN`], for each core, are a rush, 1,500 a second: to file them would take a quarter of each.
const RUSH: u64 = 300;
/// Records are looked for so often then. To be woken for each would cost more than to store it.
const STEP: Duration = Duration::from_millis(20);

/// Stores records, for ever. Who waits for the tables is passed on to the filer.
pub(super) async fn write(
    store: &Store,
    inbox: &Inbox,
    readers: mpsc::UnboundedSender<oneshot::Sender<()>>,
    losses: &Losses,
    waiting: &Waiting,
) {
    let mut pace = Pace::new(Instant::now());
    let mut closed = Instant::now();
    loop {
        if waiting.much_comes() {
            gather(inbox).await;
        } else {
            inbox.came().await;
        }
        // While much comes batches are closed where they are full; what waits in other lanes has its turn, too.
        if !waiting.much_comes() || closed.elapsed() >= SPAN {
            inbox.close_all();
            closed = Instant::now();
        }
        pace.look(Instant::now(), inbox.ever(), waiting);
        let mut batches = inbox.take();
        let happened = batches.iter_mut();
        let happened = happened.map(|batch| std::mem::take(&mut batch.happened));
        let happened: Vec<_> = happened.filter(|happened| !happened.is_empty()).collect();
        match happened.iter().map(Happened::len).sum::<usize>() as u64 {
            0 => {}
            1..MUCH => store_now(store, &happened, waiting).await,
            _ => pack(store, &happened, waiting).await,
        }
        inbox.done(happened);
        for batch in batches {
            for done in batch.stored {
                let _ = done.send(());
            }
            for done in batch.settled {
                let _ = readers.send(done);
            }
        }
        losses.tell_rest();
    }
}

/// How fast records come: by what came, not by what was stored, since how slow the database is must not hide how much
/// there is.
struct Pace {
    /// Since when it is counted, and how many had come by then.
    since: Instant,
    before: u64,
    /// So many within [`SPAN`] are a rush.
    rush: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            since: now,
            before: 0,
            rush: RUSH * cores as u64,
        }
    }

    /// Whether much comes, and whether it is a rush: known at the end of a span, or before it ends where it is sure
    /// already. What is filed in the first moments of a rush is in the way of all that come with it.
    fn look(&mut self, now: Instant, ever: u64, waiting: &Waiting) {
        let (elapsed, came) = (now - self.since, ever - self.before);
        let spans = elapsed.as_secs_f64() / SPAN.as_secs_f64();
        let is_over = spans >= 1.0;
        if is_over || came >= MUCH {
            waiting.set_much_comes(came >= MUCH);
        }
        if is_over || came >= self.rush {
            waiting.set_rush(came as f64 >= self.rush as f64 * spans.max(1.0));
        }
        if is_over {
            (self.since, self.before) = (now, ever);
        }
    }
}

/// While much comes: waits for a full batch, a little at a time, but not where somebody waits for it, and not for
/// ever.
async fn gather(inbox: &Inbox) {
    let begun = Instant::now();
    while !inbox.is_due() && begun.elapsed() < SPAN {
        sleep(STEP).await;
    }
}

/// Stores what happened in the tables, trying again while the database is away. What they refuse is packed: so it is
/// tried again, and kept.
async fn store_now(store: &Store, happened: &[Happened], waiting: &Waiting) {
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
async fn pack(store: &Store, happened: &[Happened], waiting: &Waiting) {
    let mut pause = Pause::default();
    loop {
        match store.pack(happened).await {
            Ok(packed) => return waiting.add(&packed),
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(%error, "launch records wait for the database");
            }
            Err(StoreError::Duplicate(_)) => {}
            Err(error) => {
                let lost: usize = happened.iter().map(Happened::len).sum();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_is_known_when_it_begins_and_when_it_is_over() {
        let (begun, waiting) = (Instant::now(), Waiting::default());
        let mut pace = Pace::new(begun);
        let rush = pace.rush;
        let mut look = |milliseconds, ever| {
            pace.look(begun + Duration::from_millis(milliseconds), ever, &waiting);
            (waiting.much_comes(), waiting.is_rush())
        };
        // One after long, and many with it.
        assert_eq!(look(60_000, 1), (false, false));
        assert_eq!(look(60_001, MUCH), (false, false));
        assert_eq!(look(60_001, 1 + MUCH), (true, false));
        assert_eq!(look(60_010, rush), (true, false));
        assert_eq!(look(60_010, 1 + rush), (true, true));
        // It goes on, and is over.
        assert_eq!(look(60_400, 2 + 3 * rush), (true, true));
        assert_eq!(look(60_600, 1 + 4 * rush), (true, false));
        assert_eq!(look(60_800, 2 + 5 * rush), (true, true));
        assert_eq!(look(61_000, 2 + 5 * rush), (false, false));
    }
}
