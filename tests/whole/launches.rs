//! What is written down of launches, callbacks and calls: all of it, and no secret.

use rstest::rstest;

use crate::support::{API_TOKEN, Gateway, Kind, LAUNCH_SECRET, Setup, parameter};

#[rstest]
#[actix_web::test]
async fn every_launch_and_call_is_written_down_without_secrets(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (mut gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    let location = gateway.get_signed(learn, "mdl_Anna").await.location();
    let back = parameter(&location, "returnUrl").unwrap();
    assert_eq!(gateway.get_public(&back).await.status, 200);
    let refused = gateway
        .get(&format!("{learn}&ts=1&uid=mdl_Eve&sig=00ff"))
        .await;
    refused.refused(401);
    gateway
        .call(
            "GET",
            "/tools/mdquiz10/sessions/2/outputs?user=mdl_Anna",
            None,
        )
        .await
        .json();
    // What was recorded is stored before it ends.
    assert!(gateway.stop().success());
    let database = &gateway.database;

    let described = "kind || ' ' || outcome || ' ' || status || ' ' || coalesce(server_id, '-') || ' ' || coalesce(user_name, '-')
        || ' ' || coalesce(tool_content_id, 0) || ' ' || coalesce(tool_session_id, 0) || ' ' || coalesce(reason, '-')";
    let mut told = Vec::new();
    for n in 0..5 {
        let sql = format!("select {described} from launches order by id limit 1 offset {n}");
        told.push(database.text(&sql).await.unwrap());
    }
    assert_eq!(
        told,
        [
            "author redirected 302 moodle mdl_bill 1 0 -",
            "callback page 200 moodle mdl_bill 1 0 -",
            "learner redirected 302 moodle mdl_Anna 1 2 -",
            "return page 200 moodle mdl_Anna 1 2 -",
            "learner refused 401 - - 0 2 the launch signature is wrong",
        ]
    );
    assert_eq!(database.number("select count(*) from launches").await, 5);
    assert_eq!(
        database
            .number(
                "select cast(sum(launches) as bigint) from launch_hours where server_id = 'moodle'"
            )
            .await,
        4
    );
    let calls = "select server_id || ' ' || method || ' ' || outcome || ' ' || tool_content_id || ' ' || tool_session_id
        from outgoing_calls order by id limit 1 offset";
    assert_eq!(
        [
            database.text(&format!("{calls} 0")).await.unwrap(),
            database.text(&format!("{calls} 1")).await.unwrap(),
        ],
        ["moodle clone ok 1 2", "moodle output ok 1 2"]
    );

    let written = "came_with || coalesce(sent_to, '') || coalesce(reason, '')";
    let states: Vec<_> = ["state", "hs"]
        .iter()
        .filter_map(|name| parameter(&location, name))
        .collect();
    let state = parameter(&back, "state").unwrap();
    for secret in [LAUNCH_SECRET, API_TOKEN, "S3cretKey", "00ff", &state]
        .iter()
        .copied()
        .chain(states.iter().map(String::as_str))
    {
        let found = format!("select count(*) from launches where {written} like '%{secret}%'");
        assert_eq!(database.number(&found).await, 0, "{secret} is written down");
    }
    let came_with = "select came_with from launches where kind = 'learner' order by id limit 1";
    let came_with = database.text(came_with).await.unwrap();
    assert!(
        came_with.starts_with(learn)
            && came_with.contains("uid=mdl_Anna")
            && came_with.ends_with("&sig=…"),
        "{came_with}"
    );
    let request_id = format!(
        "select count(*) from launches where request_id = '{}'",
        refused.headers["x-request-id"]
    );
    assert_eq!(database.number(&request_id).await, 1);
}

#[actix_web::test]
async fn who_guesses_fills_no_table() {
    let (mut gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    for _ in 0..130 {
        gateway.get(learn).await;
    }
    assert!(gateway.stop().success());
    let refused = "select count(*) from launches where outcome = 'refused'";
    assert_eq!(gateway.database.number(refused).await, 100);
}
