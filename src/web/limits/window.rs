//! So many of something a minute, for each of many. A minute begins with the first; what was counted is forgotten with
//! it.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

const MINUTE: Duration = Duration::from_secs(60);
/// So many are remembered at most, those that come most.
const REMEMBERED: u64 = 100_000;

/// Counts by key.
pub(super) struct Window<K> {
    /// Since when, and how many.
    counted: Cache<K, Arc<(Instant, AtomicU32)>>,
    most: u32,
}

impl<K: Hash + Eq + Send + Sync + 'static> Window<K> {
    /// So many a minute; 0: any number.
    pub(super) fn of(most: u32) -> Self {
        let counted = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(MINUTE)
            .build();
        Self { counted, most }
    }

    /// Counts one more; seconds to wait where there were too many.
    pub(super) fn count(&self, key: K) -> Result<(), u64> {
        if self.most == 0 {
            return Ok(());
        }
        let begin = || Arc::new((Instant::now(), AtomicU32::new(0)));
        let entry = self.counted.get_with(key, begin);
        let (since, count) = entry.as_ref();
        if count.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(());
        }
        Err(MINUTE.saturating_sub(since.elapsed()).as_secs() + 1)
    }
}
