//! The lesson's page: the toolkit, the activities with what the gateway knows of each, and what to do
//! next.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::future::join_all;

use super::gateway::{Content, Tool, Trouble};
use super::launch::LEARNERS;
use super::lesson::{Activity, MOST_SESSIONS};
use super::login::Teacher;
use super::{Lams, LamsConfig};
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lams/overview.html")]
struct Overview<'a> {
    config: &'a LamsConfig,
    next_step: String,
    /// Why the step just taken came to nothing.
    notice: Option<Trouble>,
    toolkit: Result<Vec<Tool>, Trouble>,
    cards: Vec<Card>,
    teacher: &'a Teacher,
    learners: [&'a str; 2],
}

/// What is shown before anybody came in.
#[derive(Template)]
#[template(path = "sample/lams/begin.html")]
struct Begin<'a> {
    config: &'a LamsConfig,
}

/// An activity, and what came back of it.
struct Card {
    activity: Activity,
    content: Result<Option<Content>, Trouble>,
}

/// How far an activity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    NotOpened,
    Opened,
    Saved,
    InUse,
    Locked,
    Offline,
    Unknown,
}

impl Progress {
    /// Its name in `data-state`.
    fn key(self) -> &'static str {
        match self {
            Progress::NotOpened => "not-opened",
            Progress::Opened => "opened",
            Progress::Saved => "saved",
            Progress::InUse => "in-use",
            Progress::Locked => "locked",
            Progress::Offline => "offline",
            Progress::Unknown => "unknown",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Progress::NotOpened => "Not opened yet",
            Progress::Opened => "Opened, not saved",
            Progress::Saved => "Saved",
            Progress::InUse => "In use",
            Progress::Locked => "Being edited",
            Progress::Offline => "Done offline",
            Progress::Unknown => "Not known",
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Progress::Saved | Progress::InUse => "good",
            Progress::Unknown | Progress::Locked => "bad",
            _ => "",
        }
    }
}

impl Card {
    fn progress(&self) -> Progress {
        match &self.content {
            Err(_) => Progress::Unknown,
            Ok(None) => Progress::NotOpened,
            Ok(Some(content)) if content.define_later => Progress::Locked,
            Ok(Some(content)) if content.run_offline => Progress::Offline,
            Ok(Some(content)) if content.ext_tool_content_id.is_none() => Progress::Opened,
            Ok(Some(content)) if content.content_in_use => Progress::InUse,
            Ok(Some(_)) => Progress::Saved,
        }
    }

    /// Whether it exists on the external server, so that a group can have a copy.
    fn is_saved(&self) -> bool {
        matches!(&self.content, Ok(Some(content)) if content.ext_tool_content_id.is_some())
    }

    fn is_full(&self) -> bool {
        self.activity.sessions.len() >= MOST_SESSIONS
    }

    fn is_finished(&self) -> bool {
        let mut sessions = self.activity.sessions.iter();
        sessions.any(|session| !session.finished.is_empty())
    }
}

/// `GET /`.
pub(super) async fn overview(lams: web::Data<Lams>) -> HttpResponse {
    let teacher = lams.teacher().clone();
    match teacher {
        Some(teacher) => show(&lams, &teacher, None).await,
        None => {
            let config = &lams.config;
            page::html(StatusCode::OK, &Begin { config })
        }
    }
}

/// The page after a step that the gateway did not take.
pub(super) async fn with_notice(lams: &Lams, teacher: &Teacher, trouble: Trouble) -> HttpResponse {
    show(lams, teacher, Some(trouble)).await
}

async fn show(lams: &Lams, teacher: &Teacher, notice: Option<Trouble>) -> HttpResponse {
    let status = match notice {
        Some(_) => StatusCode::BAD_GATEWAY,
        None => StatusCode::OK,
    };
    let activities = lams.lesson().activities().to_vec();
    let contents = join_all(activities.iter().map(|a| lams.gateway.content(a)));
    let toolkit = lams.gateway.toolkit(&teacher.login);
    let (toolkit, contents) = futures_util::future::join(toolkit, contents).await;
    let cards: Vec<_> = activities
        .into_iter()
        .zip(contents)
        .map(|(activity, content)| Card { activity, content })
        .collect();
    let page = Overview {
        config: &lams.config,
        next_step: next_step(&toolkit, &cards, teacher),
        notice,
        toolkit,
        cards,
        teacher,
        learners: LEARNERS,
    };
    page::html(status, &page)
}

/// What to do next, in one line: what the newest activity needs.
fn next_step(toolkit: &Result<Vec<Tool>, Trouble>, cards: &[Card], teacher: &Teacher) -> String {
    let gateway_failed = toolkit.is_err() || cards.iter().any(|card| card.content.is_err());
    if gateway_failed {
        return "Something is wrong with the gateway: read the notice, mend it, then refresh this page.".to_owned();
    }
    let Some(newest) = cards.last() else {
        return "Add an activity from the toolkit.".to_owned();
    };
    let title = &newest.activity.title;
    if !newest.is_saved() {
        format!(
            "Press Author to open the {title} on the other LMS as {}; save it there, close the tab and refresh this page.",
            teacher.name
        )
    } else if newest.activity.sessions.is_empty() {
        format!("The {title} is saved. Press Start lesson: the group gets its own copy.")
    } else if !newest.is_finished() {
        format!(
            "Learn as {} or {}: take part, then go on with Next activity.",
            LEARNERS[0], LEARNERS[1]
        )
    } else {
        "Look at what learners did in the Teacher view, or add another activity.".to_owned()
    }
}
