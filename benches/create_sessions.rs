//! How many sessions a second are made on a server that takes 50 ms for each copy:
//! `tests/with-postgres cargo bench --bench create_sessions`. A server gets eight calls at once, so the most
//! that can be had is 160 a second; what is missing is the gateway's own.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on says where"
)]
#![expect(dead_code, reason = "it needs a part of what the tests start with")]

#[expect(unused_imports, reason = "see above")]
#[path = "../tests/whole/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use serde_json::json;
use support::{Answer, Gateway, Kind, Setup};

const SESSIONS: i64 = 1000;
const CALLERS: usize = 64;
const PAUSE: Duration = Duration::from_millis(50);
/// What the gateway sends one server at once.
const AT_ONCE: f64 = 8.0;

fn main() {
    actix_web::rt::System::new().block_on(async {
        let most = AT_ONCE / PAUSE.as_secs_f64();
        println!("at most {most:.0} sessions/s");
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let setup = Setup {
                environment: vec![("TOOLGATE_LOG", "warn".to_owned())],
                ..Setup::default()
            };
            let (gateway, _peer) =
                Gateway::with_content(kind, setup, Answer::IdsAfter(PAUSE, 700)).await;
            let before = gateway.peak_memory();
            let begun = Instant::now();
            let make = |session: i64| {
                let gateway = &gateway;
                async move {
                    let path = format!("/tools/mdquiz10/sessions/{session}");
                    let body = json!({"toolContentID": 1});
                    let page = gateway.call("PUT", &path, Some(body)).await;
                    assert_eq!(page.status, 201, "{}", page.body);
                }
            };
            stream::iter(10..10 + SESSIONS)
                .for_each_concurrent(CALLERS, make)
                .await;
            let rate = SESSIONS as f64 / begun.elapsed().as_secs_f64();
            println!(
                "{:<10} {rate:>6.0} sessions/s, {:.0} % of that; peak memory {before} -> {} MiB",
                format!("{kind:?}"),
                rate / most * 100.0,
                gateway.peak_memory()
            );
        }
    });
}
