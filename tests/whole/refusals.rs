//! Every row of the table of refusals: sent, and checked for status, words, and that nothing was
//! stored.

use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Gateway, Kind, Peer, Setup};

const AUTHOR: &str = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f1";
const CSV: &str = "&customCSV=bill%2C7%2C3%2Cmoodle";

/// Refuses each address with a status and a title, and stores nothing.
async fn all_refused(gateway: &Gateway, cases: &[(String, u16, &str)]) {
    let before = gateway.rows().await;
    for (path, status, title) in cases {
        let page = gateway.get(path).await;
        assert_eq!(page.refused(*status), *title, "{path}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
    }
    assert_eq!(gateway.rows().await, before);
}

#[rstest]
#[actix_web::test]
async fn what_is_missing_or_malformed_is_told(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let gateway = Gateway::start(
        kind,
        Setup {
            adapter_page: peer.url.clone(),
            ..Setup::open()
        },
    )
    .await;
    gateway.saved_content("mdquiz10", 50, "555").await;
    gateway.session("mdquiz10", 60, 50).await;

    let incomplete = "The address is not complete";
    let author = |rest: &str| format!("/lams/tool/mdquiz10/authoring.do?{rest}");
    let learner = |rest: &str| format!("/lams/tool/mdquiz10/learning.do?{rest}");
    let mut cases = Vec::new();
    for rest in [
        "contentFolderID=f1",
        "toolContentID=&contentFolderID=f1",
        "toolContentID=abc&contentFolderID=f1",
        "toolContentID=0&contentFolderID=f1",
        "toolContentID=-1&contentFolderID=f1",
        "toolContentID=9223372036854775808&contentFolderID=f1",
        "toolContentID=1",
        "toolContentID=1&contentFolderID=+",
        "toolContentID=1&contentFolderID=f1&mode=sorcerer",
        "toolContentID=1&toolContentID=2&contentFolderID=f1",
        "toolContentID=1&contentFolderID=%FF",
        "toolContentID=1&contentFolderID=%zz",
        "dispatch=updateContent&toolContentID=50",
        "dispatch=updateContent&toolContentID=x&extToolContentID=5",
        "dispatch=deleteContent&toolContentID=50",
    ] {
        cases.push((author(&format!("{rest}{CSV}")), 400, incomplete));
    }
    for rest in [
        "toolSessionID=60",
        "mode=learner",
        "mode=learner&toolSessionID=six",
        "mode=pirate&toolSessionID=60",
        "mode=learner&toolSessionID=60&userID=a%00b",
        "dispatch=finishActivity",
        "dispatch=finishActivity&toolSessionID=0",
        "dispatch=finishActivity&toolSessionID=60&uid=a%00b",
        "dispatch=nothing&toolSessionID=60",
    ] {
        cases.push((learner(rest), 400, incomplete));
    }
    cases.push((
        "/lams/tool/mdquiz10/monitoring.do?toolContentID=50".into(),
        400,
        incomplete,
    ));
    let no_ext_id = "The external system did not say what it saved";
    for ext_id in [
        "0",
        "-1",
        "%2B5",
        "abc",
        "1.5",
        "9223372036854775808",
        "5%206",
    ] {
        let rest = format!("dispatch=updateContent&toolContentID=50&extToolContentID={ext_id}");
        cases.push((author(&rest), 400, no_ext_id));
    }
    let no_course = "It is not clear which course this activity is for";
    for csv in [
        "",
        "bill",
        "bill,7",
        "bill,7,3,",
        ",7,3,moodle",
        "bill,,3,moodle",
        "bill,7,3,moodle,more",
        "\"bill,7,3,moodle",
    ] {
        cases.push((
            format!("{AUTHOR}&customCSV={}", urlencoding::encode(csv)),
            400,
            no_course,
        ));
        // Its form is checked also where saved values win.
        let saved = AUTHOR.replace("toolContentID=1", "toolContentID=50");
        cases.push((
            format!("{saved}&customCSV={}", urlencoding::encode(csv)),
            400,
            no_course,
        ));
    }
    cases.push((
        AUTHOR.to_owned(),
        400,
        "It is not known which course this activity is for",
    ));
    all_refused(&gateway, &cases).await;
}

#[actix_web::test]
async fn a_method_that_an_address_does_not_take_is_answered_with_those_that_it_takes() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::open()).await;
    let finish = "/lams/tool/mdquiz10/learning.do?dispatch=finishActivity";
    for (method, path, methods) in [
        ("POST", "/lams/tool/mdquiz10/learning.do", "GET"),
        ("HEAD", "/lams/tool/mdquiz10/learning.do", "GET"),
        ("POST", "/lams/tool/mdquiz10/authoring.do", "GET"),
        ("POST", "/lams/tool/mdquiz10/monitoring.do", "GET"),
        ("POST", finish, "GET"),
        ("PUT", "/lams/LoginRequest", "GET, POST"),
        ("POST", "/api/openapi.json", "GET"),
        ("POST", "/api/docs", "GET"),
        ("HEAD", "/admin/servers", "GET"),
        ("GET", "/admin/sign-out", "POST"),
        ("GET", "/admin/servers/enable", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
    ] {
        let page = gateway.call_page(method, path).await;
        let allow = page.headers.get("allow").map(String::as_str);
        assert_eq!((page.status, allow), (405, Some(methods)), "{path}");
    }
}

#[rstest]
#[actix_web::test]
async fn servers_that_may_not_be_used_are_told(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let more = r#"
[[servers]]
id = "off"
url = "http://off.example.org/"
key = "k"
prefix = "off"
enabled = false
tools = ["mdquiz10"]
[[servers]]
id = "other"
url = "http://other.example.org/"
key = "k"
prefix = "oth"
tools = ["mdfrum10"]
"#;
    let gateway = Gateway::start(
        kind,
        Setup {
            more: more.into(),
            ..Setup::open()
        },
    )
    .await;
    let csv = |csv: &str| format!("{AUTHOR}&customCSV={csv}");
    let quiz = csv("bill,7,3");
    let forum =
        "/lams/tool/mdfrum10/authoring.do?toolContentID=1&contentFolderID=f1&customCSV=a,b,c";
    all_refused(
        &gateway,
        &[
            (
                csv("bill,7,3,nobody"),
                403,
                "The external system is not connected here",
            ),
            (
                csv("bill,7,3,Moodle"),
                403,
                "The external system is not connected here",
            ),
            (
                csv("bill,7,3,no%20id"),
                403,
                "The external system is not connected here",
            ),
            (
                csv("bill,7,3,off"),
                403,
                "The external system is switched off here",
            ),
            (
                csv("bill,7,3,other"),
                403,
                "The external system is not connected to this tool",
            ),
            (
                format!("{quiz}&extLmsId=nobody"),
                403,
                "The external system is not connected here",
            ),
            // Two are mapped, though one of them is off.
            (
                quiz.clone(),
                400,
                "It is not clear where this activity lives",
            ),
            (
                format!("{quiz}&extLmsId="),
                400,
                "It is not clear where this activity lives",
            ),
            (
                forum.into(),
                400,
                "It is not clear where this activity lives",
            ),
        ],
    )
    .await;
    // The older form finds the server that is named, or the only one.
    for (path, server) in [
        (
            format!("{quiz}&extLmsId=moodle"),
            "http://moodle.example.org/",
        ),
        (
            format!("{forum}&extLmsId=other"),
            "http://other.example.org/",
        ),
        (
            forum.replace("mdfrum10", "mdchat10"),
            "http://moodle.example.org/",
        ),
    ] {
        let location = gateway.get(&path).await.location();
        assert!(location.starts_with(server), "{location}");
    }
}

#[rstest]
#[actix_web::test]
async fn what_is_not_there_is_told(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = Gateway::start(kind, Setup::open()).await;
    let callback = "dispatch=updateContent&toolContentID=9&extToolContentID=5";
    all_refused(
        &gateway,
        &[
            (
                "/nobody/tool/mdquiz10/authoring.do".into(),
                404,
                "This LAMS is not known here",
            ),
            (
                "/lams/tool/mdnone10/authoring.do".into(),
                404,
                "This tool is not known here",
            ),
            (
                format!("/lams/tool/mdquiz10/authoring.do?{callback}"),
                404,
                "This activity is not known here",
            ),
            (
                "/lams/tool/mdquiz10/monitoring.do?toolContentID=9&contentFolderID=f".into(),
                404,
                "This activity is not known here",
            ),
            (
                "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=9".into(),
                404,
                "This group's activity is not known here",
            ),
            (
                "/lams/tool/mdquiz10/learning.do?dispatch=finishActivity&toolSessionID=9".into(),
                404,
                "This group's activity is not known here",
            ),
            (
                "/lams/tool/mdquiz10/learning.do?dispatch=finishActivity&toolSessionID=9&uid=a"
                    .into(),
                404,
                "This group's activity is not known here",
            ),
            (
                "/lams/tool/mdquiz10/nothing.do".into(),
                404,
                "There is no such page",
            ),
            ("/nothing".into(), 404, "There is no such page"),
        ],
    )
    .await;
    let posted = gateway
        .client()
        .post(format!("{}{AUTHOR}", gateway.base))
        .send()
        .await
        .unwrap();
    let page = crate::support::Page::read(posted).await;
    assert_eq!(page.refused(405), "This cannot be done here");
}

#[rstest]
#[actix_web::test]
async fn what_comes_too_early_or_twice_is_told(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    let page = gateway.author("mdquiz10", 1).await;
    let callback = crate::support::callback_of(&page.location());

    // No session of content that was not saved outside.
    let before = gateway.rows().await;
    let body = json!({"toolContentID": 1});
    let early = gateway
        .call("PUT", "/tools/mdquiz10/sessions/2", Some(body))
        .await;
    assert_eq!(early.refused(409), "not-saved-yet");
    assert_eq!(gateway.rows().await, before);

    // A state counts once: the same again is fine, another id is not.
    let saved = gateway
        .get_public(&format!("{callback}&extToolContentID=5"))
        .await;
    assert_eq!(saved.status, 200);
    let before = gateway.rows().await;
    let again = gateway
        .get_public(&format!("{callback}&extToolContentID=5"))
        .await;
    assert_eq!((again.status, again.text("h1")), (200, saved.text("h1")));
    let other = gateway
        .get_public(&format!("{callback}&extToolContentID=6"))
        .await;
    assert_eq!(other.refused(409), "This return was used before");
    assert_eq!(gateway.rows().await, before);
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1", None)
        .await
        .json();
    assert_eq!(content["extToolContentID"], "5");

    // A new launch brings a new state, and an older one cannot bring the older id back.
    let newer = gateway.author("mdquiz10", 1).await;
    let newer = crate::support::callback_of(&newer.location());
    gateway
        .get_public(&format!("{newer}&extToolContentID=6"))
        .await;
    gateway
        .get_public(&format!("{callback}&extToolContentID=5"))
        .await;
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1", None)
        .await
        .json();
    assert_eq!(content["extToolContentID"], "6");
}

#[actix_web::test]
async fn without_its_database_it_says_what_waits_and_launches_what_it_knows() {
    let (mut gateway, _peer) = Gateway::with_session(Kind::Postgres, Setup::open()).await;
    gateway.session("mdquiz10", 3, 1).await;
    let learn = |session: i64| {
        format!("/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID={session}&uid=mdl_Anna")
    };
    let back = "/lams/tool/mdquiz10/learning.do?dispatch=finishActivity&toolSessionID=3";
    gateway.get(&learn(2)).await.location();
    assert_eq!(gateway.get("/readyz").await.status, 200);
    gateway.database.lock_out().await;

    let new = format!(
        "{}{CSV}",
        AUTHOR.replace("toolContentID=1", "toolContentID=9")
    );
    for path in [
        new.clone(),
        learn(3),
        back.to_owned(),
        format!("{back}&uid=mdl_Anna"),
    ] {
        let page = gateway.get(&path).await;
        assert_eq!(page.refused(503), "This cannot be done just now", "{path}");
        assert_eq!(page.headers["retry-after"], "5");
    }
    for _ in 0..20 {
        gateway.get(&learn(2)).await.location();
    }
    let ready = gateway.get("/readyz").await;
    assert_eq!(
        (ready.status, gateway.get("/healthz").await.status),
        (503, 200)
    );

    gateway.database.let_in().await;
    Gateway::until("ready again", || async {
        gateway.get("/readyz").await.status == 200
    })
    .await;
    gateway.get(&new).await.location();
    gateway.get(&learn(3)).await.location();
    assert!(gateway.stop().success());
    let opened = "select count(*) from session_users where opened_at is not null";
    assert_eq!(gateway.database.number(opened).await, 2);
}

#[actix_web::test]
async fn an_address_that_guesses_has_to_wait_but_a_signed_launch_never() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    for _ in 0..100 {
        assert_eq!(gateway.get(AUTHOR).await.status, 401);
    }
    let page = gateway.get(AUTHOR).await;
    assert_eq!(page.refused(429), "Too many refused requests");
    assert!(page.headers["retry-after"].parse::<u64>().unwrap() >= 1);

    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    gateway.get_signed(learn, "mdl_Anna").await.location();
    // Even one that is refused for another reason.
    let nowhere = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=3";
    assert_eq!(gateway.get_signed(nowhere, "mdl_Anna").await.status, 404);
    assert_eq!(
        gateway
            .call("GET", "/tools/mdquiz10/contents/9", None)
            .await
            .status,
        404
    );
}
