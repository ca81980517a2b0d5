//! A request that is refused, on its way to the front door, which gives it its words and its id.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

use super::words;
use crate::flows::Refusal;

/// Why a request gets no answer but a refusal.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("there is no such page")]
    NoSuchPage,
    #[error("this method is not for this address")]
    Method,
    #[error("the address is too long")]
    AddressTooLong,
    #[error("the body is too long")]
    BodyTooLong,
    #[error("the body did not come in time")]
    BodyTooSlow,
    #[error("the request is not well-formed")]
    NotWellFormed,
    #[error("too many refused requests from one address")]
    TooMany {
        /// Seconds until the next try.
        retry_after: u64,
    },
    #[error("too many calls of this platform in a minute")]
    TooFast {
        /// Seconds until the next one.
        retry_after: u64,
    },
    #[error("nobody is signed in")]
    SignInFirst(
        /// The address where one signs in.
        String,
    ),
    #[error("you are signed out")]
    SignedOut,
    #[error("the request comes from a page of another site")]
    CrossSite,
    #[error("the form was made in another session")]
    FormToken,
    #[error("the page could not be made: {0}")]
    Template(#[from] askama::Error),
    #[error("a defect: {0}")]
    Defect(String),
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Problem::SignInFirst(_) => StatusCode::SEE_OTHER,
            problem => words::of(problem).status,
        }
    }

    /// Empty: the front door fills it.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Problem::SignInFirst(address) = self {
            response.insert_header((header::LOCATION, address.as_str()));
            response.insert_header((header::CACHE_CONTROL, "no-store"));
        }
        response.finish()
    }
}

impl Problem {
    /// What stands for an error that the server library answered by itself.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            404 => Problem::NoSuchPage,
            405 => Problem::Method,
            413 => Problem::BodyTooLong,
            414 => Problem::AddressTooLong,
            400..=499 => Problem::NotWellFormed,
            _ => Problem::Defect(format!("status {status} without a reason")),
        }
    }
}

/// For addresses that lead nowhere.
pub(super) async fn no_such_page() -> Result<HttpResponse, Problem> {
    Err(Problem::NoSuchPage)
}
