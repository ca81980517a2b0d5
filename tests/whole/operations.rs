//! `toolgate check` and `/metrics`.

use std::process::Output;

use crate::support::{
    Answer, Database, Gateway, Kind, Peer, Setup, apply, binary, environment, parameter,
};

async fn check(database: &Database, more: &[(&'static str, &'static str)]) -> Output {
    let mut command = binary();
    command
        .arg("check")
        .envs(environment(database))
        .envs(more.iter().copied());
    tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[actix_web::test]
async fn check_says_a_line_for_each_thing_and_fails_where_one_does_not_hold() {
    let database = Database::new(Kind::Sqlite).await;
    let output = check(&database, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("FAILED database: there is no"),
        "{}",
        said(&output)
    );

    let peer = Peer::start(Answer::Says(200, String::new())).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        more: "[[servers]]\nid = \"idle\"\nurl = \"http://127.0.0.1:1/\"\n[[servers]]\nid = \"off\"\nurl = \"http://127.0.0.1:1/\"\nenabled = false\n".to_owned(),
        ..Setup::default()
    };
    assert!(apply(&database, &setup.file(), &[]).status.success());
    let output = check(&database, &[]).await;
    let lines: Vec<_> = said(&output).lines().map(str::to_owned).collect();
    assert_eq!(output.status.code(), Some(0), "{lines:?}");
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(
        lines[..2],
        [
            "ok     settings",
            "ok     database: SQLite, its tables are up to date"
        ]
    );
    assert!(
        lines[4]
            .starts_with("ok     server moodle: 1 adapter page answers and took the hash, within "),
        "{lines:?}"
    );
    assert!(
        lines[3].starts_with("ok     server idle: no tool is mapped"),
        "{lines:?}"
    );
    // Each page is called with the right hash and with a wrong one, by a method that makes nothing.
    let methods: Vec<_> = peer
        .requests()
        .iter()
        .map(|sent| parameter(sent, "method").unwrap())
        .collect();
    assert_eq!(methods, ["toolgate"; 4]);

    peer.answers(Answer::Says(401, String::new()));
    let output = check(&database, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let words = "FAILED server moodle: hash: The server refused the hash: compare the key and the server id on both sides";
    assert!(said(&output).contains(words), "{}", said(&output));

    peer.answers(Answer::Says(200, "<!DOCTYPE html><title>Log in".into()));
    let output = check(&database, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let words = "something that is no adapter page: “<!DOCTYPE html><title>Log in”";
    assert!(said(&output).contains(words), "{}", said(&output));

    let output = check(&database, &[("TOOLGATE_LISTEN", "nowhere")]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).starts_with("FAILED settings: TOOLGATE_LISTEN: expected"),
        "{}",
        said(&output)
    );
}

#[actix_web::test]
async fn check_tries_the_lms_of_a_server_too() {
    use crate::lms::asked::connection;
    use crate::lms::stand_in::{Reply, StandIn};
    for (status, code, line) in [
        (
            200,
            0,
            "ok     server campus: no tool is mapped to it; its LMS took the call of an enrollment, within ",
        ),
        (
            401,
            1,
            "FAILED server campus: enrollment of http://127.0.0.1:",
        ),
    ] {
        let lms = StandIn::start(move |_| Reply::Says(status, String::new())).await;
        let file = connection(
            "campus",
            "openedx",
            &lms.url,
            "api_token = \"a-key-that-is-long\"",
        );
        let database = Database::new(Kind::Sqlite).await;
        assert!(apply(&database, &file, &[]).status.success());
        let output = check(&database, &[]).await;
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.lines().any(|said| said.starts_with(line)), "{said}");
        assert!(!said.contains("a-key-that"), "{said}");
    }
}

#[actix_web::test]
async fn metrics_count_launches_callbacks_and_calls_and_name_nobody() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    gateway.get_signed(learn, "mdl_Anna").await.location();
    gateway.get(learn).await.refused(401);
    gateway
        .get("/whatever/a/visitor/asks/for")
        .await
        .refused(404);
    let metrics = gateway.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.headers["content-type"].starts_with("text/plain; version=0.0.4"));
    for line in [
        "toolgate_launches_total{page=\"learning\",outcome=\"redirected\"} 1",
        "toolgate_launches_total{page=\"learning\",outcome=\"refused\"} 1",
        "toolgate_launches_total{page=\"authoring\",outcome=\"redirected\"} 1",
        "toolgate_callbacks_total{kind=\"updateContent\",outcome=\"page\"} 1",
        "toolgate_http_requests_total{route=\"other\",status=\"4xx\"} 1",
        "toolgate_outgoing_calls_total{server=\"moodle\",method=\"clone\",outcome=\"ok\"} 1",
        "toolgate_outgoing_seconds_count{server=\"moodle\"} 1",
        "toolgate_http_seconds_count{route=\"learning\"} 2",
        "toolgate_journal_unsettled 0",
        "toolgate_launches_waiting ",
    ] {
        assert!(
            metrics.body.contains(line),
            "{line} is not in {}",
            metrics.body
        );
    }
    for nobody in ["visitor", "Anna", "lams", "mdquiz10"] {
        assert!(
            !metrics.body.contains(nobody),
            "{nobody} is in {}",
            metrics.body
        );
    }
}
