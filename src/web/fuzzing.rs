//! A way to what reads bodies of several parts, for `fuzz/` alone.

use actix_multipart::Multipart;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;

use super::admin::read_parts;
use super::api::read_import;

/// A file may have so many bytes.
const LONGEST: u64 = 4096;

/// Reads a body as an import, and as a sysadmin's form.
pub async fn parts(boundary: &str, body: Vec<u8>) {
    let mut headers = HeaderMap::new();
    let kind = format!("multipart/form-data; boundary={boundary}");
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    let body = Bytes::from(body);
    let whole = futures_util::stream::iter([Ok::<_, PayloadError>(body.clone())]);
    read_import(Multipart::new(&headers, whole), LONGEST).await;
    read_parts(&headers, body).await;
}
