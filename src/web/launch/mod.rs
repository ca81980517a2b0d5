//! Where browsers come in from LAMS, and back from external servers.

mod authoring;
mod learning;
mod monitoring;

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};

use super::front_door::{Launched, path_and_query_as_sent, vouch};
use super::problem::{self, Problem};
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::admission::{Arrival, Entry, Proof, Visitor};

/// The pages of `/{platform}/tool/{signature}`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    let page = |path: &str| {
        web::resource(path.to_owned()).default_service(web::to(problem::no_such_method))
    };
    config
        .service(page("/authoring.do").route(web::get().to(authoring::authoring)))
        .service(page("/learning.do").route(web::get().to(learning::learning)))
        .service(page("/monitoring.do").route(web::get().to(monitoring::monitoring)))
        .default_service(web::to(problem::no_such_page));
}

/// Platform and tool signature in the path.
type Names = web::Path<(String, String)>;

/// The first checks; what a signature or state vouches for is never limited.
fn admit(
    gateway: &Gateway,
    request: &HttpRequest,
    names: &Names,
    query: &Query<'_>,
    entry: Entry,
    now: DateTime<Utc>,
) -> Result<Visitor, Problem> {
    let path_and_query = path_and_query_as_sent(request);
    let (platform, signature) = names.as_ref();
    let arrival = Arrival {
        platform,
        signature,
        path_and_query: &path_and_query,
        query,
    };
    let visitor = gateway.admit(arrival, entry, now)?;
    if visitor.proof != Proof::Nothing {
        vouch(request);
    }
    Ok(visitor)
}

/// Leaves word of what a launch was and what is known of it, for the record that is written of it.
fn note(request: &HttpRequest, kind: LaunchKind, query: &Query<'_>, noted: Noted) {
    let number = |name| query.get(name).and_then(|id| id.trim().parse().ok());
    let noted = Noted {
        content: noted.content.or_else(|| number("toolContentID")),
        session: noted.session.or_else(|| number("toolSessionID")),
        ..noted
    };
    request.extensions_mut().insert(Launched { kind, noted });
}

/// 302, never to be kept: the address is signed for one person and moment.
pub(super) fn redirect(address: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((header::LOCATION, address))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
