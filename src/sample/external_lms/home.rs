//! The home page: what this server is, its course with the way into LAMS, and every activity on it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::ExternalLms;
use super::activity::Activity;
use super::open_author::{COURSE, Course};
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lms/home.html")]
struct HomePage {
    /// The course, where its teacher can go into LAMS.
    course: Option<&'static Course>,
    activities: Vec<Activity>,
}

/// `GET /`.
pub(super) async fn home(lms: web::Data<ExternalLms>) -> HttpResponse {
    let mut activities = lms.activities();
    activities.reverse();
    let course = lms.config.login_request.as_ref().map(|_| &COURSE);
    page::html(StatusCode::OK, &HomePage { course, activities })
}
