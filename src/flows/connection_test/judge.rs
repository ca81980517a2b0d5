//! What each step's outcome means, in words that say what to do.

use url::Url;

use super::rows::{Row, Verdict};
use crate::domain::lms::{Backend, Lms};
use crate::domain::server::{Server, Signing};
use crate::outbound::{
    Answered, Failure, Found, Insecure, LmsCode, LmsFailure, Trial, Tried, Unreached,
};

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
        Err(Failure::HashRefused(_)) => row(
            Verdict::Ok,
            format!("{address} is there, and looks at the signature."),
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

/// Under which code it is said whether a server takes what is signed for it.
pub(super) fn signature_code(server: &Server) -> &'static str {
    match server.signing {
        Signing::Legacy => "hash",
        Signing::Two => "signature",
    }
}

/// What a server has to refuse, each with its code.
pub(super) fn to_be_refused(
    server: &Server,
) -> impl Iterator<Item = (Trial, &'static str)> + use<> {
    let all: &[_] = match server.signing {
        Signing::Legacy => &[(Trial::WrongKey, "wrong-hash")],
        Signing::Two => &[
            (Trial::WrongKey, "wrong-signature"),
            (Trial::LegacyHash, "legacy-hash"),
            (Trial::Twice, "replay"),
        ],
    };
    all.iter().copied()
}

pub(super) fn signature(server: &Server, tried: &[(&str, Result<(), &Failure>)]) -> Row {
    let code = signature_code(server);
    let row = |verdict, words: String| Row::new(code, "", verdict, words);
    let of = |wanted: fn(&Result<(), &Failure>) -> bool| {
        let of = tried.iter().filter(|(_, outcome)| wanted(outcome));
        of.map(|(tool, _)| *tool).collect::<Vec<_>>().join(", ")
    };
    let refused = of(|outcome| matches!(outcome, Err(Failure::HashRefused(_))));
    let taken = of(|outcome| outcome.is_ok());
    let (it, which, compare) = match server.signing {
        Signing::Legacy => (
            "the hash",
            ", SHA-1, which is legacy",
            "compare the key and the server id on both sides",
        ),
        Signing::Two => (
            "signature 2",
            "",
            "compare the key, the server id and the clocks on both sides, and see whether its pages check signature 2",
        ),
    };
    match (refused.is_empty(), taken.is_empty()) {
        (false, true) => row(
            Verdict::Failed,
            format!("The server refused {it}: {compare}."),
        ),
        (false, false) => row(
            Verdict::Failed,
            format!(
                "The server took {it} at {taken}, but refused it at {refused}: {compare}, for each of these pages."
            ),
        ),
        (true, false) => row(Verdict::Ok, format!("The server took {it}{which}.")),
        (true, true) => Row::skipped(code, "", "No adapter page answered."),
    }
}

/// Whether what has to be refused was.
pub(super) fn refused<T>(
    trial: Trial,
    code: &'static str,
    tried: &[(&str, &Result<T, Failure>)],
) -> Row {
    let row = |verdict, words: String| Row::new(code, "", verdict, words);
    if tried.is_empty() {
        return Row::skipped(code, "", "No adapter page took the right one.");
    }
    let taken: Vec<_> = tried
        .iter()
        .filter(|(_, outcome)| outcome.is_ok())
        .map(|(tool, _)| *tool)
        .collect();
    let (what, risk) = match (trial, code) {
        (Trial::LegacyHash, _) => (
            "the legacy hash, too,",
            "whoever has an old address can make others of it. Have it refuse what carries no signature 2",
        ),
        (Trial::Twice, _) => (
            "the same call twice",
            "it does not keep nonces. Whoever catches a call can send it again for five minutes",
        ),
        (_, "wrong-hash") => (
            "a wrong hash",
            "it does not check. Anybody who reaches it can make and delete activities there",
        ),
        _ => (
            "a wrong signature",
            "it does not check. Anybody who reaches it can make and delete activities there",
        ),
    };
    if !taken.is_empty() {
        let words = format!("The server accepts {what} at {}: {risk}.", taken.join(", "));
        return row(Verdict::Warning, words);
    }
    let unclear = tried.iter().find_map(|(_, outcome)| match outcome {
        Err(
            Failure::HashRefused(_)
            | Failure::Status {
                status: 400..500, ..
            },
        )
        | Ok(_) => None,
        Err(failure) => Some(failure.to_string()),
    });
    let what = what.trim_end_matches(", too,");
    match unclear {
        None => row(
            Verdict::Ok,
            format!("The server refuses {what}, as it should."),
        ),
        Some(failure) => row(
            Verdict::Warning,
            format!("{} is not refused with 401: {failure}.", in_front(what)),
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

fn in_front(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

pub(super) fn clock(off: Option<i64>) -> Row {
    let row = |verdict, words: String| Row::new("clock", "", verdict, words);
    match off {
        None => Row::skipped("clock", "", "The server does not say its time."),
        Some(off) if off.abs() > CLOCK => row(
            Verdict::Warning,
            format!(
                "The server's clock is {off} s off from the gateway's. Set both by a time server: signatures carry a time, and servers may refuse one that is too old."
            ),
        ),
        Some(off) => row(
            Verdict::Ok,
            format!("The clocks agree within {} s.", off.abs().max(1)),
        ),
    }
}
