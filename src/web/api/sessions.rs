//! `GET`, `PUT` and `DELETE /api/v1/tools/{signature}/sessions/{toolSessionID}`, and `POST …/leave`

use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::contents::time;
use crate::domain::id::ToolContentId;
use crate::domain::session::{Session, SessionKey};
use crate::flows::{Gateway, Refusal, removal, session};
use crate::web::problem::Problem;

/// A session, as the API shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionAnswer {
    #[serde(rename = "toolSessionID")]
    tool_session_id: i64,
    #[serde(rename = "toolContentID")]
    tool_content_id: i64,
    name: String,
    #[serde(rename = "extSessionID")]
    ext_session_id: String,
    created_at: String,
}

/// The body of `PUT`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "toolContentID")]
    tool_content_id: i64,
    #[serde(default)]
    name: String,
}

/// The longest name of a session, in characters: what LAMS's own column takes.
const LONGEST_NAME: usize = 250;

pub(super) async fn get(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let key = key(&caller, &path)?;
    let session = session::get(&gateway, &key).await?;
    super::json(HttpResponse::Ok(), &SessionAnswer::of(session))
}

/// createToolSession: 201 made now, 200 there already.
pub(super) async fn put(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let key = key(&caller, &path)?;
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

/// The body of `leave`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaver {
    user: String,
}

/// Where a learner goes who left.
#[derive(Serialize)]
struct Left {
    url: Option<String>,
}

/// removeToolSession: 204.
pub(super) async fn delete(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    removal::remove_session(&gateway, &key(&caller, &path)?, Utc::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// leaveToolSession: marks the user as finished.
pub(super) async fn leave(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let key = key(&caller, &path)?;
    let Leaver { user } = super::read(&body)?;
    let url = removal::leave_session(&gateway, &caller.platform, &key, &user, Utc::now()).await?;
    super::json(HttpResponse::Ok(), &Left { url })
}

pub(super) fn key(caller: &Caller, path: &(String, String)) -> Result<SessionKey, Refusal> {
    Ok(SessionKey {
        platform: caller.platform.id.clone(),
        signature: caller.tool(&path.0)?,
        id: path.1.parse()?,
    })
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
