//! The servers: the list with how they do, adding and editing, switching off, deleting. Their ids stand in
//! queries, not in paths: `..` and `add` are ids, too.

mod edit;
mod form;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

pub(super) use edit::{add, change, show_add, show_edit};

use super::frame::{Frame, page};
use super::guard::{Posted, SignedIn};
use super::see_other;
use crate::domain::query::Query;
use crate::flows::apply::{MadeFrom, SaveError, WrittenServer};
use crate::flows::connecting::{self, servers};
use crate::flows::{Gateway, Refusal};
use crate::store::{InUse, ServerRecord};
use crate::web::problem::Problem;

/// A server as the list shows it.
struct Row {
    listed: servers::Listed,
    /// Seconds for which it is left alone, where its breaker is open.
    left_alone: Option<u64>,
}

impl Row {
    /// When it last answered a call of this instance.
    fn answered(&self) -> Option<DateTime<Utc>> {
        self.listed.health.and_then(|health| health.answered)
    }
}

#[derive(Template)]
#[template(path = "admin/servers.html")]
struct ServersPage<'a> {
    frame: Frame<'a>,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "admin/delete_server.html")]
struct DeletePage<'a> {
    frame: Frame<'a>,
    server: &'a ServerRecord,
    used: &'a InUse,
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
    let server = servers::find(&gateway, id_of(&request)?).await?;
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
    match servers::set(gateway, &posted.who.actor(), &made_from, wanted).await {
        Ok(_) if enabled => Ok(see_other(gateway, "/admin/servers?done=enabled")),
        Ok(_) => Ok(see_other(gateway, "/admin/servers?done=disabled")),
        Err(SaveError::Newer) => Err(Refusal::ChangedMeanwhile.into()),
        Err(SaveError::Wrong(error)) => Err(Refusal::NotInOrder(error.message).into()),
        Err(SaveError::Failed(error)) => Err(failed(error)),
    }
}

/// `GET /admin/servers/delete?id`
pub(super) async fn ask_to_delete(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let server = servers::find(&gateway, id_of(&request)?).await?;
    let used = servers::in_use(&gateway, &server.id).await?;
    deleting(StatusCode::OK, (&gateway, &who), &server, &used)
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
            deleting(StatusCode::CONFLICT, at, &server, &used)
        }
    }
}

/// Asks whether a server is to be deleted, or says what uses it.
fn deleting(
    status: StatusCode,
    (gateway, who): (&Gateway, &SignedIn),
    server: &ServerRecord,
    used: &InUse,
) -> Result<HttpResponse, Problem> {
    let template = DeletePage {
        frame: Frame::of(gateway, who, "servers"),
        server,
        used,
    };
    page(status, &template)
}

/// The id in an address; one that is missing is that of no server.
fn id_of(request: &HttpRequest) -> Result<&str, Refusal> {
    // Ids need no escapes, and what has some is no id.
    let pairs = request.query_string().split('&');
    pairs
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| (name == "id").then_some(value))
        .ok_or(Refusal::NotConfigured("server"))
}

/// What stands behind a form that was right and was not saved.
fn failed(error: crate::flows::apply::ApplyError) -> Problem {
    match connecting::configuration::refused(error) {
        Ok(wrong) => Refusal::NotInOrder(wrong.message).into(),
        Err(refusal) => refusal.into(),
    }
}
