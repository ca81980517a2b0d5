//! Answers that both sample servers give: pages, style sheets, pictures and plain text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use askama::Template;

/// A page; never kept by a browser, because the next look may show another state.
pub(super) fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(body) => HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(body),
        Err(error) => {
            tracing::error!(%error, "a sample page could not be written");
            text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This page could not be written.".to_owned(),
            )
        }
    }
}

/// Plain text, or nothing.
pub(super) fn text(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body)
}

/// A redirect, as 302 (Found) or 303 (See Other).
pub(super) fn redirect(status: StatusCode, address: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::LOCATION, address))
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// A style sheet.
pub(super) fn css(text: &'static str) -> HttpResponse {
    asset("text/css; charset=utf-8", text)
}

/// A picture.
pub(super) fn svg(text: &'static str) -> HttpResponse {
    asset("image/svg+xml; charset=utf-8", text)
}

fn asset(content_type: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "max-age=60"))
        .body(text)
}
