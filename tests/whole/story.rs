//! One activity from the author's first click to the monitor's last, with everything switched on, on
//! both databases.

use rstest::rstest;
use serde_json::json;
use toolgate::domain::hash::external_hash;

use crate::support::{Answer, Gateway, Kind, Page, Peer, Setup, parameter};

/// Whether an address ends with the signature of protocol 6.1 for `un`.
fn assert_signed_for(address: &str, un: &str) {
    let ts = parameter(address, "ts").unwrap();
    let hs = external_hash(&ts, un, "moodle", "S3cretKey");
    let end = format!("&un={un}&ts={ts}&hs={hs}");
    assert!(address.ends_with(&end), "{address} does not end with {end}");
}

fn return_address(page: &Page) -> String {
    parameter(&page.location(), "returnUrl").unwrap()
}

#[rstest]
#[actix_web::test]
async fn an_activity_is_authored_learned_and_monitored(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let finish_url = Some("finished.do?s={toolSessionID}&u={uid}");
    let setup = Setup {
        adapter_page: peer.url.clone(),
        finish_url,
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;

    // The author opens it, saves it in Moodle, and comes back.
    let page = gateway.author("mdquiz10", 1001).await;
    assert_signed_for(&page.location(), "bill");
    let callback = crate::support::callback_of(&page.location());
    let saved = gateway
        .get_public(&format!(
            "{callback}&dispatch=updateContent&extToolContentID=555"
        ))
        .await;
    assert_eq!(saved.status, 200);
    assert_eq!(saved.text("#ext-tool-content-id").as_deref(), Some("555"));
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1001", None)
        .await
        .json();
    let mut shown = content.clone();
    for time in ["createdAt", "updatedAt"] {
        let written = shown.as_object_mut().unwrap().remove(time).unwrap();
        assert!(written.as_str().unwrap().ends_with('Z'), "{written}");
    }
    assert_eq!(
        shown,
        json!({
            "toolContentID": 1001, "signature": "mdquiz10", "extLmsId": "moodle", "user": "bill",
            "course": "7", "section": "3", "extToolContentID": "555", "defineLater": false,
            "runOffline": false, "contentInUse": false,
        })
    );

    // The saved page leads back to editing, in the author's name.
    let again = gateway
        .get_public(&saved.attributes("#edit-again", "href")[0])
        .await
        .location();
    assert_eq!(parameter(&again, "id").as_deref(), Some("555"));
    assert_signed_for(&again, "bill");

    // The first learner of a group makes LAMS ask for a session, which gets a copy of its own.
    let made = gateway.session("mdquiz10", 2001, 1001).await.json();
    assert_eq!(made["extSessionID"], "700");
    let clone = &peer.requests()[0];
    for (name, value) in [
        ("method", "clone"),
        ("extToolContentID", "555"),
        ("un", "bill"),
        ("cs", "7"),
        ("section", "3"),
    ] {
        assert_eq!(
            parameter(clone, name).as_deref(),
            Some(value),
            "{name} in {clone}"
        );
    }
    let hs = external_hash(
        &parameter(clone, "ts").unwrap(),
        "bill",
        "moodle",
        "S3cretKey",
    );
    assert_eq!(parameter(clone, "hs"), Some(hs));
    let body = json!({"toolContentID": 1001, "name": "another name"});
    let again = gateway
        .call("PUT", "/tools/mdquiz10/sessions/2001", Some(body))
        .await;
    assert_eq!((again.status, again.json()), (200, made));
    assert_eq!(
        peer.requests().len(),
        1,
        "the same session is not cloned twice"
    );

    // Anna learns, finishes, and goes on.
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2001";
    let page = gateway.get_signed(learn, "mdl_Anna").await;
    assert_signed_for(&page.location(), "Anna");
    assert_eq!(
        parameter(&page.location(), "isFinished").as_deref(),
        Some("false")
    );
    let finished = gateway.get_public(&return_address(&page)).await;
    assert_eq!(
        finished.location(),
        "http://lams.example.org:8080/lams/finished.do?s=2001&u=mdl_Anna"
    );
    let page = gateway.get_signed(learn, "mdl_Anna").await;
    assert_eq!(
        parameter(&page.location(), "isFinished").as_deref(),
        Some("true")
    );
    assert_eq!(
        gateway.get_public(&return_address(&page)).await.status,
        302,
        "the same return again"
    );

    // Ben opens it; a teacher looks in and comes back; neither is finished by that.
    gateway.get_signed(learn, "mdl_Ben").await.location();
    let teacher = gateway
        .get_signed(
            "/lams/tool/mdquiz10/learning.do?mode=teacher&toolSessionID=2001",
            "mdl_bill",
        )
        .await;
    assert!(
        teacher
            .location()
            .starts_with("http://moodle.example.org/moodle/mod/quiz/report.php?&id=700")
    );
    let back = gateway.get_public(&return_address(&teacher)).await;
    assert_eq!(
        (back.status, back.text("h1").as_deref()),
        (200, Some("You are back"))
    );

    // The monitor sees both, opens the session, comes back, and is not marked either.
    let monitor = "/lams/tool/mdquiz10/monitoring.do?toolContentID=1001&contentFolderID=f1";
    let page = gateway.get_signed(monitor, "mdl_bill").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text("section h2").as_deref(), Some("Group 1"));
    assert_eq!(
        page.attributes("tr[data-user]", "data-user"),
        ["mdl_Anna", "mdl_Ben"]
    );
    assert_eq!(
        page.attributes("td[data-finished]", "data-finished"),
        ["true", "false"]
    );
    let link = &page.attributes("a[data-monitor]", "href")[0];
    assert_signed_for(link, "bill");
    let back = gateway
        .get_public(&parameter(link, "returnUrl").unwrap())
        .await;
    assert_eq!(back.text("h1").as_deref(), Some("You are back"));
    let page = gateway.get_signed(monitor, "mdl_bill").await;
    assert_eq!(
        page.attributes("tr[data-user]", "data-user"),
        ["mdl_Anna", "mdl_Ben"]
    );

    // It is in use now; a previewing author is marked when coming back.
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1001", None)
        .await
        .json();
    assert_eq!(content["contentInUse"], true);
    let preview = gateway
        .get_signed(
            "/lams/tool/mdquiz10/learning.do?mode=author&toolSessionID=2001",
            "mdl_bill",
        )
        .await;
    gateway
        .get_public(&return_address(&preview))
        .await
        .location();
    let page = gateway.get_signed(monitor, "mdl_bill").await;
    assert_eq!(
        page.attributes("td[data-finished]", "data-finished"),
        ["true", "false", "true"]
    );
}
