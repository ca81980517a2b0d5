//! Deleting a tool of one's own.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::signature_of;
use crate::flows::connecting::{Deleted, tools};
use crate::flows::{Gateway, Refusal};
use crate::store::InUse;
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::see_other;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/delete_tool.html")]
struct DeletePage<'a> {
    frame: Frame<'a>,
    found: &'a tools::Found,
    used: &'a InUse,
}

/// `GET /admin/tools/delete?signature`
pub(in crate::web::admin) async fn ask_to_delete(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let found = own(&gateway, &signature_of(&request)).await?;
    let used = tools::in_use(&gateway, found.tool.signature.as_str()).await?;
    deleting(StatusCode::OK, (&gateway, &who), &found, &used)
}

/// `POST /admin/tools/delete`
pub(in crate::web::admin) async fn delete(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let found = own(&gateway, posted.fields.get("signature")).await?;
    let signature = found.tool.signature.as_str();
    match tools::remove(&gateway, &posted.who.actor(), signature).await? {
        Deleted::Gone => Ok(see_other(&gateway, "/admin/tools?done=deleted")),
        Deleted::InUse(used) => {
            let at = (gateway.get_ref(), &posted.who);
            deleting(StatusCode::CONFLICT, at, &found, &used)
        }
    }
}

/// A tool of one's own; the built-in ones cannot be deleted.
pub(super) async fn own(gateway: &Gateway, signature: &str) -> Result<tools::Found, Refusal> {
    let found = tools::find(gateway, signature).await?;
    if found.record.is_some() {
        Ok(found)
    } else {
        Err(Refusal::NotConfigured("tool of your own"))
    }
}

/// Asks whether a tool is to be deleted, or says what uses it.
fn deleting(
    status: StatusCode,
    (gateway, who): (&Gateway, &SignedIn),
    found: &tools::Found,
    used: &InUse,
) -> Result<HttpResponse, Problem> {
    let template = DeletePage {
        frame: Frame::of(gateway, who, "tools"),
        found,
        used,
    };
    page(status, &template)
}
