//! Secrets that are made here. A new one is in the answer to the form that asked for it, and nowhere else,
//! ever: no address holds it, no page shows it again. The form carries what it was made from, so that a
//! reload of that answer is refused and makes no other one.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::example::Examples;
use super::is_signed;
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::apply::{MadeFrom, WrittenPlatform, WrittenSecret};
use crate::flows::connecting::platforms;
use crate::store::PlatformRecord;
use crate::web::admin::connected::{PLATFORMS, not_saved};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::problem::Problem;

/// Which of a platform's secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    LaunchSecret,
    ApiToken,
}

impl Which {
    fn read(name: Option<&str>) -> Result<Self, Problem> {
        match name {
            Some("launch_secret") => Ok(Self::LaunchSecret),
            Some("api_token") => Ok(Self::ApiToken),
            _ => Err(Problem::NoSuchPage),
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::LaunchSecret => "launch_secret",
            Self::ApiToken => "api_token",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::LaunchSecret => "launch secret",
            Self::ApiToken => "API token",
        }
    }

    /// What stops working at once where there was one.
    fn stops(self) -> &'static str {
        match self {
            Self::LaunchSecret => "every launch from it is refused",
            Self::ApiToken => "every call of it to the API is refused",
        }
    }

    fn is_set(self, record: &PlatformRecord) -> bool {
        match self {
            Self::LaunchSecret => record.launch_secret.is_some(),
            Self::ApiToken => record.api_token_hash.is_some(),
        }
    }
}

#[derive(Template)]
#[template(path = "admin/ask_for_secret.html")]
struct AskPage<'a> {
    frame: Frame<'a>,
    platform: &'a PlatformRecord,
    made_from: MadeFrom,
    which: Which,
}

#[derive(Template)]
#[template(path = "admin/new_secret.html")]
struct NewPage<'a> {
    frame: Frame<'a>,
    platform: &'a PlatformRecord,
    which: Which,
    secret: &'a str,
    example: Option<Examples>,
}

/// `GET /admin/platforms/secret?id&which`: asks first.
pub(in crate::web::admin) async fn ask(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let platform = platforms::find(&gateway, PLATFORMS.id_of(&request)?).await?;
    let query = Query::parse(request.query_string());
    let template = AskPage {
        frame: Frame::of(&gateway, &who, PLATFORMS.path),
        made_from: MadeFrom::platform(Some(&platform)),
        which: Which::read(query.get("which"))?,
        platform: &platform,
    };
    page(StatusCode::OK, &template)
}

/// `POST /admin/platforms/secret`
pub(in crate::web::admin) async fn make(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let Posted { who, fields } = &posted;
    let which = Which::read(Some(fields.get("which")))?;
    let record = platforms::find(&gateway, fields.get("id")).await?;
    let secret = platforms::generate_secret();
    let mut wanted = WrittenPlatform::of(&record);
    let text = Some(WrittenSecret::Text(secret.clone()));
    match which {
        Which::LaunchSecret => wanted.launch_secret = text,
        Which::ApiToken => wanted.api_token = text,
    }
    let made_from = MadeFrom::from_form(fields.get("made_from"));
    platforms::set(&gateway, &who.actor(), &made_from, wanted)
        .await
        .map_err(not_saved)?;
    let signs = which == Which::LaunchSecret && is_signed(&record);
    let template = NewPage {
        frame: Frame::of(&gateway, who, PLATFORMS.path),
        platform: &record,
        which,
        secret: &secret,
        example: signs.then(|| Examples::of(&gateway, &record, Some(&secret))),
    };
    page(StatusCode::OK, &template)
}
