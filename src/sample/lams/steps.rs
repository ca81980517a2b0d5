//! What a teacher does with the lesson: adds an activity, and starts it for a group.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::refusal::Refusal;
use super::{Lams, overview};
use crate::sample::form;
use crate::sample::page;

/// `POST /add`: adds a tool of the toolkit to the lesson.
pub(super) async fn add(
    request: HttpRequest,
    body: web::Bytes,
    lams: web::Data<Lams>,
) -> Result<HttpResponse, Refusal> {
    refuse_foreign(&request)?;
    let fields = form::fields(&body);
    let teacher = lams.whoever_teaches()?;
    let toolkit = match lams.gateway.toolkit(&teacher.login).await {
        Ok(toolkit) => toolkit,
        Err(trouble) => return Ok(overview::with_notice(&lams, &teacher, trouble).await),
    };
    let tool = toolkit
        .into_iter()
        .find(|tool| Some(&tool.signature) == fields.get("signature"))
        .ok_or(Refusal::NotInLesson)?;
    let added = lams.lesson().add(tool.signature, tool.title);
    Ok(to_activity(added.ok_or(Refusal::Full)?))
}

/// `POST /start/{toolContentID}`: asks the gateway for a session of one more group.
pub(super) async fn start(
    request: HttpRequest,
    id: web::Path<String>,
    lams: web::Data<Lams>,
) -> Result<HttpResponse, Refusal> {
    refuse_foreign(&request)?;
    let teacher = lams.whoever_teaches()?;
    let id: i64 = id.parse().map_err(|_| Refusal::NotInLesson)?;
    let (activity, session) = {
        let mut lesson = lams.lesson();
        let session = lesson.next_session(id);
        let activity = lesson.activity(id).ok_or(Refusal::NotInLesson)?.clone();
        (activity, session.ok_or(Refusal::Full)?)
    };
    if let Err(trouble) = lams.gateway.create_session(&activity, &session).await {
        return Ok(overview::with_notice(&lams, &teacher, trouble).await);
    }
    lams.lesson().confirm(session.id);
    Ok(to_activity(id))
}

/// Refuses what a page of another site sent; browsers that say nothing about it are believed.
fn refuse_foreign(request: &HttpRequest) -> Result<(), Refusal> {
    match request.headers().get("Sec-Fetch-Site") {
        Some(site) if site != "same-origin" && site != "none" => Err(Refusal::ForeignForm),
        _ => Ok(()),
    }
}

fn to_activity(tool_content_id: i64) -> HttpResponse {
    page::redirect(
        StatusCode::SEE_OTHER,
        &format!("/#activity-{tool_content_id}"),
    )
}
