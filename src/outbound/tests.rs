//! The policy of outgoing calls, against servers that misbehave, with limits that are soon reached. What takes
//! a fact to be seen is in `tests/whole/outgoing.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::domain::base_url::BaseUrl;
use crate::domain::content::Place;
use crate::domain::id::ExtId;
use crate::domain::tool::{Tool, builtin_tools};

/// A server as tests of this room configure it.
pub(super) fn server() -> Server {
    Server {
        url: BaseUrl::parse("http://moodle.example.org/").unwrap(),
        prefix: None,
        ..Server::sample()
    }
}

/// A peer that sends these pieces to each who asks, a pause before each, and counts who asked.
async fn peer(pieces: Vec<(Duration, Vec<u8>)>) -> (Server, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (pieces, count) = (pieces.clone(), count.clone());
            tokio::spawn(async move {
                let mut head = [0; 8192];
                let _ = stream.read(&mut head).await;
                count.fetch_add(1, Ordering::Relaxed);
                for (pause, piece) in pieces {
                    tokio::time::sleep(pause).await;
                    if stream.write_all(&piece).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let url = BaseUrl::parse(&url).unwrap();
    (Server { url, ..server() }, asked)
}

fn says(status: u16, more: &str, body: &str) -> Vec<(Duration, Vec<u8>)> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
    );
    vec![(Duration::ZERO, answer.into_bytes())]
}

fn tool() -> Tool {
    builtin_tools().next().unwrap()
}

fn place() -> Place {
    Place {
        server: server().id,
        user: "bill".into(),
        course: "7".into(),
        section: Some("3".into()),
        course_url: None,
    }
}

fn limits() -> Limits {
    Limits {
        archive: 1000,
        ..Limits::with_archives_of(1)
    }
}

struct Call {
    outbound: Outbound,
    server: Server,
    tool: Tool,
    place: Place,
}

impl Call {
    fn new(limits: Limits, server: Server) -> Self {
        Self {
            outbound: Outbound::new(limits),
            server,
            tool: tool(),
            place: place(),
        }
    }

    fn page(&self) -> Page<'_> {
        Page {
            tool: &self.tool,
            server: &self.server,
            place: &self.place,
            about: None,
        }
    }

    async fn clone_it(&self) -> Result<ExtId, Failure> {
        let made = self.outbound.clone_content(self.page(), "555", "rid").await;
        made.map_err(|error| error.failure)
    }

    async fn export(&self) -> Result<Spool, Failure> {
        let id = ExtId::stored("555".into());
        let exported = self.outbound.export(self.page(), &id).await;
        exported.map_err(|error| error.failure)
    }
}

#[tokio::test]
async fn what_makes_something_is_tried_four_times_where_it_is_not_sent() {
    // A listener that is gone: its port refuses.
    let gone = TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url = BaseUrl::parse(&format!("http://{gone}/")).unwrap();
    let tried = Arc::new(AtomicUsize::new(0));
    let count = tried.clone();
    let mut call = Call::new(limits(), Server { url, ..server() });
    call.outbound = call.outbound.telling(Arc::new(move |record: CallRecord| {
        assert_eq!(record.outcome, "not_sent");
        count.fetch_add(1, Ordering::Relaxed);
    }));
    let about = crate::domain::launch_record::About {
        platform: "lams".parse().unwrap(),
        signature: call.tool.signature.clone(),
        content: Some(1),
        session: None,
    };
    let page = Page {
        about: Some(&about),
        ..call.page()
    };
    let failure = call
        .outbound
        .clone_content(page, "555", "rid")
        .await
        .unwrap_err()
        .failure;
    assert!(matches!(failure, Failure::NotSent(_)), "{failure}");
    assert_eq!(failure.aftermath(), Aftermath::NotSent);
    assert_eq!(tried.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn a_creating_call_that_was_sent_on_is_never_sent_again() {
    // Within its origin, and then nobody listens: each connection is good for one answer.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (told, asked) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 8192];
        let _ = stream.read(&mut head).await;
        drop(listener);
        let answer =
            "HTTP/1.1 302 X\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        told.send(()).unwrap();
    });
    let url = BaseUrl::parse(&url).unwrap();
    let failure = Call::new(limits(), Server { url, ..server() })
        .clone_it()
        .await
        .unwrap_err();
    asked.await.unwrap();
    assert_eq!(failure.aftermath(), Aftermath::Unknown, "{failure}");
}

#[tokio::test]
async fn a_redirect_within_the_origin_may_end_in_an_id() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let answers = [
            "HTTP/1.1 301 X\r\nLocation: /x/adapter?a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\n57",
        ];
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 8192];
            let _ = stream.read(&mut head).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let url = BaseUrl::parse(&url).unwrap();
    let made = Call::new(limits(), Server { url, ..server() })
        .clone_it()
        .await;
    assert_eq!(made.unwrap().as_str(), "57");
}

#[tokio::test]
async fn an_export_ends_when_nothing_comes_any_more() {
    let quick = Limits {
        idle: Duration::from_millis(100),
        ..limits()
    };
    let head = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nO:8".to_vec();
    let for_ever = Duration::from_secs(3600);
    for pieces in [
        vec![(Duration::ZERO, head), (for_ever, Vec::new())],
        vec![(for_ever, Vec::new())],
    ] {
        let (server, _) = peer(pieces).await;
        let failure = Call::new(quick, server).export().await.unwrap_err();
        assert!(
            matches!(failure, Failure::TimedOut(limit) if limit == quick.idle),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn what_is_no_export_is_none() {
    for (pieces, words) in [
        (says(200, "", &"x".repeat(1001)), "more than"),
        (says(200, "Content-Type: text/html\r\n", "O:8"), "no export"),
        (
            says(200, "", "<br />\n<b>Fatal error</b>: Allowed memory"),
            "no export",
        ),
        (says(200, "", "0"), "no export"),
        (says(200, "", ""), "no export"),
        (says(206, "", "O:8"), "status 206"),
    ] {
        let (server, _) = peer(pieces).await;
        let failure = Call::new(limits(), server).export().await.unwrap_err();
        assert!(
            failure.to_string().contains(words),
            "{failure} does not say {words}"
        );
    }
    let (server, asked) = peer(says(200, "Content-Type: text/plain\r\n", "O:8:…")).await;
    let exported = Call::new(limits(), server).export().await.unwrap();
    assert_eq!(exported.beginning(), "O:8:…".as_bytes());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_call_does_not_wait_for_ever_for_those_before_it() {
    let quick = Limits {
        queue: Duration::from_millis(50),
        ..limits()
    };
    let (server, asked) = peer(vec![(Duration::from_secs(3600), Vec::new())]).await;
    let call = Arc::new(Call::new(quick, server));
    let under_way: Vec<_> = (0..8)
        .map(|_| {
            let call = call.clone();
            tokio::spawn(async move { call.clone_it().await.map(drop) })
        })
        .collect();
    while asked.load(Ordering::Relaxed) < 8 {
        tokio::task::yield_now().await;
    }
    let failure = call.clone_it().await.unwrap_err();
    assert!(matches!(failure, Failure::Busy), "{failure}");
    assert_eq!(failure.aftermath(), Aftermath::NotSent);
    for call in under_way {
        call.abort();
    }
}

#[tokio::test]
async fn an_id_below_a_notice_is_an_unknown_outcome() {
    let (server, asked) = peer(says(200, "", "<br />\nNotice: x\n57")).await;
    let failure = Call::new(limits(), server).clone_it().await.unwrap_err();
    assert_eq!(failure.aftermath(), Aftermath::Unknown, "{failure}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
