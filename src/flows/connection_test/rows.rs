//! What a test of a connection answers: rows, each known by a code.

use std::time::{Duration, Instant};

/// How a step came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Ok,
    /// It holds, or browsers alone need it, but it is worth a look.
    Warning,
    /// It does not hold: launches or copies fail.
    Failed,
    /// It was not tried.
    Skipped,
}

impl Verdict {
    /// Its word, on pages and in their attributes.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
            Verdict::Skipped => "skipped",
        }
    }
}

/// One step of the test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What was tried: `address`, `name`, `tcp`, `tls`, `server-page`, `adapter-page`, `hash`, `wrong-hash` (of a
    /// server with signature 2 `signature`, `wrong-signature`, `legacy-hash`, `replay`), `clock` or
    /// `enrollment`. Stable.
    pub code: &'static str,
    /// Of what, where there may be several: an origin, or the tools of an adapter page.
    pub subject: String,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found and, where it does not hold, what to do.
    pub words: String,
    /// How long it took, where that was measured.
    pub elapsed: Option<Duration>,
}

impl Row {
    pub(super) fn new(
        code: &'static str,
        subject: &str,
        verdict: Verdict,
        words: impl Into<String>,
    ) -> Self {
        Self {
            code,
            subject: subject.to_owned(),
            verdict,
            words: words.into(),
            elapsed: None,
        }
    }

    pub(super) fn skipped(code: &'static str, subject: &str, words: &str) -> Self {
        Self::new(code, subject, Verdict::Skipped, words)
    }

    pub(super) fn took(self, begun: Instant) -> Self {
        Self {
            elapsed: Some(begun.elapsed()),
            ..self
        }
    }

    /// The code's name for people.
    pub fn title(&self) -> &'static str {
        match self.code {
            "address" => "Address",
            "name" => "Name",
            "tcp" => "Connection",
            "tls" => "TLS",
            "server-page" => "Server's page",
            "adapter-page" => "Adapter page",
            "hash" => "Hash",
            "wrong-hash" => "A wrong hash",
            "enrollment" => "Enrollment",
            "signature" => "Signature 2",
            "wrong-signature" => "A wrong signature",
            "legacy-hash" => "The legacy hash",
            "replay" => "The same call again",
            _ => "Clock",
        }
    }
}
