//! What each step's outcome means, in words that say what to do.

use url::Url;

use super::rows::{Row, Verdict};
use crate::domain::lms::{Backend, Lms};
use crate::domain::server::Server;
use crate::outbound::{Answered, Failure, Found, Insecure, LmsCode, LmsFailure, Tried, Unreached};

/// A clock that is further off is worth a word, in seconds: peers that look at `ts` refuse what is old.
const CLOCK: i64 = 60;

/// Makes of a failure of what browsers alone need something that is worth a look: they may get there where the
/// gateway does not.
pub(super) fn browsers_alone(row: &mut Row) {
    if row.verdict == Verdict::Failed {
        row.verdict = Verdict::Warning;
        row.words
            .push_str(" The gateway calls nothing there, but browsers have to get there.");
    }
}

pub(super) fn address(url: &Url, origin: &str) -> Row {
    Row::new(
        "address",
        origin,
        Verdict::Ok,
        format!("{url} is well-formed."),
    )
}

pub(super) fn name(found: &Result<Vec<Found>, Unreached>, server: &Server, origin: &str) -> Row {
    let row = |verdict, words: String| Row::new("name", origin, verdict, words);
    let found = match found {
        Err(error) => {
            let words = format!(
                "The name leads nowhere: {error}. Compare its spelling, and see whether this machine can look up names."
            );
            return row(Verdict::Failed, words);
        }
        Ok(found) => found,
    };
    let list = |allowed: bool| {
        let of = found.iter().filter(|found| found.allowed == allowed);
        of.map(|found| found.ip.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (may, may_not) = (list(true), list(false));
    let why = if server.private_network {
        "link-local and metadata addresses are never called"
    } else {
        "they are private or loopback, and private_network of this server is off"
    };
    match (may.is_empty(), may_not.is_empty()) {
        (true, true) => row(Verdict::Failed, "The name leads to no address.".to_owned()),
        (true, false) => row(
            Verdict::Failed,
            format!("It leads to {may_not}, which must not be called: {why}."),
        ),
        (false, true) => row(Verdict::Ok, format!("It leads to {may}.")),
        (false, false) => row(
            Verdict::Warning,
            format!("It leads to {may}. Not called are {may_not}: {why}."),
        ),
    }
}

pub(super) fn tcp(error: Option<&Unreached>, url: &Url, origin: &str) -> Row {
    let port = url.port_or_known_default().unwrap_or(80);
    match error {
        None => Row::new(
            "tcp",
            origin,
            Verdict::Ok,
            format!("Port {port} takes connections."),
        ),
        Some(error) => {
            let words = format!(
                "Port {port} takes no connection: {error}. See whether the server runs, and whether a firewall stands between."
            );
            Row::new("tcp", origin, Verdict::Failed, words)
        }
    }
}

pub(super) fn tls(error: Option<&Insecure>, url: &Url, origin: &str) -> Row {
    let host = url.host_str().unwrap_or_default();
    let Some(error) = error else {
        return Row::new("tls", origin, Verdict::Ok, "The certificate is accepted.");
    };
    let words = match error {
        Insecure::Expired => {
            "The certificate has expired, or is not valid yet. Renew it on the server, and compare the clocks of both machines.".to_owned()
        }
        Insecure::WrongName => format!(
            "The certificate is for another name than {host}. Use the name that it is for in the server's address, or get one for this name."
        ),
        Insecure::UnknownAuthority => {
            "Nobody who is trusted here signed the certificate. Add its authority to the system's certificates on the gateway's machine and restart the gateway, or see that the server sends its whole chain.".to_owned()
        }
        Insecure::NoTls => {
            "What answers there does not speak TLS. Perhaps the server's address has to begin with http://, or has another port.".to_owned()
        }
        Insecure::Other(words) => format!("TLS does not come about: {words}."),
    };
    Row::new("tls", origin, Verdict::Failed, words)
}

pub(super) fn server_page(answered: &Result<Answered, Failure>, subject: &str) -> Row {
    let row = |verdict, words: String| Row::new("server-page", subject, verdict, words);
    match answered {
        Err(failure) => row(Verdict::Failed, format!("No answer: {failure}.")),
        Ok(Answered { elsewhere: Some(to), status, .. }) => row(
            Verdict::Warning,
            format!("It sends browsers to {to} (status {status}). If that is where the server is, make it the server's address."),
        ),
        Ok(Answered { status: 404 | 410, .. }) => row(
            Verdict::Warning,
            "There is no page at this address. See whether the path in the server's address is right.".to_owned(),
        ),
        Ok(Answered { status: status @ 500.., .. }) => row(
            Verdict::Warning,
            format!("It answers with status {status}: something is wrong on the server, its log says what."),
        ),
        Ok(Answered { status, .. }) => row(Verdict::Ok, format!("It answers, with status {status}.")),
    }
}

pub(super) fn adapter_page<T>(outcome: &Result<T, Failure>, address: &str, subject: &str) -> Row {
    let row = |verdict, words: String| Row::new("adapter-page", subject, verdict, words);
    match outcome {
        Ok(_) => row(Verdict::Ok, format!("{address} is there.")),
        Err(Failure::HashRefused) => row(
            Verdict::Ok,
            format!("{address} is there, and looks at the hash."),
        ),
        Err(Failure::Status {
            status: 404 | 410, ..
        }) => row(
            Verdict::Failed,
            format!(
                "There is no page at {address} (404). Install the LAMS module on the server, or set adapter_page of the tool there."
            ),
        ),
        Err(failure) => row(Verdict::Failed, format!("{address}: {failure}.")),
    }
}

pub(super) fn hash(tried: &[(&str, Result<(), &Failure>)]) -> Row {
    let row = |verdict, words: String| Row::new("hash", "", verdict, words);
    let of = |wanted: fn(&Result<(), &Failure>) -> bool| {
        let of = tried.iter().filter(|(_, outcome)| wanted(outcome));
        of.map(|(tool, _)| *tool).collect::<Vec<_>>().join(", ")
    };
    let refused = of(|outcome| matches!(outcome, Err(Failure::HashRefused)));
    let taken = of(|outcome| outcome.is_ok());
    match (refused.is_empty(), taken.is_empty()) {
        (false, true) => row(
            Verdict::Failed,
            "The server refused the hash: compare the key and the server id on both sides."
                .to_owned(),
        ),
        (false, false) => row(
            Verdict::Failed,
            format!(
                "The server took the hash at {taken}, but refused it at {refused}: compare the key and the server id on both sides, for each of these pages."
            ),
        ),
        (true, false) => row(Verdict::Ok, "The server took the hash.".to_owned()),
        (true, true) => Row::skipped("hash", "", "No adapter page answered."),
    }
}

pub(super) fn wrong_hash<T>(tried: &[(&str, &Result<T, Failure>)]) -> Row {
    let row = |verdict, words: String| Row::new("wrong-hash", "", verdict, words);
    if tried.is_empty() {
        return Row::skipped("wrong-hash", "", "No adapter page took the right one.");
    }
    let taken: Vec<_> = tried
        .iter()
        .filter(|(_, outcome)| outcome.is_ok())
        .collect();
    let taken: Vec<_> = taken.iter().map(|(tool, _)| *tool).collect();
    if !taken.is_empty() {
        let words = format!(
            "The server accepts a wrong hash at {}: it does not check. Anybody who reaches it can make and delete activities there.",
            taken.join(", ")
        );
        return row(Verdict::Warning, words);
    }
    let unclear = tried.iter().find_map(|(_, outcome)| match outcome {
        Err(
            Failure::HashRefused
            | Failure::Status {
                status: 400..500, ..
            },
        )
        | Ok(_) => None,
        Err(failure) => Some(failure.to_string()),
    });
    match unclear {
        None => row(
            Verdict::Ok,
            "The server refuses a wrong hash, as it should.".to_owned(),
        ),
        Some(failure) => row(
            Verdict::Warning,
            format!("A wrong hash is not refused with 401: {failure}."),
        ),
    }
}

pub(super) fn enrollment(tried: &Result<Tried, LmsFailure>, lms: &Lms) -> Row {
    let row = |verdict, words: String| Row::new("enrollment", lms.address.as_str(), verdict, words);
    let failure = match tried {
        Ok(Tried::Taken) => {
            let words = "The LMS answers, and takes what the calls are signed with.";
            return row(Verdict::Ok, words.to_owned());
        }
        Ok(Tried::Lacks(functions)) => {
            let words = format!(
                "The LMS takes the token, but its web service lacks {}: add them there.",
                functions.join(", ")
            );
            return row(Verdict::Failed, words);
        }
        Ok(Tried::NothingToCall) => {
            let words = "This backend calls nobody.";
            return Row::skipped("enrollment", lms.address.as_str(), words);
        }
        Err(failure) => failure,
    };
    let signed_with = match (lms.backend, &lms.client) {
        (Backend::Moodle, _) => "the token of the web service",
        (_, Some(_)) => "client id and client secret",
        _ => "the API key",
    };
    let advice = match failure.code {
        LmsCode::Credentials => format!("Compare {signed_with} on both sides."),
        LmsCode::Forbidden if lms.backend == Backend::Moodle => {
            "Give the token's user the rights, and the web service the functions, that enrollments need.".to_owned()
        }
        LmsCode::Forbidden => format!(
            "See whether {signed_with} may see and change the enrollments of others there."
        ),
        LmsCode::Protocol | LmsCode::Redirected | LmsCode::NotCallable | LmsCode::NotFound => {
            "See whether the base address of the connection and its backend are right.".to_owned()
        }
        _ => "See how the LMS does.".to_owned(),
    };
    row(
        Verdict::Failed,
        format!("The try failed: {failure}. {advice}"),
    )
}

pub(super) fn clock(off: Option<i64>) -> Row {
    let row = |verdict, words: String| Row::new("clock", "", verdict, words);
    match off {
        None => Row::skipped("clock", "", "The server does not say its time."),
        Some(off) if off.abs() > CLOCK => row(
            Verdict::Warning,
            format!(
                "The server's clock is {off} s off from the gateway's. Set both by a time server: hashes carry a time, and servers may refuse one that is too old."
            ),
        ),
        Some(off) => row(
            Verdict::Ok,
            format!("The clocks agree within {} s.", off.abs().max(1)),
        ),
    }
}
