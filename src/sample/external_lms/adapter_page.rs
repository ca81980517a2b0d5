//! The adapter pages, which the gateway calls: `clone` so far. Any other method is answered with
//! nothing and 200, as Moodle answers methods that it does not know.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::ExternalLms;
use super::activity::Kind;
use super::entry::course;
use crate::domain::query::Query;
use crate::sample::page;

/// `GET /mod/lamstwo/tooladapter_forum.php`.
pub(super) async fn forum(request: HttpRequest, lms: web::Data<ExternalLms>) -> HttpResponse {
    answer(&request, &lms, Kind::Forum)
}

/// `GET /mod/lamstwo/tooladapter_quiz.php`.
pub(super) async fn quiz(request: HttpRequest, lms: web::Data<ExternalLms>) -> HttpResponse {
    answer(&request, &lms, Kind::Quiz)
}

fn answer(request: &HttpRequest, lms: &ExternalLms, kind: Kind) -> HttpResponse {
    let query = Query::parse(request.query_string());
    if lms.signed_user(&query).is_err() {
        return page::text(StatusCode::UNAUTHORIZED, String::new());
    }
    let body = match query.get("method") {
        Some("clone") => {
            // What is no number is 0 to PHP, and makes default content.
            let id = query.get("extToolContentID").unwrap_or_default();
            let id = id.trim().parse().unwrap_or_default();
            lms.lock().clone_of(kind, id, &course(&query)).to_string()
        }
        _ => String::new(),
    };
    page::text(StatusCode::OK, body)
}
