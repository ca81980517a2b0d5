//! So many of something a minute, for each of many. A minute begins with the first; what was counted is forgotten with
//! it.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

const MINUTE: Duration = Duration::from_secs(60);
/// So many are remembered at most, those that come most.
const REMEMBERED: u64 = 100_000;
/// There is room for so many from the start.
const USUAL: usize = 100;

/// Counts by key.
pub(super) struct Window<K> {
    counted: Cache<K, Arc<Mutex<Counted>>>,
    most: u32,
}

struct Counted {
    since: Instant,
    many: u32,
}

impl<K: Hash + Eq + Clone> Window<K> {
    /// So many a minute; 0: any number.
    pub(super) fn of(most: u32) -> Self {
        let counted = Cache::with_weighter(USUAL, REMEMBERED, UnitWeighter);
        Self { counted, most }
    }

    /// Counts one more; seconds to wait where there were too many.
    pub(super) fn count(&self, key: K) -> Result<(), u64> {
        self.count_at(key, Instant::now())
    }

    fn count_at(&self, key: K, now: Instant) -> Result<(), u64> {
        if self.most == 0 {
            return Ok(());
        }
        let begin = || {
            Ok::<_, Infallible>(Arc::new(Mutex::new(Counted {
                since: now,
                many: 0,
            })))
        };
        let Ok(entry) = self.counted.get_or_insert_with(&key, begin);
        let mut counted = entry.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(counted.since) >= MINUTE {
            *counted = Counted {
                since: now,
                many: 0,
            };
        }
        if counted.many < self.most {
            counted.many += 1;
            return Ok(());
        }
        let gone = now.saturating_duration_since(counted.since);
        Err(MINUTE.saturating_sub(gone).as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_begins_with_the_first_and_ends_for_all() {
        let (window, begun) = (Window::of(2), Instant::now());
        let at = |seconds| window.count_at("one", begun + Duration::from_secs(seconds));
        assert_eq!(
            [at(0), at(20), at(30), at(59)],
            [Ok(()), Ok(()), Err(31), Err(2)]
        );
        assert_eq!(window.count_at("another", begun), Ok(()));
        assert_eq!([at(60), at(61), at(62)], [Ok(()), Ok(()), Err(59)]);
    }

    #[test]
    fn none_is_any_number() {
        let window = Window::of(0);
        assert!((0..100).all(|_| window.count("one").is_ok()));
    }
}
