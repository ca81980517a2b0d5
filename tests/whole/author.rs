//! What authors and learners meet beyond the straight way: saved values, locks, offline work, .LRN.

use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Gateway, Kind, Peer, Setup, apply, callback_of, parameter};

#[rstest]
#[actix_web::test]
async fn saved_values_win_over_a_later_custom_csv(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::open()).await;
    gateway.author("mdquiz10", 1).await;
    let later = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f1&customCSV=anna%2C8%2C9%2Cnobody";
    let location = gateway.get(later).await.location();
    assert_eq!(parameter(&location, "course").as_deref(), Some("7"));
    assert_eq!(parameter(&location, "section").as_deref(), Some("3"));
    assert!(location.starts_with("http://moodle.example.org/moodle/"));
    assert_eq!(
        gateway
            .database
            .number("select count(*) from contents")
            .await,
        1
    );
}

#[actix_web::test]
async fn values_are_escaped_on_their_way() {
    let gateway = Gateway::start(
        Kind::Sqlite,
        Setup {
            sign_redirects: true,
            ..Setup::open()
        },
    )
    .await;
    let csv = "\"Doe, Jo & Co\",\"7&x=1\",3 é~#,moodle";
    let path = format!(
        "/lams/tool/mdfrum10/authoring.do?toolContentID=1&contentFolderID=f1&customCSV={}",
        urlencoding::encode(csv)
    );
    let location = gateway.get(&path).await.location();
    assert!(
        location
            .contains("&section=3+%C3%A9%7E%23&add=Forum&course=7%26x%3D1&un=Doe%2C+Jo+%26+Co&ts="),
        "{location}"
    );
}

#[rstest]
#[actix_web::test]
async fn learners_wait_while_a_teacher_edits_and_only_learners(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let learn = |mode: &str| format!("/lams/tool/mdquiz10/learning.do?mode={mode}&toolSessionID=2");
    let edit = "/lams/tool/mdquiz10/authoring.do?mode=teacher&toolContentID=1&contentFolderID=f1";

    let callback = callback_of(&gateway.get_signed(edit, "mdl_bill").await.location());
    let page = gateway.get_signed(&learn("learner"), "mdl_Anna").await;
    assert_eq!(
        (page.status, page.text("h1").as_deref()),
        (200, Some("This activity is not ready yet"))
    );
    assert_eq!(
        gateway
            .database
            .number("select count(*) from session_users")
            .await,
        0
    );
    gateway
        .get_signed(&learn("teacher"), "mdl_bill")
        .await
        .location();
    gateway
        .get_signed(&learn("author"), "mdl_bill")
        .await
        .location();
    let content = || async {
        gateway
            .call("GET", "/tools/mdquiz10/contents/1", None)
            .await
            .json()
    };
    assert_eq!(content().await["defineLater"], true);

    // Saving ends the lock.
    gateway
        .get_public(&format!("{callback}&extToolContentID=555"))
        .await;
    gateway
        .get_signed(&learn("learner"), "mdl_Anna")
        .await
        .location();

    // So does LAMS, and so does time: an edit that is given up locks nobody out for ever.
    gateway.get_signed(edit, "mdl_bill").await.location();
    let flags = json!({"defineLater": false});
    let patched = gateway
        .call("PATCH", "/tools/mdquiz10/contents/1", Some(flags))
        .await;
    assert_eq!(
        (patched.status, &patched.json()["defineLater"]),
        (200, &json!(false))
    );
    gateway
        .get_signed(&learn("learner"), "mdl_Anna")
        .await
        .location();
    gateway.get_signed(edit, "mdl_bill").await.location();
    assert_eq!(
        gateway
            .get_signed(&learn("learner"), "mdl_Anna")
            .await
            .status,
        200
    );
    let half_an_hour_ago = match kind {
        Kind::Postgres => "update contents set locked_until = locked_until - interval '30 minutes'",
        Kind::Sqlite => {
            "update contents set locked_until = strftime('%Y-%m-%dT%H:%M:%S+00:00', locked_until, '-30 minutes')"
        }
    };
    gateway.database.execute(half_an_hour_ago).await;
    Gateway::until("the lock is over", || async {
        gateway
            .get_signed(&learn("learner"), "mdl_Anna")
            .await
            .status
            == 302
    })
    .await;
    assert_eq!(content().await["defineLater"], false);

    // "Define later" as LAMS sets it stays until it is saved or unset.
    let flags = json!({"defineLater": true});
    gateway
        .call("PATCH", "/tools/mdquiz10/contents/1", Some(flags))
        .await;
    gateway.database.execute(half_an_hour_ago).await;
    assert_eq!(
        gateway
            .get_signed(&learn("learner"), "mdl_Anna")
            .await
            .status,
        200
    );
}

#[rstest]
#[actix_web::test]
async fn offline_activities_open_nowhere(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let patched = gateway
        .call(
            "PATCH",
            "/tools/mdquiz10/contents/1",
            Some(json!({"runOffline": true})),
        )
        .await;
    assert_eq!(patched.json()["runOffline"], true);
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    let page = gateway.get_signed(learn, "mdl_Anna").await;
    assert_eq!(
        (page.status, page.text("h1").as_deref()),
        (200, Some("This activity is done offline"))
    );
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1", None)
        .await
        .json();
    assert_eq!(content["contentInUse"], true, "as the protocol has it");
}

#[actix_web::test]
async fn dotlrn_goes_by_the_course_address_within_its_servers_origin() {
    let peer = Peer::start(Answer::Ids(700)).await;
    let gateway = Gateway::start(
        Kind::Sqlite,
        Setup {
            adapter_page: peer.url.clone(),
            ..Setup::default()
        },
    )
    .await;
    gateway.saved_content("dlfrum10", 1, "555").await;
    let page = gateway.author("dlfrum10", 1).await.location();
    assert!(page.starts_with("http://lrn.example.org/dotlrn/clubs/lams/forums/admin/forum-lams-edit?toolContentID=1&forum_id=555&lamsUpdateURL="), "{page}");
    gateway.session("dlfrum10", 2, 1).await;
    let clone = peer.requests().remove(0);
    assert_eq!(parameter(&clone, "cs").as_deref(), Some("7"));
    assert_eq!(parameter(&clone, "section"), None);
    let monitor = "/lams/tool/dlfrum10/monitoring.do?toolContentID=1&contentFolderID=f1";
    let link = gateway
        .get_signed(monitor, "lrn_bill")
        .await
        .attributes("a[data-monitor]", "href")
        .remove(0);
    assert!(
        link.starts_with(
            "http://lrn.example.org/dotlrn/clubs/lams/forums/forum-view?forum_id=700&un=bill&ts="
        ),
        "{link}"
    );

    // A slash at its end does not count.
    let path = "/lams/tool/dlfrum10/authoring.do?toolContentID=8&contentFolderID=f1&customCSV=bill,7,http://lrn.example.org/dotlrn/";
    let location = gateway.get_signed(path, "lrn_bill").await.location();
    assert!(
        location.starts_with("http://lrn.example.org/dotlrn/forums/admin/forum-lams-new?"),
        "{location}"
    );

    // Nor does it lead where its server does not stand any more.
    let learner = "/lams/tool/dlfrum10/learning.do?mode=learner&toolSessionID=2";
    gateway.get_signed(learner, "lrn_anna").await.location();
    gateway.saved_content("dlfrum10", 3, "557").await;
    gateway.session("dlfrum10", 4, 3).await;
    let moved = |to: &str| {
        let file = gateway.setup.file().replace("lrn.example.org/\"", to);
        let applied = apply(&gateway.database, &file, &[]);
        assert!(applied.status.success());
    };
    moved("new.example.org/\"");
    let author = "/lams/tool/dlfrum10/authoring.do?toolContentID=1&contentFolderID=f1";
    Gateway::until("the server has moved", async || {
        gateway.get_signed(learner, "lrn_anna").await.status == 400
    })
    .await;
    for path in [author, monitor] {
        assert_eq!(
            gateway.get_signed(path, "lrn_bill").await.refused(400),
            "It is not clear which course this activity is for"
        );
    }
    // What is refused is not noted either.
    let as_teacher = author.replace("toolContentID=1", "toolContentID=3&mode=teacher");
    let unopened = learner.replace("toolSessionID=2", "toolSessionID=4");
    for path in [&as_teacher, &unopened] {
        gateway.get_signed(path, "lrn_bill").await.refused(400);
    }
    let content = gateway
        .call("GET", "/tools/dlfrum10/contents/3", None)
        .await;
    assert_eq!(content.json()["contentInUse"], false);
    let locked = "select count(*) from contents where locked_until is not null";
    assert_eq!(gateway.database.number(locked).await, 0);
    moved("lrn.example.org/\"");
    Gateway::until("the server is back", async || {
        gateway.get_signed(learner, "lrn_anna").await.status == 302
    })
    .await;

    let before = gateway.rows().await;
    for address in [
        "http://evil.example/a",
        "http://lrn.example.org.evil.example/a",
        "http://lrn.example.org@evil.example/a",
        "http://lrn.example.org\\@evil.example/a",
        "https://lrn.example.org/a",
        "//evil.example/a",
        "/a",
        "javascript:alert(1)",
        "http://lrn.example.org/a?b=c",
        "http://lrn.example.org/a#b",
        "http://lrn.example.org/ a",
        "http://lrn.example.org:8081/a",
    ] {
        let path = format!(
            "/lams/tool/dlfrum10/authoring.do?toolContentID=9&contentFolderID=f1&customCSV={}",
            urlencoding::encode(&format!("bill,7,{address}"))
        );
        let page = gateway.get_signed(&path, "lrn_bill").await;
        assert_eq!(
            page.refused(400),
            "It is not clear which course this activity is for",
            "{address}"
        );
    }
    assert_eq!(gateway.rows().await, before);
}

#[actix_web::test]
async fn a_tool_of_ones_own_is_served_like_a_built_in_one() {
    // The older generation's forum, with its own way to say what is edited.
    let more = format!(
        "[[tools]]\n{}\n[[servers]]\nid = \"old\"\nurl = \"http://old.example.org/moodle\"\nkey = \"k\"\nprefix = \"old\"\nsign_redirects = false\ntools = [\"mdfrum08\"]\n[servers.settings.mdfrum08]\nform = \"course/modedit-lams.php\"\n",
        include_str!("../../docs/examples/mdfrum08.toml")
            .replace("[custom_csv]", "[tools.custom_csv]")
            .replace("[addresses]", "[tools.addresses]")
            .replace("[adapter_page]", "[tools.adapter_page]")
            .replace("[[config]]", "[[tools.config]]"),
    );
    let gateway = Gateway::start(
        Kind::Sqlite,
        Setup {
            more,
            ..Setup::open()
        },
    )
    .await;
    let path = "/lams/tool/mdfrum08/authoring.do?toolContentID=5&contentFolderID=f1&customCSV=bill%2C7%2C3";
    let new = gateway.get(path).await.location();
    let callback = "http%3A%2F%2Fgate.example.org%3A8080%2Flams%2Ftool%2Fmdfrum08%2Fauthoring.do%3Fdispatch%3DupdateContent%26toolContentID%3D5";
    assert_eq!(
        new,
        format!(
            "http://old.example.org/moodle/course/modedit-lams.php?&lamsUpdateURL={callback}&section=3&add=forum&course=7"
        )
    );
    gateway
        .get_public(&format!("{}&extToolContentID=44", callback_of(&new)))
        .await;
    let saved = gateway.get(path).await.location();
    assert_eq!(
        saved,
        format!(
            "http://old.example.org/moodle/course/modedit-lams.php?&lamsUpdateURL={callback}&section=3&update=44&course=7"
        )
    );
}
