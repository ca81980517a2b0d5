//! Adding and editing a platform.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::example::Examples;
use super::form::{Shown, Typed};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::apply::{MadeFrom, SaveError};
use crate::flows::connecting::platforms;
use crate::store::PlatformRecord;
use crate::web::admin::connected::{InWords, PLATFORMS, failed, wrong_of};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::input::Wrong;
use crate::web::admin::see_other;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/platform.html")]
struct PlatformPage<'a> {
    frame: Frame<'a>,
    /// The platform that is edited, with an example of its launches; nothing where one is added.
    record: Option<(&'a PlatformRecord, Examples)>,
    made_from: MadeFrom,
    shown: Shown,
    /// What is there now, where somebody else changed it.
    theirs: Option<Vec<InWords>>,
}

/// The secrets of a platform: name, in words, whether it is set.
fn secrets_of(record: &PlatformRecord) -> [(&'static str, &'static str, bool); 2] {
    [
        (
            "launch_secret",
            "Launch secret",
            record.launch_secret.is_some(),
        ),
        ("api_token", "API token", record.api_token_hash.is_some()),
    ]
}

impl<'a> PlatformPage<'a> {
    fn of(
        (gateway, who): (&'a Gateway, &'a SignedIn),
        record: Option<&'a PlatformRecord>,
        typed: &Typed,
        wrong: Option<&Wrong>,
    ) -> Self {
        Self {
            frame: Frame::of(gateway, who, PLATFORMS.path),
            made_from: MadeFrom::platform(record),
            shown: typed.shown(record, wrong),
            record: record.map(|record| (record, Examples::of(gateway, record, None))),
            theirs: None,
        }
    }
}

/// `GET /admin/platforms/add`
pub(in crate::web::admin) async fn show_add(
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let template = PlatformPage::of((&gateway, &who), None, &Typed::fresh(), None);
    page(StatusCode::OK, &template)
}

/// `POST /admin/platforms/add`
pub(in crate::web::admin) async fn add(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let typed = Typed::read(&posted.fields);
    let wanted = typed.written();
    let to = format!("/admin/platforms/edit?id={}&done=added", wanted.id);
    let nothing = MadeFrom::platform(None);
    let wrong = match platforms::set(&gateway, &posted.who.actor(), &nothing, wanted).await {
        // What is still missing is on its own page: the secrets.
        Ok(_) => return Ok(see_other(&gateway, &to)),
        Err(SaveError::Newer) => Wrong::new(
            "id",
            "There is a platform of this id already. Edit that one.",
        ),
        Err(SaveError::Wrong(error)) => wrong_of(&error),
        Err(SaveError::Failed(error)) => return Err(failed(error)),
    };
    let at = (gateway.get_ref(), &posted.who);
    let template = PlatformPage::of(at, None, &typed, Some(&wrong));
    page(StatusCode::UNPROCESSABLE_ENTITY, &template)
}

/// `GET /admin/platforms/edit?id`
pub(in crate::web::admin) async fn show_edit(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let record = platforms::find(&gateway, PLATFORMS.id_of(&request)?).await?;
    let typed = Typed::of(&record);
    let mut template = PlatformPage::of((&gateway, &who), Some(&record), &typed, None);
    let added = Query::parse(request.query_string()).get("done") == Some("added");
    let done = "Added. LAMS needs the launch secret and the API token below; the example shows how it signs.";
    template.frame = template.frame.done(added.then_some(done));
    page(StatusCode::OK, &template)
}

/// `POST /admin/platforms/edit`
pub(in crate::web::admin) async fn change(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let record = platforms::find(&gateway, posted.fields.get("id")).await?;
    let typed = Typed::read(&posted.fields);
    let made_from = MadeFrom::from_form(posted.fields.get("made_from"));
    let at = (gateway.get_ref(), &posted.who);
    let saved = platforms::set(&gateway, &posted.who.actor(), &made_from, typed.written()).await;
    let wrong = match saved {
        Ok(_) if typed.has_short_secret() => {
            return Ok(see_other(&gateway, "/admin/platforms?done=short"));
        }
        Ok(_) => return Ok(see_other(&gateway, "/admin/platforms?done=saved")),
        Err(SaveError::Newer) => {
            let now = platforms::find(&gateway, &record.id).await?;
            let mut template = PlatformPage::of(at, Some(&now), &typed, None);
            template.theirs = Some(typed.differences(&Typed::of(&now)));
            return page(StatusCode::CONFLICT, &template);
        }
        Err(SaveError::Wrong(error)) => wrong_of(&error),
        Err(SaveError::Failed(error)) => return Err(failed(error)),
    };
    let mut template = PlatformPage::of(at, Some(&record), &typed, Some(&wrong));
    // A mistake does not make it a newer form than it is.
    template.made_from = made_from;
    page(StatusCode::UNPROCESSABLE_ENTITY, &template)
}
