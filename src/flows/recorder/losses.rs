//! Records for which there was no room: counted, and told to the log once a second at most.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the log is told.
const EVERY: Duration = Duration::from_secs(1);

/// What was lost.
#[derive(Debug, Default)]
pub(super) struct Losses(Mutex<Lost>);

#[derive(Debug, Default)]
struct Lost {
    /// Since the start.
    all: usize,
    /// What the log was told of these, and when.
    told: usize,
    told_at: Option<Instant>,
}

impl Losses {
    /// One more.
    pub(super) fn add(&self) {
        self.tell(1);
    }

    /// Tells what is not told yet, if it is time.
    pub(super) fn tell_rest(&self) {
        self.tell(0);
    }

    fn tell(&self, more: usize) {
        let mut lost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lost.all += more;
        let untold = lost.all - lost.told;
        if untold > 0 && lost.told_at.is_none_or(|at| at.elapsed() >= EVERY) {
            tracing::error!(
                lost = untold,
                "launch records are lost: there is no more room"
            );
            (lost.told, lost.told_at) = (lost.all, Some(Instant::now()));
        }
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}
