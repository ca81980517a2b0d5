//! `learning.do`: a learner, previewing author or teacher opens a session, or comes back from it.

use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;

use super::{Names, admit, note, redirect};
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::query::Query;
use crate::flows::admission::Entry;
use crate::flows::finish::{self, Back};
use crate::flows::learn::{self, Learning};
use crate::flows::{Gateway, Refusal};
use crate::web::pages::{self, Notice};
use crate::web::problem::Problem;

/// `GET /{platform}/tool/{signature}/learning.do`
pub(super) async fn learning(
    request: &HttpRequest,
    names: &Names<'_>,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let kind = match (query.get("dispatch"), query.get("mode")) {
        (Some(_), _) => LaunchKind::Return,
        (None, Some("author")) => LaunchKind::Preview,
        (None, Some("teacher")) => LaunchKind::Teacher,
        (None, _) => LaunchKind::Learner,
    };
    let mut noted = Noted::default();
    let outcome = answer(request, names, gateway, &query, &mut noted).await;
    note(names, kind, &query, noted);
    outcome
}

async fn answer(
    request: &HttpRequest,
    names: &Names<'_>,
    gateway: &Gateway,
    query: &Query<'_>,
    noted: &mut Noted,
) -> Result<HttpResponse, Problem> {
    let now = Utc::now();
    match query.get("dispatch") {
        None => {
            let visitor = admit(gateway, request, names, query, Entry::Launch, now)?;
            let home = visitor.platform;
            match learn::open(gateway, &visitor, query, now, noted).await? {
                Learning::Redirect(address) => redirect(address),
                Learning::NotReady => pages::notice(Notice::NotReady, home, gateway),
                Learning::Offline => pages::notice(Notice::Offline, home, gateway),
            }
        }
        Some("finishActivity") => {
            let visitor = admit(gateway, request, names, query, Entry::Callback, now)?;
            let home = visitor.platform;
            let back = Box::pin(finish::finish_activity(
                gateway, &visitor, query, now, noted,
            ));
            match back.await? {
                Back::GoesOn(address) => redirect(address),
                Back::Finished => pages::notice(Notice::Finished, home, gateway),
                Back::Looked => pages::notice(Notice::Looked, home, gateway),
            }
        }
        Some(other) => {
            admit(gateway, request, names, query, Entry::Launch, now)?;
            Err(Refusal::UnknownDispatch(other.chars().take(40).collect()).into())
        }
    }
}
