//! The test of a server's connection: asked for by a button, since it makes real calls.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::frame::{Frame, page};
use super::guard::{Posted, SignedIn};
use crate::domain::server::Server;
use crate::flows::Gateway;
use crate::flows::connection_test::{self, Row, Verdict};
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/connection_test.html")]
struct TestPage<'a> {
    frame: Frame<'a>,
    server: &'a Server,
    /// What came of it; nothing before the button is pressed.
    rows: Option<Vec<Row>>,
}

impl TestPage<'_> {
    /// The whole test in one sentence.
    fn summary(&self) -> &'static str {
        let has = |verdict| self.rows.iter().flatten().any(|row| row.verdict == verdict);
        match (has(Verdict::Failed), has(Verdict::Warning)) {
            (true, _) => "Something does not hold. The rows say what, and what to do.",
            (false, true) => "Launches work. Something is worth a look.",
            (false, false) => "Everything that was tried holds.",
        }
    }
}

/// `GET /admin/servers/{id}/test`: asks first; a link calls nobody.
pub(super) async fn ask(
    id: web::Path<String>,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    show(&gateway, &who, &id, false).await
}

/// `POST /admin/servers/{id}/test`
pub(super) async fn run(
    id: web::Path<String>,
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    show(&gateway, &posted.who, &id, true).await
}

async fn show(
    gateway: &Gateway,
    who: &SignedIn,
    id: &str,
    run: bool,
) -> Result<HttpResponse, Problem> {
    let configuration = gateway.configuration();
    let server = configuration.server(id).ok_or(Problem::NoSuchPage)?;
    let rows = match run {
        true => Some(connection_test::run(gateway, server).await),
        false => None,
    };
    let template = TestPage {
        frame: Frame::of(gateway, who, "servers"),
        server,
        rows,
    };
    page(StatusCode::OK, &template)
}
