//! The headers that every answer has, whatever made it: page, file, document, redirect or refusal. What an
//! answer says for itself stays; the strictest stands where it says nothing.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// For what is no page: nothing in it is run, loaded, framed or sent.
const NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The same for redirects. LAMS opens tools in frames, and some browsers ask a redirect for its ancestors.
const NOTHING_ON_THE_WAY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'";

/// Adds what is missing to the headers of an answer.
pub(super) fn complete(headers: &mut HeaderMap, status: StatusCode, id: &str, over_https: bool) {
    let id = HeaderValue::from_str(id).expect("digits make a header");
    headers.insert(HeaderName::from_static("x-request-id"), id);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let policy = if status.is_redirection() {
        NOTHING_ON_THE_WAY
    } else {
        NOTHING
    };
    for (name, value) in [
        // Pages of sysadmins have their own.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if over_https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}
