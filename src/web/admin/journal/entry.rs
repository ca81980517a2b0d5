//! One entry of the journal: what the call is, and sending it again, adopting an id, giving it up.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{Item, id_of, not_there, plain, problem, words};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::journal::{self, JournalError};
use crate::web::admin::frame::{Frame, page, status_if};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::input::{Input, Wrong};
use crate::web::admin::see_other;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/journal_entry.html")]
struct EntryPage<'a> {
    frame: Frame<'a>,
    item: Item,
    /// Why what was asked was not done.
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/adopt_entry.html")]
struct AdoptPage<'a> {
    frame: Frame<'a>,
    item: Item,
    field: Input,
}

#[derive(Template)]
#[template(path = "admin/give_up_entry.html")]
struct GiveUpPage<'a> {
    frame: Frame<'a>,
    item: Item,
}

/// `GET /admin/journal/entry?id`
pub(in crate::web::admin) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let Some(item) = find(&gateway, &id_of(&request)).await? else {
        return not_there(&gateway, &who).await;
    };
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "made" => Some("It was sent again, and the server made it. LAMS gets it from now on."),
        "adopted" => Some("Adopted. LAMS gets what you named from now on."),
        _ => None,
    });
    let template = EntryPage {
        frame: Frame::of(&gateway, &who, "journal").done(done),
        item,
        wrong: None,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/journal/retry`
pub(in crate::web::admin) async fn retry(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = plain(posted.fields.get("id"));
    // What was left behind has a page of its own, which asks first.
    if find(&gateway, id).await?.is_none() {
        return not_there(&gateway, &posted.who).await;
    }
    match journal::retry(&gateway, &posted.who.actor(), id).await {
        Ok(_) => Ok(to_entry(&gateway, id, "made")),
        Err(error) => not_done(&gateway, &posted.who, id, error).await,
    }
}

/// `GET /admin/journal/adopt?id`: asks for the id, and says what it means.
pub(in crate::web::admin) async fn ask_to_adopt(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request);
    match unsettled(&gateway, &who, &id).await? {
        Ok(item) => adopting(&gateway, &who, item, "", None),
        Err(answer) => Ok(answer),
    }
}

/// `POST /admin/journal/adopt`
pub(in crate::web::admin) async fn adopt(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let Posted { who, fields } = &posted;
    let (id, ext_id) = (plain(fields.get("id")), fields.get("ext_id").trim());
    match journal::adopt(&gateway, &who.actor(), id, ext_id).await {
        Ok(_) => Ok(to_entry(&gateway, id, "adopted")),
        Err(error @ JournalError::NotAnExtId(..)) => {
            let wrong = Wrong::new("ext_id", words(error)?);
            match unsettled(&gateway, who, id).await? {
                Ok(item) => adopting(&gateway, who, item, ext_id, Some(&wrong)),
                Err(answer) => Ok(answer),
            }
        }
        Err(error) => not_done(&gateway, who, id, error).await,
    }
}

/// `GET /admin/journal/give-up?id`: asks first.
pub(in crate::web::admin) async fn ask_to_give_up(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&request);
    let item = match unsettled(&gateway, &who, &id).await? {
        Ok(item) => item,
        Err(answer) => return Ok(answer),
    };
    let template = GiveUpPage {
        frame: Frame::of(&gateway, &who, "journal"),
        item,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/journal/give-up`
pub(in crate::web::admin) async fn give_up(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = plain(posted.fields.get("id"));
    if find(&gateway, id).await?.is_none() {
        return not_there(&gateway, &posted.who).await;
    }
    match journal::drop_entry(&gateway, &posted.who.actor(), id).await {
        Ok(()) => Ok(see_other(&gateway, "/admin/journal?done=given-up")),
        Err(error) => not_done(&gateway, &posted.who, id, error).await,
    }
}

async fn find(gateway: &Gateway, id: &str) -> Result<Option<Item>, Problem> {
    let entry = journal::find(gateway, id).await.map_err(problem)?;
    Ok(entry.map(|entry| Item::of(entry, &gateway.configuration())))
}

/// An entry that can be settled; else the page that says why it cannot.
async fn unsettled(
    gateway: &Gateway,
    who: &SignedIn,
    id: &str,
) -> Result<Result<Item, HttpResponse>, Problem> {
    match find(gateway, id).await? {
        Some(item) if item.is_unsettled() => Ok(Ok(item)),
        Some(item) => {
            let error = JournalError::NotUnsettled(id.to_owned(), item.state());
            Ok(Err(not_done(gateway, who, id, error).await?))
        }
        None => Ok(Err(not_there(gateway, who).await?)),
    }
}

fn adopting(
    gateway: &Gateway,
    who: &SignedIn,
    item: Item,
    typed: &str,
    wrong: Option<&Wrong>,
) -> Result<HttpResponse, Problem> {
    let template = AdoptPage {
        frame: Frame::of(gateway, who, "journal"),
        field: Input::text("ext_id", "Its id on the server")
            .required()
            .hint("As the server shows it, in the address of its page for example.")
            .value(typed)
            .wrong(wrong),
        item,
    };
    let status = status_if(wrong.is_some(), StatusCode::UNPROCESSABLE_ENTITY);
    page(status, &template)
}

/// The entry as it is now, and why what was asked was not done.
async fn not_done(
    gateway: &Gateway,
    who: &SignedIn,
    id: &str,
    error: JournalError,
) -> Result<HttpResponse, Problem> {
    if matches!(error, JournalError::Unknown(_)) {
        return not_there(gateway, who).await;
    }
    let wrong = Some(words(error)?);
    let Some(item) = find(gateway, id).await? else {
        return not_there(gateway, who).await;
    };
    let template = EntryPage {
        frame: Frame::of(gateway, who, "journal"),
        item,
        wrong,
    };
    page(StatusCode::CONFLICT, &template)
}

fn to_entry(gateway: &Gateway, id: &str, done: &str) -> HttpResponse {
    see_other(
        gateway,
        &format!("/admin/journal/entry?id={id}&done={done}"),
    )
}
