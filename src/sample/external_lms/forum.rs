//! The forum, as a learner sees it and writes into it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::ExternalLms;
use super::activity::{Kind, Post};
use super::draft::{Problem, field, refuse_longer};
use super::learner::{AtWork, at_work, page_address};
use super::refusal::Refusal;
use crate::sample::form::{self, Sent};
use crate::sample::page;

const LONGEST_SUBJECT: usize = 200;
const LONGEST_MESSAGE: usize = 8_000;
/// A forum that is full takes no more, so that memory has a bound.
const MOST_POSTS: usize = 1_000;

#[derive(Template)]
#[template(path = "sample/lms/forum.html")]
struct ForumPage<'a> {
    at: &'a AtWork<'a>,
    subject: String,
    message: String,
    problems: Vec<Problem>,
}

/// The forum with an empty form.
pub(super) fn page(at: &AtWork<'_>) -> HttpResponse {
    let page = ForumPage {
        at,
        subject: String::new(),
        message: String::new(),
        problems: Vec::new(),
    };
    page::html(StatusCode::OK, &page)
}

/// `POST /mod/forum/post.php`: writes a post.
pub(super) async fn post(sent: Sent, lms: web::Data<ExternalLms>) -> Result<HttpResponse, Refusal> {
    let fields = form::fields(&sent.map_err(|_| Refusal::NoForm)?);
    let visit = lms.visit_again(fields.get("ticket").ok_or(Refusal::NoTicket)?)?;
    let at = at_work(&lms, &visit)?;
    if at.activity.kind != Kind::Forum {
        return Err(Refusal::NoTicket);
    }
    let (subject, message) = (field(&fields, "subject"), field(&fields, "message"));
    let mut problems = Vec::new();
    for (id, text, words) in [
        ("subject", &subject, "Write a subject."),
        ("message", &message, "Write a message."),
    ] {
        if text.is_empty() {
            problems.push(Problem::new(id, words));
        }
    }
    refuse_longer(
        &mut problems,
        "subject",
        "The subject",
        &subject,
        LONGEST_SUBJECT,
    );
    refuse_longer(
        &mut problems,
        "message",
        "The message",
        &message,
        LONGEST_MESSAGE,
    );
    if at.activity.posts.len() >= MOST_POSTS {
        problems.push(Problem::new("subject", "This forum is full."));
    }
    if !problems.is_empty() {
        let page = ForumPage {
            at: &at,
            subject,
            message,
            problems,
        };
        return Ok(page::html(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let post = Post {
        user: visit.user.clone(),
        subject,
        message,
        at: Utc::now(),
    };
    lms.lock().post(at.activity.id, post);
    Ok(page::redirect(StatusCode::SEE_OTHER, &page_address(&visit)))
}
