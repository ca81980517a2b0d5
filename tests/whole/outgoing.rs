//! The one policy of outgoing calls, against a server that misbehaves on command.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{
    Answer, Gateway, Kind, Page, Peer, Setup, apply, binary, environment, parameter,
};

async fn ask(gateway: &Gateway, session: i64) -> Page {
    let path = format!("/tools/mdquiz10/sessions/{session}");
    gateway
        .call("PUT", &path, Some(json!({"toolContentID": 1})))
        .await
}

/// A gateway whose server has so many milliseconds for a call.
async fn impatient(ms: u32) -> (Gateway, Peer) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let database = Arc::new(crate::support::Database::new(Kind::Sqlite).await);
    let limit = format!("prefix = \"mdl\"\ntimeout_ms = {ms}");
    let file = setup.file().replace("prefix = \"mdl\"", &limit);
    assert!(apply(&database, &file, &[]).status.success());
    let gateway = Gateway::start_on(database, setup);
    gateway.saved_content("mdquiz10", 1, "555").await;
    (gateway, peer)
}

#[actix_web::test]
async fn whatever_a_server_does_a_caller_gets_a_clear_answer() {
    let (gateway, peer) = impatient(400).await;
    let outcomes = [
        (Answer::Drips, 504, "did not answer within 0.4 s"),
        (
            Answer::Waits(7, Arc::new(Notify::new())),
            504,
            "did not answer within 0.4 s",
        ),
        (Answer::Breaks(b"70".to_vec()), 502, "the connection broke"),
        (Answer::HangsUp, 502, "the connection broke"),
        // What answers between keeps the breaker closed.
        (
            Answer::Says(200, "<html>Log in".into()),
            502,
            "no id: “<html>Log in”",
        ),
        (Answer::Says(200, "0".into()), 502, "no id: “0”"),
        (Answer::Says(200, "-1".into()), 502, "no id: “-1”"),
        (
            Answer::Says(200, String::new()),
            502,
            "no id: an empty answer",
        ),
        (
            Answer::Says(200, "555".into()),
            502,
            "the id 555 that was to be copied",
        ),
        (Answer::Says(404, "nope".into()), 502, "status 404: “nope”"),
        (
            Answer::Sends(302, "http://elsewhere.example.org/x?y".into()),
            502,
            "elsewhere (302), to http://elsewhere.example.org",
        ),
        (
            Answer::Sends(302, "//127.0.0.1:1/adapter".into()),
            502,
            "elsewhere (302), to http://127.0.0.1:1",
        ),
        (Answer::Zeros(10 << 30), 502, "no id: “…”"),
    ];
    for (session, (answer, status, words)) in (10..).zip(outcomes) {
        peer.answers(answer.clone());
        let page = ask(&gateway, session).await;
        page.refused(status);
        let said = page.body.contains(words) || matches!(answer, Answer::Zeros(_));
        assert!(said, "{} does not say {words}", page.body);
        for secret in ["S3cretKey", "hs="] {
            assert!(!page.body.contains(secret), "{}", page.body);
        }
    }
    assert!(gateway.peak_memory() < 150, "{} MiB", gateway.peak_memory());
    assert!(!gateway.log().contains("S3cretKey"));
}

#[actix_web::test]
async fn redirects_are_followed_within_the_servers_origin_alone_and_not_for_ever() {
    let (gateway, peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    // To itself, again and again.
    peer.answers(Answer::Sends(302, "/adapter?again".into()));
    let page = ask(&gateway, 10).await;
    page.refused(502);
    assert_eq!(peer.requests().len(), 6);
    let target = Peer::start(Answer::Ids(800)).await;
    peer.answers(Answer::Sends(307, format!("{}?a=b", target.url)));
    ask(&gateway, 11).await.refused(502);
    assert!(
        target.requests().is_empty(),
        "another port is another origin"
    );
    // A form is never sent on.
    peer.answers(Answer::Sends(307, "/adapter?again".into()));
    let before = peer.asked().len();
    let page = gateway
        .import(
            "/tools/mdquiz10/contents/50",
            Some("anna,8,4,moodle"),
            Some(b"x".to_vec()),
        )
        .await;
    page.refused(502);
    assert_eq!(peer.asked().len(), before + 1);
}

#[actix_web::test]
async fn a_server_that_fails_five_times_is_left_alone_and_the_caller_told_at_once() {
    let (gateway, peer) = Gateway::with_content(
        Kind::Sqlite,
        Setup::default(),
        Answer::Says(500, "x".into()),
    )
    .await;
    for session in 10..15 {
        ask(&gateway, session).await.refused(502);
    }
    let page = ask(&gateway, 20).await;
    assert_eq!(page.refused(503), "server-down");
    let wait: u64 = page.headers["retry-after"].parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(peer.requests().len(), 5);
    // Nothing was written down, so that nothing is to be settled; browsers do not ask the breaker.
    assert_eq!(
        gateway
            .database
            .number("select count(*) from journal where local_id = 20")
            .await,
        0
    );
    gateway.author("mdquiz10", 1).await;
    let metrics = gateway.get("/metrics").await;
    assert!(
        metrics
            .body
            .contains("toolgate_breaker_open{server=\"moodle\"} 1"),
        "{}",
        metrics.body
    );
    assert!(
        metrics
            .body
            .contains("toolgate_breaker_open{server=\"dotLRN\"} 0"),
        "{}",
        metrics.body
    );
    assert!(
        metrics.body.contains("toolgate_journal_unsettled 5"),
        "{}",
        metrics.body
    );
    let failed =
        "toolgate_outgoing_calls_total{server=\"moodle\",method=\"clone\",outcome=\"status\"} 5";
    assert!(metrics.body.contains(failed), "{}", metrics.body);
}

#[actix_web::test]
async fn a_server_gets_eight_calls_at_once() {
    let go = Arc::new(Notify::new());
    let (gateway, peer) = Gateway::with_content(
        Kind::Sqlite,
        Setup::default(),
        Answer::Waits(700, go.clone()),
    )
    .await;
    let callers = join_all((10..30).map(|session| ask(&gateway, session)));
    let served = async {
        let mut done = 0;
        while done < 20 {
            let there = 8.min(20 - done);
            Gateway::until("as many as may are at it", || async {
                peer.requests().len() == done + there
            })
            .await;
            // Each has an id of its own.
            peer.answers(Answer::Waits(701 + done as i64, go.clone()));
            done += 1;
            go.notify_one();
        }
    };
    let (answers, ()) = futures_util::future::join(callers, served).await;
    assert!(answers.iter().all(|page| page.status == 201));
}

#[actix_web::test]
async fn what_only_reads_is_asked_again_and_what_makes_something_is_not() {
    let (gateway, peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let before = peer.requests().len();
    peer.answers(Answer::Says(503, "busy".into()));
    let outputs = "/tools/mdquiz10/sessions/2/outputs?user=mdl_Anna";
    gateway.call("GET", outputs, None).await.refused(502);
    assert_eq!(peer.requests().len(), before + 3);
    ask(&gateway, 10).await.refused(502);
    assert_eq!(peer.requests().len(), before + 4);
}

#[actix_web::test]
async fn what_is_removed_is_deleted_outside_where_the_tool_has_a_call_for_it() {
    let own = include_str!("../../src/domain/tool/builtin/mdquiz10.toml")
        .replace("mdquiz10", "myquiz10")
        .replace("[adapter_page]", "[adapter_page]\ndelete = \"remove\"")
        .replace("[[outputs]]", "[[tools.outputs]]");
    let own = ["custom_csv", "addresses", "adapter_page"]
        .iter()
        .fold(own, |text, table| {
            text.replace(&format!("[{table}]"), &format!("[tools.{table}]"))
        });
    let peer = Peer::start(Answer::Ids(700)).await;
    let more = format!(
        "[servers.settings.myquiz10]\nadapter_page = \"{}\"\n[[tools]]\n{own}",
        peer.url
    );
    let setup = Setup {
        adapter_page: peer.url.clone(),
        more: more.replacen("[servers.settings.myquiz10]", "", 1),
        ..Setup::default()
    };
    let file = setup
        .file()
        .replacen("\"mdglos10\"]", "\"mdglos10\", \"myquiz10\"]", 1)
        .replacen(
            "[servers.settings.mdfrum10]",
            &format!(
                "[servers.settings.myquiz10]\nadapter_page = \"{}\"\n[servers.settings.mdfrum10]",
                peer.url
            ),
            1,
        )
        .replacen(
            &format!("\nadapter_page = \"{}\"\n[[tools]]", peer.url),
            "\n[[tools]]",
            1,
        );
    let database = Arc::new(crate::support::Database::new(Kind::Sqlite).await);
    let applied = apply(&database, &file, &[]);
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    let gateway = Gateway::start_on(database, setup);
    gateway.saved_content("myquiz10", 1, "555").await;
    gateway.session("myquiz10", 2, 1).await;

    let removed = |sent: &str| {
        (
            parameter(sent, "method").unwrap(),
            parameter(sent, "extToolContentID").unwrap(),
        )
    };
    peer.answers(Answer::Says(200, String::new()));
    assert_eq!(
        gateway
            .call("DELETE", "/tools/myquiz10/sessions/2", None)
            .await
            .status,
        204
    );
    let sent = peer.requests().pop().unwrap();
    assert_eq!(removed(&sent), ("remove".to_owned(), "700".to_owned()));
    assert_eq!(parameter(&sent, "un").as_deref(), Some("bill"));
    assert_eq!(
        gateway
            .database
            .number("select count(*) from left_behind")
            .await,
        0
    );

    // What the server does not delete stays listed, until an operator deletes or strikes it.
    peer.answers(Answer::Says(403, "no".into()));
    assert_eq!(
        gateway
            .call("DELETE", "/tools/myquiz10/contents/1", None)
            .await
            .status,
        204
    );
    let journal = |arguments: Vec<String>| {
        let mut command = binary();
        command
            .arg("journal")
            .args(arguments)
            .envs(environment(&gateway.database));
        async {
            let output = tokio::task::spawn_blocking(move || command.output())
                .await
                .unwrap()
                .unwrap();
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        }
    };
    let listed = journal(vec!["list".into()]).await;
    assert!(
        listed.contains("left behind") && listed.contains("myquiz10 555 on moodle"),
        "{listed}"
    );
    let id = listed.split(' ').next().unwrap().to_owned();
    let said = journal(vec!["retry".into(), id.clone()]).await;
    assert!(said.contains("status 403"), "{said}");
    peer.answers(Answer::Says(404, "gone".into()));
    assert_eq!(journal(vec!["retry".into(), id]).await, "deleted 555\n");
    assert_eq!(journal(vec!["list".into()]).await, "");
}
