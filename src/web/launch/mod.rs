//! Where browsers come in from LAMS, and back from external servers.

mod authoring;
mod learning;
mod monitoring;

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};

use super::admin;
use super::front_door::{Launched, as_sent, vouch};
use super::problem::{self, Problem};
use crate::domain::configuration::Configuration;
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::admission::{Arrival, Entry, Proof, Visitor};

/// Whether a path is that of a page of a tool, `/{platform}/tool/{signature}/{page}`. Such addresses are read here, not
/// by the router: its patterns, and the way through its services, would cost as much as all else of a launch.
pub(super) fn is_of_a_tool(path: &str) -> bool {
    parts(path).is_some()
}

/// Platform, tool signature and page in the path of an address of a tool, as they stand there.
fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let mut parts = path.strip_prefix('/')?.splitn(4, '/');
    let (platform, tool, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_whole = tool == "tool" && !platform.is_empty() && !signature.is_empty();
    is_whole.then_some((platform, signature, parts.next()?))
}

/// Answers a request for a page of a tool.
pub(super) async fn page(
    request: &HttpRequest,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let (platform, signature, page) = parts(request.path()).ok_or(Problem::NoSuchPage)?;
    let configuration = gateway.configuration_now();
    let names = Names {
        configuration: &configuration,
        platform: decoded(platform),
        signature: decoded(signature),
    };
    let known = matches!(page, "learning.do" | "authoring.do" | "monitoring.do");
    if known && request.method() != Method::GET {
        return problem::no_such_method().await;
    }
    match page {
        "learning.do" => learning::learning(request, &names, gateway).await,
        // Apart from it, so that a learner's launch need not carry the room that these take.
        "authoring.do" => Box::pin(authoring::authoring(request, &names, gateway)).await,
        "monitoring.do" => Box::pin(monitoring::monitoring(request, &names, gateway)).await,
        _ if request.method() == Method::GET => admin::from_lams(&names.signature, page, gateway),
        _ => problem::no_such_page().await,
    }
}

/// Platform and tool signature in a path, and the configuration in which they name something.
struct Names<'a> {
    configuration: &'a Configuration,
    platform: Cow<'a, str>,
    signature: Cow<'a, str>,
}

/// A part of a path; one that is no text as it stands, which names nothing.
fn decoded(part: &str) -> Cow<'_, str> {
    urlencoding::decode(part).unwrap_or(Cow::Borrowed(part))
}

/// The first checks; what a signature or state vouches for is never limited.
fn admit<'a>(
    gateway: &Gateway,
    request: &HttpRequest,
    names: &Names<'a>,
    query: &Query<'_>,
    entry: Entry,
    now: DateTime<Utc>,
) -> Result<Visitor<'a>, Problem> {
    let visitor = as_sent(request, |path_and_query| {
        let arrival = Arrival {
            platform: &names.platform,
            signature: &names.signature,
            path_and_query,
            query,
        };
        gateway.admit(names.configuration, arrival, entry, now)
    })?;
    if visitor.proof != Proof::Nothing {
        vouch(request);
    }
    Ok(visitor)
}

/// Leaves word of what a launch was and what is known of it, for the record that is written of it.
fn note(
    request: &HttpRequest,
    names: &Names<'_>,
    kind: LaunchKind,
    query: &Query<'_>,
    noted: Noted,
) {
    let number = |name| query.get(name).and_then(|id| id.trim().parse().ok());
    let noted = Noted {
        content: noted.content.or_else(|| number("toolContentID")),
        session: noted.session.or_else(|| number("toolSessionID")),
        ..noted
    };
    request.extensions_mut().insert(Launched {
        kind,
        platform: short(&names.platform),
        signature: short(&names.signature),
        noted,
    });
}

/// A name as it is written down, however long one was sent.
fn short(name: &str) -> String {
    let end = name.char_indices().nth(64).map_or(name.len(), |(at, _)| at);
    name[..end].to_owned()
}

/// 302, never to be kept, as no answer is that does not say otherwise: the address is signed for one person and moment.
/// Refused where it cannot stand in a header.
pub(super) fn redirect(address: String) -> Result<HttpResponse, Problem> {
    let location = HeaderValue::try_from(address)
        .map_err(|_| Problem::Defect("it made an address that no header takes".to_owned()))?;
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, location))
        .finish())
}
