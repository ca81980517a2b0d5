//! Launches in words.

use crate::domain::launch_record::{LaunchKind, LaunchOutcome};

/// What a request was, as a sentence without its end; the word itself where it is not known.
pub(super) fn kind(stored: &str) -> &str {
    match LaunchKind::stored(stored) {
        Some(LaunchKind::Author) => "An author opens it",
        Some(LaunchKind::Callback) => "An author comes back",
        Some(LaunchKind::Learner) => "A learner opens it",
        Some(LaunchKind::Preview) => "An author previews it",
        Some(LaunchKind::Teacher) => "A teacher looks at it",
        Some(LaunchKind::Return) => "Somebody comes back from it",
        Some(LaunchKind::Monitor) => "A monitor opens it",
        Some(LaunchKind::Login) => "Somebody comes into LAMS",
        None => stored,
    }
}

/// What a request came to.
pub(super) fn outcome(stored: &str) -> &str {
    match LaunchOutcome::stored(stored) {
        Some(LaunchOutcome::Redirected) => "sent on",
        Some(LaunchOutcome::Page) => "got a page",
        Some(LaunchOutcome::Refused) => "refused",
        Some(LaunchOutcome::Failed) => "failed",
        None => stored,
    }
}

/// How it looks.
pub(super) fn verdict(stored: &str) -> &'static str {
    match LaunchOutcome::stored(stored) {
        Some(LaunchOutcome::Redirected) => "ok",
        Some(LaunchOutcome::Refused) => "warning",
        Some(LaunchOutcome::Failed) => "failed",
        _ => "skipped",
    }
}

/// A time that something took.
pub(super) fn took(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1000.0),
    }
}
