//! The document of the API, made from its handlers, and where it is served.

use std::sync::OnceLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, ServerBuilder};
use utoipa::{Modify, OpenApi as _};

use super::reference::Reference;
use super::{archives, bulk, contents, lms, outputs, refusals, sessions, toolkit};
use crate::flows::Gateway;
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::problem_document::ProblemDocument;

/// What the API is, as its calls say it.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Toolgate",
        version = "1",
        description = "What LAMS asks of its tools, over HTTP: server to server, in JSON.\n\n\
            Every call carries `Authorization: Bearer` and the `api_token` of a platform, which decides whose \
            contents and sessions are meant. A refusal is a problem document (RFC 9457): its `code` is for \
            programs, `detail` and `advice` are for people. One with a status below 500 has stored nothing. \
            Numbers are those of LAMS. Times are UTC.",
    ),
    paths(
        toolkit::get,
        contents::get,
        contents::patch,
        contents::delete,
        contents::copy,
        archives::export,
        archives::import,
        sessions::get,
        sessions::put,
        sessions::delete,
        sessions::leave,
        outputs::definitions,
        outputs::values,
        outputs::portfolio,
        lms::all,
        lms::select,
        lms::enrollment,
        lms::set,
        lms::grades,
        bulk::post,
        bulk::get,
    ),
    components(schemas(ProblemDocument)),
    tags(
        (name = "toolkit", description = "What an author may choose."),
        (name = "contents", description = "What authors saved, and its copies."),
        (name = "archives", description = "Content on its way into another lesson, LAMS or gateway."),
        (name = "sessions", description = "The copies that groups of learners work in."),
        (name = "outputs", description = "What learners did."),
        (name = "lms", description = "Enrollments in the courses of external LMSs, by the links of those."),
    ),
    security(("token" = [])),
    modifiers(&Added),
)]
struct Api;

/// What no call says: how callers say who they are, and what refusals look like.
struct Added;

impl Modify for Added {
    fn modify(&self, document: &mut OpenApi) {
        // It has none to name.
        document.info.license = None;
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The `api_token` of a platform."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
        components.examples = refusals::examples();
    }
}

/// The document, as it is served: its text and its page are made once, when they are first asked for.
pub(in crate::web) struct Document {
    public_url: String,
    made: OnceLock<Made>,
}

struct Made {
    json: web::Bytes,
    reference: Reference,
}

impl Document {
    /// The document of a gateway with this public URL.
    pub(in crate::web) fn of(public_url: &str) -> Self {
        Self {
            public_url: public_url.to_owned(),
            made: OnceLock::new(),
        }
    }

    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let document = open_api(&self.public_url);
            let json = document.to_json();
            Made {
                json: json.expect("its maps have texts for keys").into(),
                reference: Reference::of(&document),
            }
        })
    }
}

fn open_api(public_url: &str) -> OpenApi {
    let mut document = Api::openapi();
    document.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    document
}

/// `GET /api/openapi.json`
pub(in crate::web) async fn openapi_json(document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(document.made().json.clone())
}

/// `GET /api/docs`
pub(in crate::web) async fn docs(
    document: web::Data<Document>,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    pages::api(&document.made().reference, &gateway)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_api_is_seen() {
        let document = open_api("https://gate.example.org");
        insta::assert_snapshot!(document.to_pretty_json().unwrap());
    }
}
