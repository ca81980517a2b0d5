//! Adding and editing a connection: the form of `[servers.enrollment]`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::{Shown, Typed};
use super::{HERE, LIST};
use crate::flows::Gateway;
use crate::flows::apply::{MadeFrom, SaveError};
use crate::flows::connecting::{connections, servers};
use crate::store::ServerRecord;
use crate::web::admin::connected::{InWords, SERVERS, failed, wrong_of};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::input::Wrong;
use crate::web::admin::see_other;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/connection.html")]
struct ConnectionPage<'a> {
    frame: Frame<'a>,
    server: &'a ServerRecord,
    made_from: MadeFrom,
    shown: Shown,
    /// What is there now, where somebody else changed it.
    theirs: Option<Vec<InWords>>,
}

impl<'a> ConnectionPage<'a> {
    fn of(
        (gateway, who): (&'a Gateway, &'a SignedIn),
        server: &'a ServerRecord,
        typed: &Typed,
        wrong: Option<&Wrong>,
    ) -> Self {
        Self {
            frame: Frame::of(gateway, who, HERE),
            made_from: MadeFrom::server(Some(server)),
            shown: typed.shown(server.enrollment.as_ref(), wrong),
            server,
            theirs: None,
        }
    }
}

/// `GET /admin/connections/edit?id`
pub(in crate::web::admin) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let server = servers::find(&gateway, SERVERS.id_of(&request)?).await?;
    let typed = Typed::of(server.enrollment.as_ref());
    let template = ConnectionPage::of((&gateway, &who), &server, &typed, None);
    page(StatusCode::OK, &template)
}

/// `POST /admin/connections/edit`
pub(in crate::web::admin) async fn change(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let server = servers::find(&gateway, posted.fields.get("id")).await?;
    let typed = Typed::read(&posted.fields);
    let made_from = MadeFrom::from_form(posted.fields.get("made_from"));
    let actor = posted.who.actor();
    let at = (gateway.get_ref(), &posted.who);
    let wrong = match typed.written() {
        Err(wrong) => wrong,
        Ok(wanted) => {
            let object = (&server, &made_from);
            match connections::set(&gateway, &actor, object, Some(wanted)).await {
                Ok(_) => return Ok(see_other(&gateway, &format!("{LIST}?done=saved"))),
                Err(SaveError::Newer) => {
                    let now = servers::find(&gateway, &server.id).await?;
                    let mut template = ConnectionPage::of(at, &now, &typed, None);
                    template.theirs = Some(typed.differences(&Typed::of(now.enrollment.as_ref())));
                    return page(StatusCode::CONFLICT, &template);
                }
                Err(SaveError::Wrong(error)) => wrong_of(&error),
                Err(SaveError::Failed(error)) => return Err(failed(error)),
            }
        }
    };
    let mut template = ConnectionPage::of(at, &server, &typed, Some(&wrong));
    // A mistake does not make it a newer form than it is.
    template.made_from = made_from;
    page(StatusCode::UNPROCESSABLE_ENTITY, &template)
}
