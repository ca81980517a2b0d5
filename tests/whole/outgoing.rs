//! The one policy of outgoing calls, against a server that misbehaves on command.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{
    API_TOKEN, Answer, Gateway, Kind, Page, Peer, Setup, apply, binary, environment, parameter,
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

/// A gateway with a tool `myquiz10` that is as the quiz's, and whose page can delete by the method `remove`.
async fn that_deletes() -> (Gateway, Peer) {
    let own = include_str!("../../src/domain/tool/builtin/mdquiz10.toml")
        .replace("mdquiz10", "myquiz10")
        .replace(
            "[adapter_page]",
            "[tools.adapter_page]\ndelete = \"remove\"",
        )
        .replace("[[outputs]]", "[[tools.outputs]]")
        .replace("[custom_csv]", "[tools.custom_csv]")
        .replace("[addresses]", "[tools.addresses]");
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        more: format!("[[tools]]\n{own}"),
        ..Setup::default()
    };
    let settings = format!(
        "[servers.settings.myquiz10]\nadapter_page = \"{}\"\n[servers.settings.mdfrum10]",
        peer.url
    );
    let file = setup
        .file()
        .replacen("\"mdglos10\"]", "\"mdglos10\", \"myquiz10\"]", 1)
        .replacen("[servers.settings.mdfrum10]", &settings, 1);
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
    (gateway, peer)
}

async fn journal(gateway: &Gateway, arguments: &[&str]) -> String {
    let mut command = binary();
    command
        .arg("journal")
        .args(arguments)
        .envs(environment(&gateway.database));
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// The things that a server was asked to delete.
fn deleted(peer: &Peer) -> Vec<String> {
    let sent = peer.requests().into_iter();
    sent.filter(|sent| parameter(sent, "method").as_deref() == Some("remove"))
        .map(|sent| parameter(&sent, "extToolContentID").unwrap())
        .collect()
}

#[actix_web::test]
async fn what_is_removed_is_deleted_outside_where_the_tool_has_a_call_for_it() {
    let (gateway, peer) = that_deletes().await;
    peer.answers(Answer::Says(200, String::new()));
    let session = gateway.call("DELETE", "/tools/myquiz10/sessions/2", None);
    assert_eq!(session.await.status, 204);
    assert_eq!(deleted(&peer), ["700"]);
    let sent = peer.requests().pop().unwrap();
    assert_eq!(parameter(&sent, "un").as_deref(), Some("bill"));
    assert_eq!(journal(&gateway, &["list"]).await, "");

    // What the server does not delete stays listed, until an operator deletes or strikes it.
    peer.answers(Answer::Says(403, "no".into()));
    let content = gateway.call("DELETE", "/tools/myquiz10/contents/1", None);
    assert_eq!(content.await.status, 204);
    let listed = journal(&gateway, &["list"]).await;
    assert!(
        listed.contains("left behind") && listed.contains("myquiz10 555 on moodle"),
        "{listed}"
    );
    let id = listed.split(' ').next().unwrap();
    for (answer, words) in [
        (Answer::Says(403, "no".into()), "status 403"),
        (
            Answer::Says(200, "<!DOCTYPE html>Log in".into()),
            "no word of success",
        ),
        (Answer::Says(200, "0".into()), "no word of success"),
    ] {
        peer.answers(answer);
        let said = journal(&gateway, &["retry", id]).await;
        assert!(said.contains(words), "{said} does not say {words}");
    }
    peer.answers(Answer::Says(404, "gone".into()));
    assert_eq!(journal(&gateway, &["retry", id]).await, "deleted 555\n");
    assert_eq!(journal(&gateway, &["list"]).await, "");
}

#[actix_web::test]
async fn what_another_content_still_uses_is_not_deleted_outside() {
    let (gateway, peer) = that_deletes().await;
    gateway.saved_content("myquiz10", 3, "555").await;
    gateway.saved_content("myquiz10", 4, "700").await;
    peer.answers(Answer::Says(200, String::new()));
    // The session's copy is what an author took for content 4; content 3 is what content 1 is.
    for path in ["sessions/2", "contents/1"] {
        let path = format!("/tools/myquiz10/{path}");
        assert_eq!(gateway.call("DELETE", &path, None).await.status, 204);
        assert_eq!(deleted(&peer), [""; 0]);
    }
    assert_eq!(journal(&gateway, &["list"]).await, "");
    for path in ["contents/3", "contents/4"] {
        let path = format!("/tools/myquiz10/{path}");
        assert_eq!(gateway.call("DELETE", &path, None).await.status, 204);
    }
    assert_eq!(deleted(&peer), ["555", "700"]);
}

#[actix_web::test]
async fn what_was_left_behind_and_is_used_again_is_struck_from_the_list_and_not_deleted() {
    let (gateway, peer) = that_deletes().await;
    peer.answers(Answer::Says(403, "no".into()));
    let path = "/tools/myquiz10/sessions/2";
    assert_eq!(gateway.call("DELETE", path, None).await.status, 204);
    assert_eq!(deleted(&peer), ["700"]);
    gateway.saved_content("myquiz10", 5, "700").await;
    peer.answers(Answer::Says(200, String::new()));
    let listed = journal(&gateway, &["list"]).await;
    let id = listed.split(' ').next().unwrap();
    let said = journal(&gateway, &["retry", id]).await;
    assert!(said.starts_with("700 is used again"), "{said}");
    assert_eq!(deleted(&peer), ["700"]);
    assert_eq!(journal(&gateway, &["list"]).await, "");
    let told = "select action from audit where subject = 'myquiz10 700 on moodle'";
    let told = gateway.database.text(told).await;
    assert_eq!(told.as_deref(), Some("left-behind.struck"));
}

#[actix_web::test]
async fn who_reads_a_portfolio_slowly_holds_up_no_call() {
    let (gateway, peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let page = vec![b'x'; 8 << 20];
    let answers = [
        ("export_portfolio", (200, page)),
        ("clone", (200, b"900".to_vec())),
    ];
    peer.answers(Answer::ByMethod(answers.into()));
    let mut readers = Vec::new();
    for _ in 0..8 {
        let path = "/api/v1/tools/mdquiz10/sessions/2/portfolio?user=mdl_Anna";
        let request = gateway.client().get(format!("{}{path}", gateway.base));
        // Nothing but the head is read, and the connection stays.
        readers.push(request.bearer_auth(API_TOKEN).send().await.unwrap());
    }
    assert!(readers.iter().all(|response| response.status() == 200));
    assert_eq!(ask(&gateway, 10).await.status, 201);
}
