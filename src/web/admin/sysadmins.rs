//! Who the sysadmins are: the list, adding one, removing one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::forms::{Field, Mistake};
use super::frame::{Frame, page, status_if};
use super::guard::{Posted, SignedIn};
use super::see_other;
use super::sign_in::waited;
use crate::domain::query::Query;
use crate::flows::sysadmin::people::{self, NotSet, Wanted};
use crate::flows::{Gateway, Refusal};
use crate::store::SysadminRecord;
use crate::web::problem::Problem;
use crate::web::words::sentence;

#[derive(Template)]
#[template(path = "admin/sysadmins.html")]
struct SysadminsPage<'a> {
    frame: Frame<'a>,
    own_id: &'a str,
    sysadmins: &'a [SysadminRecord],
    fields: [Field; 3],
}

#[derive(Template)]
#[template(path = "admin/remove_sysadmin.html")]
struct RemovePage<'a> {
    frame: Frame<'a>,
    sysadmin: &'a SysadminRecord,
}

async fn list(
    gateway: &Gateway,
    who: &SignedIn,
    done: Option<&'static str>,
    name: &str,
    mistake: Option<&Mistake>,
) -> Result<HttpResponse, Problem> {
    let sysadmins = people::list(gateway).await?;
    let template = SysadminsPage {
        frame: Frame::of(gateway, who, "sysadmins").done(done),
        own_id: &who.session.sysadmin_id,
        sysadmins: &sysadmins,
        fields: new_sysadmin(name, mistake, false),
    };
    let status = status_if(mistake.is_some(), StatusCode::UNPROCESSABLE_ENTITY);
    page(status, &template)
}

/// `GET /admin/sysadmins`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "added" => Some("Added. Give them the name and the password, and ask them to change it."),
        "removed" => Some("Removed, and signed out everywhere."),
        _ => None,
    });
    list(&gateway, &who, done, "", None).await
}

/// `POST /admin/sysadmins`
pub(super) async fn add(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let Posted { who, fields } = &posted;
    let wanted = Wanted {
        name: fields.get("name"),
        password: fields.secret("password"),
        repeated: fields.secret("repeated"),
    };
    match people::add(&gateway, &who.actor(), wanted, Utc::now()).await {
        Ok(()) => Ok(see_other(&gateway, "/admin/sysadmins?done=added")),
        Err(not_set) => {
            let mistake = mistake_of(not_set)?;
            list(&gateway, who, None, fields.get("name"), Some(&mistake)).await
        }
    }
}

/// `GET /admin/sysadmins/{id}/remove`: asks first.
pub(super) async fn ask_to_remove(
    id: web::Path<String>,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    another(&who, &id)?;
    let sysadmin = people::find(&gateway, &id).await?;
    let template = RemovePage {
        frame: Frame::of(&gateway, &who, "sysadmins"),
        sysadmin: &sysadmin,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/sysadmins/{id}/remove`
pub(super) async fn remove(
    id: web::Path<String>,
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    another(&posted.who, &id)?;
    people::remove(&gateway, &posted.who.actor(), &id, Utc::now()).await?;
    Ok(see_other(&gateway, "/admin/sysadmins?done=removed"))
}

/// Nobody saws off the branch that they sit on.
fn another(who: &SignedIn, id: &str) -> Result<(), Problem> {
    if who.session.sysadmin_id == id {
        return Err(Refusal::OwnSysadmin.into());
    }
    Ok(())
}

/// The fields with which a sysadmin is made. `own`: by that person.
pub(super) fn new_sysadmin(name: &str, mistake: Option<&Mistake>, own: bool) -> [Field; 3] {
    let [password, repeated] = new_password(mistake);
    let autocomplete = if own { "username" } else { "off" };
    [
        Field::text("name", "Name")
            .autocomplete(autocomplete)
            .value(name)
            .mistake(mistake),
        password,
        repeated,
    ]
}

/// The fields with which a password is set.
pub(super) fn new_password(mistake: Option<&Mistake>) -> [Field; 2] {
    [
        Field::password("password", "New password")
            .autocomplete("new-password")
            .hint("At least 10 characters. A few words that only you would put together are good.")
            .mistake(mistake),
        Field::password("repeated", "New password, once more")
            .autocomplete("new-password")
            .mistake(mistake),
    ]
}

/// What is wrong with a form, and where; what is nobody's mistake stays a refusal.
pub(super) fn mistake_of(not_set: NotSet) -> Result<Mistake, Refusal> {
    let words = sentence(&not_set.to_string());
    let (field, words) = match not_set {
        NotSet::Name(_) | NotSet::Taken => ("name", words),
        NotSet::Weak(_) => ("password", words),
        NotSet::Differ => ("repeated", words),
        NotSet::Wrong => ("current", words),
        NotSet::TooEarly(seconds) => (
            "current",
            format!(
                "There were too many wrong tries. The next is possible {}.",
                waited(seconds)
            ),
        ),
        NotSet::Refusal(refusal) => return Err(refusal),
    };
    Ok(Mistake { field, words })
}
