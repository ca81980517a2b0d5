//! LMS connections: the list in the order in which links are tried, with a link to try; adding and editing;
//! moving; removing. Each is named by its server's id, in the query.

mod edit;
mod form;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

pub(super) use edit::{change, show as show_edit};

use super::connected::{SERVERS, not_saved};
use super::frame::{Frame, page};
use super::guard::{Posted, SignedIn};
use super::input::{Input, Select};
use super::see_other;
use crate::domain::lms::Backend;
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::apply::MadeFrom;
use crate::flows::connecting::connections::{self, Listed, Listing};
use crate::flows::lms::selecting;
use crate::store::{EnrollmentRecord, ServerRecord};
use crate::web::problem::Problem;
use crate::web::words::sentence;

const LIST: &str = "/admin/connections";
/// Where the navigation has it.
const HERE: &str = "connections";

/// What came of a link.
struct Tried {
    /// The server that was chosen, by id and name.
    chosen: Option<(String, String)>,
    /// Why it, or why none.
    why: String,
    course: Option<String>,
    /// Those that were not chosen, and why not.
    others: Vec<(String, String)>,
}

impl Tried {
    fn of(gateway: &Gateway, link: &str) -> Self {
        let configuration = gateway.configuration();
        let selected = selecting::select(gateway, link);
        let chosen = selected.lms.map(|lms| {
            let server = configuration.server(lms.server.as_str());
            let name = server.map(|server| server.name.clone());
            (lms.server.to_string(), name.unwrap_or_default())
        });
        let others = selecting::explain(gateway, link).into_iter();
        Self {
            chosen,
            why: sentence(&selected.why),
            course: selected.course,
            others: others
                .map(|(lms, why)| (lms.server.to_string(), sentence(&why)))
                .collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/connections.html")]
struct ListPage<'a> {
    frame: Frame<'a>,
    listing: Listing,
    /// The servers that can get a connection.
    without: Select,
    link: Input,
    tried: Option<Tried>,
}

impl ListPage<'_> {
    /// The server right before one in the order.
    fn above(&self, at: &usize) -> Option<&str> {
        let above = self.listing.connections.get(at.checked_sub(1)?)?;
        Some(&above.server.id)
    }

    fn seconds(listed: &Listed) -> Option<u64> {
        listed.left_alone.map(|wait| wait.as_secs().max(1))
    }

    fn backend(connection: &EnrollmentRecord) -> &'static str {
        backend_name(&connection.backend)
    }
}

/// A backend's name for people.
fn backend_name(backend: &str) -> &'static str {
    match Backend::named(backend) {
        Some(Backend::OpenEdx) => "Open edX",
        Some(Backend::Moodle) => "Moodle",
        Some(Backend::Dummy) => "dummy",
        Some(Backend::Failing) => "always fails",
        Some(Backend::Base) | None => "none",
    }
}

/// `GET /admin/connections?link`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "saved" => Some("Saved. Links go there from now on."),
        "moved" => Some("Moved. Links are tried in the new order from now on."),
        "removed" => Some("Removed. Nobody is enrolled by way of it any more."),
        _ => None,
    });
    let link = query.get("link").map(str::trim).unwrap_or_default();
    let mut listing = connections::list(&gateway).await?;
    let named = |(id, name): (String, String)| (id.clone(), format!("{name} ({id})"));
    let without = std::mem::take(&mut listing.without);
    let without: Vec<_> = without.into_iter().map(named).collect();
    let template = ListPage {
        frame: Frame::of(&gateway, &who, HERE).done(done),
        without: Select::new("id", "Server", without, ""),
        link: Input::text("link", "Link of a course")
            .required()
            .hint("As it stands in a browser, such as https://courses.example.org/courses/course-v1:a+b+c/info")
            .value(link),
        tried: (!link.is_empty()).then(|| Tried::of(&gateway, link)),
        listing,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/connections/move`
pub(super) async fn move_up(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let pair = (posted.fields.get("id"), posted.fields.get("above"));
    connections::move_up(&gateway, &posted.who.actor(), pair)
        .await
        .map_err(not_saved)?;
    Ok(see_other(&gateway, &format!("{LIST}?done=moved")))
}

#[derive(Template)]
#[template(path = "admin/remove_connection.html")]
struct RemovePage<'a> {
    frame: Frame<'a>,
    server: &'a ServerRecord,
    connection: &'a EnrollmentRecord,
    made_from: MadeFrom,
}

/// `GET /admin/connections/remove?id`
pub(super) async fn ask_to_remove(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = SERVERS.id_of(&request)?;
    let (server, connection) = connections::find(&gateway, id).await?;
    let template = RemovePage {
        frame: Frame::of(&gateway, &who, HERE),
        made_from: MadeFrom::server(Some(&server)),
        server: &server,
        connection: &connection,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/connections/remove`
pub(super) async fn remove(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let (server, _) = connections::find(&gateway, posted.fields.get("id")).await?;
    let made_from = MadeFrom::from_form(posted.fields.get("made_from"));
    connections::set(&gateway, &posted.who.actor(), (&server, &made_from), None)
        .await
        .map_err(not_saved)?;
    Ok(see_other(&gateway, &format!("{LIST}?done=removed")))
}
