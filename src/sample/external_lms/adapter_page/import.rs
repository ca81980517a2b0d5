//! `method=import`: a form of fields and, last, a file (protocol 5.4). The legacy hash is checked before the
//! file is read, signature 2 after, since it covers the file; what follows the file is not read.

use actix_multipart::{Field, Multipart};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest, HttpResponse};
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::{exported, nothing, number, rid};
use crate::domain::query::Query;
use crate::domain::server::Signing;
use crate::domain::signature2::Request;
use crate::sample::external_lms::activity::Kind;
use crate::sample::external_lms::entry::{course, get};
use crate::sample::external_lms::{ExternalLms, LARGEST_UPLOAD};

/// So many parts of a form are read, the file among them: fields without a value need memory too.
const MOST_PARTS: usize = 32;

/// Answers a POST. A form that cannot be read is refused as such, with 400 or 413; a file that cannot
/// is answered with `0`, as Moodle does.
pub(super) async fn answer(
    request: &HttpRequest,
    form: Multipart,
    lms: &ExternalLms,
    kind: Kind,
) -> Result<HttpResponse, Error> {
    let mut parts = form.take(MOST_PARTS);
    let mut room = LARGEST_UPLOAD;
    let mut fields = Vec::new();
    let mut file = None;
    while let Some(mut part) = parts.try_next().await? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "upload_file" {
            file = Some(part);
            break;
        }
        let value = read(&mut part, &mut room).await?;
        fields.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    // Under signature 2 what stands in the form beside the file is covered by nothing.
    let stray = !fields.is_empty();
    let call = match lms.config.signing {
        Signing::Legacy => Query::of_fields(fields),
        Signing::Two => Query::parse(request.query_string()),
    };
    let two = lms.config.signing == Signing::Two;
    if !two && lms.signed_user(get(request), &call).is_err() {
        return Ok(nothing(StatusCode::UNAUTHORIZED));
    }
    let file = match &mut file {
        Some(part) => read(part, &mut room).await?,
        None => Bytes::new(),
    };
    let sent = Request {
        body: &hex::encode(Sha256::digest(&file)),
        ..get(request)
    };
    if two && (stray || lms.signed_user(sent, &call).is_err()) {
        return Ok(nothing(StatusCode::UNAUTHORIZED));
    }
    if call.get("method") != Some("import") {
        return Ok(nothing(StatusCode::OK));
    }
    let id = exported::read(kind, &file).map_or(0, |settings| {
        lms.lock().once(rid(&call), |state| {
            state.import(kind, settings, &course(&call))
        })
    });
    Ok(number(id))
}

/// Reads a part for which there is room, and takes it from the room.
async fn read(part: &mut Field, room: &mut usize) -> Result<Bytes, Error> {
    let too_large = |_| PayloadError::Overflow;
    let bytes = part.bytes(*room).await.map_err(too_large)??;
    *room -= bytes.len();
    Ok(bytes)
}
