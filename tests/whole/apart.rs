//! Platforms are kept apart, and a state is used once, whoever races for it.

use std::sync::Arc;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use toolgate::domain::launch_signature::LaunchKey;

use crate::support::{Gateway, Kind, PUBLIC_URL, Setup, callback_of, parameter};

const OTHER: &str = "[[platforms]]\nid = \"other\"\nurl = \"https://other.example.org/lams/\"\n\
                     launch_secret = \"launch-secret-of-the-other\"\napi_token = \"api-token-of-the-other\"\n";
const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";

#[rstest]
#[actix_web::test]
async fn no_platform_reaches_what_is_anothers(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let setup = Setup {
        more: OTHER.to_owned(),
        ..Setup::default()
    };
    let (gateway, peer) = Gateway::with_session(kind, setup).await;
    let before = gateway.rows().await;
    let (content, session) = ("/tools/mdquiz10/contents/1", "/tools/mdquiz10/sessions/2");
    for (method, path, body) in [
        ("GET", content.to_owned(), None),
        (
            "PATCH",
            content.to_owned(),
            Some(json!({"runOffline": true})),
        ),
        ("DELETE", format!("{content}?removeSessionData=true"), None),
        ("GET", format!("{content}/export"), None),
        ("GET", format!("{content}/output-definitions"), None),
        ("GET", session.to_owned(), None),
        ("DELETE", session.to_owned(), None),
        (
            "PUT",
            "/tools/mdquiz10/sessions/3".to_owned(),
            Some(json!({"toolContentID": 1})),
        ),
        (
            "POST",
            format!("{session}/leave"),
            Some(json!({"user": "mdl_Anna"})),
        ),
        ("GET", format!("{session}/outputs?user=mdl_Anna"), None),
        ("GET", format!("{session}/portfolio?user=mdl_Anna"), None),
    ] {
        let token = Some("api-token-of-the-other");
        let page = gateway.call_with(method, &path, body, token).await;
        assert_eq!(page.status, 404, "{method} {path}: {}", page.body);
    }
    // A copy of what is another's is one of nothing.
    let body = json!({"from": 1, "customCSV": "bill,7,3,moodle"});
    let copied = gateway
        .call_with(
            "POST",
            "/tools/mdquiz10/contents/5/copy",
            Some(body),
            Some("api-token-of-the-other"),
        )
        .await;
    assert_eq!(copied.status, 201, "{}", copied.body);
    let asked = peer.requests();
    let source = parameter(asked.last().unwrap(), "extToolContentID");
    assert_ne!(source.as_deref(), Some("555"), "{asked:?}");
    assert_eq!(gateway.rows().await[1..], before[1..]);
    assert_eq!(gateway.call("GET", content, None).await.status, 200);

    // Nor by a launch: each has a secret of its own, and numbers of its own.
    let theirs = LEARN.replace("/lams/", "/other/");
    let signed = gateway.sign(&theirs, "mdl_Anna");
    assert_eq!(gateway.get(&signed).await.status, 401);
    let key = LaunchKey::new("launch-secret-of-the-other");
    let now = chrono::Utc::now();
    assert_eq!(
        gateway.get(&key.sign(LEARN, "mdl_Anna", now)).await.status,
        401
    );
    assert_eq!(
        gateway
            .get(&key.sign(&theirs, "mdl_Anna", now))
            .await
            .status,
        404
    );
    // Nor by a state.
    let learner = gateway.get_signed(LEARN, "mdl_Anna").await.location();
    let back = parameter(&learner, "returnUrl")
        .unwrap()
        .replace("/lams/", "/other/");
    assert_eq!(gateway.get_public(&back).await.status, 401);
}

#[rstest]
#[actix_web::test]
async fn a_state_that_many_bring_back_at_once_counts_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let one = Gateway::start(kind, Setup::default()).await;
    let two = Gateway::start_on(one.database.clone(), Setup::default());
    let gateways = Arc::new([one, two]);
    let callback = callback_of(&gateways[0].author("mdquiz10", 1).await.location());
    let callback = callback.strip_prefix(PUBLIC_URL).unwrap();
    let returns = (1000..1100).map(|id| {
        let gateways = gateways.clone();
        let path = format!("{callback}&extToolContentID={id}");
        async move { (id, gateways[id % 2].get(&path).await) }
    });
    let answers = join_all(returns).await;
    let (saved, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|(_, page)| page.status == 200);
    let [(winner, _)] = saved[..] else {
        panic!("{} were saved", saved.len())
    };
    for (_, page) in refused {
        assert_eq!(page.refused(409), "This return was used before");
    }
    let content = gateways[1]
        .call("GET", "/tools/mdquiz10/contents/1", None)
        .await
        .json();
    assert_eq!(content["extToolContentID"], winner.to_string());
}
