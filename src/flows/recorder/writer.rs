//! Takes records out of memory and stores them: in the tables while little comes, packed when much does.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::inbox::Inbox;
use super::losses::Losses;
use super::waiting::Waiting;
use crate::store::{Happened, Packing, Store, StoreError};

/// So many at once, or within [`SPAN`], are much: a thousand a second.
const MUCH: u64 = 200;
/// How long records are counted to know whether much comes, and how long it is waited for a full batch then.
const SPAN: Duration = Duration::from_millis(200);
/// So many a second, for each core, are a rush: to file them would take a quarter of each.
const RUSH: f64 = 1_500.0;
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
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rush = RUSH * cores as f64;
    let (mut since, mut before) = (Instant::now(), 0);
    let mut packing = Packing::default();
    loop {
        if waiting.much_comes() {
            gather(inbox).await;
        } else {
            inbox.came().await;
        }
        // What came, not what was stored: how slow the database is must not hide how much there is.
        let (elapsed, came) = (since.elapsed(), inbox.ever() - before);
        if elapsed >= SPAN {
            waiting.set_much_comes(came >= MUCH);
            waiting.set_rush(came as f64 >= rush * elapsed.as_secs_f64());
            (since, before) = (Instant::now(), before + came);
        } else if came >= MUCH {
            waiting.set_much_comes(true);
        }
        let mut batches = inbox.take();
        let happened = batches.iter_mut();
        let happened = happened.map(|batch| std::mem::take(&mut batch.happened));
        let happened: Vec<_> = happened.filter(|happened| !happened.is_empty()).collect();
        match &happened[..] {
            [] => {}
            [few] if few.len() < MUCH as usize => {
                store_now(store, few, &mut packing, waiting).await;
            }
            much => pack(store, much, &mut packing, waiting).await,
        }
        if !waiting.much_comes() {
            // Its memory is that of a batch.
            packing = Packing::default();
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
async fn store_now(store: &Store, happened: &Happened, packing: &mut Packing, waiting: &Waiting) {
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
                return pack(store, std::slice::from_ref(happened), packing, waiting).await;
            }
        }
        pause.wait().await;
    }
}

/// Stores what happened packed, trying again while the database is away.
async fn pack(store: &Store, happened: &[Happened], packing: &mut Packing, waiting: &Waiting) {
    let mut pause = Pause::default();
    loop {
        match store.pack(happened, packing).await {
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
