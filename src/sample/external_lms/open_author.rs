//! "Open Author": the course's teacher goes into LAMS with a LoginRequest (protocol 6.6), hashed at that
//! moment. customCSV tells LAMS which user, course and section its activities are for.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use secrecy::ExposeSecret;

use super::ExternalLms;
use super::refusal::Refusal;
use crate::domain::enc::enc;
use crate::domain::login_request::hashed;
use crate::domain::query::Query;
use crate::sample::page;

/// The one course.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) id: &'static str,
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) teacher: &'static str,
}

/// What it is.
pub(super) const COURSE: Course = Course {
    id: "7",
    section: "3",
    name: "Solar system",
    teacher: "Bill",
};

/// What LAMS may call this place.
const REQUEST_SOURCE: &str = "Sample Campus";

#[derive(Template)]
#[template(path = "sample/lms/open_author.html")]
struct FormPage<'a> {
    course: &'a Course,
    address: &'a str,
    fields: &'a [(&'a str, String)],
}

/// `GET /open-author`: leads to the gateway's LoginRequest; with `method=post`, by a form.
pub(super) async fn open_author(
    request: HttpRequest,
    lms: web::Data<ExternalLms>,
) -> Result<HttpResponse, Refusal> {
    let address = lms.config.login_request.as_deref();
    let address = address.ok_or(Refusal::NoPage)?;
    let fields = lms.login_request();
    let query = Query::parse(request.query_string());
    if query.get("method") == Some("post") {
        let page = FormPage {
            course: &COURSE,
            address,
            fields: &fields,
        };
        return Ok(page::html(StatusCode::OK, &page));
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", enc(value)))
        .collect();
    let address = format!("{address}?{}", fields.join("&"));
    Ok(page::redirect(StatusCode::FOUND, &address))
}

impl ExternalLms {
    /// The fields of a LoginRequest of the course's teacher, now.
    fn login_request(&self) -> [(&'static str, String); 9] {
        const METHOD: &str = "author";
        let (teacher, course) = (COURSE.teacher, COURSE.id);
        let ts = Utc::now().timestamp_millis().to_string();
        let sid = &self.config.server_id;
        let key = self.config.server_key.expose_secret();
        let hash = hex::encode(hashed((&ts, teacher, METHOD), "", (sid, key)));
        let csv = format!("{teacher},{course},{},{sid}", COURSE.section);
        [
            ("uid", teacher.to_owned()),
            ("method", METHOD.to_owned()),
            ("ts", ts),
            ("sid", sid.clone()),
            ("hash", hash),
            ("courseid", course.to_owned()),
            ("courseName", COURSE.name.to_owned()),
            ("customCSV", csv),
            ("requestSrc", REQUEST_SOURCE.to_owned()),
        ]
    }
}
