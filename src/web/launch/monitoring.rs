//! `monitoring.do`: a monitor looks at an activity's sessions, or goes on to one of them.

use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;

use super::{Names, admit, note, redirect};
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::query::Query;
use crate::flows::admission::Entry;
use crate::flows::{Gateway, monitor};
use crate::web::pages;
use crate::web::problem::Problem;

/// `GET /{platform}/tool/{signature}/monitoring.do`
pub(super) async fn monitoring(
    request: &HttpRequest,
    names: &Names<'_>,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let mut noted = Noted::default();
    let now = Utc::now();
    let outcome = async {
        if query.get("dispatch") == Some("openSession") {
            // The page's link carries a state in place of the signature.
            let visitor = admit(gateway, request, names, &query, Entry::Callback, now)?;
            let to = monitor::open_session(gateway, &visitor, &query, now, &mut noted).await?;
            return redirect(to);
        }
        let visitor = admit(gateway, request, names, &query, Entry::Launch, now)?;
        let monitoring = monitor::open(gateway, &visitor, &query, now, &mut noted).await?;
        pages::monitor(&monitoring, visitor.platform, gateway)
    };
    let outcome = outcome.await;
    note(names, LaunchKind::Monitor, &query, noted);
    outcome
}
