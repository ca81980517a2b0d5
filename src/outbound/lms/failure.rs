//! Why an LMS did not do what was asked: by a fixed word, whether it is worth another try, and in the LMS's own
//! words.

use std::time::Duration;

use crate::domain::id::ServerId;
use crate::domain::lms::Lms;
use crate::outbound::Failure;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum LmsCode {
            $($(#[$doc])* $name,)+
        }

        impl LmsCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// For programs; stable.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

codes! {
    /// No connection came about, or it broke.
    Unreachable = "lms-unreachable";
    /// No answer came in time.
    Late = "lms-late";
    /// It failed so often that it is not called for a while, or is busy with other calls.
    Down = "lms-down";
    /// It said that it is broken.
    Failed = "lms-failed";
    /// It was asked too often.
    Throttled = "lms-throttled";
    /// It does not take the key, token or client.
    Credentials = "lms-credentials";
    /// The key, token or client may not do this.
    Forbidden = "lms-forbidden";
    /// What was asked for is not there, or not to be seen.
    NotFound = "lms-not-found";
    /// It does not understand what was asked.
    BadRequest = "lms-bad-request";
    /// It has no such course.
    CourseNotFound = "lms-course-not-found";
    /// It has nobody of that login.
    UserNotFound = "lms-user-not-found";
    /// An account could not be made.
    Account = "lms-account";
    /// It will not enroll, or end an enrollment.
    Refused = "lms-refused";
    /// It has no grades of this person in this course.
    NoGrades = "lms-no-grades";
    /// Its answer is not of the form that it must have.
    Protocol = "lms-protocol";
    /// It sends the call elsewhere.
    Redirected = "lms-redirected";
    /// The connection is configured in a way that cannot be called.
    NotCallable = "lms-not-callable";
}

impl LmsCode {
    fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Unreachable | Self::Late | Self::Down | Self::Failed | Self::Throttled
        )
    }
}

/// A failed call, and the LMS that it was for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the LMS of {server}: {failure}")]
pub struct LmsError {
    /// The server of the connection.
    pub server: ServerId,
    /// What happened.
    pub failure: LmsFailure,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}{}", .said.as_ref().map_or(String::new(), |said| format!("; it says: {said}")))]
pub struct LmsFailure {
    /// By a fixed word.
    pub code: LmsCode,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// What happened, in words.
    pub detail: String,
    /// The LMS's own words, cut and without secrets.
    pub said: Option<String>,
    /// The LMS's own code.
    pub lms_code: Option<String>,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl LmsFailure {
    /// A failure of a kind.
    pub(super) fn new(code: LmsCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            retryable: code.may_pass(),
            detail: detail.into(),
            said: None,
            lms_code: None,
            retry_after: None,
        }
    }

    /// One of a kind, as the API's document shows it.
    pub fn example(code: LmsCode) -> Self {
        let words = match code {
            LmsCode::Unreachable => "the connection broke: connection reset by peer",
            LmsCode::Late => "it did not answer within 10 s",
            LmsCode::Down => {
                "it has failed several times just now, and is not called again for 27 s"
            }
            _ => "it answered with status 400",
        };
        Self {
            retry_after: (code == LmsCode::Down).then_some(Duration::from_secs(27)),
            ..Self::new(code, words)
        }
    }

    pub(super) fn saying(self, said: Option<String>) -> Self {
        Self { said, ..self }
    }

    pub(super) fn of(self, lms: &Lms) -> LmsError {
        LmsError {
            server: lms.server.clone(),
            failure: self,
        }
    }

    /// What the backend `failing` does.
    pub(super) fn always() -> Self {
        let words = "this connection's backend is one that always fails";
        Self::new(LmsCode::Refused, words)
    }

    /// What the backend `base` does.
    pub(super) fn not_offered(method: &str) -> Self {
        let words = format!("subclasses of BaseLMSBackend must provide a {method}() method");
        Self::new(LmsCode::NotCallable, words)
    }
}

impl From<Failure> for LmsFailure {
    fn from(failure: Failure) -> Self {
        let code = match &failure {
            Failure::NotCallable(_) => LmsCode::NotCallable,
            Failure::Open(_) | Failure::Busy => LmsCode::Down,
            Failure::NotSent(_) | Failure::Broken(_) => LmsCode::Unreachable,
            Failure::NoConnectionInTime | Failure::TimedOut(_) => LmsCode::Late,
            Failure::Elsewhere { .. } => LmsCode::Redirected,
            Failure::Later { status: 429, .. } => LmsCode::Throttled,
            Failure::Later { .. } | Failure::Status { status: 500.., .. } => LmsCode::Failed,
            Failure::NotKept(_) => LmsCode::Failed,
            _ => LmsCode::Protocol,
        };
        let retry_after = match &failure {
            Failure::Open(wait) => Some(*wait),
            Failure::Later { after, .. } => *after,
            _ => None,
        };
        let (detail, said) = match failure {
            Failure::Later { status, said, .. } => {
                (format!("it answered with status {status}"), said)
            }
            other => (other.to_string(), None),
        };
        Self {
            retry_after,
            ..Self::new(code, detail).saying(said)
        }
    }
}
