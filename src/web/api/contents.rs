//! `GET`, `PATCH` and `DELETE /api/v1/tools/{signature}/contents/{toolContentID}`, and `POST …/copy`

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use crate::domain::content::{Content, ContentKey};
use crate::domain::id::ToolContentId;
use crate::domain::query::Query;
use crate::flows::copy::copy_tool_content;
use crate::flows::making::NewContent;
use crate::flows::{Gateway, Refusal, contents, removal};
use crate::web::problem::Problem;

/// Content, as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContentAnswer {
    #[serde(rename = "toolContentID")]
    tool_content_id: i64,
    signature: String,
    ext_lms_id: String,
    user: String,
    course: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    course_url: Option<String>,
    #[serde(rename = "extToolContentID")]
    ext_tool_content_id: Option<String>,
    define_later: bool,
    run_offline: bool,
    content_in_use: bool,
    created_at: String,
    updated_at: String,
}

/// The flags of `PATCH`; what is left out stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Flags {
    define_later: Option<bool>,
    run_offline: Option<bool>,
}

pub(super) async fn get(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let content = contents::get(&gateway, &key(&caller, &path)?).await?;
    super::json(HttpResponse::Ok(), &ContentAnswer::of(content))
}

pub(super) async fn patch(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let key = key(&caller, &path)?;
    let flags: Flags = super::read(&body)?;
    let content = contents::set_flags(
        &gateway,
        &key,
        flags.define_later,
        flags.run_offline,
        Utc::now(),
    )
    .await?;
    super::json(HttpResponse::Ok(), &ContentAnswer::of(content))
}

/// removeToolContent: 204; 409 where sessions exist and `removeSessionData` is not true.
pub(super) async fn delete(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let key = key(&caller, &path)?;
    let query = Query::parse(request.query_string());
    query.check().map_err(Refusal::from)?;
    let with_sessions = match query.get("removeSessionData") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(Refusal::Body("removeSessionData must be true or false".to_owned()).into());
        }
    };
    removal::remove_content(&gateway, &key, with_sessions, Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The body of `copy`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CopyBody {
    from: Option<i64>,
    #[serde(rename = "customCSV")]
    custom_csv: String,
    ext_lms_id: Option<String>,
}

/// copyToolContent: 201 made now, 200 there already by the same call.
pub(super) async fn copy(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let key = key(&caller, &path)?;
    let body: CopyBody = super::read(&body)?;
    let from = body
        .from
        .map(ToolContentId::from_number)
        .transpose()
        .map_err(Refusal::from)?;
    let new = NewContent {
        key,
        custom_csv: body.custom_csv,
        ext_lms_id: body.ext_lms_id,
    };
    made(copy_tool_content(&gateway, from, new).await?)
}

/// Content that a call made: 201 now, 200 before.
pub(super) fn made((content, now): (Content, bool)) -> Result<HttpResponse, Problem> {
    let response = if now {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    super::json(response, &ContentAnswer::of(content))
}

pub(super) fn key(caller: &Caller, path: &(String, String)) -> Result<ContentKey, Refusal> {
    Ok(ContentKey {
        platform: caller.platform.id.clone(),
        signature: caller.tool(&path.0)?,
        id: path.1.parse()?,
    })
}

impl ContentAnswer {
    fn of(content: Content) -> Self {
        Self {
            define_later: content.is_not_ready(Utc::now()),
            tool_content_id: content.key.id.get(),
            signature: content.key.signature.to_string(),
            ext_lms_id: content.place.server.to_string(),
            user: content.place.user,
            course: content.place.course,
            section: content.place.section,
            course_url: content.place.course_url,
            ext_tool_content_id: content.ext_id.map(|id| id.to_string()),
            run_offline: content.run_offline,
            content_in_use: content.in_use,
            created_at: time(content.created_at),
            updated_at: time(content.updated_at),
        }
    }
}

/// RFC 3339, UTC, milliseconds.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
