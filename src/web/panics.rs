//! What becomes of a panic. It is a defect of the gateway, never a way to stop it: whoever asked gets the page of
//! any other defect, and the log the place in the source. Not the panic's message: it may quote what was being
//! read.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on the log says where something panicked, in place of what the standard library prints.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let place = place.unwrap_or_else(|| "a place that is not known".to_owned());
        tracing::error!(place, "panicked");
        PLACE.set(Some(place));
    }));
}

/// What `work` comes to; where it panicked, as an error.
pub(super) async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| {
        let place = PLACE.take().unwrap_or_default();
        format!("a defect: it panicked at {place}")
    })
}
