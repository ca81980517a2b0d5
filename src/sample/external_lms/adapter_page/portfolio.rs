//! `method=export_portfolio`: what one learner wrote or answered, as a page that is kept as a file and
//! so asks for no other.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::sample::external_lms::activity::Activity;
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lms/portfolio.html")]
struct PortfolioPage<'a> {
    activity: &'a Activity,
    user: &'a str,
}

/// The page of one learner.
pub(super) fn page(activity: &Activity, user: &str) -> HttpResponse {
    page::html(StatusCode::OK, &PortfolioPage { activity, user })
}
