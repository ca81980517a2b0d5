//! The API, as far as learners need it: toolkit, sessions and their copies, and servers that fail.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{Answer, Gateway, Kind, Setup};

#[actix_web::test]
async fn the_toolkit_holds_the_tools_of_one_enabled_server() {
    let more = "[[servers]]\nid = \"off\"\nurl = \"http://o/\"\nkey = \"k\"\nprefix = \"o\"\nenabled = false\ntools = [\"mdquiz10\"]\n";
    let gateway = Gateway::start(
        Kind::Sqlite,
        Setup {
            more: more.into(),
            ..Setup::default()
        },
    )
    .await;
    let tools = |query: &'static str| {
        let gateway = &gateway;
        async move {
            gateway
                .call("GET", &format!("/toolkit{query}"), None)
                .await
                .json()["tools"]
                .clone()
        }
    };
    assert_eq!(
        tools("?extLmsId=dotLRN").await,
        json!([{
            "signature": "dlfrum10",
            "title": ".LRN Forum",
            "authorUrl": "http://gate.example.org:8080/lams/tool/dlfrum10/authoring.do",
            "servers": ["dotLRN"],
        }])
    );
    assert_eq!(tools("?extLmsId=moodle").await.as_array().unwrap().len(), 9);
    for empty in [
        "",
        "?extLmsId=",
        "?extLmsId=nobody",
        "?extLmsId=MOODLE",
        "?extLmsId=off",
    ] {
        assert_eq!(tools(empty).await, json!([]), "{empty}");
    }
}

#[rstest]
#[actix_web::test]
async fn a_session_is_made_once_however_many_ask_at_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, peer) = Gateway::with_content(kind, Setup::default(), Answer::Ids(700)).await;
    let ask = || {
        gateway.call(
            "PUT",
            "/tools/mdquiz10/sessions/2",
            Some(json!({"toolContentID": 1, "name": "é"})),
        )
    };
    let answers = join_all((0..30).map(|_| ask())).await;
    let made = answers.iter().filter(|page| page.status == 201).count();
    let there = answers.iter().filter(|page| page.status == 200).count();
    // Two workers of one instance share their turns, so that nobody clones twice.
    assert_eq!((made, there), (1, 29));
    assert!(
        answers
            .iter()
            .all(|page| page.json()["extSessionID"] == "700")
    );
    assert_eq!(peer.requests().len(), 1);
    let session = gateway
        .call("GET", "/tools/mdquiz10/sessions/2", None)
        .await;
    assert_eq!((session.status, session.json()), (200, answers[0].json()));
    assert_eq!(session.json()["name"], "é");
}

#[actix_web::test]
async fn a_session_that_its_caller_gave_up_on_is_made_all_the_same() {
    let go = Arc::new(Notify::new());
    let (gateway, peer) = Gateway::with_content(
        Kind::Sqlite,
        Setup::default(),
        Answer::Waits(700, go.clone()),
    )
    .await;
    let body = || Some(json!({"toolContentID": 1}));
    {
        let impatient = gateway.call("PUT", "/tools/mdquiz10/sessions/2", body());
        let asked = Gateway::until("the clone call is sent", || async {
            !peer.requests().is_empty()
        });
        tokio::select! {
            _ = impatient => panic!("it answered before the server did"),
            () = asked => {}
        }
    }
    go.notify_one();
    let path = "/tools/mdquiz10/sessions/2";
    Gateway::until("stored", || async {
        gateway.call("GET", path, None).await.status == 200
    })
    .await;
    let again = gateway.call("PUT", path, body()).await;
    assert_eq!(
        (again.status, again.json()["extSessionID"].as_str()),
        (200, Some("700"))
    );
    assert_eq!(peer.requests().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn a_session_cannot_be_made_of_what_is_not_there(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, peer) = Gateway::with_content(kind, Setup::default(), Answer::Ids(700)).await;
    gateway.saved_content("mdquiz10", 11, "556").await;
    gateway.session("mdquiz10", 2, 1).await;
    let before = gateway.rows().await;
    let put = |session: i64, content: i64| {
        let path = format!("/tools/mdquiz10/sessions/{session}");
        let gateway = &gateway;
        async move {
            gateway
                .call("PUT", &path, Some(json!({"toolContentID": content})))
                .await
        }
    };
    assert_eq!(put(3, 99).await.refused(404), "unknown-content");
    assert_eq!(put(2, 11).await.refused(409), "there-already");
    assert_eq!(
        gateway
            .call("GET", "/tools/mdquiz10/sessions/9", None)
            .await
            .refused(404),
        "unknown-session"
    );
    assert_eq!(
        gateway
            .call("GET", "/tools/mdfrum10/contents/1", None)
            .await
            .refused(404),
        "unknown-content"
    );
    assert_eq!(gateway.rows().await, before);
    assert_eq!(peer.requests().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn a_server_that_fails_is_named_with_what_it_said(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, peer) = Gateway::with_content(kind, Setup::default(), Answer::HangsUp).await;
    let before = gateway.rows().await;
    let put = |session: i64| {
        let path = format!("/tools/mdquiz10/sessions/{session}");
        let gateway = &gateway;
        async move {
            gateway
                .call("PUT", &path, Some(json!({"toolContentID": 1})))
                .await
        }
    };
    let cases = [
        (Answer::HangsUp, "broke"),
        (
            Answer::Says(401, String::new()),
            "compare the key and the server id",
        ),
        (
            Answer::Says(500, "Fatal\n<b>error</b> S3cretKey".into()),
            "status 500: “Fatal <b>error</b> …”",
        ),
        (Answer::Says(302, String::new()), "status 302"),
        (Answer::Says(200, String::new()), "an empty answer"),
        (Answer::Says(200, "0".into()), "no id: “0”"),
        (Answer::Says(200, "-1".into()), "no id: “-1”"),
        (
            Answer::Says(200, "<html>Log in</html>".into()),
            "no id: “<html>Log in</html>”",
        ),
        (Answer::Says(200, "x".repeat(1_000_000)), "no id: “xxx"),
        (
            Answer::Says(200, "555".into()),
            "the id 555 that was to be copied",
        ),
    ];
    for (session, (answer, words)) in (100..).zip(&cases) {
        peer.answers(answer.clone());
        let page = put(session).await;
        assert_eq!(page.refused(502), "server-failed", "{answer:?}");
        let detail = page.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("moodle") && detail.contains(words),
            "{detail}"
        );
    }
    assert_eq!(gateway.rows().await, before);
    assert!(!gateway.log().contains("S3cretKey"));
    // What was refused is free to be tried again; what may have made something is not.
    peer.answers(Answer::Says(200, "701\n".into()));
    for (session, (answer, _)) in (100..).zip(&cases) {
        let page = put(session).await;
        match answer {
            Answer::HangsUp | Answer::Says(500, _) => assert_eq!(page.refused(409), "unsettled"),
            _ => assert_eq!(
                (page.status, page.json()["extSessionID"].as_str()),
                (201, Some("701"))
            ),
        }
    }
}

#[actix_web::test]
async fn a_server_that_is_late_is_not_waited_for_longer_than_its_limit() {
    let never = Arc::new(Notify::new());
    let (gateway, _peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Waits(700, never)).await;
    let limited = gateway
        .setup
        .file()
        .replace("prefix = \"mdl\"", "prefix = \"mdl\"\ntimeout_ms = 50");
    assert!(
        crate::support::apply(&gateway.database, &limited, &[])
            .status
            .success()
    );
    let put = |session: i64| {
        let path = format!("/tools/mdquiz10/sessions/{session}");
        let gateway = &gateway;
        async move {
            gateway
                .call("PUT", &path, Some(json!({"toolContentID": 1})))
                .await
        }
    };
    let session = std::cell::Cell::new(2);
    Gateway::until("the new limit is served", || async {
        session.set(session.get() + 1);
        let impatient = tokio::time::timeout(Duration::from_secs(2), put(session.get()));
        impatient.await.is_ok_and(|page| page.status == 504)
    })
    .await;
    assert_eq!(put(99).await.refused(504), "server-late");
    assert_eq!(put(99).await.refused(409), "unsettled");
}
