//! `/{platform}/LoginRequest`: the way into LAMS for users of an external LMS.

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::front_door::{Launched, vouch};
use super::launch::redirect;
use super::pages;
use super::problem::Problem;
use crate::domain::launch_record::{LaunchKind, Noted};
use crate::domain::platform::Platform;
use crate::domain::query::Query;
use crate::flows::{Gateway, login};

/// `GET`: sent on to the platform's own, with the query as it came.
pub(super) async fn get(
    request: HttpRequest,
    platform: web::Path<String>,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let platform = login::platform_of(&gateway, &platform)?;
    let carried = request.query_string();
    enter(&request, &platform, &gateway, carried).await?;
    redirect(address(&platform, carried))
}

/// `POST`: passed on as a form that submits itself.
pub(super) async fn post(
    request: HttpRequest,
    platform: web::Path<String>,
    gateway: web::Data<Gateway>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let platform = login::platform_of(&gateway, &platform)?;
    let form = request.headers().get(header::CONTENT_TYPE);
    let is_form = form.is_none_or(|form| {
        let form = form.as_bytes().to_ascii_lowercase();
        form.starts_with(b"application/x-www-form-urlencoded")
    });
    let body = std::str::from_utf8(&body).ok().filter(|_| is_form);
    let body = body.ok_or(Problem::NotWellFormed)?;
    // A parameter is what either half says; both together are one request.
    let carried = [request.query_string(), body].join("&");
    enter(&request, &platform, &gateway, &carried).await?;
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    pages::passing_on(
        &platform,
        &address(&platform, request.query_string()),
        &fields,
        &gateway,
    )
}

async fn enter(
    request: &HttpRequest,
    platform: &Platform,
    gateway: &Gateway,
    carried: &str,
) -> Result<(), Problem> {
    let (query, mut noted) = (Query::parse(carried), Noted::default());
    let entered = login::enter(gateway, platform, &query, carried, Utc::now(), &mut noted).await;
    let kind = LaunchKind::Login;
    request.extensions_mut().insert(Launched {
        kind,
        platform: platform.id.to_string(),
        signature: String::new(),
        noted,
    });
    entered?;
    vouch(request);
    Ok(())
}

/// The platform's own LoginRequest.
fn address(platform: &Platform, query: &str) -> String {
    let base = platform.url.as_str();
    if query.is_empty() {
        format!("{base}LoginRequest")
    } else {
        format!("{base}LoginRequest?{query}")
    }
}
