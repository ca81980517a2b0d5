//! A try of a connection: a call that reads and finds nobody, so that it is known whether the LMS answers and takes
//! the key, token or client. Past the breaker, and with a token of its own.

use serde_json::Value;

use super::failure::{LmsCode, LmsFailure};
use crate::domain::lms::{Backend, Lms};
use crate::outbound::Outbound;

/// A login that nobody has.
const NOBODY: &str = "toolgate-nobody";
/// A course that is not there.
const NOWHERE: &str = "course-v1:toolgate+nowhere+never";
/// What a Moodle's web service has to have.
const FUNCTIONS: [&str; 6] = [
    "core_user_get_users",
    "core_user_create_users",
    "enrol_manual_enrol_users",
    "enrol_manual_unenrol_users",
    "core_enrol_get_enrolled_users",
    "core_completion_get_course_completion_status",
];

/// What a try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// It answers and takes the credentials.
    Taken,
    /// The same, but its web service lacks these functions.
    Lacks(Vec<&'static str>),
    /// Nothing is called by this backend.
    NothingToCall,
}

impl Outbound {
    /// Tries a connection.
    pub async fn try_lms(&self, lms: &Lms) -> Result<Tried, LmsFailure> {
        let apart = self.apart();
        match lms.backend {
            Backend::OpenEdx => apart.try_edx(lms).await,
            Backend::Moodle => apart.try_moodle(lms).await,
            Backend::Dummy | Backend::Failing | Backend::Base => Ok(Tried::NothingToCall),
        }
    }

    async fn try_edx(&self, lms: &Lms) -> Result<Tried, LmsFailure> {
        match self.edx_enrollment(lms, NOBODY, NOWHERE).await {
            Ok(_) => Ok(Tried::Taken),
            // So it answers who may not see others: no key, or none that counts (spec 6.1).
            Err(failure) if failure.code == LmsCode::NotFound => Err(LmsFailure {
                code: LmsCode::Forbidden,
                detail: "it does not let this connection see the enrollments of others".to_owned(),
                ..failure
            }),
            Err(failure) => Err(failure),
        }
    }

    async fn try_moodle(&self, lms: &Lms) -> Result<Tried, LmsFailure> {
        match self.moodle_functions(lms).await {
            Ok(offered) => {
                let lacks = |function: &&str| !offered.iter().any(|one| one == *function);
                let lacking: Vec<_> = FUNCTIONS.into_iter().filter(lacks).collect();
                match lacking.is_empty() {
                    true => Ok(Tried::Taken),
                    false => Ok(Tried::Lacks(lacking)),
                }
            }
            // The list of functions is a function, too, and need not be in the service.
            Err(failure) if failure.code == LmsCode::Forbidden => {
                self.moodle_account(lms, "username", NOBODY).await?;
                Ok(Tried::Taken)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The functions that the token may call.
    async fn moodle_functions(&self, lms: &Lms) -> Result<Vec<String>, LmsFailure> {
        let answer = self
            .call_moodle(lms, "core_webservice_get_site_info", Vec::new())
            .await?;
        let functions = answer
            .as_ref()
            .and_then(|said| said["functions"].as_array());
        let functions = functions.ok_or_else(|| {
            let words = "core_webservice_get_site_info answered with no functions";
            LmsFailure::new(LmsCode::Protocol, words)
        })?;
        let name = |function: &Value| function["name"].as_str().map(str::to_owned);
        Ok(functions.iter().filter_map(name).collect())
    }
}
