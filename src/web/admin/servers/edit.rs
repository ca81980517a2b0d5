//! Adding and editing a server.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::form::{Shown, Typed, wrong_of};
use crate::domain::configuration::Configuration;
use crate::flows::Gateway;
use crate::flows::apply::{MadeFrom, SaveError, WrittenServer};
use crate::flows::connecting::servers;
use crate::store::ServerRecord;
use crate::web::admin::connected::{InWords, SERVERS, failed};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::input::Wrong;
use crate::web::admin::see_other;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/server.html")]
struct ServerPage<'a> {
    frame: Frame<'a>,
    /// The server that is edited; nothing where one is added.
    record: Option<&'a ServerRecord>,
    made_from: MadeFrom,
    shown: Shown,
    /// Whether logins of any time are taken, as it stands now.
    no_window: bool,
    /// What is there now, where somebody else changed it.
    theirs: Option<Vec<InWords>>,
}

impl<'a> ServerPage<'a> {
    fn of(
        (gateway, who): (&'a Gateway, &'a SignedIn),
        configuration: &Configuration,
        record: Option<&'a ServerRecord>,
        typed: &Typed,
        wrong: Option<&Wrong>,
    ) -> Self {
        let has_key = record.is_some_and(|record| record.server_key.is_some());
        let window = record.and_then(|record| record.login_window_minutes);
        Self {
            no_window: window.unwrap_or(gateway.login_window_minutes()) <= 0,
            frame: Frame::of(gateway, who, "servers"),
            made_from: MadeFrom::server(record),
            shown: typed.shown(configuration, record.is_none(), has_key, wrong),
            record,
            theirs: None,
        }
    }
}

/// `GET /admin/servers/add`
pub(in crate::web::admin) async fn show_add(
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let configuration = gateway.configuration();
    let typed = Typed::fresh();
    let template = ServerPage::of((&gateway, &who), &configuration, None, &typed, None);
    page(StatusCode::OK, &template)
}

/// `POST /admin/servers/add`
pub(in crate::web::admin) async fn add(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let configuration = gateway.configuration();
    let typed = Typed::read(&posted.fields, &configuration);
    let wrong = match typed.written(&configuration) {
        Err(wrong) => wrong,
        Ok(wanted) => match save(&gateway, &posted, &MadeFrom::server(None), wanted).await {
            Ok(saved) => return Ok(saved),
            Err(SaveError::Newer) => {
                Wrong::new("id", "There is a server of this id already. Edit that one.")
            }
            Err(SaveError::Wrong(error)) => wrong_of(&error),
            Err(SaveError::Failed(error)) => return Err(failed(error)),
        },
    };
    let at = (gateway.get_ref(), &posted.who);
    let template = ServerPage::of(at, &configuration, None, &typed, Some(&wrong));
    page(StatusCode::UNPROCESSABLE_ENTITY, &template)
}

/// `GET /admin/servers/edit?id`
pub(in crate::web::admin) async fn show_edit(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let record = servers::find(&gateway, SERVERS.id_of(&request)?).await?;
    let configuration = gateway.configuration();
    let typed = Typed::of(&record);
    let template = ServerPage::of(
        (&gateway, &who),
        &configuration,
        Some(&record),
        &typed,
        None,
    );
    page(StatusCode::OK, &template)
}

/// `POST /admin/servers/edit`
pub(in crate::web::admin) async fn change(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let record = servers::find(&gateway, posted.fields.get("id")).await?;
    let configuration = gateway.configuration();
    let typed = Typed::read(&posted.fields, &configuration);
    let made_from = MadeFrom::from_form(posted.fields.get("made_from"));
    let at = (gateway.get_ref(), &posted.who);
    let wrong = match typed.written(&configuration) {
        Err(wrong) => wrong,
        Ok(wanted) => match save(&gateway, &posted, &made_from, wanted).await {
            Ok(saved) => return Ok(saved),
            Err(SaveError::Newer) => {
                let now = servers::find(&gateway, &record.id).await?;
                let mut template = ServerPage::of(at, &configuration, Some(&now), &typed, None);
                template.theirs = Some(typed.differences(&Typed::of(&now)));
                return page(StatusCode::CONFLICT, &template);
            }
            Err(SaveError::Wrong(error)) => wrong_of(&error),
            Err(SaveError::Failed(error)) => return Err(failed(error)),
        },
    };
    let mut template = ServerPage::of(at, &configuration, Some(&record), &typed, Some(&wrong));
    // A mistake does not make it a newer form than it is.
    template.made_from = made_from;
    page(StatusCode::UNPROCESSABLE_ENTITY, &template)
}

async fn save(
    gateway: &Gateway,
    posted: &Posted,
    made_from: &MadeFrom,
    wanted: WrittenServer,
) -> Result<HttpResponse, SaveError> {
    let report = servers::set(gateway, &posted.who.actor(), made_from, wanted).await?;
    // Of what the form can say, only a short key is worth a word.
    let done = if report.warnings.is_empty() {
        "saved"
    } else {
        "short-key"
    };
    Ok(see_other(gateway, &format!("/admin/servers?done={done}")))
}
