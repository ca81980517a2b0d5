//! The outside: actix handlers, thin. Each reads the request, calls a flow and answers; statuses, words
//! and headers are given in one place, the front door.

mod admin;
mod api;
mod application;
mod assets;
mod bodies;
mod front_door;
#[cfg(fuzzing)]
pub mod fuzzing;
mod headers;
mod launch;
mod limits;
mod login;
mod meters;
mod ops;
mod pages;
mod panics;
mod problem;
mod problem_document;
mod words;

pub use application::{Application, StartError};
pub use panics::log_panics;

use actix_web::web;

/// A body of an API call is at most so long, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// All addresses but the pages of tools, which [`launch`] answers. Each takes the methods that are named here: the
/// router answers others by those.
fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(LONGEST_BODY))
        .service(web::resource("/").route(web::get().to(pages::home)))
        .service(
            web::resource("/healthz")
                .route(web::get().to(ops::healthz))
                .route(web::head().to(ops::healthz)),
        )
        .service(
            web::resource("/readyz")
                .route(web::get().to(ops::readyz))
                .route(web::head().to(ops::readyz)),
        )
        .service(web::resource("/metrics").route(web::get().to(meters::metrics)))
        .service(web::resource("/static/{file}").route(web::get().to(assets::asset)))
        .service(web::resource("/api/openapi.json").route(web::get().to(api::openapi_json)))
        .service(web::resource("/api/docs").route(web::get().to(api::docs)))
        .service(
            web::scope("/api/v1")
                .configure(api::routes)
                .default_service(web::to(problem::no_such_page)),
        )
        .configure(admin::routes)
        .service(
            web::resource("/{platform}/LoginRequest")
                .route(web::get().to(login::get))
                .route(web::post().to(login::post)),
        )
        .default_service(web::to(problem::no_such_page));
}
