//! LoginRequest: an external LMS sends its user into LAMS, and names who it is, what for, and, for an author,
//! the customCSV of the activities to come (protocol 6.6). Its hash is that of protocol 6.2, or of 6.3 for
//! `learnerStrictAuth`: SHA-1, legacy, which covers neither customCSV nor course.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::base_url::BaseUrl;
use super::enc::push_enc;
use super::hash::{hash_of, java_trim};
use super::query::{Query, QueryError};
use super::server::Server;

/// What somebody comes into LAMS for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// To make lessons.
    Author,
    /// To watch a lesson.
    Monitor,
    /// To take a lesson.
    Learner,
    /// The same, with the lesson's id in the hash.
    LearnerStrictAuth,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 4] = [
        Method::Author,
        Method::Monitor,
        Method::Learner,
        Method::LearnerStrictAuth,
    ];

    /// As it stands in the address.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Author => "author",
            Method::Monitor => "monitor",
            Method::Learner => "learner",
            Method::LearnerStrictAuth => "learnerStrictAuth",
        }
    }
}

impl std::str::FromStr for Method {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        let found = Method::ALL
            .into_iter()
            .find(|method| method.as_str() == text);
        found.ok_or(LoginError::Method)
    }
}

/// Why a LoginRequest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// A parameter is missing, malformed or doubled.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// There is no hash.
    #[error("the login is not signed: it lacks hash")]
    NoHash,
    /// The hash is not that of these parameters.
    #[error("the hash of the login is wrong")]
    Hash,
    /// This cannot be read as a time where it has to be, or is that of a login of somebody else.
    #[error("the time of the login cannot be read: ts is {0:?}")]
    Time(String),
    /// The time is too far from now.
    #[error("the login was made at another time: ts is more than {0} minutes off")]
    Late(i64),
    /// There is no such method.
    #[error("method must be author, monitor, learner or learnerStrictAuth")]
    Method,
    /// A text is too long, or holds a control character.
    #[error("{0} must be at most {1} characters, none a control character")]
    Text(&'static str, usize),
    /// `redirectURL` leads away from the platform.
    #[error("redirectURL does not lead to the platform")]
    Redirect,
}

/// The longest name, id or title, in characters: what LAMS's own columns take.
const LONGEST: usize = 255;
/// The longest customCSV, in characters.
const LONGEST_CSV: usize = 2000;

/// Logins are made in these years: in milliseconds these are numbers of thirteen digits.
const PLAUSIBLE: RangeInclusive<i32> = 2002..=2100;

/// No text of a time is longer, in bytes.
const LONGEST_TIME: usize = 64;

/// A LoginRequest whose hash and form are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRequest {
    /// The login on the external server.
    pub uid: String,
    /// What for.
    pub method: Method,
    /// The course there, where one is named.
    pub course: Option<String>,
    /// The course's name for people.
    pub course_name: Option<String>,
    /// Whether the LAMS login begins with the server's prefix.
    pub use_prefix: bool,
    /// The customCSV, as it came.
    pub custom_csv: Option<String>,
}

impl LoginRequest {
    /// Checks a request that names `server`: that all of it was read, then the hash, then its time, then everything
    /// else.
    pub fn check(
        query: &Query<'_>,
        server: &Server,
        window: Option<TimeDelta>,
        platform: &BaseUrl,
        now: DateTime<Utc>,
    ) -> Result<Self, LoginError> {
        query.check_count()?;
        let given = |name| query.get(name).unwrap_or_default();
        let claimed = query
            .get("hash")
            .filter(|hash| !hash.is_empty())
            .ok_or(LoginError::NoHash)?;
        let expected = hash(
            server,
            given("ts"),
            given("uid"),
            given("method"),
            given("lsid"),
        );
        if !is_same(claimed, expected) {
            return Err(LoginError::Hash);
        }
        query.check()?;
        let (ts, uid) = (query.required("ts")?, query.required("uid")?);
        let at = login_time(ts, server.time_zone);
        let no_time = || LoginError::Time(ts.chars().take(40).collect());
        if at.is_none() && holds_time(ts, uid, server.time_zone) {
            return Err(no_time());
        }
        if let Some(window) = window
            && now.signed_duration_since(at.ok_or_else(no_time)?).abs() > window
        {
            return Err(LoginError::Late(window.num_minutes()));
        }
        let method: Method = query.required("method")?.parse()?;
        if method == Method::LearnerStrictAuth {
            query.required("lsid")?;
        }
        for (name, most) in TEXTS {
            let text = given(name);
            let line_end = |c| name == "customCSV" && matches!(c, '\r' | '\n');
            if text.chars().count() > most || text.chars().any(|c| c.is_control() && !line_end(c)) {
                return Err(LoginError::Text(name, most));
            }
        }
        if let Some(to) = query.get("redirectURL").filter(|to| !to.is_empty())
            && !stays_at(platform, to)
        {
            return Err(LoginError::Redirect);
        }
        let text = |name| {
            let text = query.get(name).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Ok(Self {
            uid: uid.trim().to_owned(),
            method,
            course: text("courseid"),
            course_name: text("courseName"),
            use_prefix: text("usePrefix").is_none_or(|text| text != "false"),
            custom_csv: text("customCSV"),
        })
    }

    /// The customCSV that activities without one may use: only an author's login has one (protocol 6.6).
    pub fn authors_csv(&self) -> Option<&str> {
        let csv = self.custom_csv.as_deref();
        csv.filter(|_| self.method == Method::Author)
    }

    /// The login in LAMS.
    pub fn lams_login(&self, server: &Server) -> String {
        match &server.prefix {
            Some(prefix) if self.use_prefix => format!("{prefix}_{}", self.uid),
            _ => self.uid.clone(),
        }
    }
}

/// The texts that are stored, and how long each may be.
const TEXTS: [(&str, usize); 4] = [
    ("uid", LONGEST),
    ("courseid", LONGEST),
    ("courseName", LONGEST),
    ("customCSV", LONGEST_CSV),
];

/// The hash of a LoginRequest of a server, 40 lower-case hexadecimal digits; `None` where it has no key.
pub fn login_hash(
    server: &Server,
    ts: &str,
    uid: &str,
    method: &str,
    lsid: &str,
) -> Option<String> {
    hash(server, ts, uid, method, lsid).map(hex::encode)
}

/// Path and query of a LoginRequest at a platform, hashed; `None` where the server has no key. `more` are
/// parameters beside the five that every one has, `lsid` among them.
pub fn login_path(
    platform: &str,
    server: &Server,
    (ts, uid, method): (&str, &str, Method),
    more: &[(&str, &str)],
) -> Option<String> {
    let lsid = more.iter().find(|(name, _)| *name == "lsid");
    let lsid = lsid.map_or("", |(_, value)| value);
    let hash = login_hash(server, ts, uid, method.as_str(), lsid)?;
    let five = [
        ("uid", uid),
        ("method", method.as_str()),
        ("ts", ts),
        ("sid", server.id.as_str()),
        ("hash", hash.as_str()),
    ];
    let mut path = format!("/{platform}/LoginRequest");
    for (n, (name, value)) in five.iter().chain(more).enumerate() {
        path.push(if n == 0 { '?' } else { '&' });
        path.push_str(name);
        path.push('=');
        push_enc(&mut path, value);
    }
    Some(path)
}

fn hash(server: &Server, ts: &str, uid: &str, method: &str, lsid: &str) -> Option<[u8; 20]> {
    let key = server.key.as_ref()?.expose_secret();
    Some(hashed((ts, uid, method), lsid, (server.id.as_str(), key)))
}

/// The hash of a LoginRequest of whoever has an id and a key.
pub(crate) fn hashed(login: (&str, &str, &str), lsid: &str, (sid, key): (&str, &str)) -> [u8; 20] {
    let covered = covered(login, lsid, sid);
    let parts = covered.iter().map(|(_, value)| *value).chain([key]);
    hash_of(&parts.collect::<Vec<_>>())
}

/// What the hash covers, by the names of the address, in its order; the key comes behind it.
pub fn covered<'a>(
    (ts, uid, method): (&'a str, &'a str, &'a str),
    lsid: &'a str,
    sid: &'a str,
) -> Vec<(&'static str, &'a str)> {
    let mut parts = vec![("ts", ts), ("uid", uid), ("method", method)];
    if method == Method::LearnerStrictAuth.as_str() {
        parts.push(("lsid", lsid));
    }
    parts.push(("sid", sid));
    parts
}

/// Whether a hash in an address is the one expected. Upper-case digits are refused, as LAMS does.
fn is_same(claimed: &str, expected: Option<[u8; 20]>) -> bool {
    let mut bytes = [0; 20];
    let lower = !claimed.bytes().any(|b| b.is_ascii_uppercase());
    let read = lower && hex::decode_to_slice(claimed, &mut bytes).is_ok();
    match expected {
        Some(expected) => read && bool::from(bytes.ct_eq(&expected)),
        None => false,
    }
}

/// The time of a `ts`: milliseconds, or what Moodle writes, such as `January 01,2010 12:00 am`, in the
/// server's time zone. An hour that its clocks have twice is the earlier one.
pub fn time_of(ts: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let ts = ts.trim();
    if let Ok(ms) = ts.parse() {
        return DateTime::from_timestamp_millis(ms);
    }
    let local = NaiveDateTime::parse_from_str(ts, "%B %d,%Y %I:%M %p").ok()?;
    let at = local.and_local_timezone(zone).earliest()?;
    Some(at.with_timezone(&Utc))
}

/// The time of a `ts` at which a login may have been made.
fn login_time(ts: &str, zone: Tz) -> Option<DateTime<Utc>> {
    time_of(ts, zone).filter(|at| PLAUSIBLE.contains(&at.year()))
}

/// Whether what the hash covers begins with the time of a login, of which `ts` has more or less. Then it was made for
/// another name: the hash does not say where ts ends and uid begins, so that of a login of `anamaria` one of `maria` can be
/// made, with a ts that ends in `ana`.
fn holds_time(ts: &str, uid: &str, zone: Tz) -> bool {
    let covered = [java_trim(ts), java_trim(uid)].concat();
    let ends = covered.char_indices().map(|(at, _)| at);
    ends.take_while(|at| *at <= LONGEST_TIME)
        .any(|at| login_time(&covered[..at], zone).is_some())
}

/// An address whose path is still encoded after so many decodings is nobody's honest one.
const MOST_DECODINGS: usize = 4;

/// Whether an address, absolute or relative to the platform, stays at its origin, whoever reads it: also one who
/// decodes its path once too often, or twice.
fn stays_at(platform: &BaseUrl, to: &str) -> bool {
    let plain = to.chars().all(|c| c.is_ascii_graphic());
    if !plain || !leads_to(platform, to) {
        return false;
    }
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let mut path = Cow::Borrowed(path);
    for _ in 0..MOST_DECODINGS {
        // Who reads a path as a form takes a plus for a blank.
        if !leads_to(platform, &path) || !leads_to(platform, &path.replace('+', " ")) {
            return false;
        }
        let decoded = urlencoding::decode_binary(path.as_bytes());
        let decoded = String::from_utf8_lossy(&decoded);
        if decoded == path {
            return true;
        }
        path = Cow::Owned(decoded.into_owned());
    }
    false
}

/// Whether an address leads to the platform's origin, as it stands. A browser drops blanks before it.
fn leads_to(platform: &BaseUrl, to: &str) -> bool {
    let to = to.trim_start_matches(' ').replace(' ', "%20");
    let hides = to.chars().any(|c| c.is_control() || c == '\\');
    let is_there = |url: url::Url| {
        url.origin().ascii_serialization() == platform.origin()
            && url.username().is_empty()
            && url.password().is_none()
            && !url.path().starts_with("//")
    };
    !hides && !to.starts_with("//") && platform.join(&to).is_ok_and(is_there)
}

/// The longest window that a server may have, in minutes: a year.
pub const LONGEST_WINDOW: i64 = 525_600;

/// A window of so many minutes; none for 0.
pub fn window(minutes: i64) -> Option<TimeDelta> {
    (minutes > 0).then(|| TimeDelta::minutes(minutes))
}

#[cfg(test)]
mod tests;
