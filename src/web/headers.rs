//! The headers that every answer has, whatever made it: page, file, document, redirect or refusal. What an
//! answer says for itself stays; the strictest stands where it says nothing.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For what is no page: nothing in it is run, loaded, framed or sent.
static NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// The same for redirects. LAMS opens tools in frames, and some browsers ask a redirect for its ancestors.
static NOTHING_ON_THE_WAY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'");
static NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
static NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
static NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
static A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds what is missing to the headers of an answer.
pub(super) fn complete(headers: &mut HeaderMap, status: StatusCode, id: &str, over_https: bool) {
    let id = HeaderValue::from_str(id).expect("digits make a header");
    headers.insert(X_REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF.clone());
    let policy = if status.is_redirection() {
        &NOTHING_ON_THE_WAY
    } else {
        &NOTHING
    };
    for (name, value) in [
        // Pages of sysadmins have their own.
        (header::REFERRER_POLICY, &NO_REFERRER),
        (header::CACHE_CONTROL, &NO_STORE),
        (header::CONTENT_SECURITY_POLICY, policy),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, value.clone());
        }
    }
    if over_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, A_YEAR.clone());
    }
}
