//! The platforms: the list, adding and editing, deleting, their secrets, and an example of a launch. Their ids
//! stand in queries, not in paths: `add` is an id, too.

mod edit;
mod example;
mod form;
mod secret;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

pub(super) use edit::{add, change, show_add, show_edit};
pub(super) use secret::{ask as ask_for_secret, make as make_secret};

use super::connected::PLATFORMS;
use super::frame::{Frame, page};
use super::guard::{Posted, SignedIn};
use super::see_other;
use crate::domain::query::Query;
use crate::flows::connecting::{self, platforms};
use crate::flows::{Gateway, configuration};
use crate::store::PlatformRecord;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/platforms.html")]
struct PlatformsPage<'a> {
    frame: Frame<'a>,
    platforms: Vec<PlatformRecord>,
}

/// Whether its launches prove where they come from.
fn is_signed(record: &PlatformRecord) -> bool {
    record.launch_auth == configuration::SIGNED
}

/// `GET /admin/platforms`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "saved" => Some("Saved. It holds from now on."),
        "short" => Some(
            "Saved. A secret of fewer than 16 characters is easy to guess. Make a new one here instead.",
        ),
        "deleted" => Some("Deleted."),
        _ => None,
    });
    let template = PlatformsPage {
        frame: Frame::of(&gateway, &who, PLATFORMS.path).done(done),
        platforms: platforms::list(&gateway).await?,
    };
    page(StatusCode::OK, &template)
}

/// `GET /admin/platforms/delete?id`
pub(super) async fn ask_to_delete(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let platform = platforms::find(&gateway, PLATFORMS.id_of(&request)?).await?;
    let used = platforms::in_use(&gateway, &platform.id).await?;
    let (at, it) = ((gateway.get_ref(), &who), (&*platform.id, &*platform.name));
    PLATFORMS.deleting(StatusCode::OK, at, it, &used)
}

/// `POST /admin/platforms/delete`
pub(super) async fn delete(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let platform = platforms::find(&gateway, posted.fields.get("id")).await?;
    match platforms::remove(&gateway, &posted.who.actor(), &platform.id).await? {
        connecting::Deleted::Gone => Ok(see_other(&gateway, "/admin/platforms?done=deleted")),
        connecting::Deleted::InUse(used) => {
            let (at, it) = (
                (gateway.get_ref(), &posted.who),
                (&*platform.id, &*platform.name),
            );
            PLATFORMS.deleting(StatusCode::CONFLICT, at, it, &used)
        }
    }
}
