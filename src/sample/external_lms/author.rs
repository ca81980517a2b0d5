//! The form that makes or edits an activity: for authors, who are taken back to LAMS with its id, and
//! for monitors, who edit a session's copy and stay.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::ExternalLms;
use super::activity::{Kind, Settings};
use super::draft::{Draft, Problem};
use super::entry::Visit;
use super::refusal::Refusal;
use super::state::Saved;
use super::ticket::Purpose;
use super::way_back;
use crate::domain::query::Query;
use crate::sample::form::{self, Sent};
use crate::sample::page;

#[derive(Template)]
#[template(path = "sample/lms/form.html")]
struct FormPage<'a> {
    kind: Kind,
    user: &'a str,
    course: &'a str,
    ticket: &'a str,
    /// The id of what is edited.
    id: Option<u64>,
    /// Where a monitor goes back to.
    back: Option<&'a str>,
    saved: bool,
    draft: Draft,
    problems: Vec<Problem>,
}

/// The form for a visit that may write; `sent` is what was filled in and could not be saved.
struct Form<'a> {
    visit: &'a Visit,
    saved: bool,
    sent: Option<(Draft, Vec<Problem>)>,
}

impl Form<'_> {
    fn show(self, lms: &ExternalLms) -> Result<HttpResponse, Refusal> {
        let (kind, course, id, settings) = about(lms, &self.visit.purpose)?;
        let status = match self.sent {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let (draft, problems) = self
            .sent
            .unwrap_or_else(|| (Draft::of(kind, &settings), Vec::new()));
        let page = FormPage {
            kind,
            user: &self.visit.user,
            course: &course,
            ticket: &self.visit.ticket,
            id,
            back: match &self.visit.purpose {
                Purpose::Monitor { back, .. } => Some(back),
                _ => None,
            },
            saved: self.saved,
            draft,
            problems,
        };
        Ok(page::html(status, &page))
    }
}

/// What a visit that may write is about: kind, course, and, where it exists, id and settings.
fn about(
    lms: &ExternalLms,
    purpose: &Purpose,
) -> Result<(Kind, String, Option<u64>, Settings), Refusal> {
    match purpose {
        Purpose::Create { kind, course, .. } => {
            Ok((*kind, course.clone(), None, Settings::default()))
        }
        Purpose::Edit { id, .. } | Purpose::Monitor { id, .. } => {
            let it = lms.ticketed(*id)?;
            Ok((it.kind, it.course, Some(it.id), it.settings))
        }
        Purpose::Learn { .. } | Purpose::Look { .. } => Err(Refusal::NoTicket),
    }
}

/// The author's form, new or filled with what is there.
pub(super) fn form(lms: &ExternalLms, visit: &Visit) -> Result<HttpResponse, Refusal> {
    let form = Form {
        visit,
        saved: false,
        sent: None,
    };
    form.show(lms)
}

/// `GET /course/modedit-lams.php`: a monitor edits a session's copy.
pub(super) async fn monitor(
    request: HttpRequest,
    lms: web::Data<ExternalLms>,
) -> Result<HttpResponse, Refusal> {
    let query = Query::parse(request.query_string());
    let visit = lms.visit(&request, &query, |query| {
        Ok(Purpose::Monitor {
            id: lms.named(query, None)?.id,
            back: lms.way_back(query)?,
        })
    })?;
    if let Some(on) = visit.goes_on(&request) {
        return Ok(on);
    }
    let form = Form {
        visit: &visit,
        saved: query.get("saved").is_some(),
        sent: None,
    };
    form.show(&lms)
}

/// `POST /course/modedit-lams.php`: saves, and takes an author back to LAMS.
pub(super) async fn save(sent: Sent, lms: web::Data<ExternalLms>) -> Result<HttpResponse, Refusal> {
    let fields = form::fields(&sent.map_err(|_| Refusal::NoForm)?);
    let number = fields.get("ticket").ok_or(Refusal::NoTicket)?;
    let visit = lms.visit_again(number)?;
    let (kind, ..) = about(&lms, &visit.purpose)?;
    let draft = Draft::read(kind, &fields);
    let settings = match draft.check(kind) {
        Ok(settings) => settings,
        Err(problems) => {
            let form = Form {
                visit: &visit,
                saved: false,
                sent: Some((draft, problems)),
            };
            return form.show(&lms);
        }
    };
    let saved = lms.lock().save(number, settings);
    match saved.ok_or(Refusal::NoTicket)? {
        Saved::BackTo { id, update_address } => {
            let address = way_back::with_id(&update_address, id);
            Ok(page::redirect(StatusCode::FOUND, &address))
        }
        Saved::Here => {
            let address = format!("/course/modedit-lams.php?saved=1&ticket={number}");
            Ok(page::redirect(StatusCode::SEE_OTHER, &address))
        }
    }
}
