//! The servers: the list with how they do, adding and editing, switching off, deleting. Their ids stand in
//! queries, not in paths: `..` and `add` are ids, too.

mod edit;
mod form;
mod tool_row;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

pub(super) use edit::{add, change, show_add, show_edit};

use super::connected::{SERVERS, not_saved};
use super::frame::{Frame, page};
use super::guard::{Posted, SignedIn};
use super::see_other;
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::apply::{MadeFrom, WrittenServer};
use crate::flows::connecting::{self, servers};
use crate::store::ServerRecord;
use crate::web::problem::Problem;

/// A server as the list shows it.
struct Row {
    listed: servers::Listed,
    /// Seconds for which it is left alone, where its breaker is open.
    left_alone: Option<u64>,
}

#[derive(Template)]
#[template(path = "admin/servers.html")]
struct ServersPage<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "admin/disable_server.html")]
struct DisablePage<'a> {
    frame: Frame<'a>,
    server: &'a ServerRecord,
}

/// `GET /admin/servers`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "saved" => Some("Saved. New launches use it from now on."),
        "short-key" => Some(
            "Saved. The key is shorter than 16 characters; a longer one, on both sides, is harder to guess.",
        ),
        "enabled" => Some("Enabled. Launches go there again."),
        "disabled" => Some("Disabled. Launches to it are refused in words."),
        "deleted" => Some("Deleted."),
        _ => None,
    });
    let rows = servers::list(&gateway, Utc::now()).await?.into_iter();
    let template = ServersPage {
        frame: Frame::of(&gateway, &who, "servers").done(done),
        rows: rows
            .map(|listed| Row {
                left_alone: listed
                    .health
                    .and_then(|health| health.closed_for)
                    .map(|wait| wait.as_secs().max(1)),
                listed,
            })
            .collect(),
    };
    page(StatusCode::OK, &template)
}

/// `GET /admin/servers/disable?id`: asks first, since a class may be at work there.
pub(super) async fn ask_to_disable(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let server = servers::find(&gateway, SERVERS.id_of(&request)?).await?;
    let template = DisablePage {
        frame: Frame::of(&gateway, &who, "servers"),
        server: &server,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/servers/disable`
pub(super) async fn disable(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    switch(&gateway, &posted, false).await
}

/// `POST /admin/servers/enable`
pub(super) async fn enable(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    switch(&gateway, &posted, true).await
}

async fn switch(
    gateway: &Gateway,
    posted: &Posted,
    enabled: bool,
) -> Result<HttpResponse, Problem> {
    let record = servers::find(gateway, posted.fields.get("id")).await?;
    let wanted = WrittenServer {
        enabled,
        ..WrittenServer::of(&record)
    };
    let made_from = MadeFrom::server(Some(&record));
    servers::set(gateway, &posted.who.actor(), &made_from, wanted)
        .await
        .map_err(not_saved)?;
    let done = if enabled { "enabled" } else { "disabled" };
    Ok(see_other(gateway, &format!("/admin/servers?done={done}")))
}

/// `GET /admin/servers/delete?id`
pub(super) async fn ask_to_delete(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let server = servers::find(&gateway, SERVERS.id_of(&request)?).await?;
    let used = servers::in_use(&gateway, &server.id).await?;
    let at = (gateway.get_ref(), &who);
    SERVERS.deleting(StatusCode::OK, at, (&server.id, &server.name), &used)
}

/// `POST /admin/servers/delete`
pub(super) async fn delete(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let server = servers::find(&gateway, posted.fields.get("id")).await?;
    match servers::remove(&gateway, &posted.who.actor(), &server.id).await? {
        connecting::Deleted::Gone => Ok(see_other(&gateway, "/admin/servers?done=deleted")),
        connecting::Deleted::InUse(used) => {
            let at = (gateway.get_ref(), &posted.who);
            SERVERS.deleting(StatusCode::CONFLICT, at, (&server.id, &server.name), &used)
        }
    }
}
