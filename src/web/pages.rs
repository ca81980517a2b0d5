//! The gateway's pages for teachers and learners.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;

use super::api::Reference;
use super::assets::VERSION;
use super::problem::Problem;
use super::words::Words;
use crate::domain::content::Content;
use crate::domain::platform::Platform;
use crate::flows::Gateway;
use crate::flows::callback::Saved;
use crate::flows::monitor::{MonitoredSession, Monitoring};
use crate::flows::results::Results;

/// What every page has.
struct Frame<'a> {
    /// The path under which browsers reach the gateway, empty or with a slash at its beginning.
    base: &'a str,
    version: &'static str,
}

impl<'a> Frame<'a> {
    fn of(gateway: Option<&'a Gateway>) -> Self {
        Self {
            base: gateway.map_or("", Gateway::public_path),
            version: &VERSION,
        }
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    frame: Frame<'a>,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    frame: Frame<'a>,
    words: &'a Words,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "saved.html")]
struct SavedPage<'a> {
    frame: Frame<'a>,
    saved: &'a Saved,
    platform_url: &'a str,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: Frame<'a>,
    name: &'a str,
    title: &'a str,
    text: &'a str,
    platform_url: &'a str,
}

#[derive(Template)]
#[template(path = "monitor.html")]
struct MonitorPage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    server: &'a str,
    content: &'a Content,
    sessions: &'a [MonitoredSession],
    results: &'a Results,
}

/// A form on its way to a platform.
#[derive(Template)]
#[template(path = "passing_on.html")]
struct PassingOnPage<'a> {
    frame: Frame<'a>,
    platform: &'a str,
    address: &'a str,
    fields: &'a [(String, String)],
}

/// The API, for people.
#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage<'a> {
    frame: Frame<'a>,
    api: &'a Reference,
}

/// What a page without more to it says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Notice {
    NotReady,
    Offline,
    Finished,
    Looked,
}

impl Notice {
    /// Name, title and text.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Notice::NotReady => (
                "not-ready",
                "This activity is not ready yet",
                "Your teacher is still preparing it. Come back in a few minutes and open it again.",
            ),
            Notice::Offline => (
                "offline",
                "This activity is done offline",
                "Your teacher will tell you what to do. There is nothing to open here.",
            ),
            Notice::Finished => (
                "finished",
                "You have finished this activity",
                "It is noted. You can close this page and go on in LAMS.",
            ),
            Notice::Looked => (
                "looked",
                "You are back",
                "Nobody was marked as finished by your visit. You can close this page.",
            ),
        }
    }
}

/// `GET /`
pub(super) async fn home(gateway: web::Data<Gateway>) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(Some(&gateway));
    page(&HomePage { frame }, None)
}

/// A refusal in words.
///
/// Under the path of a platform that platform may frame it: it stands where the activity should have been.
pub(super) fn refusal(
    words: &Words,
    path: &str,
    request_id: &str,
    gateway: Option<&Gateway>,
) -> HttpResponse {
    let id = path.split('/').find(|segment| !segment.is_empty());
    let configuration = gateway.map(Gateway::configuration);
    let platform = configuration.as_ref().zip(id);
    let platform = platform.and_then(|(configuration, id)| configuration.platform(id));
    let template = RefusalPage {
        frame: Frame::of(gateway),
        words,
        request_id,
    };
    let policy = content_security_policy(platform.map(AsRef::as_ref));
    page_under(policy, words.status, &template).unwrap_or_else(|error| {
        tracing::error!(%error, request_id, "the page of a refusal cannot be made");
        HttpResponse::build(words.status).body(format!(
            "{}\n{}\nRequest {request_id}\n",
            words.title, words.detail
        ))
    })
}

/// The page after a callback.
pub(super) fn saved(
    saved: &Saved,
    platform: &Platform,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let template = SavedPage {
        frame: Frame::of(Some(gateway)),
        saved,
        platform_url: platform.url.as_str(),
    };
    page(&template, Some(platform))
}

/// A page that says one thing.
pub(super) fn notice(
    notice: Notice,
    platform: &Platform,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let (name, title, text) = notice.words();
    let template = NoticePage {
        frame: Frame::of(Some(gateway)),
        name,
        title,
        text,
        platform_url: platform.url.as_str(),
    };
    page(&template, Some(platform))
}

/// The monitor's page.
pub(super) fn monitor(
    monitoring: &Monitoring,
    platform: &Platform,
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let template = MonitorPage {
        frame: Frame::of(Some(gateway)),
        title: &monitoring.title,
        server: &monitoring.server,
        content: &monitoring.content,
        sessions: &monitoring.sessions,
        results: &monitoring.results,
    };
    page(&template, Some(platform))
}

/// A form that submits itself to an address of a platform; by a button where no script runs.
pub(super) fn passing_on(
    platform: &Platform,
    address: &str,
    fields: &[(String, String)],
    gateway: &Gateway,
) -> Result<HttpResponse, Problem> {
    let template = PassingOnPage {
        frame: Frame::of(Some(gateway)),
        platform: &platform.name,
        address,
        fields,
    };
    let policy = content_security_policy(Some(platform));
    let own = "form-action 'self'";
    let policy = policy.replace(own, &format!("form-action {}", platform.url.origin()));
    page_under(policy, StatusCode::OK, &template)
}

/// The page of the API.
pub(super) fn api(api: &Reference, gateway: &Gateway) -> Result<HttpResponse, Problem> {
    let frame = Frame::of(Some(gateway));
    page(&ApiPage { frame, api }, None)
}

fn page(template: &impl Template, framed_by: Option<&Platform>) -> Result<HttpResponse, Problem> {
    let policy = content_security_policy(framed_by);
    page_under(policy, StatusCode::OK, template)
}

fn page_under(
    policy: String,
    status: StatusCode,
    template: &impl Template,
) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .body(template.render()?))
}

/// No script or style but the gateway's own. LAMS opens tools in frames, so a launch page may be framed by its
/// own platform, and by nobody else.
fn content_security_policy(framed_by: Option<&Platform>) -> String {
    let origin = framed_by.map_or("'none'", |platform| platform.url.origin());
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors {origin}"
    )
}
