//! What is removed, what is left behind by that, and who leaves.

use rstest::rstest;
use serde_json::json;

use crate::support::{Gateway, Kind, Setup, binary, environment, parameter};

const CONTENT: &str = "/tools/mdquiz10/contents/1";
const SESSION: &str = "/tools/mdquiz10/sessions/2";
const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";

#[rstest]
#[actix_web::test]
async fn what_is_removed_is_forgotten_here_and_listed_as_left_behind(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let other = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    let instances = || [&gateway, &other];
    for instance in instances() {
        let location = instance.get_signed(LEARN, "mdl_Anna").await.location();
        assert_eq!(parameter(&location, "id").as_deref(), Some("700"));
    }
    let before = gateway.rows().await;
    assert_eq!(
        gateway.call("DELETE", CONTENT, None).await.refused(409),
        "has-sessions"
    );
    let unclear = format!("{CONTENT}?removeSessionData=perhaps");
    assert_eq!(
        gateway.call("DELETE", &unclear, None).await.refused(400),
        "parameter"
    );
    assert_eq!(gateway.rows().await, before);

    // The number of a removed session is free, and no instance sends anybody to the old copy.
    let removed = gateway.call("DELETE", SESSION, None).await;
    assert_eq!((removed.status, removed.body.as_str()), (204, ""));
    assert_eq!(
        gateway.call("DELETE", SESSION, None).await.refused(404),
        "unknown-session"
    );
    for instance in instances() {
        Gateway::until("the session is forgotten", || async {
            instance.get_signed(LEARN, "mdl_Anna").await.status == 404
        })
        .await;
    }
    let again = gateway.session("mdquiz10", 2, 1).await;
    assert_eq!(again.json()["extSessionID"], "701");
    for instance in instances() {
        let location = instance.get_signed(LEARN, "mdl_Anna").await.location();
        assert_eq!(parameter(&location, "id").as_deref(), Some("701"));
    }

    let removed = gateway
        .call("DELETE", &format!("{CONTENT}?removeSessionData=true"), None)
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(gateway.call("GET", CONTENT, None).await.status, 404);
    assert_eq!(gateway.call("GET", SESSION, None).await.status, 404);
    assert_eq!(
        gateway
            .database
            .number("select count(*) from journal")
            .await,
        0
    );
    let list = binary()
        .args(["journal", "list"])
        .envs(environment(&gateway.database))
        .output()
        .unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    for line in [
        "mdquiz10 700 on moodle: session lams/mdquiz10/2 was removed",
        "mdquiz10 701 on moodle: session lams/mdquiz10/2 was removed",
        "mdquiz10 555 on moodle: content lams/mdquiz10/1 was removed",
    ] {
        assert!(list.contains(line), "{list}");
    }
    assert_eq!(list.lines().count(), 3, "{list}");
}

#[actix_web::test]
async fn one_who_leaves_is_finished_and_told_where_to_go() {
    let setup = Setup {
        finish_url: Some("next.do?s={toolSessionID}&u={uid}"),
        ..Setup::default()
    };
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup).await;
    let leave = |session: i64, user: &str| {
        let (path, body) = (
            format!("/tools/mdquiz10/sessions/{session}/leave"),
            json!({"user": user}),
        );
        let gateway = &gateway;
        async move { gateway.call("POST", &path, Some(body)).await }
    };
    let left = leave(2, "mdl_Anna").await;
    let url = "http://lams.example.org:8080/lams/next.do?s=2&u=mdl_Anna";
    assert_eq!((left.status, left.json()), (200, json!({"url": url})));
    let location = gateway.get_signed(LEARN, "mdl_Anna").await.location();
    assert_eq!(parameter(&location, "isFinished").as_deref(), Some("true"));
    assert_eq!(leave(3, "mdl_Anna").await.refused(404), "unknown-session");
    for user in ["", " ", "a\u{0}b"] {
        assert_eq!(leave(2, user).await.refused(400), "parameter");
    }
    assert_eq!(
        gateway
            .database
            .number("select count(*) from session_users")
            .await,
        1
    );
}
