//! What a refusal says: status, title, what is wrong, what to do. The one place where errors are
//! worded; pages and problem documents both take their words from here.

mod refusals;

use actix_web::http::StatusCode;

use super::problem::Problem;
use crate::flows::Refusal;
use crate::outbound::{Failure, LmsFailure, OutboundError};
use crate::store::StoreError;

/// The words of a refusal.
pub(super) struct Words {
    pub(super) status: StatusCode,
    /// For machines; stable.
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    /// What is wrong with this request.
    pub(super) detail: String,
    /// What to do.
    pub(super) advice: &'static str,
    /// Seconds after which it is worth trying again.
    pub(super) retry_after: Option<u64>,
    /// The journal's entry that it is about.
    pub(super) entry: Option<String>,
    /// What an LMS said, where it is what failed.
    pub(super) lms: Option<LmsFailure>,
}

/// The code of a call whose token is not known.
pub(super) const API_TOKEN: &str = "api-token";

const ASK: &str = "Ask the person who runs LAMS at your school, and give the request id below.";
const FROM_LAMS: &str = "Go back to LAMS and open the activity again from there.";
const SENT_WRONG: &str = "This address was not made as it must be. Open the activity again from LAMS; if that does not help, \
     give the request id below to the person who runs LAMS.";

/// The words for a problem.
pub(super) fn of(problem: &Problem) -> Words {
    let say = |status, code, title, advice| Words {
        status,
        code,
        title,
        detail: sentence(&problem.to_string()),
        advice,
        retry_after: None,
        entry: None,
        lms: None,
    };
    match problem {
        Problem::Refusal(refusal) => of_refusal(refusal),
        Problem::NoSuchPage => say(
            StatusCode::NOT_FOUND,
            "no-such-page",
            "There is no such page",
            FROM_LAMS,
        ),
        Problem::Method => say(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "This cannot be done here",
            SENT_WRONG,
        ),
        Problem::AddressTooLong => say(
            StatusCode::URI_TOO_LONG,
            "address-too-long",
            "The address is too long",
            SENT_WRONG,
        ),
        Problem::BodyTooLong => say(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-long",
            "The request is too long",
            SENT_WRONG,
        ),
        Problem::BodyTooSlow => say(
            StatusCode::REQUEST_TIMEOUT,
            "body-too-slow",
            "The request did not come in time",
            "Send it again.",
        ),
        Problem::NotWellFormed => say(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The request is not well-formed",
            SENT_WRONG,
        ),
        Problem::TooMany { retry_after } => Words {
            retry_after: Some(*retry_after),
            ..say(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many",
                "Too many refused requests",
                "Wait a minute, then open the activity again from LAMS.",
            )
        },
        Problem::TooFast { retry_after } => Words {
            retry_after: Some(*retry_after),
            ..say(
                StatusCode::TOO_MANY_REQUESTS,
                "too-fast",
                "Too many calls",
                "Nothing was done. Send it again when Retry-After says. The operator may allow more: \
                 TOOLGATE_CALLS_A_MINUTE, TOOLGATE_FILES_A_MINUTE.",
            )
        },
        Problem::SignInFirst(_) | Problem::SignedOut => say(
            StatusCode::UNAUTHORIZED,
            "signed-out",
            "You are signed out",
            "Nothing was stored. Sign in, then do it once more.",
        ),
        Problem::CrossSite => say(
            StatusCode::FORBIDDEN,
            "cross-site",
            "This did not come from here",
            "Nothing was stored. If it was you, open the page here and do it there. If it happens with every \
             form, TOOLGATE_PUBLIC_URL is not the address in your browser.",
        ),
        Problem::FormToken => say(
            StatusCode::FORBIDDEN,
            "form-token",
            "This form is not from your session",
            "Nothing was stored. You may have signed in anew since the form was opened: open its page again.",
        ),
        Problem::Template(_) | Problem::Defect(_) => Words {
            detail: "Something went wrong inside the gateway.".to_owned(),
            ..say(
                StatusCode::INTERNAL_SERVER_ERROR,
                "defect",
                "Something went wrong here",
                ASK,
            )
        },
    }
}

/// The words for a problem on a page of sysadmins, who do not come from LAMS and have nobody to ask.
pub(super) fn for_sysadmins(problem: &Problem) -> Words {
    let words = of(problem);
    let advice = match problem {
        Problem::NoSuchPage => "Go on from the first page.",
        Problem::Method | Problem::NotWellFormed => {
            "Nothing was stored. Open the page again and go on from there."
        }
        Problem::AddressTooLong | Problem::BodyTooLong => "Nothing was stored. Send less.",
        Problem::TooMany { .. } => "Wait a minute, then try again.",
        _ if words.advice == ASK => "The gateway's log says more, under the request id below.",
        _ => words.advice,
    };
    Words { advice, ..words }
}

/// The words for a problem that a program of a platform met: nobody there can open the activity again.
pub(super) fn for_programs(problem: &Problem) -> Words {
    let words = of(problem);
    let advice = match words.advice {
        _ if matches!(problem, Problem::TooMany { .. }) => {
            "Nothing was done. Calls with the api_token of a platform are never limited so; others may be sent again when \
             Retry-After says."
        }
        ASK => "The operator of the gateway finds more in its log, under requestId.",
        FROM_LAMS => {
            "Compare the address and the numbers in it: what it is about has to be there first."
        }
        SENT_WRONG => "Compare the call with what /api/docs says of it.",
        other => other,
    };
    Words { advice, ..words }
}

fn of_refusal(refusal: &Refusal) -> Words {
    let (status, code, title, advice) = refusals::said(refusal);
    let entry = match refusal {
        Refusal::Unsettled(entry) | Refusal::UnderWay(entry) => Some(entry.clone()),
        _ => None,
    };
    let retry_after = match refusal {
        Refusal::Outbound(OutboundError {
            failure: Failure::Open(wait),
            ..
        }) => wait.as_secs().max(1),
        Refusal::Lms(error) => error
            .failure
            .retry_after
            .map_or(5, |wait| wait.as_secs().max(1)),
        _ => 5,
    };
    let lms = match refusal {
        Refusal::Lms(error) => Some(error.failure.clone()),
        _ => None,
    };
    let away = matches!(refusal, Refusal::Store(StoreError::Unavailable(_)));
    let detail = match refusal {
        Refusal::Store(_) if away => "The gateway cannot reach its database.".to_owned(),
        Refusal::Store(_) => "Something went wrong inside the gateway.".to_owned(),
        refusal => sentence(&refusal.to_string()),
    };
    Words {
        status,
        code,
        title,
        detail,
        advice,
        retry_after: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(retry_after),
        entry,
        lms,
    }
}

/// An error's message as a sentence.
pub(super) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    // Names of parameters keep their case.
    let is_name = message
        .split(' ')
        .next()
        .is_some_and(|word| word.contains('_') || word.chars().skip(1).any(char::is_uppercase));
    let end = if message.ends_with(['.', '”']) {
        ""
    } else {
        "."
    };
    if is_name {
        format!("{message}{end}")
    } else {
        format!("{first}{}{end}", characters.as_str())
    }
}
