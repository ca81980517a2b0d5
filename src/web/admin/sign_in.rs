//! Signing in and out.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::cookies::Cookie;
use super::forms::{Field, Fields, Mistake};
use super::frame::{Frame, page_with};
use super::guard::{MaybeSignedIn, Posted};
use super::{address, next, see_other};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::sysadmin::sessions;
use crate::flows::sysadmin::sign_in::{self, Attempt, Outcome};
use crate::web::limits::Limits;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct SignInPage<'a> {
    frame: Frame<'a>,
    next: &'a str,
    name: Field,
    password: Field,
}

impl<'a> SignInPage<'a> {
    fn new(gateway: &'a Gateway, next: &'a str, name: &str, mistake: Option<&Mistake>) -> Self {
        Self {
            frame: Frame::outside(Some(gateway)),
            next,
            name: Field::text("name", "Name")
                .autocomplete("username")
                .autofocus(mistake.is_none())
                .value(name),
            password: Field::password("password", "Password")
                .autocomplete("current-password")
                .mistake(mistake),
        }
    }
}

/// `GET /admin/sign-in`
pub(super) async fn show(
    request: HttpRequest,
    who: MaybeSignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let wanted = query.get("next").and_then(next::local);
    if who.0.is_some() {
        return Ok(see_other(&gateway, wanted.unwrap_or("/admin/")));
    }
    let done = query.get("done").and_then(|done| match done {
        "out" => Some("You are signed out."),
        "first" => {
            Some("You are the first sysadmin. Sign in with the name and password you chose.")
        }
        _ => None,
    });
    let mut template = SignInPage::new(&gateway, wanted.unwrap_or_default(), "", None);
    template.frame.done = done;
    let mut response = HttpResponse::Ok();
    if comes_from_elsewhere(&request) {
        let again = next::sign_in_and_then(wanted.unwrap_or_default());
        response.insert_header((
            header::REFRESH,
            format!("0;url={}", address(&gateway, &again)),
        ));
    }
    page_with(response, &template)
}

/// Whether a link of another site led here, such as one in LAMS. Then the browser kept the cookie back,
/// and whoever is signed in does not look so. It sends it when the page asks for itself once more, and
/// says then that it comes from here.
fn comes_from_elsewhere(request: &HttpRequest) -> bool {
    let site = request.headers().get("sec-fetch-site");
    site.is_some_and(|site| site.as_bytes() == b"cross-site")
}

/// `POST /admin/sign-in`. No session is known yet that a form's token could be bound to; that the form is
/// one of ours is known from where the browser says it comes from.
pub(super) async fn sign_in(
    request: HttpRequest,
    fields: Fields,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse, Problem> {
    let user_agent = request
        .headers()
        .get(header::USER_AGENT)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .unwrap_or_default();
    let attempt = Attempt {
        name: fields.get("name"),
        password: fields.secret("password"),
        device: Cookie::Device.of(&request, &gateway),
        session: Cookie::Session.of(&request, &gateway),
        user_agent: &user_agent,
        address: limits.address_of(&request),
    };
    let wanted = next::local(fields.get("next"));
    let again = |mut response: actix_web::HttpResponseBuilder, words: String, wait: Option<u64>| {
        let mistake = Mistake {
            field: "password",
            words,
        };
        if let Some(seconds) = wait {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        let next = wanted.unwrap_or_default();
        let template = SignInPage::new(&gateway, next, fields.get("name"), Some(&mistake));
        page_with(response, &template)
    };
    let now = Utc::now();
    if let Err(seconds) = limits.sign_in(&request) {
        // Others at the same address, such as a school's, keep nobody out whose browser was in before.
        let known = match &attempt.device {
            Some(device) => sign_in::is_known(&gateway, device, now).await?,
            None => false,
        };
        if !known {
            let words = format!(
                "There were too many tries from your network. The next one is possible {}.",
                waited(seconds)
            );
            return again(HttpResponse::TooManyRequests(), words, Some(seconds));
        }
    }
    match sign_in::sign_in(&gateway, attempt, now).await? {
        Outcome::In { session, device } => {
            let mut response = see_other(&gateway, wanted.unwrap_or("/admin/"));
            let asked = (&request, gateway.as_ref());
            Cookie::Session.give(&mut response, asked, &session);
            Cookie::Device.give(&mut response, asked, &device);
            Ok(response)
        }
        Outcome::Wrong => again(
            HttpResponse::Unauthorized(),
            "Name or password is wrong.".to_owned(),
            None,
        ),
        Outcome::TooEarly { seconds } => again(
            HttpResponse::TooManyRequests(),
            format!(
                "There were too many wrong passwords for this name. The next try is possible {}.",
                waited(seconds)
            ),
            Some(seconds),
        ),
    }
}

/// `POST /admin/sign-out`
pub(super) async fn sign_out(
    request: HttpRequest,
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let session = &posted.who.session;
    sessions::end(&gateway, &session.sysadmin_id, &session.id).await?;
    let mut response = see_other(&gateway, "/admin/sign-in?done=out");
    Cookie::Session.take(&mut response, (&request, gateway.as_ref()));
    Ok(response)
}

/// A wait in words.
pub(super) fn waited(seconds: u64) -> String {
    match seconds {
        0..=1 => "in a second".to_owned(),
        2..=90 => format!("in {seconds} seconds"),
        _ => format!("in {} minutes", seconds.div_ceil(60)),
    }
}
