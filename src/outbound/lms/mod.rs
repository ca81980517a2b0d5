//! The calls to an LMS about enrollments and grades. What each backend asks and how it reads the answers has a
//! file of its own; how a call is made is the same for all, and the same policy as for every other call.

mod answer;
mod ask;
mod dummy;
mod failure;
mod moodle;
mod openedx;
mod planned;
mod token;
mod trying;

use serde_json::Value;

use super::Outbound;
use crate::domain::lms::{Backend, Lms};

pub use dummy::Remembered;
pub use failure::{LmsCode, LmsError, LmsFailure};
pub use planned::Planned;
pub(super) use token::Tokens;
pub use trying::Tried;

/// What an LMS says of somebody in a course.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrollment {
    /// Whether the person is enrolled.
    pub is_enrolled: bool,
    /// The LMS's own answer, where it has one.
    pub said: Option<Value>,
}

/// An enrollment that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The person's login on the LMS.
    pub username: &'a str,
    /// The course's id there.
    pub course: &'a str,
    /// Whether the person is to be enrolled, or not to be.
    pub active: bool,
    /// How, where the LMS has several ways.
    pub mode: Option<&'a str>,
    /// Who it is, where an account may have to be made.
    pub account: Option<&'a Account>,
}

/// Who somebody is, for an account that is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address.
    pub email: String,
}

/// What came of an enrollment that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    /// Whether the person is enrolled now.
    pub is_enrolled: bool,
    /// Whether something was changed for that, as far as the LMS says.
    pub changed: bool,
    /// What is worth a second look, by a fixed word.
    pub warning: Option<&'static str>,
}

impl Set {
    fn done(is_enrolled: bool) -> Self {
        Self {
            is_enrolled,
            changed: true,
            warning: None,
        }
    }

    fn already(is_enrolled: bool) -> Self {
        Self {
            changed: false,
            ..Self::done(is_enrolled)
        }
    }
}

impl Outbound {
    /// Whether somebody is enrolled in a course.
    pub async fn enrollment(
        &self,
        lms: &Lms,
        username: &str,
        course: &str,
    ) -> Result<Enrollment, LmsError> {
        let outcome = match lms.backend {
            Backend::OpenEdx => self.edx_enrollment(lms, username, course).await,
            Backend::Moodle => self.moodle_enrollment(lms, username, course).await,
            Backend::Dummy => Ok(self.remembered().enrollment(lms, username, course)),
            Backend::Failing => Err(LmsFailure::always()),
            Backend::Base => Err(LmsFailure::not_offered("get_enrollment")),
        };
        outcome.map_err(|failure| failure.of(lms))
    }

    /// Enrolls somebody in a course, or ends that.
    pub async fn set_enrollment(&self, lms: &Lms, wanted: Wanted<'_>) -> Result<Set, LmsError> {
        let outcome = match lms.backend {
            Backend::OpenEdx => self.edx_set(lms, wanted).await,
            Backend::Moodle => self.moodle_set(lms, wanted).await,
            Backend::Dummy => Ok(self.remembered().set(lms, wanted)),
            Backend::Failing => Err(LmsFailure::always()),
            Backend::Base => Err(LmsFailure::not_offered("set_enrollment")),
        };
        outcome.map_err(|failure| failure.of(lms))
    }

    /// Somebody's grades in a course: an object with a boolean `passed`, and what the LMS adds.
    pub async fn grades(&self, lms: &Lms, username: &str, course: &str) -> Result<Value, LmsError> {
        let outcome = match lms.backend {
            Backend::OpenEdx => self.edx_grades(lms, username, course).await,
            Backend::Moodle => self.moodle_grades(lms, username, course).await,
            Backend::Dummy => Ok(dummy::grades()),
            Backend::Failing => Err(LmsFailure::always()),
            Backend::Base => Err(LmsFailure::not_offered("get_grades")),
        };
        outcome.map_err(|failure| failure.of(lms))
    }

    /// Makes an account on an LMS where that is how people come in; answers its number.
    pub async fn create_account(
        &self,
        lms: &Lms,
        username: &str,
        account: &Account,
    ) -> Result<String, LmsError> {
        let outcome = match lms.backend {
            Backend::Moodle => self.moodle_create(lms, username, account).await,
            _ => Err(LmsFailure::not_offered("create_user")),
        };
        outcome.map_err(|failure| failure.of(lms))
    }

    /// Everybody who is enrolled in a course, by login, where the LMS has one call for that; else nothing.
    pub async fn enrolled_in(
        &self,
        lms: &Lms,
        course: &str,
    ) -> Result<Option<Vec<String>>, LmsError> {
        match lms.backend {
            Backend::Moodle => {
                let people = self.moodle_enrollments(lms, course).await;
                let people = people.map_err(|failure| failure.of(lms))?;
                let login = |person: &Value| person["username"].as_str().map(str::to_lowercase);
                Ok(Some(people.iter().filter_map(login).collect()))
            }
            _ => Ok(None),
        }
    }
}
