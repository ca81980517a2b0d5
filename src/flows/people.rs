//! Who came in by a LoginRequest, for sysadmins, and an address of one for trying. Such an address signs in;
//! it is made for the one who asks, and stored nowhere.

use chrono::{DateTime, TimeDelta, Utc};

use super::login::window_minutes;
use super::sign::{SignError, login_address};
use super::{Gateway, Refusal};
use crate::domain::address_parts::AddressParts;
use crate::domain::hash::as_hashed;
use crate::domain::id::PlatformId;
use crate::domain::login_request::{LoginError, LoginRequest, Method, covered, window};
use crate::domain::query::Query;
use crate::store::{LoginCourse, LoginFilter, LoginUser, RememberedCsv};

/// So many stand on a page.
const ON_A_PAGE: usize = 50;

/// A page of a list.
pub struct Page<T> {
    /// Those who came last first.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page on which nothing is.
    pub fn empty() -> Self {
        Self {
            rows: Vec::new(),
            has_more: false,
        }
    }

    fn of(mut rows: Vec<T>) -> Self {
        let has_more = rows.len() > ON_A_PAGE;
        rows.truncate(ON_A_PAGE);
        Self { rows, has_more }
    }
}

/// The filter of a page, counted from 0: of a server, by a text; either may be empty.
fn filter(server: &str, search: &str, page: u32) -> LoginFilter {
    let most = i64::try_from(ON_A_PAGE).unwrap_or(i64::MAX - 1);
    LoginFilter {
        server: server.to_owned(),
        search: search.to_owned(),
        most: most + 1,
        after: most * i64::from(page),
    }
}

/// Who came in.
pub async fn users(
    gateway: &Gateway,
    (server, search): (&str, &str),
    page: u32,
) -> Result<Page<LoginUser>, Refusal> {
    let filter = filter(server, search, page);
    Ok(Page::of(gateway.store.login_users(&filter).await?))
}

/// The courses that they came from.
pub async fn courses(
    gateway: &Gateway,
    (server, search): (&str, &str),
    page: u32,
) -> Result<Page<LoginCourse>, Refusal> {
    let filter = filter(server, search, page);
    Ok(Page::of(gateway.store.login_courses(&filter).await?))
}

/// Somebody who came in.
pub struct Person {
    /// The row.
    pub user: LoginUser,
    /// What the last login carried.
    pub carried: AddressParts,
    /// The customCSV that is remembered.
    pub remembered: Option<RememberedCsv>,
    /// How long one is.
    pub kept: TimeDelta,
}

/// Somebody, by their login on a server; `None` where nobody of that name came from there.
pub async fn person(
    gateway: &Gateway,
    platform: &str,
    server: &str,
    ext_login: &str,
    now: DateTime<Utc>,
) -> Result<Option<Person>, Refusal> {
    let Ok(id) = platform.parse::<PlatformId>() else {
        return Ok(None);
    };
    let found = gateway.store.login_user(platform, server, ext_login);
    let Some(user) = found.await? else {
        return Ok(None);
    };
    let kept = gateway.csv_kept();
    let all = gateway
        .store
        .remembered_csv(&id, &user.lams_login, now - kept)
        .await?;
    Ok(Some(Person {
        carried: AddressParts::of(&format!("?{}", user.last_carried)),
        remembered: all.into_iter().find(|row| row.server_id == server),
        kept,
        user,
    }))
}

/// A LoginRequest to try, as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the parameters of the address, by its words")]
pub struct Attempt {
    pub platform: String,
    pub server: String,
    pub user: String,
    pub method: String,
    pub course: String,
    pub course_name: String,
    pub custom_csv: String,
    pub lesson: String,
}

impl Attempt {
    /// The parameters beside the five that every login has.
    pub fn more(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("courseid", &self.course),
            ("courseName", &self.course_name),
            ("customCSV", &self.custom_csv),
            ("lsid", &self.lesson),
        ];
        let given = all.into_iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| (name, value.as_str())).collect()
    }
}

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// It cannot be made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It would be refused.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Its server is switched off.
    #[error("the server is disabled, and its logins are refused")]
    Disabled,
    /// The lesson is no number.
    #[error("a lesson's id is a number in LAMS: digits alone, 19 at most")]
    Lesson,
    /// The address would be longer than is taken.
    #[error("the address would be longer than the gateway takes")]
    TooLong,
}

/// A part of what the hash is made of.
pub struct Hashed {
    /// The parameter.
    pub name: &'static str,
    /// As it stands in the address, decoded.
    pub given: String,
    /// As it counts.
    pub counts: String,
}

/// An address that signs in, and what is to be said of it.
pub struct Tried {
    /// Path and query.
    pub path: String,
    /// The same, part by part.
    pub parts: AddressParts,
    /// What it is for.
    pub method: Method,
    /// What the hash covers, in its order; the key comes behind it.
    pub hashed: Vec<Hashed>,
    /// Who it is in LAMS.
    pub lams_login: String,
    /// The prefix in that, where there is one.
    pub prefix: Option<String>,
    /// By how many minutes its time may be off; 0: it is good for ever.
    pub window: i64,
    /// How long its customCSV is remembered, where it has one.
    pub remembered: Option<TimeDelta>,
}

/// Makes the address of a LoginRequest at this moment, which the gateway would take: what checks a login checks
/// this one. `longest` is the length of what is taken.
pub fn attempt(
    gateway: &Gateway,
    asked: &Attempt,
    longest: usize,
    now: DateTime<Utc>,
) -> Result<Tried, AttemptError> {
    let configuration = gateway.configuration();
    let method: Method = asked.method.parse()?;
    let digits = asked.lesson.bytes().all(|b| b.is_ascii_digit());
    if !digits || asked.lesson.len() > 19 {
        return Err(AttemptError::Lesson);
    }
    let at = (asked.platform.as_str(), asked.server.as_str());
    let who = (asked.user.as_str(), method);
    let path = login_address(&configuration, at, who, &asked.more(), now)?;
    let platform = configuration.platform(&asked.platform);
    let platform = platform.ok_or_else(|| SignError::UnknownPlatform(asked.platform.clone()))?;
    let server = configuration.server(&asked.server);
    let server = server.ok_or_else(|| SignError::UnknownServer(asked.server.clone()))?;
    let minutes = window_minutes(gateway, server);
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let query = Query::parse(query);
    let login = LoginRequest::check(&query, server, window(minutes), &platform.url, now)?;
    if !server.enabled {
        return Err(AttemptError::Disabled);
    }
    if path.len() > longest {
        return Err(AttemptError::TooLong);
    }
    let ts = query.get("ts").unwrap_or_default();
    let all = (ts, asked.user.as_str(), method.as_str());
    let hashed = covered(all, &asked.lesson, server.id.as_str());
    let hashed = hashed.into_iter().map(|(name, given)| Hashed {
        name,
        given: given.to_owned(),
        counts: as_hashed(given),
    });
    Ok(Tried {
        parts: AddressParts::of(&path),
        method,
        hashed: hashed.collect(),
        lams_login: login.lams_login(server),
        prefix: server.prefix.clone(),
        window: minutes,
        remembered: login.authors_csv().map(|_| gateway.csv_kept()),
        path,
    })
}
