//! The first page: how things stand, and where things are.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::frame::{Frame, page};
use super::guard::SignedIn;
use crate::flows::Gateway;
use crate::flows::launches::{self, Overview};
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/home.html")]
struct HomePage<'a> {
    frame: Frame<'a>,
    overview: Overview,
    /// Servers that are left alone for now, by name.
    shut: Vec<String>,
    has_servers: bool,
    has_platforms: bool,
}

impl HomePage<'_> {
    fn has_page(&self, path: &str) -> bool {
        self.frame.navigation.iter().any(|entry| entry.path == path)
    }
}

/// `GET /admin/`
pub(super) async fn show(
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let overview = launches::overview(&gateway, Utc::now()).await?;
    let configuration = gateway.configuration();
    let name = |id: &String| {
        let server = configuration.server(id);
        server.map_or_else(|| id.clone(), |server| server.name.clone())
    };
    let template = HomePage {
        frame: Frame::of(&gateway, &who, ""),
        shut: overview.shut.iter().map(name).collect(),
        overview,
        has_servers: configuration.servers().next().is_some(),
        has_platforms: configuration.platforms().next().is_some(),
    };
    page(StatusCode::OK, &template)
}
