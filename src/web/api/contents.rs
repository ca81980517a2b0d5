//! `GET`, `PATCH` and `DELETE /api/v1/tools/{signature}/contents/{toolContentID}`, and `POST …/copy`

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::paths::ContentPath;
use super::refusals::{
    Making, OfContent, OfTool, Outgoing, Refused, WithBody, WithCustomCsv, WithoutSessions,
};
use crate::domain::content::{Content, ContentKey};
use crate::domain::id::ToolContentId;
use crate::domain::journal::{EntryKey, Operation};
use crate::domain::query::Query;
use crate::flows::copy::copy_tool_content;
use crate::flows::making::{NewContent, Whence};
use crate::flows::{Gateway, Refusal, contents, remembered, removal};
use crate::web::limits::Limits;
use crate::web::problem::Problem;

/// Content: what an author saved, or a call made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Content, examples(json!({
    "toolContentID": 1234,
    "signature": "mdquiz10",
    "extLmsId": "moodle",
    "user": "bill",
    "course": "7",
    "section": "3",
    "extToolContentID": "555",
    "defineLater": false,
    "runOffline": false,
    "contentInUse": true,
    "createdAt": "2026-11-02T09:30:00.000Z",
    "updatedAt": "2026-11-02T09:41:07.250Z",
})))]
pub(super) struct ContentAnswer {
    /// Its number on the platform.
    #[serde(rename = "toolContentID")]
    #[schema(minimum = 1)]
    tool_content_id: i64,
    /// Its tool.
    signature: String,
    /// The server that it lives on.
    ext_lms_id: String,
    /// The login there of whoever made it.
    user: String,
    /// Its course there.
    course: String,
    /// Its section there, where the tool has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    section: Option<String>,
    /// The address of its course, where the tool has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    course_url: Option<String>,
    /// Its id on the server; null as long as it was not saved there.
    #[serde(rename = "extToolContentID")]
    #[schema(required)]
    ext_tool_content_id: Option<String>,
    /// Whether learners have to wait: it is to be defined later, or a teacher is editing it right now.
    define_later: bool,
    /// Whether learners do it offline.
    run_offline: bool,
    /// Whether a session of it was opened.
    content_in_use: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last saved.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Flags to set; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({"defineLater": true})))]
pub(super) struct Flags {
    /// Learners wait until it is false again, or an author has saved the content.
    define_later: Option<bool>,
    /// Learners are told to do it offline.
    run_offline: Option<bool>,
}

/// What to copy, and for whom.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({"from": 1234, "customCSV": "bill,7,3,moodle"})))]
pub(super) struct Copy {
    /// The content to copy. Null, content that is not known and content that was not saved on its server yet
    /// make default content.
    #[schema(minimum = 1)]
    from: Option<i64>,
    /// One RFC 4180 record: user, course, section and server id, or what the tool has in their place.
    #[serde(rename = "customCSV")]
    custom_csv: Option<String>,
    /// In place of customCSV: the LAMS login of somebody whose LoginRequest brought one that is remembered.
    user: Option<String>,
    /// The server, where customCSV names none, or the user came from several.
    ext_lms_id: Option<String>,
}

/// Where new content goes: by a customCSV, or by the one that a user's login brought.
#[derive(Default)]
pub(super) struct NewPlace {
    pub(super) custom_csv: Option<String>,
    pub(super) user: Option<String>,
    pub(super) ext_lms_id: Option<String>,
}

impl NewPlace {
    /// The content that an operation is to make there.
    pub(super) async fn of_content(
        self,
        gateway: &Gateway,
        key: ContentKey,
        operation: Operation,
    ) -> Result<NewContent, Refusal> {
        let whence = match (self.custom_csv, self.user) {
            (Some(csv), None) => Whence::CustomCsv(csv, self.ext_lms_id),
            (None, Some(user)) => {
                let entry = EntryKey::of_content(&key, operation);
                let server = self.ext_lms_id.as_deref();
                remembered::for_call(gateway, &entry, &user, server, Utc::now()).await?
            }
            _ => {
                let message = "either customCSV or user must be given".to_owned();
                return Err(Refusal::Body(message));
            }
        };
        Ok(NewContent { key, whence })
    }
}

/// Read content
#[utoipa::path(
    get,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}",
    operation_id = "getToolContent",
    tag = "contents",
    params(ContentPath),
    responses(
        (status = 200, description = "The content.", body = ContentAnswer),
        Refused<(OfTool, OfContent)>,
    )
)]
pub(super) async fn get(
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let content = contents::get(&gateway, &path.key(&caller)?).await?;
    super::json(HttpResponse::Ok(), &ContentAnswer::of(content))
}

/// setAsDefineLater, setAsRunOffline: set flags of content
#[utoipa::path(
    patch,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}",
    operation_id = "setToolContentFlags",
    tag = "contents",
    params(ContentPath),
    request_body = Flags,
    responses(
        (status = 200, description = "The content, with its flags set.", body = ContentAnswer),
        Refused<(OfTool, OfContent, WithBody)>,
    )
)]
pub(super) async fn patch(
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let key = path.key(&caller)?;
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

/// removeToolContent: forget content
///
/// What stays on its server is deleted there where the tool has a call for that; else it is listed for the
/// operator.
#[utoipa::path(
    delete,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}",
    operation_id = "removeToolContent",
    tag = "contents",
    params(
        ContentPath,
        (
            "removeSessionData" = Option<bool>,
            Query,
            description = "Whether its sessions are forgotten with it. Content that has sessions stays otherwise.",
            example = true,
        ),
    ),
    responses(
        (status = 204, description = "It is forgotten."),
        Refused<(OfTool, OfContent, WithoutSessions)>,
    )
)]
pub(super) async fn delete(
    request: HttpRequest,
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let key = path.key(&caller)?;
    let query = Query::parse(request.query_string());
    let with_sessions = query.flag("removeSessionData").map_err(Refusal::from)?;
    removal::remove_content(&gateway, &key, with_sessions, Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// copyToolContent: make content, as a copy
///
/// Sends its server one clone call. It is safe to repeat: the same call again answers with the same content
/// and makes nothing twice.
#[utoipa::path(
    post,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}/copy",
    operation_id = "copyToolContent",
    tag = "contents",
    params(ContentPath),
    request_body = Copy,
    responses(
        (status = 200, description = "The content; the same call made it before.", body = ContentAnswer),
        (status = 201, description = "The content; it was made now.", body = ContentAnswer),
        Refused<(OfTool, WithBody, WithCustomCsv, Making, Outgoing)>,
    )
)]
pub(super) async fn copy(
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    caller.asks(&limits)?;
    let key = path.key(&caller)?;
    let body: Copy = super::read(&body)?;
    let from = body
        .from
        .map(ToolContentId::from_number)
        .transpose()
        .map_err(Refusal::from)?;
    let place = NewPlace {
        custom_csv: body.custom_csv,
        user: body.user,
        ext_lms_id: body.ext_lms_id,
    };
    let new = place.of_content(&gateway, key, Operation::Copy).await?;
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
