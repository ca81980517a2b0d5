//! A stand-in of the gateway's API.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// What a gateway's API answers, and what it was asked.
#[derive(Clone, Default)]
pub(super) struct StandIn {
    pub(super) saved: Arc<AtomicBool>,
    pub(super) failing: Arc<AtomicBool>,
    pub(super) puts: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    pub(super) fn routes(config: &mut web::ServiceConfig) {
        config
            .route("/api/v1/toolkit", web::get().to(Self::toolkit))
            .route(
                "/api/v1/tools/{signature}/contents/{id}",
                web::get().to(Self::content),
            )
            .route(
                "/api/v1/tools/{signature}/sessions/{id}",
                web::put().to(Self::session),
            );
    }

    async fn toolkit(request: HttpRequest) -> HttpResponse {
        if request.headers().get("Authorization").unwrap() != "Bearer t0ken" {
            return problem(401, "Who are you?", "The token is not known.");
        }
        assert_eq!(request.query_string(), "user=cmp_Bill");
        json(
            r#"{"tools":[{"signature":"mdfrum10","title":"Moodle Forum","authorUrl":"x","servers":["campus"]}]}"#,
        )
    }

    async fn content(stand_in: web::Data<StandIn>) -> HttpResponse {
        if !stand_in.saved.load(Ordering::Relaxed) {
            return problem(404, "Unknown content", "");
        }
        json(
            r#"{"toolContentID":1001,"signature":"mdfrum10","extLmsId":"campus","user":"Bill","course":"7","section":"3","extToolContentID":"501","defineLater":false,"runOffline":false,"contentInUse":false,"createdAt":"2026-11-21T10:00:00Z","updatedAt":null}"#,
        )
    }

    async fn session(
        request: HttpRequest,
        body: String,
        stand_in: web::Data<StandIn>,
    ) -> HttpResponse {
        let asked = format!("{} {body}", request.path());
        stand_in.puts.lock().unwrap().push(asked);
        if stand_in.failing.load(Ordering::Relaxed) {
            return problem(502, "The copy failed", "campus answered <500>.");
        }
        json("{}")
    }
}

fn json(body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(body)
}

fn problem(status: u16, title: &str, detail: &str) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap())
        .content_type("application/problem+json")
        .body(serde_json::json!({"title": title, "detail": detail}).to_string())
}
