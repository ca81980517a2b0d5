//! Outputs and portfolios through the binary: asked for in the learner's name, read strictly, all or none.

use std::collections::HashMap;

use serde_json::json;
use toolgate::domain::hash::external_hash;

use crate::support::{Answer, Gateway, Kind, Peer, Setup, parameter};

const OPTIONS: &str = "<choices><choice option=\"Tea &amp; milk\" optionID=\"17\"/><choice option=\"Water\" optionID=\"18\"/></choices>";

/// A gateway with content 1, saved as 555, and session 2 of it, whose copy is 700.
async fn with_session(tool: &str) -> (Gateway, Peer) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    gateway.saved_content(tool, 1, "555").await;
    gateway.session(tool, 2, 1).await;
    (gateway, peer)
}

fn says(answers: &[(&'static str, &str)]) -> Answer {
    let answers = answers
        .iter()
        .map(|(method, body)| (*method, (200, body.as_bytes().to_vec())));
    Answer::ByMethod(HashMap::from_iter(answers))
}

#[actix_web::test]
async fn every_adapter_has_the_outputs_of_the_protocol() {
    let expected = [
        (
            "mdfrum10",
            vec!["learner.number.of.posts", "learner.number.of.words"],
        ),
        ("mdchat10", vec!["learner.number.of.messages"]),
        ("mdasgm10", vec!["learner.number.of.files.submitted"]),
        ("mdscrm10", vec!["learner.number.of.different.scoes"]),
        ("mdquiz10", vec!["learner.percentage.grade"]),
        ("mdlesn10", vec!["learner.percentage.grade"]),
        (
            "mdwiki10",
            vec![
                "learner.number.of.entries",
                "learner.number.of.pages",
                "learner.number.of.entries.or.pages",
            ],
        ),
        (
            "mdglos10",
            vec!["learner.number.of.comments", "learner.number.of.entries"],
        ),
        (
            "dlfrum10",
            vec!["learner.number.of.posts", "learner.number.of.words"],
        ),
    ];
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    for (tool, names) in expected {
        peer.answers(Answer::Ids(700));
        gateway.saved_content(tool, 1, "555").await;
        gateway.session(tool, 2, 1).await;
        let path = format!("/tools/{tool}/contents/1/output-definitions");
        let definitions = gateway.call("GET", &path, None).await.json();
        let long = |name: &&str| json!({"name": name, "type": "LONG", "start": 0, "end": null, "conditions": []});
        let expected: Vec<_> = names.iter().map(long).collect();
        assert_eq!(definitions, json!({"definitions": expected}), "{tool}");

        peer.answers(Answer::Says(200, "85\n".into()));
        let asked_before = peer.asked().len();
        let user = if tool == "dlfrum10" {
            "lrn_Anna"
        } else {
            "mdl_Anna"
        };
        let path = format!("/tools/{tool}/sessions/2/outputs?user={user}");
        let outputs = gateway.call("GET", &path, None).await.json();
        let value = |name: &&str| json!({"name": name, "type": "LONG", "value": 85});
        let expected: Vec<_> = names.iter().map(value).collect();
        assert_eq!(outputs, json!({"outputs": expected}), "{tool}");
        let mut asked: Vec<_> = peer.requests()[asked_before..]
            .iter()
            .map(|sent| parameter(sent, "oname").unwrap())
            .collect();
        asked.sort();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(asked, sorted, "{tool}");
    }
}

#[actix_web::test]
async fn an_output_is_asked_for_in_the_learners_name_and_changes_nothing() {
    let (gateway, peer) = with_session("mdquiz10").await;
    peer.answers(Answer::Says(200, "85".into()));
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1", None)
        .await
        .json();
    // A name without the server's prefix is the external one already.
    for (user, un) in [
        ("mdl_Anna", "Anna"),
        ("anna", "anna"),
        ("mdlAnna", "mdlAnna"),
        ("mdl_", "mdl_"),
    ] {
        let path =
            format!("/tools/mdquiz10/sessions/2/outputs?user={user}&name=learner.percentage.grade");
        let outputs = gateway.call("GET", &path, None).await.json();
        assert_eq!(outputs["outputs"][0]["value"], 85);
        let sent = peer.requests().pop().unwrap();
        let ts = parameter(&sent, "ts").unwrap();
        let hs = external_hash(&ts, un, "moodle", "S3cretKey");
        for (name, value) in [
            ("un", un),
            ("hs", &hs),
            ("cs", "7"),
            ("section", "3"),
            ("method", "output"),
            ("extToolContentID", "700"),
            ("oname", "learner.percentage.grade"),
        ] {
            assert_eq!(parameter(&sent, name).as_deref(), Some(value), "{name}");
        }
    }
    assert_eq!(
        gateway
            .call("GET", "/tools/mdquiz10/contents/1", None)
            .await
            .json(),
        content
    );
    assert_eq!(
        gateway
            .database
            .number("select count(*) from session_users")
            .await,
        0
    );
}

#[actix_web::test]
async fn a_choice_has_a_condition_and_a_boolean_for_each_option() {
    let (gateway, peer) = with_session("mdchce10").await;
    peer.answers(says(&[("getoptions", OPTIONS), ("output", "TRUE")]));
    let path = "/tools/mdchce10/contents/1/output-definitions";
    let definitions = gateway.call("GET", path, None).await.json();
    let condition = |id: i64, text: &str| json!({"name": format!("learner.choice.output#{id}"), "displayName": text, "type": "BOOLEAN"});
    assert_eq!(
        definitions,
        json!({"definitions": [{
            "name": "learner.choice.output", "type": "SET_BOOLEAN", "start": null, "end": null,
            "conditions": [condition(17, "Tea & milk"), condition(18, "Water")],
        }]})
    );
    let asked = peer.requests().pop().unwrap();
    assert_eq!(
        parameter(&asked, "extToolContentID").as_deref(),
        Some("555")
    );

    let outputs = "/tools/mdchce10/sessions/2/outputs?user=mdl_Anna";
    let value = |id: i64| json!({"name": format!("learner.choice.output#{id}"), "type": "BOOLEAN", "value": true});
    assert_eq!(
        gateway.call("GET", outputs, None).await.json(),
        json!({"outputs": [value(17), value(18)]})
    );
    let one = gateway
        .call(
            "GET",
            &format!("{outputs}&name=learner.choice.output%2317"),
            None,
        )
        .await;
    assert_eq!(one.json(), json!({"outputs": [value(17)]}));
    let sent = peer.requests().pop().unwrap();
    for (name, value) in [
        ("oname", "learner.choice.output"),
        ("optionID", "17"),
        ("orderID", "17"),
        ("un", "Anna"),
    ] {
        assert_eq!(parameter(&sent, name).as_deref(), Some(value), "{name}");
    }
    // No option is chosen by none, and nobody is asked.
    let before = peer.requests().len();
    let none = gateway
        .call(
            "GET",
            &format!("{outputs}&name=learner.choice.output"),
            None,
        )
        .await;
    assert_eq!(none.json()["outputs"][0]["value"], false);
    assert_eq!(peer.requests().len(), before);

    for (options, status) in [
        ("<choices/>", 200),
        ("<html><body>Log in", 502),
        (
            "<!DOCTYPE c [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><c><choice option=\"&e;\" optionID=\"1\"/></c>",
            502,
        ),
    ] {
        peer.answers(says(&[("getoptions", options)]));
        let page = gateway.call("GET", path, None).await;
        assert_eq!(page.status, status, "{}", page.body);
        if status == 200 {
            assert_eq!(page.json(), json!({"definitions": []}));
        }
        assert!(!page.body.contains("root:"), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_value_that_is_none_fails_the_whole_list() {
    let (gateway, peer) = with_session("mdquiz10").await;
    let outputs = "/tools/mdquiz10/sessions/2/outputs?user=mdl_Anna";
    for (answer, words) in [
        (
            Answer::Says(200, "<html>".into()),
            "no whole number: “<html>”",
        ),
        (
            Answer::Says(200, String::new()),
            "no whole number: an empty answer",
        ),
        (Answer::Says(200, "7.5".into()), "no whole number: “7.5”"),
        (Answer::Says(500, "x".into()), "status 500"),
        (Answer::HangsUp, "the connection broke"),
    ] {
        peer.answers(answer);
        let page = gateway.call("GET", outputs, None).await;
        page.refused(502);
        assert!(
            page.body.contains(words),
            "{} does not say {words}",
            page.body
        );
    }
    for (query, status) in [
        ("", 400),
        ("?user=", 400),
        ("?user=a&user=b", 400),
        ("?user=a&name=", 400),
    ] {
        let path = format!("/tools/mdquiz10/sessions/2/outputs{query}");
        assert_eq!(
            gateway.call("GET", &path, None).await.refused(status),
            "parameter"
        );
    }
    let unknown = gateway
        .call("GET", "/tools/mdquiz10/sessions/3/outputs?user=a", None)
        .await;
    assert_eq!(unknown.refused(404), "unknown-session");
}

#[actix_web::test]
async fn a_portfolio_comes_through_in_the_learners_name_under_a_safe_file_name() {
    let (gateway, peer) = with_session("mdquiz10").await;
    let page = "<h1>Änna</h1>".as_bytes().to_vec();
    peer.answers(Answer::ByMethod(HashMap::from([(
        "export_portfolio",
        (200, page.clone()),
    )])));
    let path = "/tools/mdquiz10/sessions/2/portfolio?user=mdl_..%2F..%2FAnna%22%0A";
    assert_eq!(
        gateway.call("GET", path, None).await.refused(400),
        "parameter"
    );
    let path = "/tools/mdquiz10/sessions/2/portfolio?user=mdl_..%2F..%2FAnna%22";
    let (bytes, headers) = gateway.download(path).await;
    assert_eq!(bytes, page);
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"mdquiz10-2-______Anna_\""
    );
    assert_eq!(
        headers["content-security-policy"],
        "sandbox; default-src 'none'"
    );
    let sent = peer.requests().pop().unwrap();
    for (name, value) in [
        ("un", "../../Anna\""),
        ("method", "export_portfolio"),
        ("extToolContentID", "700"),
    ] {
        assert_eq!(parameter(&sent, name).as_deref(), Some(value), "{name}");
    }

    // A long one comes whole too, and one that breaks off is none.
    let long = vec![b'x'; 3 << 20];
    peer.answers(Answer::ByMethod(HashMap::from([(
        "export_portfolio",
        (200, long.clone()),
    )])));
    assert!(gateway.download(path).await.0 == long);
    peer.answers(Answer::Says(200, String::new()));
    let none = gateway.call("GET", path, None).await;
    assert_eq!(none.refused(404), "no-portfolio");
    peer.answers(Answer::Breaks(vec![b'x'; 1 << 20]));
    gateway.call("GET", path, None).await.refused(502);
}

#[actix_web::test]
async fn a_monitor_sees_what_learners_have_achieved() {
    let (gateway, peer) = with_session("mdfrum10").await;
    let learn = "/lams/tool/mdfrum10/learning.do?mode=learner&toolSessionID=2";
    for user in ["mdl_Anna", "mdl_Ben"] {
        gateway.get_signed(learn, user).await.location();
    }
    let monitor = "/lams/tool/mdfrum10/monitoring.do?toolContentID=1&contentFolderID=f1";
    peer.answers(says(&[("output", "12")]));
    let page = gateway.get_signed(monitor, "mdl_bill").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Number of posts") && page.body.contains("Number of words"));
    assert_eq!(page.attributes("td[data-output]", "class").len(), 4);
    assert_eq!(
        page.text("tr[data-user=\"mdl_Anna\"] td[data-output]")
            .as_deref(),
        Some("12")
    );

    // The page is there also when the server is not, and says so.
    peer.answers(Answer::Says(500, "oops".into()));
    let page = gateway.get_signed(monitor, "mdl_bill").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.attributes("td[data-output-unknown]", "title"),
        ["not known"; 4]
    );
    assert!(
        page.text("#results-problem")
            .unwrap()
            .contains("status 500")
    );
}
