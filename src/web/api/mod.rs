//! The API for platforms, server to server: JSON, a bearer token that decides the platform, problem
//! documents for errors.

mod archives;
mod bulk;
mod caller;
mod contents;
mod document;
mod lms;
mod outputs;
mod paths;
mod reference;
mod refusals;
mod sessions;
mod toolkit;

#[cfg(fuzzing)]
pub(super) use archives::read_import;
pub(super) use document::{Document, docs, openapi_json};
pub(super) use reference::Reference;

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder, web};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::LONGEST_BODY;
use super::problem::Problem;
use crate::domain::object::Object;
use crate::flows::Refusal;

/// The calls of `/api/v1`.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/toolkit").route(web::get().to(toolkit::get)))
        .service(web::resource("/lms").route(web::get().to(lms::all)))
        .service(web::resource("/lms/select").route(web::post().to(lms::select)))
        .service(
            web::resource("/lms/enrollment")
                .route(web::get().to(lms::enrollment))
                .route(web::put().to(lms::set)),
        )
        .service(
            web::resource("/lms/enrollments")
                .app_data(web::PayloadConfig::new(bulk::LONGEST_LIST))
                .route(web::post().to(bulk::post)),
        )
        .service(web::resource("/lms/enrollments/{id}").route(web::get().to(bulk::get)))
        .service(web::resource("/lms/grades").route(web::get().to(lms::grades)))
        .service(
            web::resource("/tools/{signature}/contents/{toolContentID}")
                .route(web::get().to(contents::get))
                .route(web::patch().to(contents::patch))
                .route(web::delete().to(contents::delete)),
        )
        .service(
            web::resource("/tools/{signature}/contents/{toolContentID}/copy")
                .route(web::post().to(contents::copy)),
        )
        .service(
            web::resource("/tools/{signature}/contents/{toolContentID}/export")
                .route(web::get().to(archives::export)),
        )
        .service(
            web::resource("/tools/{signature}/contents/{toolContentID}/import")
                .route(web::post().to(archives::import)),
        )
        .service(
            web::resource("/tools/{signature}/contents/{toolContentID}/output-definitions")
                .route(web::get().to(outputs::definitions)),
        )
        .service(
            web::resource("/tools/{signature}/sessions/{toolSessionID}/outputs")
                .route(web::get().to(outputs::values)),
        )
        .service(
            web::resource("/tools/{signature}/sessions/{toolSessionID}/portfolio")
                .route(web::get().to(outputs::portfolio)),
        )
        .service(
            web::resource("/tools/{signature}/sessions/{toolSessionID}")
                .route(web::get().to(sessions::get))
                .route(web::put().to(sessions::put))
                .route(web::delete().to(sessions::delete)),
        )
        .service(
            web::resource("/tools/{signature}/sessions/{toolSessionID}/leave")
                .route(web::post().to(sessions::leave)),
        );
}

/// An answer in JSON.
fn json(mut response: HttpResponseBuilder, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let text = serde_json::to_string(body).map_err(|error| Problem::Defect(error.to_string()))?;
    Ok(response
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

/// Reads a body as an object of JSON.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    match serde_json::from_slice(body) {
        Ok(Object(read)) => Ok(read),
        Err(error) => Err(Refusal::Body(error.to_string()).into()),
    }
}
