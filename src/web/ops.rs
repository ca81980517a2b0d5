//! For operators and balancers.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::flows::Gateway;

/// The database has this long to answer; longer than it takes to find out that it is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process lives.
pub(super) async fn healthz() -> HttpResponse {
    answer(HttpResponse::Ok(), "alive\n")
}

/// `GET /readyz`: it can serve everything, since the tables are up to date before it listens, and the
/// database answers now and takes changes.
pub(super) async fn readyz(gateway: web::Data<Gateway>) -> HttpResponse {
    if gateway.is_stopping() {
        return answer(HttpResponse::ServiceUnavailable(), "stopping\n");
    }
    match tokio::time::timeout(PATIENCE, gateway.database_answers()).await {
        Ok(Ok(())) => answer(HttpResponse::Ok(), "ready\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            answer(
                HttpResponse::ServiceUnavailable(),
                "the database does not answer\n",
            )
        }
        Err(_) => answer(
            HttpResponse::ServiceUnavailable(),
            "the database does not answer in time\n",
        ),
    }
}

fn answer(mut response: actix_web::HttpResponseBuilder, text: &'static str) -> HttpResponse {
    response
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}
