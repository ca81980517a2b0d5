//! Status, code, title and advice of every refusal of a flow. Each `match` names all there is, so that nothing new comes
//! without words; what is wrong with the one request is said by the refusal itself.

use actix_web::http::StatusCode;

use super::{API_TOKEN, ASK, FROM_LAMS, SENT_WRONG};
use crate::domain::configuration::ServerChoiceError;
use crate::domain::launch_signature::LaunchSignatureError;
use crate::domain::login_request::LoginError;
use crate::domain::state_token::StateError;
use crate::flows::Refusal;
use crate::outbound::{Failure, LmsCode, SpoolError};
use crate::store::StoreError;

/// Status, code, title and what to do.
type Said = (StatusCode, &'static str, &'static str, &'static str);

/// What is said of a refusal.
pub(super) fn said(refusal: &Refusal) -> Said {
    match refusal {
        Refusal::LaunchSignature(error) => of_launch_signature(error),
        Refusal::State(error) => of_state(error),
        Refusal::LoginRequest(error) => of_login(error),
        Refusal::Server(error) => of_server(error),
        Refusal::Spool(error) => of_file(error),
        Refusal::Outbound(error) => of_call(&error.failure),
        Refusal::UnknownPlatform => (
            StatusCode::NOT_FOUND,
            "unknown-platform",
            "This LAMS is not known here",
            ASK,
        ),
        Refusal::UnknownTool => (
            StatusCode::NOT_FOUND,
            "unknown-tool",
            "This tool is not known here",
            ASK,
        ),
        Refusal::ApiToken => (
            StatusCode::UNAUTHORIZED,
            API_TOKEN,
            "The API token is missing or unknown",
            "Send Authorization: Bearer and the api_token of the platform.",
        ),
        Refusal::Query(_)
        | Refusal::OutputName(_)
        | Refusal::Id(_)
        | Refusal::Login(_)
        | Refusal::Mode(_)
        | Refusal::UnknownDispatch(_) => (
            StatusCode::BAD_REQUEST,
            "parameter",
            "The address is not complete",
            SENT_WRONG,
        ),
        Refusal::ExtId(_) => (
            StatusCode::BAD_REQUEST,
            "external-id",
            "The external system did not say what it saved",
            "Nothing was stored. Save the activity there once more; if that does not help, give the request id \
             below to the person who runs LAMS.",
        ),
        Refusal::CustomCsvMissing => (
            StatusCode::BAD_REQUEST,
            "custom-csv-missing",
            "It is not known which course this activity is for",
            "Open LAMS from the course in the external system, not directly, and add the activity from there.",
        ),
        Refusal::NothingRemembered => (
            StatusCode::BAD_REQUEST,
            "nothing-remembered",
            "It is not known which course this activity is for",
            "Open LAMS from the course in the external system once more, and add the activity from there.",
        ),
        Refusal::SeveralRemembered(_) => (
            StatusCode::BAD_REQUEST,
            "several-remembered",
            "It is not clear which course this activity is for",
            "You came from more than one external system lately. Give the request id below to the person who runs \
             LAMS: its address has to name one by extLmsId.",
        ),
        Refusal::RememberedElsewhere(_) => (
            StatusCode::FORBIDDEN,
            "remembered-elsewhere",
            "The external system spoke for another one",
            ASK,
        ),
        Refusal::NotAsRemembered => (
            StatusCode::FORBIDDEN,
            "not-as-remembered",
            "This is not the course that you came from",
            "Open LAMS from the course in the external system once more, and open the activity from there.",
        ),
        Refusal::CustomCsv(_) | Refusal::RememberedCsv(_) | Refusal::CourseUrl(_) => (
            StatusCode::BAD_REQUEST,
            "custom-csv",
            "It is not clear which course this activity is for",
            ASK,
        ),
        Refusal::Body(_) => (
            StatusCode::BAD_REQUEST,
            "body",
            "The request's body is not as it must be",
            "Send what the interface describes: /api/docs.",
        ),
        Refusal::Archive(_) => (
            StatusCode::BAD_REQUEST,
            "archive",
            "The file cannot be imported",
            "Send a file that this gateway exported of an activity of the same tool, or the ext_tool.txt of an old LAMS.",
        ),
        Refusal::SomebodyElse => (
            StatusCode::FORBIDDEN,
            "somebody-else",
            "This link was made for somebody else",
            "Sign in to LAMS under your own name and open the activity from there.",
        ),
        Refusal::UnknownContent => (
            StatusCode::NOT_FOUND,
            "unknown-content",
            "This activity is not known here",
            FROM_LAMS,
        ),
        Refusal::UnknownSession => (
            StatusCode::NOT_FOUND,
            "unknown-session",
            "This group's activity is not known here",
            FROM_LAMS,
        ),
        Refusal::NotSavedYet => (
            StatusCode::CONFLICT,
            "not-saved-yet",
            "This activity was not saved yet",
            "The author has to open the activity and save it in the external system first.",
        ),
        Refusal::StateUsedOtherwise => (
            StatusCode::CONFLICT,
            "state-used",
            "This return was used before",
            "Nothing was stored. To save something else, open the activity again from LAMS.",
        ),
        Refusal::HasSessions => (
            StatusCode::CONFLICT,
            "has-sessions",
            "Learners are working with it",
            "Remove its sessions first, or send removeSessionData=true.",
        ),
        Refusal::ThereAlready => (
            StatusCode::CONFLICT,
            "there-already",
            "It exists already",
            "Use another number, or repeat the call as it was first made.",
        ),
        Refusal::Unsettled(_) => (
            StatusCode::CONFLICT,
            "unsettled",
            "An earlier call is not settled",
            "The operator has to look at the external system, and then: toolgate journal retry, adopt or drop.",
        ),
        Refusal::UnderWay(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "under-way",
            "The same call is still under way",
            "Try again in a few seconds.",
        ),
        Refusal::NoPortfolio => (
            StatusCode::NOT_FOUND,
            "no-portfolio",
            "There is no portfolio of this",
            "The external system shows none for this tool.",
        ),
        Refusal::FirstStartOver => (
            StatusCode::GONE,
            "first-start-over",
            "This address is used up",
            "It makes the first sysadmin, once, within a day. Where there is none yet, restart the gateway for a \
             new address, or use toolgate admin add.",
        ),
        Refusal::UnknownSysadmin => (
            StatusCode::NOT_FOUND,
            "unknown-sysadmin",
            "There is no such sysadmin",
            "Somebody may have removed them. Look at the list.",
        ),
        Refusal::LastSysadmin => (
            StatusCode::CONFLICT,
            "last-sysadmin",
            "The last sysadmin stays",
            "Add another one first.",
        ),
        Refusal::OwnSysadmin => (
            StatusCode::CONFLICT,
            "own-sysadmin",
            "You cannot remove yourself",
            "Ask another sysadmin to do it.",
        ),
        Refusal::ChangedMeanwhile => (
            StatusCode::CONFLICT,
            "changed-meanwhile",
            "Somebody else changed it in the meantime",
            "Nothing was changed. Look at what is there now, then do it again.",
        ),
        Refusal::NotInOrder(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "not-in-order",
            "This cannot be saved so",
            "Nothing was changed. Edit it and mend what is said above.",
        ),
        Refusal::NotConfigured(_) => (
            StatusCode::NOT_FOUND,
            "not-configured",
            "It is not configured here",
            "Somebody may have deleted it. Look at the list.",
        ),
        Refusal::PasswordsBusy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "passwords-busy",
            "Too many sign in just now",
            "Try again in a few seconds.",
        ),
        Refusal::NoLms => (
            StatusCode::NOT_FOUND,
            "no-lms",
            "No LMS is configured for this link",
            "POST /api/v1/lms/select says why; toolgate lms select says it of each LMS.",
        ),
        Refusal::UnknownBulk => (
            StatusCode::NOT_FOUND,
            "unknown-list",
            "There is no such list",
            "Lists are forgotten some weeks after they are done. Compare the id with the one that was answered.",
        ),
        Refusal::NoCourseId(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "no-course-id",
            "The link holds no course",
            "Send the link of a course; or the operator has to mend the course_regex of its LMS.",
        ),
        Refusal::Lms(error) => of_lms(error.failure.code),
        Refusal::Stopped => (
            StatusCode::SERVICE_UNAVAILABLE,
            "stopped",
            "This could not be ended just now",
            "Try again in a few seconds.",
        ),
        Refusal::Store(StoreError::Unavailable(_)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "database-away",
            "This cannot be done just now",
            "Nothing was stored. Try again in a few seconds.",
        ),
        Refusal::NoFile | Refusal::Store(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "defect",
            "Something went wrong here",
            ASK,
        ),
    }
}

/// Launch signatures.
fn of_launch_signature(error: &LaunchSignatureError) -> Said {
    match error {
        LaunchSignatureError::Expired => (
            StatusCode::UNAUTHORIZED,
            "launch-expired",
            "This link is too old",
            "Open the activity again from LAMS. If it happens at once, the clocks of LAMS and of this gateway \
             differ by more than five minutes.",
        ),
        LaunchSignatureError::Missing(_) => (
            StatusCode::UNAUTHORIZED,
            "launch-unsigned",
            "This link was not signed by LAMS",
            FROM_LAMS,
        ),
        LaunchSignatureError::Wrong => (
            StatusCode::UNAUTHORIZED,
            "launch-signature",
            "This link was not signed by LAMS as it stands",
            "Open the activity again from LAMS. If it happens to everybody, the launch secrets of LAMS and of \
             this gateway differ.",
        ),
    }
}

/// State tokens.
fn of_state(error: &StateError) -> Said {
    match error {
        StateError::Missing => (
            StatusCode::UNAUTHORIZED,
            "state-missing",
            "This return cannot be trusted",
            FROM_LAMS,
        ),
        StateError::Wrong => (
            StatusCode::UNAUTHORIZED,
            "state-wrong",
            "This return cannot be trusted",
            FROM_LAMS,
        ),
        StateError::Expired => (
            StatusCode::UNAUTHORIZED,
            "state-expired",
            "This return comes too late",
            "Nothing was stored. Open the activity again from LAMS and end there what you began.",
        ),
    }
}

/// Logins from external LMSs.
fn of_login(error: &LoginError) -> Said {
    match error {
        LoginError::NoHash | LoginError::Hash => (
            StatusCode::UNAUTHORIZED,
            "login-hash",
            "This login cannot be trusted",
            "Open LAMS from the external system once more. If that does not help, give the request id below to the \
             person who runs LAMS: key and server id have to be the same on both sides.",
        ),
        LoginError::Time(_) | LoginError::Late(_) => (
            StatusCode::UNAUTHORIZED,
            "login-late",
            "This login has expired",
            "Open LAMS from the external system once more. If that does not help, give the request id below to the \
             person who runs LAMS: the clocks, and the time zone of the server, have to be right.",
        ),
        LoginError::Redirect => (
            StatusCode::BAD_REQUEST,
            "login-redirect",
            "This login leads elsewhere",
            ASK,
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "login",
            "The login is not complete",
            "Open LAMS from the external system once more. If that does not help, give the request id below to the \
             person who runs LAMS.",
        ),
    }
}

/// Which server an activity lives on.
fn of_server(error: &ServerChoiceError) -> Said {
    match error {
        ServerChoiceError::Ambiguous(_) => (
            StatusCode::BAD_REQUEST,
            "server-ambiguous",
            "It is not clear where this activity lives",
            ASK,
        ),
        ServerChoiceError::Unknown => (
            StatusCode::FORBIDDEN,
            "server-unknown",
            "The external system is not connected here",
            ASK,
        ),
        ServerChoiceError::Disabled(_) => (
            StatusCode::FORBIDDEN,
            "server-disabled",
            "The external system is switched off here",
            ASK,
        ),
        ServerChoiceError::NotMapped(_) => (
            StatusCode::FORBIDDEN,
            "server-not-mapped",
            "The external system is not connected to this tool",
            ASK,
        ),
    }
}

/// Files that pass through.
fn of_file(error: &SpoolError) -> Said {
    match error {
        SpoolError::TooLong(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "archive-too-long",
            "The file is too long",
            "The operator may allow longer ones: TOOLGATE_ARCHIVE_MAX_MIB.",
        ),
        SpoolError::Io(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "no-room",
            "This cannot be done just now",
            "The operator has to make room in the gateway's temporary folder. Nothing was stored.",
        ),
    }
}

/// Calls to external servers.
fn of_call(failure: &Failure) -> Said {
    match failure {
        Failure::Open(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "server-down",
            "The external system is not answering just now",
            "Nothing was done. Try again in half a minute.",
        ),
        Failure::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "server-busy",
            "The external system is busy",
            "Nothing was done. Try again in a few seconds.",
        ),
        Failure::NotKept(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "no-room",
            "This cannot be done just now",
            "The operator has to make room in the gateway's temporary folder.",
        ),
        Failure::TimedOut(_) | Failure::NoConnectionInTime => (
            StatusCode::GATEWAY_TIMEOUT,
            "server-late",
            "The external system did not answer in time",
            "Try again in a minute.",
        ),
        _ => (
            StatusCode::BAD_GATEWAY,
            "server-failed",
            "The external system failed",
            ASK,
        ),
    }
}

/// The words for an LMS that did not do what was asked.
fn of_lms(code: LmsCode) -> (StatusCode, &'static str, &'static str, &'static str) {
    let (title, advice) = match code {
        LmsCode::Unreachable => ("The LMS cannot be reached", "Try again in a minute."),
        LmsCode::Late => ("The LMS did not answer in time", "Try again in a minute."),
        LmsCode::Down => (
            "The LMS is not called just now",
            "It failed several times, or is busy. Try again when Retry-After says.",
        ),
        LmsCode::Failed => ("The LMS failed", "Try again in a minute."),
        LmsCode::Throttled => (
            "The LMS was asked too often",
            "Try again later, and less often.",
        ),
        LmsCode::Credentials => (
            "The LMS does not take the gateway's key",
            "The operator has to set the api_token, or the client, of this LMS again.",
        ),
        LmsCode::Forbidden => (
            "The gateway's key may not do this in the LMS",
            "The operator has to give the token's user the right, and a Moodle's service the function.",
        ),
        LmsCode::NotFound => (
            "The LMS does not find it, or does not show it",
            "Compare login and course; the key may have no right to see it.",
        ),
        LmsCode::BadRequest => (
            "The LMS does not understand the call",
            "Compare login and course.",
        ),
        LmsCode::CourseNotFound => (
            "The LMS has no such course",
            "Compare the link with the LMS.",
        ),
        LmsCode::UserNotFound => (
            "The LMS has no such person",
            "Make the account there first; or, for a Moodle, send user with the call.",
        ),
        LmsCode::Account => (
            "The account could not be made",
            "Compare user with what the LMS asks for.",
        ),
        LmsCode::Refused => (
            "The LMS refuses it",
            "What it says itself is in lmsMessage.",
        ),
        LmsCode::NoGrades => (
            "The LMS has no grades of this",
            "Enroll the person first, or wait for grades.",
        ),
        LmsCode::Protocol => (
            "The LMS's answer cannot be read",
            "The operator has to compare base_url and backend with what is at that address.",
        ),
        LmsCode::Redirected => (
            "The LMS sends calls elsewhere",
            "The operator has to set base_url to the address where it is.",
        ),
        LmsCode::NotCallable => (
            "The LMS cannot be called as it is configured",
            "The operator has to mend its connection.",
        ),
    };
    let status = match code {
        LmsCode::Down => StatusCode::SERVICE_UNAVAILABLE,
        LmsCode::Late => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    (status, code.as_str(), title, advice)
}
