//! The tools: the list, one of them with the servers that have it, its preview, and those of one's own. Their
//! signatures stand in queries, not in paths, as the ids of servers do.

mod about;
mod boxes;
mod delete;
mod editor;
mod outcome;
mod preview;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

pub(super) use boxes::{map, show_one};
pub(super) use delete::{ask_to_delete, delete};
pub(super) use editor::{add, change, show_edit, show_new, try_out, upload};
pub(super) use preview::show as show_preview;

use super::frame::{Frame, page};
use super::guard::SignedIn;
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::connecting::tools;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/tools.html")]
struct ToolsPage<'a> {
    frame: Frame<'a>,
    rows: Vec<tools::Listed>,
}

/// `GET /admin/tools`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "deleted" => Some("Deleted."),
        _ => None,
    });
    let template = ToolsPage {
        frame: Frame::of(&gateway, &who, "tools").done(done),
        rows: tools::list(&gateway, Utc::now()).await?,
    };
    page(StatusCode::OK, &template)
}

/// `GET /admin/tools/file?signature`: the definition, as a file.
pub(super) async fn download(
    request: HttpRequest,
    _who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let found = tools::find(&gateway, &signature_of(&request)).await?;
    // A signature holds letters, digits, `-` and `_` alone.
    let name = format!("attachment; filename=\"{}.toml\"", found.tool.signature);
    Ok(HttpResponse::Ok()
        .content_type("application/toml; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(found.definition))
}

/// The signature in an address; one that is missing is that of no tool.
fn signature_of(request: &HttpRequest) -> String {
    let query = Query::parse(request.query_string());
    query.get("signature").unwrap_or_default().to_owned()
}

/// The address of a tool's page, with what was just done.
fn page_of(signature: &str, done: &str) -> String {
    format!("/admin/tools/tool?signature={signature}&done={done}")
}
