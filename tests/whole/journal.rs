//! Exactly once: copies and sessions whoever asks, how often, from wherever, and whatever dies.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Answer, Gateway, Kind, Page, Peer, Setup, binary, environment, parameter};

const SESSION: &str = "/tools/mdquiz10/sessions/2";

async fn ask(gateway: &Gateway) -> Page {
    gateway
        .call("PUT", SESSION, Some(json!({"toolContentID": 1})))
        .await
}

async fn copy(gateway: &Gateway, id: i64, body: Value) -> Page {
    gateway
        .call(
            "POST",
            &format!("/tools/mdquiz10/contents/{id}/copy"),
            Some(body),
        )
        .await
}

/// `toolgate journal …`: whether it succeeded, and what it says.
async fn journal(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let mut command = binary();
    command
        .arg("journal")
        .args(arguments)
        .envs(environment(&gateway.database));
    // Beside this thread, on which the stand-in answers.
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// A gateway that was killed while a server was making a copy, and started again.
async fn killed_within_a_call(kind: Kind) -> (Gateway, Peer, String) {
    let waits = Answer::Waits(700, Arc::new(Notify::new()));
    let (mut gateway, peer) = Gateway::with_content(kind, Setup::default(), waits).await;
    {
        let caller = ask(&gateway);
        let sent = Gateway::until("the call is sent", || async { !peer.requests().is_empty() });
        tokio::select! {
            _ = caller => panic!("it answered before the server did"),
            () = sent => {}
        }
    }
    gateway.kill();
    let gateway = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    let page = ask(&gateway).await;
    assert_eq!(page.refused(409), "unsettled");
    let entry = page.json()["journalEntry"].as_str().unwrap().to_owned();
    assert_eq!(peer.requests().len(), 1);
    Gateway::until("it is reported", || async {
        gateway.log().contains("unsettled=1")
    })
    .await;
    let (listed, said) = journal(&gateway, &["list"]).await;
    assert!(
        listed && said.starts_with(&format!("{entry} unsettled ")),
        "{said}"
    );
    assert!(
        said.contains("session lams/mdquiz10/2 on moodle, a copy of 555, sent 1 times"),
        "{said}"
    );
    (gateway, peer, entry)
}

#[rstest]
#[actix_web::test]
async fn a_call_that_a_dead_process_left_is_settled_by_adopting_an_id(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, peer, entry) = killed_within_a_call(kind).await;
    // Nothing else waits on it.
    peer.answers(Answer::Ids(800));
    gateway.session("mdquiz10", 3, 1).await;

    for (arguments, words) in [
        (
            ["adopt", &entry, "zero"].as_slice(),
            "cannot be an external id",
        ),
        (&["adopt", &entry, "555"], "the one that was to be copied"),
        (&["adopt", "none", "700"], "there is no entry none"),
    ] {
        let (done, said) = journal(&gateway, arguments).await;
        assert!(!done && said.contains(words), "{said}");
    }
    assert_eq!(
        journal(&gateway, &["adopt", &entry, "700"]).await,
        (true, "adopted 700\n".to_owned())
    );
    let page = ask(&gateway).await;
    assert_eq!(
        (page.status, page.json()["extSessionID"].as_str()),
        (200, Some("700"))
    );
    assert_eq!(journal(&gateway, &["list"]).await, (true, String::new()));
    let (done, said) = journal(&gateway, &["adopt", &entry, "701"]).await;
    assert!(!done && said.contains("is done, not unsettled"), "{said}");
}

#[actix_web::test]
async fn a_call_that_a_dead_process_left_is_sent_again_under_the_same_rid() {
    let (gateway, peer, entry) = killed_within_a_call(Kind::Postgres).await;
    // Whatever goes wrong with it again, nobody knows more of the first try than before.
    for (answer, words) in [
        (Answer::Says(500, "not yet".into()), "status 500"),
        (Answer::Says(401, String::new()), "refused the hash"),
    ] {
        peer.answers(answer);
        let (done, said) = journal(&gateway, &["retry", &entry]).await;
        assert!(!done && said.contains(words), "{said}");
        let (_, listed) = journal(&gateway, &["list"]).await;
        assert!(
            listed.starts_with(&format!("{entry} unsettled ")),
            "{listed}"
        );
    }
    peer.answers(Answer::Says(200, "701".into()));
    assert_eq!(
        journal(&gateway, &["retry", &entry]).await,
        (true, "made 701\n".to_owned())
    );
    assert_eq!(ask(&gateway).await.json()["extSessionID"], "701");
    let rids: Vec<_> = peer
        .requests()
        .iter()
        .map(|sent| parameter(sent, "rid"))
        .collect();
    assert_eq!(rids, vec![Some(entry); 4]);
}

#[rstest]
#[actix_web::test]
async fn a_copy_whose_place_is_gone_is_listed_as_left_behind(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let go = Arc::new(Notify::new());
    let waits = Answer::Waits(700, go.clone());
    let (gateway, peer) = Gateway::with_content(kind, Setup::default(), waits).await;
    let removed = async {
        Gateway::until("the call is sent", || async { !peer.requests().is_empty() }).await;
        let page = gateway
            .call("DELETE", "/tools/mdquiz10/contents/1", None)
            .await;
        assert_eq!(page.status, 204);
        go.notify_one();
    };
    let (page, ()) = futures_util::future::join(ask(&gateway), removed).await;
    assert_eq!(page.refused(404), "unknown-content");
    let (_, listed) = journal(&gateway, &["list"]).await;
    assert!(
        listed.contains("mdquiz10 700 on moodle: made for session lams/mdquiz10/2"),
        "{listed}"
    );
    assert!(
        listed.contains("mdquiz10 555 on moodle: content lams/mdquiz10/1 was removed"),
        "{listed}"
    );
    assert_eq!(listed.lines().count(), 2, "{listed}");
}

#[actix_web::test]
async fn what_was_copied_is_answered_also_when_its_server_is_off() {
    let (gateway, _peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    let body = json!({"from": 1, "customCSV": "anna,8,4,moodle"});
    assert_eq!(copy(&gateway, 50, body.clone()).await.status, 201);
    let off = gateway
        .setup
        .file()
        .replace("prefix = \"mdl\"", "prefix = \"mdl\"\nenabled = false");
    assert!(
        crate::support::apply(&gateway.database, &off, &[])
            .status
            .success()
    );
    let new = json!({"from": null, "customCSV": "anna,8,4,moodle"});
    Gateway::until("the server is off", || async {
        let toolkit = gateway.call("GET", "/toolkit?extLmsId=moodle", None).await;
        toolkit.json()["tools"] == json!([])
    })
    .await;
    assert_eq!(copy(&gateway, 50, body).await.status, 200);
    assert_eq!(copy(&gateway, 50, new).await.status, 403);
}

#[actix_web::test]
async fn a_call_whose_place_or_source_is_gone_is_not_sent_again() {
    let (gateway, peer, entry) = killed_within_a_call(Kind::Sqlite).await;
    // Its author saved it anew in the meantime: what it would copy is another thing now.
    let callback = crate::support::callback_of(&gateway.author("mdquiz10", 1).await.location());
    let saved = gateway
        .get_public(&format!("{callback}&extToolContentID=556"))
        .await;
    assert_eq!(saved.status, 200);
    let (done, said) = journal(&gateway, &["retry", &entry]).await;
    assert!(!done && said.contains("there is no such content"), "{said}");
    assert_eq!(peer.requests().len(), 1);
    let (_, listed) = journal(&gateway, &["list"]).await;
    assert!(
        listed.starts_with(&format!("{entry} unsettled ")),
        "{listed}"
    );
}

#[actix_web::test]
async fn a_call_that_is_given_up_is_sent_anew() {
    let (gateway, peer, entry) = killed_within_a_call(Kind::Sqlite).await;
    assert_eq!(
        journal(&gateway, &["drop", &entry]).await,
        (true, "dropped\n".to_owned())
    );
    peer.answers(Answer::Ids(800));
    let page = ask(&gateway).await;
    assert_eq!(
        (page.status, page.json()["extSessionID"].as_str()),
        (201, Some("800"))
    );
    assert_ne!(parameter(&peer.requests()[1], "rid"), Some(entry));
}

#[rstest]
#[actix_web::test]
async fn a_hundred_callers_on_two_instances_make_one_copy(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    // Slow enough that the others come while the first is under way.
    let slow = Answer::IdsAfter(Duration::from_millis(100), 700);
    let (one, peer) = Gateway::with_content(kind, Setup::default(), slow).await;
    let two = Gateway::start_on(one.database.clone(), one.setup.clone());
    let answers = join_all((0..100).map(|i| ask(if i % 2 == 0 { &one } else { &two }))).await;
    let made = answers.iter().filter(|page| page.status == 201).count();
    let there = answers.iter().filter(|page| page.status == 200).count();
    assert_eq!((made, there), (1, 99));
    assert!(
        answers
            .iter()
            .all(|page| page.json()["extSessionID"] == "700")
    );
    assert_eq!(peer.requests().len(), 1);
}

/// What twenty callers get who ask for the same while the first one's call is under way, which is let go when `meanwhile` is
/// done.
async fn waiting_for_the_same(
    gateway: &Gateway,
    peer: &Peer,
    go: &Notify,
    ask: impl AsyncFn() -> Page,
    meanwhile: impl Future<Output = ()>,
) -> Vec<Page> {
    let callers = join_all((0..20).map(|_| ask()));
    let (answers, ()) = futures_util::future::join(callers, async {
        Gateway::until("the first is sent", async || !peer.requests().is_empty()).await;
        // Whoever asked before these is being answered when they are.
        join_all((0..40).map(|_| gateway.get("/healthz"))).await;
        meanwhile.await;
        go.notify_waiters();
    })
    .await;
    answers
}

#[actix_web::test]
async fn who_waits_for_a_call_that_fails_gets_its_outcome_and_calls_no_more() {
    let go = Arc::new(Notify::new());
    let nothing = Answer::Waits(0, go.clone());
    let (gateway, peer) = Gateway::with_content(Kind::Sqlite, Setup::default(), nothing).await;
    let session = async || ask(&gateway).await;
    let answers = waiting_for_the_same(&gateway, &peer, &go, session, async {}).await;
    for answer in answers {
        assert_eq!(answer.refused(502), "server-failed");
    }
    assert_eq!(peer.requests().len(), 1);
    peer.answers(Answer::Ids(700));
    assert_eq!(ask(&gateway).await.status, 201, "the next one calls anew");
}

#[actix_web::test]
async fn who_waits_for_a_copy_whose_place_is_taken_meanwhile_makes_no_other() {
    let go = Arc::new(Notify::new());
    let slow = Answer::Waits(700, go.clone());
    let (gateway, peer) = Gateway::with_content(Kind::Sqlite, Setup::default(), slow).await;
    let copied = async || {
        let body = json!({"from": 1, "customCSV": "anna,8,4,moodle"});
        copy(&gateway, 50, body).await
    };
    let taken = gateway.saved_content("mdquiz10", 50, "556");
    let answers = waiting_for_the_same(&gateway, &peer, &go, copied, taken).await;
    for answer in answers {
        assert_eq!(answer.refused(409), "there-already");
    }
    assert_eq!(peer.requests().len(), 1);
}

#[rstest]
#[actix_web::test]
async fn content_is_copied_once_for_one_call(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let (gateway, peer) = Gateway::with_content(kind, Setup::default(), Answer::Ids(700)).await;
    let flags = json!({"defineLater": true, "runOffline": true});
    gateway
        .call("PATCH", "/tools/mdquiz10/contents/1", Some(flags))
        .await;
    let body = json!({"from": 1, "customCSV": "anna,8,4,moodle"});
    let made = copy(&gateway, 50, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let content = made.json();
    for (field, value) in [
        ("toolContentID", json!(50)),
        ("user", json!("anna")),
        ("course", json!("8")),
        ("section", json!("4")),
        ("extToolContentID", json!("700")),
        ("defineLater", json!(false)),
        ("runOffline", json!(false)),
        ("contentInUse", json!(false)),
    ] {
        assert_eq!(content[field], value, "{field}");
    }
    let sent = peer.requests().remove(0);
    for (name, value) in [
        ("method", "clone"),
        ("extToolContentID", "555"),
        ("un", "anna"),
        ("cs", "8"),
    ] {
        assert_eq!(parameter(&sent, name).as_deref(), Some(value), "{name}");
    }
    let again = copy(
        &gateway,
        50,
        json!({"from": 1, "customCSV": " anna ,8,\"4\",moodle,"}),
    )
    .await;
    assert_eq!((again.status, again.json()), (200, content));

    // Another call for the same number, and numbers that no copy made.
    for other in [
        json!({"from": null, "customCSV": "anna,8,4,moodle"}),
        json!({"from": 1, "customCSV": "anna,9,4,moodle"}),
    ] {
        assert_eq!(
            copy(&gateway, 50, other).await.refused(409),
            "there-already"
        );
    }
    assert_eq!(copy(&gateway, 1, body).await.refused(409), "there-already");
    assert_eq!(peer.requests().len(), 1);
}

#[actix_web::test]
async fn what_has_no_source_becomes_default_content() {
    let (gateway, peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    gateway.author("mdquiz10", 7).await;
    for (id, from) in [(50, json!(null)), (51, json!(999)), (52, json!(7))] {
        let made = copy(
            &gateway,
            id,
            json!({"from": from, "customCSV": "bill,7,3,moodle"}),
        )
        .await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let sources: Vec<_> = peer
        .requests()
        .iter()
        .map(|sent| parameter(sent, "extToolContentID").unwrap())
        .collect();
    assert_eq!(sources, ["0", "0", "0"]);
}

#[actix_web::test]
async fn a_copy_that_cannot_be_asked_for_is_refused_and_stores_nothing() {
    let (gateway, peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    let before = gateway.rows().await;
    for (body, status, code) in [
        (json!({"from": 1}), 400, "body"),
        (
            json!({"from": 0, "customCSV": "bill,7,3,moodle"}),
            400,
            "parameter",
        ),
        (json!({"from": 1, "customCSV": "bill,7"}), 400, "custom-csv"),
        (
            json!({"from": 1, "customCSV": "bill,7,3,nobody"}),
            403,
            "server-unknown",
        ),
        (
            json!({"from": 1, "customCSV": "a,".repeat(1_000_000)}),
            413,
            "body-too-long",
        ),
    ] {
        assert_eq!(copy(&gateway, 50, body).await.refused(status), code);
    }
    assert_eq!(gateway.rows().await, before);
    assert_eq!(
        gateway
            .database
            .number("select count(*) from journal")
            .await,
        0
    );
    assert_eq!(peer.requests(), Vec::<String>::new());
}

#[actix_web::test]
async fn a_server_that_cannot_be_reached_frees_the_call() {
    let (gateway, _peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    let nobody = gateway
        .setup
        .file()
        .replace(&gateway.setup.adapter_page, "http://127.0.0.1:1/nobody");
    assert!(
        crate::support::apply(&gateway.database, &nobody, &[])
            .status
            .success()
    );
    let (page, session) = (RefCell::new(ask(&gateway).await), Cell::new(10));
    Gateway::until("the new address is served", || async {
        session.set(session.get() + 1);
        let path = format!("/tools/mdquiz10/sessions/{}", session.get());
        *page.borrow_mut() = gateway
            .call("PUT", &path, Some(json!({"toolContentID": 1})))
            .await;
        page.borrow().status == 502
    })
    .await;
    assert!(
        page.borrow().body.contains("no connection came about"),
        "{}",
        page.borrow().body
    );
    assert_eq!(journal(&gateway, &["list"]).await, (true, String::new()));
}
