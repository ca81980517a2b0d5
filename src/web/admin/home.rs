//! The first page: where things are.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::frame::{Frame, page};
use super::guard::SignedIn;
use crate::flows::Gateway;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/home.html")]
struct HomePage<'a> {
    frame: Frame<'a>,
}

/// `GET /admin/`
pub(super) async fn show(
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(&gateway, &who, "");
    page(StatusCode::OK, &HomePage { frame })
}
