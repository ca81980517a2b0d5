//! The forms that both sample servers read.

use std::collections::HashMap;

use actix_web::{Error, web};

/// What was sent, where it is no longer than a form may be. Not `web::Form`, nor a text: both know encodings of all
/// times, half a megabyte of tables, and these pages say that they are UTF-8.
pub(super) type Sent = Result<web::Bytes, Error>;

/// The fields of a form; of a doubled one the last.
pub(super) fn fields(body: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(body).into_owned().collect()
}
