//! `GET /api/v1/tools/{signature}/contents/{toolContentID}/export` and `POST …/import`

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use futures_util::TryStreamExt;
use utoipa::ToSchema;

use super::LONGEST_BODY;
use super::caller::Caller;
use super::contents::{ContentAnswer, NewPlace, made};
use super::paths::ContentPath;
use super::refusals::{
    Making, OfContent, OfTool, OnItsServer, Outgoing, Refused, WithArchive, WithBody, WithCustomCsv,
};
use crate::domain::journal::Operation;
use crate::flows::archive::longest_file;
use crate::flows::export::export_tool_content;
use crate::flows::import::import_tool_content;
use crate::flows::{Gateway, Refusal};
use crate::outbound::{Spool, SpoolError, SpoolWriter};
use crate::web::limits::Limits;
use crate::web::problem::Problem;

/// A form has this long to come in.
const PATIENCE: Duration = Duration::from_secs(120);

/// exportToolContent: an archive of content
///
/// A ZIP of `manifest.json` and, where the content was saved on its server, `ext_tool.txt`, what the server
/// exports of it. It is whole before its first byte is sent.
#[utoipa::path(
    get,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}/export",
    operation_id = "exportToolContent",
    tag = "archives",
    params(ContentPath),
    responses(
        (
            status = 200,
            description = "The archive.",
            content_type = "application/zip",
            headers(("Content-Disposition" = String, description = "`attachment`, with a file name.")),
        ),
        Refused<(OfTool, OfContent, OnItsServer, Outgoing)>,
    )
)]
pub(super) async fn export(
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse, Problem> {
    caller.moves_a_file(&limits)?;
    let key = path.key(&caller)?;
    let archive = export_tool_content(&gateway, &key, Utc::now()).await?;
    let name = format!("attachment; filename=\"{}-{}.zip\"", key.signature, key.id);
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .no_chunking(archive.len())
        .streaming(archive.stream().map_ok(web::Bytes::from)))
}

/// importToolContent: make content of an archive
///
/// Sends the server what the archive holds; without such it makes content here alone. It is safe to repeat:
/// the same call again, with the same file, answers with the same content and makes nothing twice.
#[utoipa::path(
    post,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}/import",
    operation_id = "importToolContent",
    tag = "archives",
    params(ContentPath),
    request_body(content = Form, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The content; the same call made it before.", body = ContentAnswer),
        (status = 201, description = "The content; it was made now.", body = ContentAnswer),
        Refused<(OfTool, WithBody, WithArchive, WithCustomCsv, Making, Outgoing)>,
    )
)]
pub(super) async fn import(
    request: HttpRequest,
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
    form: Multipart,
) -> Result<HttpResponse, Problem> {
    caller.moves_a_file(&limits)?;
    let key = path.key(&caller)?;
    let longest = longest_file(gateway.longest_archive());
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > longest + 2 * LONGEST_BODY as u64) {
        return Err(Refusal::Spool(SpoolError::TooLong(longest)).into());
    }
    let form = tokio::time::timeout(PATIENCE, Form::read(form, longest)).await;
    let form = form.map_err(|_| Problem::BodyTooSlow)??;
    let place = NewPlace {
        custom_csv: form.custom_csv,
        user: form.user,
        ext_lms_id: form.ext_lms_id,
    };
    let new = place.of_content(&gateway, key, Operation::Import).await?;
    let file = form.file.ok_or_else(|| lacks("file"))?;
    made(import_tool_content(&gateway, new, file).await?)
}

fn lacks(field: &str) -> Refusal {
    Refusal::Body(format!("the field {field} is missing"))
}

/// An archive, and whom it is for.
#[derive(Default, ToSchema)]
#[schema(as = Import)]
struct Form {
    /// One RFC 4180 record: user, course, section and server id, or what the tool has in their place.
    #[schema(rename = "customCSV", value_type = String, required = false)]
    custom_csv: Option<String>,
    /// In place of customCSV: the LAMS login of somebody whose LoginRequest brought one that is remembered.
    #[schema(value_type = String, required = false)]
    user: Option<String>,
    /// The server, where customCSV names none, or the user came from several.
    #[schema(rename = "extLmsId", value_type = String, required = false)]
    ext_lms_id: Option<String>,
    /// An archive that a gateway exported, of content of the same tool, or the `ext_tool.txt` of an old LAMS.
    #[schema(required, value_type = String, content_media_type = "application/octet-stream")]
    file: Option<Spool>,
}

impl Form {
    async fn read(mut form: Multipart, longest: u64) -> Result<Self, Problem> {
        let mut read = Self::default();
        while let Some(mut field) = form.try_next().await.map_err(malformed)? {
            let name = field.name().unwrap_or_default().to_owned();
            let doubled = match name.as_str() {
                "customCSV" => read.custom_csv.replace(text(&mut field).await?).is_some(),
                "user" => read.user.replace(text(&mut field).await?).is_some(),
                "extLmsId" => read.ext_lms_id.replace(text(&mut field).await?).is_some(),
                "file" => read
                    .file
                    .replace(file(&mut field, longest).await?)
                    .is_some(),
                _ => {
                    let name: String = name.chars().take(40).collect();
                    return Err(Refusal::Body(format!("there is no field {name:?}")).into());
                }
            };
            if doubled {
                return Err(Refusal::Body(format!("the field {name} is there twice")).into());
            }
        }
        Ok(read)
    }
}

async fn text(field: &mut Field) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(piece) = field.try_next().await.map_err(malformed)? {
        text.extend_from_slice(&piece);
        if text.len() > LONGEST_BODY {
            return Err(Problem::BodyTooLong);
        }
    }
    String::from_utf8(text).map_err(|_| Refusal::Body("a field is not UTF-8".to_owned()).into())
}

/// A file, kept as it comes. One that is too long is read on for a while, so that whoever sends it gets to
/// read the refusal.
async fn file(field: &mut Field, longest: u64) -> Result<Spool, Problem> {
    let mut writer = SpoolWriter::new(longest).map_err(Refusal::from)?;
    let mut refused = None;
    let mut beyond = 0;
    while let Some(piece) = field.try_next().await.map_err(malformed)? {
        match &refused {
            None => refused = writer.push(&piece).err(),
            Some(_) => beyond += piece.len() as u64,
        }
        if beyond > longest {
            break;
        }
    }
    match refused {
        Some(error) => Err(Refusal::from(error).into()),
        None => Ok(writer.done()),
    }
}

fn malformed(error: MultipartError) -> Problem {
    Refusal::Body(format!("it must be multipart/form-data: {error}")).into()
}

/// Reads an import, for `fuzz/`.
#[cfg(fuzzing)]
pub(in crate::web) async fn read_import(form: Multipart, longest: u64) {
    let _ = Form::read(form, longest).await;
}
