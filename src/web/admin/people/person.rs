//! One person: the last login and what it carried, and the customCSV that is remembered of it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::{address, server_name};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::people::{self, Person};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::SignedIn;
use crate::web::admin::launches::{Parameter, flat};
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/person.html")]
struct PersonPage<'a> {
    frame: Frame<'a>,
    person: &'a Person,
    server: String,
    /// Whether that server is configured now.
    is_there: bool,
    carried: Vec<Parameter>,
    launches: String,
}

impl PersonPage<'_> {
    /// Until when a customCSV of this time is remembered.
    fn until(&self, at: &DateTime<Utc>) -> DateTime<Utc> {
        *at + self.person.kept
    }
}

/// `GET /admin/people/person?platform&server&login`
pub(in crate::web::admin) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let [platform, server, login] =
        ["platform", "server", "login"].map(|name| query.get(name).unwrap_or_default());
    let odd = |text: &str| text.contains(char::is_control);
    if odd(server) || odd(login) {
        return Err(Problem::NoSuchPage);
    }
    let person = people::person(&gateway, platform, server, login, Utc::now()).await?;
    let person = person.ok_or(Problem::NoSuchPage)?;
    let configuration = gateway.configuration();
    let template = PersonPage {
        frame: Frame::of(&gateway, &who, "people"),
        server: server_name(&configuration, server),
        is_there: configuration.server(server).is_some(),
        carried: flat(&person.carried),
        launches: address("/admin/launches", &[("user", &person.user.lams_login)]),
        person: &person,
    };
    page(StatusCode::OK, &template)
}
