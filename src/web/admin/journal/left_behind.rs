//! One thing that still stands on a server though it is forgotten here: deleting it there, or striking it from
//! the list. The page asks, before either is done.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Left, id_of, not_there, plain, problem, words};
use crate::flows::Gateway;
use crate::flows::journal::{self, JournalError, Retried};
use crate::web::admin::frame::{Frame, page, status_if};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::see_other;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/left_behind.html")]
struct LeftBehindPage<'a> {
    frame: Frame<'a>,
    item: Left,
    is_deletable: bool,
    /// Why what was asked was not done.
    wrong: Option<String>,
}

/// `GET /admin/journal/left-behind?id`
pub(in crate::web::admin) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    asking(&gateway, &who, &id_of(&request), None).await
}

/// `POST /admin/journal/left-behind/delete`
pub(in crate::web::admin) async fn delete(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = plain(posted.fields.get("id"));
    if !is_there(&gateway, id).await? {
        return not_there(&gateway, &posted.who).await;
    }
    match journal::retry(&gateway, &posted.who.actor(), id).await {
        Ok(Retried::UsedAgain(_)) => Ok(see_other(&gateway, "/admin/journal?done=used-again")),
        Ok(_) => Ok(see_other(&gateway, "/admin/journal?done=deleted")),
        Err(error) => not_done(&gateway, &posted.who, id, error).await,
    }
}

/// `POST /admin/journal/left-behind/strike`
pub(in crate::web::admin) async fn strike(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = plain(posted.fields.get("id"));
    if !is_there(&gateway, id).await? {
        return not_there(&gateway, &posted.who).await;
    }
    match journal::drop_entry(&gateway, &posted.who.actor(), id).await {
        Ok(()) => Ok(see_other(&gateway, "/admin/journal?done=struck")),
        Err(error) => not_done(&gateway, &posted.who, id, error).await,
    }
}

async fn is_there(gateway: &Gateway, id: &str) -> Result<bool, Problem> {
    let left = journal::find_left_behind(gateway, id).await;
    Ok(left.map_err(problem)?.is_some())
}

async fn not_done(
    gateway: &Gateway,
    who: &SignedIn,
    id: &str,
    error: JournalError,
) -> Result<HttpResponse, Problem> {
    match error {
        JournalError::Unknown(_) => not_there(gateway, who).await,
        error => asking(gateway, who, id, Some(words(error)?)).await,
    }
}

async fn asking(
    gateway: &Gateway,
    who: &SignedIn,
    id: &str,
    wrong: Option<String>,
) -> Result<HttpResponse, Problem> {
    let left = journal::find_left_behind(gateway, id).await;
    let Some(left) = left.map_err(problem)? else {
        return not_there(gateway, who).await;
    };
    let status = status_if(wrong.is_some(), StatusCode::CONFLICT);
    let template = LeftBehindPage {
        frame: Frame::of(gateway, who, "journal"),
        is_deletable: journal::is_deletable(gateway, &left),
        item: Left::of(left, &gateway.configuration()),
        wrong,
    };
    page(status, &template)
}
