//! LMS connections: how enrollments and grades of an external LMS are reached, which links belong to it,
//! and which course a link is of. The form is Joanie's `JOANIE_LMS_BACKENDS`: a backend, a base address, a
//! regular expression that selects links and one that finds the course in them.

mod address;
mod backend;
mod course;
mod joanie;
mod lint;
mod pattern;
mod sample;
mod select;

use std::time::Duration;

use secrecy::SecretString;

use super::id::ServerId;

pub use address::{LmsAddress, NotAnLmsAddress};
pub use backend::{Backend, GradesApi};
pub use course::{CourseKey, NoCourseId, NotACourseKey, course_id, whole_number};
pub use joanie::{JoanieEntry, JoanieError, read_joanie};
pub use lint::{look_alike, overlaps};
pub use pattern::{BadPattern, COURSE_GROUP, Match, Pattern};
pub use select::{Choice, Fate, choose, explain, not_a_link};

/// What a launch waits for an enrollment, where nothing else is set.
pub const LAUNCH_TIMEOUT: Duration = Duration::from_secs(2);
/// The role that an enrollment gives on a Moodle, where nothing else is set: its student.
pub const STUDENT_ROLE: i64 = 5;
/// How an account that is made on a Moodle signs in, where nothing else is set.
pub const USER_AUTH: &str = "oauth2";

/// A connection to an LMS, of the server that it is configured with.
#[derive(Debug, Clone)]
pub struct Lms {
    /// The server: its id names the connection.
    pub server: ServerId,
    /// How it is spoken to.
    pub backend: Backend,
    /// Where it is.
    pub address: LmsAddress,
    /// The links that belong to it.
    pub selector: Pattern,
    /// Finds the course in a link; a Moodle needs none.
    pub course: Option<Pattern>,
    /// The key of an Open edX, the token of a Moodle.
    pub api_token: Option<SecretString>,
    /// An Open edX's OAuth2 client, in place of the key.
    pub client: Option<Client>,
    /// Whether a learner is enrolled before a launch goes there.
    pub auto_enroll: bool,
    /// How long a launch waits for that.
    pub launch_timeout: Duration,
    /// The role that is given on a Moodle.
    pub role_id: i64,
    /// How an account that is made on a Moodle signs in.
    pub user_auth: String,
    /// Whether a missing account is made.
    pub create_users: bool,
    /// Which of Open edX's two grades APIs is asked.
    pub grades_api: GradesApi,
    /// Whether its address may be private or loopback.
    pub private_network: bool,
    /// The total time of a call, where a sysadmin set one.
    pub timeout: Option<Duration>,
    /// Its place among all connections: of several that match, the first is chosen.
    pub position: i64,
}

/// An OAuth2 client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::lms as sample_lms;
