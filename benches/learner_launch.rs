//! A first look at the speed of a learner's launch, signed and checked, on both databases:
//! `tests/with-postgres cargo bench --bench learner_launch`. The load comes from the same machine, so
//! its figures are for comparing two builds side by side, not for anything absolute.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on says where"
)]
#![expect(dead_code, reason = "it needs a part of what the tests start with")]

#[expect(unused_imports, reason = "see above")]
#[path = "../tests/whole/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{Answer, Gateway, Kind, Peer, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);

fn main() {
    actix_web::rt::System::new().block_on(async {
        println!(
            "{:<10} {:>12} {:>12} {:>12}",
            "database", "launches/s", "median ms", "p99 ms"
        );
        for kind in [Kind::Sqlite, Kind::Postgres] {
            let peer = Peer::start(Answer::Ids(700)).await;
            let environment = vec![("TOOLGATE_LOG", "warn".to_owned())];
            let setup = Setup {
                adapter_page: peer.url.clone(),
                environment,
                ..Setup::default()
            };
            let gateway = Gateway::start(kind, setup).await;
            gateway.saved_content("mdquiz10", 1, "555").await;
            gateway.session("mdquiz10", 2, 1).await;
            let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
            let path = gateway.sign(learn, "mdl_Anna");
            load(&gateway.base, &path, WARM_UP).await;
            let mut took = load(&gateway.base, &path, MEASURED).await;
            took.sort_unstable();
            let ms = |share: f64| took[(took.len() as f64 * share) as usize].as_secs_f64() * 1000.0;
            let rate = took.len() as f64 / MEASURED.as_secs_f64();
            println!(
                "{:<10} {rate:>12.0} {:>12.2} {:>12.2}",
                format!("{kind:?}"),
                ms(0.5),
                ms(0.99)
            );
        }
    });
}

/// Launches over kept connections, as fast as they are answered; how long each took.
async fn load(base: &str, path: &str, length: Duration) -> Vec<Duration> {
    let address = base.strip_prefix("http://").unwrap().to_owned();
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
    let end = Instant::now() + length;
    let connections = (0..CONNECTIONS).map(|_| {
        let (address, request) = (address.clone(), request.clone());
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let (mut took, mut answer) = (Vec::new(), vec![0; 4096]);
            while Instant::now() < end {
                let begun = Instant::now();
                stream.write_all(request.as_bytes()).await.unwrap();
                let read = stream.read(&mut answer).await.unwrap();
                assert!(
                    answer[..read].starts_with(b"HTTP/1.1 302"),
                    "{}",
                    String::from_utf8_lossy(&answer)
                );
                took.push(begun.elapsed());
            }
            took
        }
    });
    futures_util::future::join_all(connections).await.concat()
}
