//! The first sysadmin, by the one-time address that the gateway printed at its start.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::forms::{Field, Fields, Mistake};
use super::frame::{Frame, page};
use super::see_other;
use super::sysadmins::{mistake_of, new_sysadmin};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::sysadmin::first;
use crate::flows::sysadmin::people::Wanted;
use crate::web::problem::Problem;

#[derive(Template)]
#[template(path = "admin/first.html")]
struct FirstPage<'a> {
    frame: Frame<'a>,
    token: &'a str,
    fields: [Field; 3],
}

impl<'a> FirstPage<'a> {
    fn new(gateway: &'a Gateway, token: &'a str, name: &str, mistake: Option<&Mistake>) -> Self {
        Self {
            frame: Frame::outside(Some(gateway)),
            token,
            fields: new_sysadmin(name, mistake, true),
        }
    }
}

/// `GET /admin/first?token`
pub(super) async fn show(
    request: HttpRequest,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let token = query.get("token").unwrap_or_default();
    first::read(&gateway, token, Utc::now()).await?;
    page(StatusCode::OK, &FirstPage::new(&gateway, token, "", None))
}

/// `POST /admin/first`. Nobody is signed in yet; the address itself is the secret that the form carries.
pub(super) async fn make(
    fields: Fields,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let (now, text) = (Utc::now(), fields.get("token"));
    let token = first::read(&gateway, text, now).await?;
    let wanted = Wanted {
        name: fields.get("name"),
        password: fields.secret("password"),
        repeated: fields.secret("repeated"),
    };
    match first::make(&gateway, &token, wanted, now).await {
        Ok(()) => Ok(see_other(&gateway, "/admin/sign-in?done=first")),
        Err(not_set) => {
            let mistake = mistake_of(not_set)?;
            let template = FirstPage::new(&gateway, text, fields.get("name"), Some(&mistake));
            page(StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
    }
}
