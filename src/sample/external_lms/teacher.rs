//! What a teacher sees of a session: the posts of its forum, or the attempts and grades of its quiz.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::ExternalLms;
use super::activity::{Activity, Kind};
use super::refusal::Refusal;
use super::ticket::Purpose;
use crate::domain::query::Query;
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lms/teacher.html")]
struct TeacherPage<'a> {
    activity: Activity,
    user: &'a str,
    back: &'a str,
}

/// `GET /mod/forum/view.php`.
pub(super) async fn forum(
    request: HttpRequest,
    lms: web::Data<ExternalLms>,
) -> Result<HttpResponse, Refusal> {
    look(&request, &lms, Kind::Forum)
}

/// `GET /mod/quiz/report.php`.
pub(super) async fn quiz(
    request: HttpRequest,
    lms: web::Data<ExternalLms>,
) -> Result<HttpResponse, Refusal> {
    look(&request, &lms, Kind::Quiz)
}

fn look(request: &HttpRequest, lms: &ExternalLms, kind: Kind) -> Result<HttpResponse, Refusal> {
    let query = Query::parse(request.query_string());
    let visit = lms.visit(request, &query, |query| {
        Ok(Purpose::Look {
            id: lms.named(query, Some(kind))?.id,
            back: lms.way_back(query)?,
        })
    })?;
    if let Some(on) = visit.goes_on(request) {
        return Ok(on);
    }
    let Purpose::Look { id, back } = &visit.purpose else {
        return Err(Refusal::NoTicket);
    };
    let page = TeacherPage {
        activity: lms.ticketed(*id)?,
        user: &visit.user,
        back,
    };
    Ok(page::html(StatusCode::OK, &page))
}
