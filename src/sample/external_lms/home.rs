//! The home page: what this server is, and every activity on it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::ExternalLms;
use super::activity::Activity;
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lms/home.html")]
struct HomePage {
    activities: Vec<Activity>,
}

/// `GET /`.
pub(super) async fn home(lms: web::Data<ExternalLms>) -> HttpResponse {
    let mut activities = lms.activities();
    activities.reverse();
    page::html(StatusCode::OK, &HomePage { activities })
}
