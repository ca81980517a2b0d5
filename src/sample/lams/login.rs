//! `LoginRequest`: how a teacher comes in from the external LMS (protocol 6.6), checked with LAMS's own copy
//! of the server's key. customCSV is not looked at: a LAMS of today drops it on the way to its authoring.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::Lams;
use super::refusal::Refusal;
use crate::domain::login_request::hashed;
use crate::domain::query::Query;
use crate::sample::page;

/// Who came in last, and teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Teacher {
    /// As the external LMS knows them.
    pub(super) name: String,
    /// As LAMS does.
    pub(super) login: String,
    /// The course there, with its name.
    pub(super) course: Option<(String, String)>,
}

/// More characters than this are no name.
const LONGEST: usize = 100;

/// `GET /LoginRequest`.
pub(super) async fn get(
    request: HttpRequest,
    lams: web::Data<Lams>,
) -> Result<HttpResponse, Refusal> {
    lams.come_in(&Query::parse(request.query_string()))
}

/// `POST /LoginRequest`: a parameter is what either the address or the form says.
pub(super) async fn post(
    request: HttpRequest,
    body: web::Bytes,
    lams: web::Data<Lams>,
) -> Result<HttpResponse, Refusal> {
    let carried = [request.query_string(), &String::from_utf8_lossy(&body)].join("&");
    lams.come_in(&Query::parse(&carried))
}

impl Lams {
    /// Checks a login, and leads to the lesson's page.
    fn come_in(&self, query: &Query<'_>) -> Result<HttpResponse, Refusal> {
        let teacher = self.checked(query)?;
        *self.teacher() = Some(teacher);
        Ok(page::redirect(StatusCode::FOUND, "/"))
    }

    fn checked(&self, query: &Query<'_>) -> Result<Teacher, Refusal> {
        let (ts, uid) = (query.required("ts")?, query.required("uid")?);
        let (method, sid) = (query.required("method")?, query.required("sid")?);
        let hash = query.required("hash")?;
        let config = &self.config;
        if sid != config.server_id {
            return Err(Refusal::UnknownServer);
        }
        let key = config.server_key.expose_secret();
        let expected = hex::encode(hashed(
            (ts, uid, method),
            query.get("lsid").unwrap_or_default(),
            (&config.server_id, key),
        ));
        if !bool::from(hash.as_bytes().ct_eq(expected.as_bytes())) {
            return Err(Refusal::WrongHash);
        }
        query.check()?;
        if method != "author" {
            return Err(Refusal::NotAnAuthor);
        }
        let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
        let name = short(uid.trim());
        let login = match query.get("usePrefix") {
            Some("false") => name.clone(),
            _ => format!("{}_{name}", config.prefix),
        };
        let course = query.get("courseid").filter(|course| !course.is_empty());
        let called = query.get("courseName").filter(|called| !called.is_empty());
        Ok(Teacher {
            name,
            login,
            course: course.map(|course| (short(course), short(called.unwrap_or(course)))),
        })
    }

    /// Who teaches; nobody before somebody came in.
    pub(super) fn whoever_teaches(&self) -> Result<Teacher, Refusal> {
        self.teacher().clone().ok_or(Refusal::NobodyCameIn)
    }
}
