//! `/metrics`, for Prometheus, and what is counted of every request on its way out. Handles are made once:
//! counting a launch is a few atomic additions. What an address names is never a label, so that nobody can
//! make the list grow: an address that is none of ours counts as `other`.

use std::sync::LazyLock;
use std::time::Duration;

use actix_web::http::{StatusCode, Uri, header};
use actix_web::{HttpResponse, web};
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use tokio::task::JoinHandle;

use crate::domain::launch_record::LaunchKind;
use crate::flows::{Gateway, journal};

/// Bounds of the histograms, in seconds: from a launch of a fraction of a millisecond to an import.
const BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 120.0,
];
/// How often what was measured is summed up, whether anybody asks or not.
const UPKEEP: Duration = Duration::from_secs(5);
/// The journal has this long to be counted.
const PATIENCE: Duration = Duration::from_secs(1);

/// What requests are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Authoring,
    UpdateContent,
    Learning,
    FinishActivity,
    Monitoring,
    Api,
    Admin,
    Static,
    Operations,
    Other,
}

const ROUTES: [(Route, &str); 10] = [
    (Route::Authoring, "authoring"),
    (Route::UpdateContent, "updateContent"),
    (Route::Learning, "learning"),
    (Route::FinishActivity, "finishActivity"),
    (Route::Monitoring, "monitoring"),
    (Route::Api, "api"),
    (Route::Admin, "admin"),
    (Route::Static, "static"),
    (Route::Operations, "operations"),
    (Route::Other, "other"),
];

impl Route {
    /// That of a launch is known by its kind; of others, such as one that was refused before anything was known of it,
    /// by its address.
    fn of(uri: &Uri, kind: Option<LaunchKind>) -> Self {
        match kind {
            Some(LaunchKind::Author) => Route::Authoring,
            Some(LaunchKind::Callback) => Route::UpdateContent,
            Some(LaunchKind::Learner | LaunchKind::Preview | LaunchKind::Teacher) => {
                Route::Learning
            }
            Some(LaunchKind::Return) => Route::FinishActivity,
            Some(LaunchKind::Monitor) => Route::Monitoring,
            Some(LaunchKind::Login) | None => Route::of_address(uri),
        }
    }

    fn of_address(uri: &Uri) -> Self {
        let path = uri.path();
        if let Some((_, page)) = path
            .rsplit_once('/')
            .filter(|(tool, _)| tool.contains("/tool/"))
        {
            let callback =
                |dispatch: &str| uri.query().is_some_and(|query| query.contains(dispatch));
            return match page {
                "authoring.do" if callback("dispatch=updateContent") => Route::UpdateContent,
                "authoring.do" => Route::Authoring,
                "learning.do" if callback("dispatch=finishActivity") => Route::FinishActivity,
                "learning.do" => Route::Learning,
                "monitoring.do" => Route::Monitoring,
                _ => Route::of_first(path),
            };
        }
        Route::of_first(path)
    }

    fn of_first(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("api") => Route::Api,
            Some("admin") => Route::Admin,
            Some("static") => Route::Static,
            Some("healthz" | "readyz" | "metrics") => Route::Operations,
            _ => Route::Other,
        }
    }
}

/// What a request came to, by the first digit of its status: 2 to 5.
const OUTCOMES: [&str; 4] = ["page", "redirected", "refused", "failed"];
const STATUSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

struct Meter {
    requests: [Counter; 4],
    /// The same for launches and callbacks, in their own words.
    story: Option<[Counter; 4]>,
    seconds: Histogram,
}

static METERS: LazyLock<Vec<Meter>> = LazyLock::new(|| {
    let meter = |(route, name): (Route, &'static str)| {
        Meter {
        requests: STATUSES.map(
            |status| counter!("toolgate_http_requests_total", "route" => name, "status" => status),
        ),
        story: match route {
            Route::Authoring | Route::Learning | Route::Monitoring => Some(OUTCOMES.map(
                |outcome| counter!("toolgate_launches_total", "page" => name, "outcome" => outcome),
            )),
            Route::UpdateContent | Route::FinishActivity => Some(OUTCOMES.map(
                |outcome| counter!("toolgate_callbacks_total", "kind" => name, "outcome" => outcome),
            )),
            _ => None,
        },
        seconds: histogram!("toolgate_http_seconds", "route" => name),
    }
    };
    ROUTES.map(meter).into()
});

/// Counts a request that is answered.
pub(super) fn count(uri: &Uri, kind: Option<LaunchKind>, status: StatusCode, elapsed: Duration) {
    let meter = &METERS[Route::of(uri, kind) as usize];
    let digit = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
    meter.requests[digit].increment(1);
    if let Some(story) = &meter.story {
        story[digit].increment(1);
    }
    meter.seconds.record(elapsed.as_secs_f64());
}

/// The process's recorder: several gateways in one process, as in tests, count together.
static RECORDER: LazyLock<Result<PrometheusHandle, String>> = LazyLock::new(|| {
    PrometheusBuilder::new()
        .set_buckets(&BOUNDS)
        .and_then(PrometheusBuilder::install_recorder)
        .inspect(|_| describe())
        .map_err(|error| error.to_string())
});

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(
        "toolgate_http_requests_total",
        "Requests answered, by route and class of status"
    );
    describe_histogram!(
        "toolgate_http_seconds",
        Unit::Seconds,
        "Time until the answer, by route"
    );
    describe_counter!(
        "toolgate_launches_total",
        "Launches, by page and what they came to"
    );
    describe_counter!(
        "toolgate_callbacks_total",
        "Callbacks and returns, by what they came to"
    );
    describe_counter!(
        "toolgate_outgoing_calls_total",
        "Calls to external servers, by server, method and outcome"
    );
    describe_histogram!(
        "toolgate_outgoing_seconds",
        Unit::Seconds,
        "Time of calls to external servers"
    );
    describe_gauge!(
        "toolgate_breaker_open",
        "1 where a server is not called because it failed just now"
    );
    describe_gauge!(
        "toolgate_lms_breaker_open",
        "1 where the LMS of a server is not called because it failed just now"
    );
    describe_gauge!(
        "toolgate_journal_unsettled",
        "Calls whose outcome a person has to settle"
    );
    describe_gauge!(
        "toolgate_launches_waiting",
        "Records of this instance that are not filed yet"
    );
    describe_gauge!("toolgate_info", "1, with the version");
}

/// Begins to count, and sums up until it is stopped.
pub(super) fn start() -> JoinHandle<()> {
    if let Err(error) = &*RECORDER {
        tracing::error!(error, "nothing is counted for /metrics");
    }
    tokio::spawn(async {
        while let Ok(handle) = &*RECORDER {
            handle.run_upkeep();
            tokio::time::sleep(UPKEEP).await;
        }
    })
}

/// `GET /metrics`
pub(super) async fn metrics(gateway: web::Data<Gateway>) -> HttpResponse {
    let Ok(handle) = &*RECORDER else {
        return HttpResponse::ServiceUnavailable().body("nothing is counted\n");
    };
    gauge!("toolgate_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
    for (server, open) in gateway.breakers() {
        gauge!("toolgate_breaker_open", "server" => server).set(if open { 1 } else { 0 });
    }
    for (server, open) in gateway.lms_breakers() {
        gauge!("toolgate_lms_breaker_open", "server" => server).set(if open { 1 } else { 0 });
    }
    gauge!("toolgate_launches_waiting").set(gateway.records_waiting() as f64);
    // Left as it was last known while the database is away: `up` and `/readyz` tell that.
    if let Ok(Ok(unsettled)) =
        tokio::time::timeout(PATIENCE, journal::unsettled_count(&gateway)).await
    {
        gauge!("toolgate_journal_unsettled").set(unsettled as f64);
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(handle.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart_and_nothing_they_name_is() {
        let route = |address: &str| ROUTES[Route::of_address(&address.parse().unwrap()) as usize].1;
        for (address, expected) in [
            (
                "/lams/tool/mdquiz10/authoring.do?toolContentID=1",
                "authoring",
            ),
            (
                "/lams/tool/mdquiz10/authoring.do?toolContentID=1&dispatch=updateContent",
                "updateContent",
            ),
            ("/lams/tool/x/learning.do?mode=learner", "learning"),
            (
                "/lams/tool/x/learning.do?dispatch=finishActivity",
                "finishActivity",
            ),
            ("/lams/tool/x/monitoring.do", "monitoring"),
            ("/lams/tool/x/whatever.do", "other"),
            ("/api/v1/toolkit", "api"),
            ("/admin/", "admin"),
            ("/static/toolgate.css", "static"),
            ("/healthz", "operations"),
            ("/", "other"),
            ("/learning.do", "other"),
        ] {
            assert_eq!(route(address), expected, "{address}");
        }
    }

    #[test]
    fn a_launch_is_counted_by_what_it_was() {
        let nowhere = "/".parse().unwrap();
        for (kind, expected) in [
            (Some(LaunchKind::Author), "authoring"),
            (Some(LaunchKind::Callback), "updateContent"),
            (Some(LaunchKind::Learner), "learning"),
            (Some(LaunchKind::Preview), "learning"),
            (Some(LaunchKind::Teacher), "learning"),
            (Some(LaunchKind::Return), "finishActivity"),
            (Some(LaunchKind::Monitor), "monitoring"),
            (Some(LaunchKind::Login), "other"),
            (None, "other"),
        ] {
            let route = Route::of(&nowhere, kind);
            assert_eq!(ROUTES[route as usize].1, expected, "{kind:?}");
        }
    }
}
