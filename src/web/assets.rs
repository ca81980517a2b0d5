//! Styles, scripts and icon of the gateway's pages, held in the binary.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use sha2::{Digest, Sha256};

use super::problem::Problem;

const ASSETS: [(&str, &str, &str); 7] = [
    (
        "admin.css",
        "text/css; charset=utf-8",
        include_str!("../../static/admin.css"),
    ),
    (
        "admin.js",
        "text/javascript; charset=utf-8",
        include_str!("../../static/admin.js"),
    ),
    (
        "live.js",
        "text/javascript; charset=utf-8",
        include_str!("../../static/live.js"),
    ),
    (
        "preview.js",
        "text/javascript; charset=utf-8",
        include_str!("../../static/preview.js"),
    ),
    (
        "toolgate.css",
        "text/css; charset=utf-8",
        include_str!("../../static/toolgate.css"),
    ),
    (
        "toolgate.js",
        "text/javascript; charset=utf-8",
        include_str!("../../static/toolgate.js"),
    ),
    (
        "toolgate.svg",
        "image/svg+xml",
        include_str!("../../static/toolgate.svg"),
    ),
];

/// Changes whenever one of the files does; stands in their addresses, so that they may be kept for ever.
pub(super) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (_, _, text) in ASSETS {
        hash.update(text);
    }
    hex::encode(&hash.finalize()[..6])
});

/// `GET /static/{file}`
pub(super) async fn asset(file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let (_, kind, text) = ASSETS
        .iter()
        .find(|(name, _, _)| *name == file.as_str())
        .ok_or(Problem::NoSuchPage)?;
    Ok(HttpResponse::Ok()
        .content_type(*kind)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(*text))
}
