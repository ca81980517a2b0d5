//! Where the gateway sends a learner who has finished: the platform's `finish_url`, to be configured as
//! `finished?toolSessionID={toolSessionID}&uid={uid}`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::Lams;
use super::refusal::Refusal;
use crate::domain::query::Query;
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lams/finished.html")]
struct FinishedPage {
    session_id: i64,
    user: Option<String>,
    title: String,
    tool_content_id: i64,
}

/// `GET /finished`: notes and shows that somebody finished. Without `uid` nobody is noted: so a teacher
/// comes back from a look.
pub(super) async fn finished(
    request: HttpRequest,
    lams: web::Data<Lams>,
) -> Result<HttpResponse, Refusal> {
    let query = Query::parse(request.query_string());
    let session_id: i64 = query
        .get("toolSessionID")
        .and_then(|id| id.parse().ok())
        .ok_or(Refusal::NotInLesson)?;
    let prefix = format!("{}_", lams.config.prefix);
    let user = query
        .get("uid")
        .map(|uid| uid.strip_prefix(&prefix).unwrap_or(uid))
        .filter(|user| !user.is_empty())
        .map(|user| user.chars().take(100).collect::<String>());
    let mut lesson = lams.lesson();
    if let Some(user) = &user {
        lesson.finish(session_id, user);
    }
    let activity = lesson.activity_of(session_id).ok_or(Refusal::NotInLesson)?;
    let page = FinishedPage {
        session_id,
        user,
        title: activity.title.clone(),
        tool_content_id: activity.tool_content_id,
    };
    Ok(page::html(StatusCode::OK, &page))
}
