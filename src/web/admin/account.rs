//! One's own account: the password, and where one is signed in.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::cookies::Cookie;
use super::forms::{Field, Mistake};
use super::frame::{Frame, page, status_if};
use super::guard::{Posted, SignedIn};
use super::see_other;
use super::sysadmins::{mistake_of, new_password};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::sysadmin::people::{self, Changer};
use crate::flows::sysadmin::sessions;
use crate::store::OwnSession;
use crate::web::problem::Problem;

/// A session as it is shown.
struct Shown {
    session: OwnSession,
    browser: String,
}

#[derive(Template)]
#[template(path = "admin/account.html")]
struct AccountPage<'a> {
    frame: Frame<'a>,
    name: &'a str,
    this_session: &'a str,
    sessions: Vec<Shown>,
    fields: [Field; 3],
}

async fn account(
    gateway: &Gateway,
    who: &SignedIn,
    done: Option<&'static str>,
    mistake: Option<&Mistake>,
) -> Result<HttpResponse, Problem> {
    let sessions = sessions::list(gateway, &who.session.sysadmin_id, Utc::now()).await?;
    let [password, repeated] = new_password(mistake);
    let template = AccountPage {
        frame: Frame::of(gateway, who, "account").done(done),
        name: &who.session.name,
        this_session: &who.session.id,
        sessions: sessions.into_iter().map(shown).collect(),
        fields: [
            Field::password("current", "Current password")
                .autocomplete("current-password")
                .mistake(mistake),
            password,
            repeated,
        ],
    };
    let status = status_if(mistake.is_some(), StatusCode::UNPROCESSABLE_ENTITY);
    page(status, &template)
}

/// `GET /admin/account`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "password" => Some("Your password is changed. You are signed out everywhere else."),
        "ended" => Some("That session is ended."),
        "others" => Some("You are signed out everywhere else."),
        _ => None,
    });
    account(&gateway, &who, done, None).await
}

/// `POST /admin/account/password`
pub(super) async fn change_password(
    request: HttpRequest,
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let session = &posted.who.session;
    let device = Cookie::Device.of(&request, &gateway);
    let changer = Changer {
        sysadmin: &session.sysadmin_id,
        name: &session.name,
        session: &session.id,
        device: device.as_ref(),
    };
    let passwords = ["current", "password", "repeated"].map(|name| posted.fields.secret(name));
    match people::change_password(&gateway, changer, passwords, Utc::now()).await {
        Ok(renewed) => {
            let mut response = see_other(&gateway, "/admin/account?done=password");
            Cookie::Session.give(&mut response, (&request, gateway.as_ref()), &renewed);
            Ok(response)
        }
        Err(not_set) => account(&gateway, &posted.who, None, Some(&mistake_of(not_set)?)).await,
    }
}

/// `POST /admin/account/end-session`
pub(super) async fn end_session(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let sysadmin = &posted.who.session.sysadmin_id;
    sessions::end(&gateway, sysadmin, posted.fields.get("session")).await?;
    Ok(see_other(&gateway, "/admin/account?done=ended"))
}

/// `POST /admin/account/end-other-sessions`
pub(super) async fn end_other_sessions(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let session = &posted.who.session;
    sessions::end_others(&gateway, &session.sysadmin_id, &session.id).await?;
    Ok(see_other(&gateway, "/admin/account?done=others"))
}

fn shown(session: OwnSession) -> Shown {
    let browser = browser(&session.user_agent);
    Shown { session, browser }
}

/// What a browser is, in two words a person knows, as far as it says so.
fn browser(user_agent: &str) -> String {
    let first = |names: &[(&str, &'static str)]| {
        names
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    // Each says that it is also those that come after it here.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "An unknown browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_named_as_people_know_them() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "An unknown browser"),
        ] {
            assert_eq!(browser(user_agent), name);
        }
    }
}
