//! `authoring.do`: an author opens an activity, or comes back with its external id.

use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;

use super::{Names, admit, note, redirect};
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::query::Query;
use crate::flows::admission::Entry;
use crate::flows::{Gateway, Refusal, author, callback};
use crate::web::pages;
use crate::web::problem::Problem;

/// `GET /{platform}/tool/{signature}/authoring.do`
pub(super) async fn authoring(
    request: &HttpRequest,
    names: &Names<'_>,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let kind = match query.get("dispatch") {
        None => LaunchKind::Author,
        Some(_) => LaunchKind::Callback,
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
            // The saved page's link carries a state in place of the signature.
            let again = query.get("state").is_some() && query.get("sig").is_none();
            let entry = if again {
                Entry::EditAgain
            } else {
                Entry::Launch
            };
            let visitor = admit(gateway, request, names, query, entry, now)?;
            let address = author::open(gateway, &visitor, query, now, noted).await?;
            redirect(address)
        }
        Some("updateContent") => {
            let visitor = admit(gateway, request, names, query, Entry::Callback, now)?;
            let saved = callback::update_content(gateway, &visitor, query, now, noted).await?;
            pages::saved(&saved, visitor.platform, gateway)
        }
        Some(other) => {
            admit(gateway, request, names, query, Entry::Launch, now)?;
            Err(Refusal::UnknownDispatch(other.chars().take(40).collect()).into())
        }
    }
}
