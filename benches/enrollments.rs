//! How long a list of 10,000 enrollments takes on an Open edX that answers each call after 20 ms:
//! `tests/with-postgres cargo bench --bench enrollments`. Each row is two calls, and an LMS gets eight at once, so
//! 50 s are the least.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on says where"
)]
#![expect(dead_code, reason = "it needs a part of what the tests start with")]

#[path = "../tests/whole/lms/stand_in.rs"]
mod stand_in;
#[expect(unused_imports, reason = "see above")]
#[path = "../tests/whole/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stand_in::{Reply, Request, StandIn};
use support::{Gateway, Kind, Setup};

const ROWS: usize = 10_000;
const PAUSE: Duration = Duration::from_millis(20);
const FILE: &str = r#"
[[servers]]
id = "edx"
url = "http://edx.example.org/"
[servers.enrollment]
backend = "openedx"
base_url = "URL"
selector_regex = 'http://edx\.test/.*'
course_regex = 'http://[^/]*/courses/(?P<course_id>[^/]*)'
api_token = "an-edx-key-of-the-benchmark"
"#;

/// Nobody is enrolled before, everybody after.
fn answer(request: &Request) -> Reply {
    if request.method == "GET" {
        return Reply::Says(200, String::new());
    }
    let wanted: Value = serde_json::from_str(&request.body).unwrap();
    let said = json!({"mode": "audit", "is_active": wanted["is_active"], "user": wanted["user"]});
    Reply::Says(200, said.to_string())
}

fn main() {
    actix_web::rt::System::new().block_on(async {
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let lms = StandIn::slow(PAUSE, answer).await;
            let setup = Setup {
                more: FILE.replace("URL", &lms.url),
                environment: vec![("TOOLGATE_LOG", "warn".to_owned())],
                ..Setup::default()
            };
            let gateway = Gateway::start(kind, setup).await;
            let row = |at: usize| {
                let link = "http://edx.test/courses/course-v1:a+b+c/";
                json!({"username": format!("user{at}"), "resourceLink": link})
            };
            let rows: Vec<Value> = (0..ROWS).map(row).collect();
            let begun = Instant::now();
            let taken = gateway
                .call("POST", "/lms/enrollments", Some(json!({"rows": rows})))
                .await;
            let id = taken.json()["id"].as_str().unwrap().to_owned();
            let address = format!("/lms/enrollments/{id}");
            while gateway.call("GET", &address, None).await.json()["state"] != "done" {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let (elapsed, calls) = (begun.elapsed().as_secs_f64(), lms.asked().len());
            let memory = gateway.peak_memory();
            println!("{kind:?}: {elapsed:.1} s, {calls} calls, {memory} MiB at most");
        }
    });
}
