//! Where browsers come in from LAMS, and back from external servers.

mod authoring;
mod learning;
mod monitoring;

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};

use super::admin;
use super::front_door::{Launched, Seen, as_sent};
use super::problem::{self, Problem};
use crate::domain::configuration::Configuration;
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::query::{Query, split_at_byte};
use crate::flows::admission::{Arrival, Entry, Visitor};
use crate::flows::{Gateway, Refusal};

/// The path of a page of a tool, `/{platform}/tool/{signature}/{page}`, in its parts as they stand there.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    platform: &'a str,
    signature: &'a str,
    page: &'a str,
}

impl<'a> Page<'a> {
    /// Such addresses are read here, not by the router: its patterns, and the way through its services, would cost as
    /// much as all else of a launch. `None` for all others.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let (platform, rest) = split_at_byte(path.strip_prefix('/')?, b'/');
        let (signature, page) = split_at_byte(rest?.strip_prefix("tool/")?, b'/');
        let page = Self {
            platform,
            signature,
            page: page?,
        };
        (!platform.is_empty() && !signature.is_empty()).then_some(page)
    }
}

/// Answers a request for a page of a tool, and leaves word of it in `seen`.
pub(super) async fn page(
    request: &HttpRequest,
    page: Page<'_>,
    gateway: &Gateway,
    seen: &Seen,
) -> Result<HttpResponse, Problem> {
    let Page {
        platform,
        signature,
        page,
    } = page;
    let configuration = gateway.configuration_now();
    let names = Names {
        configuration: &configuration,
        platform: decoded(platform),
        signature: decoded(signature),
        seen,
    };
    let known = matches!(page, "learning.do" | "authoring.do" | "monitoring.do");
    if known && request.method() != Method::GET {
        return Ok(only_get());
    }
    match page {
        "learning.do" => learning::learning(request, &names, gateway).await,
        // Apart from it, so that a learner's launch need not carry the room that these take.
        "authoring.do" => Box::pin(authoring::authoring(request, &names, gateway)).await,
        "monitoring.do" => Box::pin(monitoring::monitoring(request, &names, gateway)).await,
        _ if request.method() == Method::GET => to_sysadmins(&names, page, gateway),
        _ => problem::no_such_page().await,
    }
}

/// `{signature}admin.do`, LAMS's address of a tool's own page for its sysadmins.
fn to_sysadmins(names: &Names<'_>, page: &str, gateway: &Gateway) -> Result<HttpResponse, Problem> {
    if page.strip_suffix("admin.do") != Some(&names.signature) {
        return Err(Problem::NoSuchPage);
    }
    let platform = names.configuration.platform(&names.platform);
    platform.ok_or(Refusal::UnknownPlatform)?;
    let tool = names.configuration.tool(&names.signature);
    tool.ok_or(Refusal::UnknownTool)?;
    Ok(admin::from_lams(gateway))
}

/// For methods that these pages do not take, as the router answers elsewhere.
fn only_get() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, "GET"))
        .finish()
}

/// Platform and tool signature in a path, and the configuration in which they name something.
struct Names<'a> {
    seen: &'a Seen,
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
    let vouched = &names.seen.vouched;
    Ok(as_sent(request, |path_and_query| {
        let arrival = Arrival {
            platform: &names.platform,
            signature: &names.signature,
            path_and_query,
            query,
        };
        gateway.admit(names.configuration, vouched, arrival, entry, now)
    })?)
}

/// Leaves word of what a launch was and what is known of it, for the record that is written of it.
fn note(names: &Names<'_>, kind: LaunchKind, query: &Query<'_>, noted: Noted) {
    let number = |name| query.get(name).and_then(|id| id.trim().parse().ok());
    let noted = Noted {
        content: noted.content.or_else(|| number("toolContentID")),
        session: noted.session.or_else(|| number("toolSessionID")),
        ..noted
    };
    names.seen.launched.replace(Some(Launched {
        kind,
        platform: short(&names.platform),
        signature: short(&names.signature),
        noted,
    }));
}

/// So many characters of a name are written down.
const LONGEST_NAME: usize = 64;

/// A name as it is written down, however long one was sent.
fn short(name: &str) -> String {
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME).collect()
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
