//! `GET`, `PUT` and `DELETE /api/v1/tools/{signature}/sessions/{toolSessionID}`, and `POST …/leave`

use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::contents::time;
use super::paths::SessionPath;
use super::refusals::{
    Making, OfContent, OfSaved, OfSession, OfTool, OnItsServer, Outgoing, Refused, WithBody,
};
use crate::domain::id::ToolContentId;
use crate::domain::session::Session;
use crate::flows::{Gateway, Refusal, removal, session};
use crate::web::limits::Limits;
use crate::web::problem::Problem;

/// A session: the run-time copy of content for one group.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session, examples(json!({
    "toolSessionID": 77,
    "toolContentID": 1234,
    "name": "Group 1",
    "extSessionID": "700",
    "createdAt": "2026-11-03T08:00:00.000Z",
})))]
struct SessionAnswer {
    /// Its number on the platform.
    #[serde(rename = "toolSessionID")]
    #[schema(minimum = 1)]
    tool_session_id: i64,
    /// The content that it is of.
    #[serde(rename = "toolContentID")]
    #[schema(minimum = 1)]
    tool_content_id: i64,
    /// What people call it; may be empty.
    name: String,
    /// The id of its copy on the server.
    #[serde(rename = "extSessionID")]
    ext_session_id: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

/// The session that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WantedSession, examples(json!({"toolContentID": 1234, "name": "Group 1"})))]
struct Wanted {
    /// The content that it is of; it has to be saved on its server.
    #[serde(rename = "toolContentID")]
    #[schema(minimum = 1)]
    tool_content_id: i64,
    /// What people call it, without control characters.
    #[serde(default)]
    #[schema(max_length = 250)]
    name: String,
}

/// The longest name of a session, in characters: what LAMS's own column takes.
const LONGEST_NAME: usize = 250;

/// Read a session
#[utoipa::path(
    get,
    path = "/api/v1/tools/{signature}/sessions/{toolSessionID}",
    operation_id = "getToolSession",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 200, description = "The session.", body = SessionAnswer),
        Refused<(OfTool, OfSession)>,
    )
)]
pub(super) async fn get(
    path: web::Path<SessionPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let session = session::get(&gateway, &path.key(&caller)?).await?;
    super::json(HttpResponse::Ok(), &SessionAnswer::of(session))
}

/// createToolSession: make a session, with a copy of its own
///
/// Sends the content's server one clone call. It is safe to repeat: the same call again, whatever its name,
/// answers with the same session and makes nothing twice.
#[utoipa::path(
    put,
    path = "/api/v1/tools/{signature}/sessions/{toolSessionID}",
    operation_id = "createToolSession",
    tag = "sessions",
    params(SessionPath),
    request_body = Wanted,
    responses(
        (status = 200, description = "The session; it was there already.", body = SessionAnswer),
        (status = 201, description = "The session; it was made now.", body = SessionAnswer),
        Refused<(OfTool, OfContent, OfSaved, WithBody, OnItsServer, Making, Outgoing)>,
    )
)]
pub(super) async fn put(
    path: web::Path<SessionPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    caller.asks(&limits)?;
    let key = path.key(&caller)?;
    let wanted: Wanted = super::read(&body)?;
    let content = ToolContentId::from_number(wanted.tool_content_id).map_err(Refusal::from)?;
    if wanted.name.chars().count() > LONGEST_NAME || wanted.name.chars().any(char::is_control) {
        let message =
            format!("name must be at most {LONGEST_NAME} characters, none a control character");
        return Err(Refusal::Body(message).into());
    }
    let created = session::create_tool_session(&gateway, key, content, wanted.name).await?;
    let response = if created.made_now {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    super::json(response, &SessionAnswer::of(created.session))
}

/// removeToolSession: forget a session
///
/// Its copy is deleted on its server where the tool has a call for that; else it is listed for the operator.
#[utoipa::path(
    delete,
    path = "/api/v1/tools/{signature}/sessions/{toolSessionID}",
    operation_id = "removeToolSession",
    tag = "sessions",
    params(SessionPath),
    responses(
        (status = 204, description = "It is forgotten."),
        Refused<(OfTool, OfSession)>,
    )
)]
pub(super) async fn delete(
    path: web::Path<SessionPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    removal::remove_session(&gateway, &path.key(&caller)?, Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who leaves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"user": "mdl_Bill"})))]
struct Leaver {
    /// The learner's LAMS login.
    #[schema(min_length = 1, max_length = 255)]
    user: String,
}

/// Where a learner goes who left.
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({"url": "https://lams.example.org/lams/learner.do?session=77"})))]
struct Left {
    /// The platform's `finish_url`, filled in; null where it has none.
    #[schema(required)]
    url: Option<String>,
}

/// leaveToolSession: mark a learner as finished
#[utoipa::path(
    post,
    path = "/api/v1/tools/{signature}/sessions/{toolSessionID}/leave",
    operation_id = "leaveToolSession",
    tag = "sessions",
    params(SessionPath),
    request_body = Leaver,
    responses(
        (status = 200, description = "Where the learner goes then.", body = Left),
        Refused<(OfTool, OfSession, WithBody)>,
    )
)]
pub(super) async fn leave(
    path: web::Path<SessionPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let key = path.key(&caller)?;
    let Leaver { user } = super::read(&body)?;
    let url = removal::leave_session(&gateway, &caller.platform, &key, &user, Utc::now()).await?;
    super::json(HttpResponse::Ok(), &Left { url })
}

impl SessionAnswer {
    fn of(session: Session) -> Self {
        Self {
            tool_session_id: session.key.id.get(),
            tool_content_id: session.content.get(),
            name: session.name,
            ext_session_id: session.ext_id.to_string(),
            created_at: time(session.created_at),
        }
    }
}
