//! Who is believed: launch signatures, state tokens, API tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use rstest::rstest;
use serde_json::json;
use toolgate::domain::launch_signature::LaunchKey;

use crate::support::{
    Gateway, Kind, LAUNCH_SECRET, Setup, binary, callback_of, environment, parameter,
};

const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
const AUTHOR: &str = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f1&customCSV=bill%2C7%2C3%2Cmoodle";
const UNSIGNED: &str = "This link was not signed by LAMS";
const TAMPERED: &str = "This link was not signed by LAMS as it stands";

#[rstest]
#[actix_web::test]
async fn a_launch_is_believed_as_it_was_signed_and_no_other(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let before = gateway.rows().await;
    let signed = gateway.sign(LEARN, "mdl_Anna");
    let at = |at| LaunchKey::new(LAUNCH_SECRET).sign(LEARN, "mdl_Anna", at);
    for (path, title) in [
        (LEARN.to_owned(), UNSIGNED),
        (format!("{LEARN}&ts=1&uid=mdl_Anna"), UNSIGNED),
        (signed.replace("mdl_Anna", "mdl_Ben"), TAMPERED),
        (signed.replace("mode=learner", "mode=teacher"), TAMPERED),
        (format!("{signed}0"), TAMPERED),
        (format!("{signed}&mode=teacher"), TAMPERED),
        (signed.replace("/lams/tool", "//lams/tool"), TAMPERED),
        (
            LaunchKey::new("another").sign(LEARN, "mdl_Anna", Utc::now()),
            TAMPERED,
        ),
        (
            at(Utc::now() - TimeDelta::minutes(6)),
            "This link is too old",
        ),
        (
            at(Utc::now() + TimeDelta::minutes(6)),
            "This link is too old",
        ),
    ] {
        assert_eq!(gateway.get(&path).await.refused(401), title, "{path}");
    }
    assert_eq!(gateway.rows().await, before);
    assert_eq!(gateway.get(&signed).await.status, 302);
    // Slashes as LAMS writes them are signed as they are sent.
    gateway
        .get_signed(&LEARN.replace("/mdquiz10/", "//mdquiz10//"), "mdl_Anna")
        .await
        .location();
    // The signature is asked before the tool.
    assert_eq!(gateway.get("/lams/tool/none/learning.do").await.status, 401);
    assert_eq!(
        gateway
            .get_signed("/lams/tool/none/learning.do?a=b", "mdl_Anna")
            .await
            .status,
        404
    );
}

#[actix_web::test]
async fn nobody_authors_as_somebody_else() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let before = gateway.rows().await;
    let title = "This link was made for somebody else";
    let new = AUTHOR.replace("toolContentID=1", "toolContentID=10");
    assert_eq!(
        gateway.get_signed(&new, "mdl_anna").await.refused(403),
        title
    );
    assert_eq!(
        gateway.get_signed(AUTHOR, "mdl_anna").await.refused(403),
        title
    );
    assert_eq!(
        gateway.get_signed(AUTHOR, "xyz_bill").await.refused(403),
        title
    );
    assert_eq!(gateway.rows().await, before);
    gateway.get_signed(&new, "mdl_BILL").await.location();
    gateway.get_signed(&new, "bill").await.location();
    // Another teacher may open saved content, under an own name.
    let page = gateway
        .get_signed(AUTHOR.split("&customCSV").next().unwrap(), "mdl_anna")
        .await;
    assert_eq!(parameter(&page.location(), "un").as_deref(), Some("anna"));
}

#[actix_web::test]
async fn nobody_is_sent_in_the_name_of_the_teacher_who_saved() {
    let setup = Setup {
        sign_redirects: true,
        ..Setup::open()
    };
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup).await;
    for path in [
        LEARN.to_owned(),
        format!("{LEARN}&userID=mdl_Anna"),
        LEARN.replace("learner", "teacher"),
    ] {
        assert_eq!(
            parameter(&gateway.get(&path).await.location(), "un"),
            None,
            "{path}"
        );
    }
    let named = gateway
        .get(&format!("{LEARN}&uid=mdl_Anna"))
        .await
        .location();
    assert_eq!(parameter(&named, "un").as_deref(), Some("Anna"));
    // Authoring has customCSV's user.
    assert_eq!(
        parameter(&gateway.get(AUTHOR).await.location(), "un").as_deref(),
        Some("bill")
    );
    let path = "/lams/tool/mdquiz10/monitoring.do?toolContentID=1&contentFolderID=f1";
    let link = gateway
        .get(path)
        .await
        .attributes("a[data-monitor]", "href")
        .remove(0);
    assert_eq!(parameter(&link, "un"), None);
}

#[rstest]
#[actix_web::test]
async fn a_callback_needs_the_state_that_was_made_for_it(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    gateway.saved_content("mdquiz10", 11, "556").await;
    let before = gateway.rows().await;
    let callback = callback_of(&gateway.author("mdquiz10", 1).await.location());
    let other = callback_of(&gateway.author("mdquiz10", 11).await.location());
    let (bare, state) = callback.rsplit_once("&state=").unwrap();
    let of_other = other.rsplit_once("&state=").unwrap().1;
    let of_learner = {
        let page = gateway.get_signed(LEARN, "mdl_Anna").await;
        let back = parameter(&page.location(), "returnUrl").unwrap();
        back.rsplit_once("&state=").unwrap().1.to_owned()
    };
    let mut flipped = state.to_owned().into_bytes();
    flipped[20] ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    let untrusted = "This return cannot be trusted";
    for state in [
        "",
        "x",
        of_other,
        &of_learner,
        &flipped,
        &format!("{state}A"),
    ] {
        let page = gateway
            .get_public(&format!("{bare}&state={state}&extToolContentID=5"))
            .await;
        assert_eq!(page.refused(401), untrusted, "{state}");
    }
    let page = gateway
        .get_public(&format!("{bare}&extToolContentID=5"))
        .await;
    assert_eq!(page.refused(401), untrusted);
    // Not for another tool or platform either.
    let foreign = callback.replace("mdquiz10", "mdfrum10");
    assert_eq!(
        gateway
            .get_public(&format!("{foreign}&extToolContentID=5"))
            .await
            .refused(401),
        untrusted
    );
    let content = gateway
        .call("GET", "/tools/mdquiz10/contents/1", None)
        .await
        .json();
    assert_eq!(content["extToolContentID"], "555");
    assert_eq!(gateway.rows().await[3], before[3]);

    // A return without the learner's own state marks nobody.
    let back = "/lams/tool/mdquiz10/learning.do?toolSessionID=2&dispatch=finishActivity";
    assert_eq!(
        gateway
            .get(&format!("{back}&uid=mdl_Anna"))
            .await
            .refused(401),
        untrusted
    );
    assert_eq!(
        gateway
            .get(&format!("{back}&state={state}"))
            .await
            .refused(401),
        untrusted
    );
    assert_eq!(
        gateway
            .database
            .number("select count(*) from session_users where finished_at is not null")
            .await,
        0
    );
}

#[actix_web::test]
async fn a_platform_without_states_takes_legacy_callbacks_and_marks_nobody() {
    let setup = Setup {
        finish_url: Some("http://lams.example.org/done?{uid}"),
        ..Setup::open()
    };
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup).await;
    let back = "/lams/tool/mdquiz10/learning.do?toolSessionID=2&dispatch=finishActivity";
    assert_eq!(
        gateway.get(back).await.location(),
        "http://lams.example.org/done?"
    );
    assert_eq!(
        gateway
            .database
            .number("select count(*) from session_users")
            .await,
        0
    );
    assert_eq!(
        gateway
            .get(&format!("{back}&uid=mdl_Anna"))
            .await
            .location(),
        "http://lams.example.org/done?mdl_Anna"
    );
    assert_eq!(
        gateway
            .database
            .number("select count(*) from session_users where finished_at is not null")
            .await,
        1
    );
    // A token that is given is checked all the same.
    assert_eq!(
        gateway.get(&format!("{back}&state=forged")).await.status,
        401
    );
}

#[actix_web::test]
async fn the_saved_pages_link_opens_its_own_content_only() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let callback = callback_of(&gateway.author("mdquiz10", 1).await.location());
    let saved = gateway
        .get_public(&format!("{callback}&extToolContentID=5"))
        .await;
    let again = saved.attributes("#edit-again", "href").remove(0);
    gateway.get_public(&again).await.location();
    gateway.get_public(&again).await.location();
    let elsewhere = again.replace("toolContentID=1&", "toolContentID=11&");
    assert_eq!(gateway.get_public(&elsewhere).await.status, 401);
    let as_callback = again.replace(
        "contentFolderID=0",
        "dispatch=updateContent&extToolContentID=9",
    );
    assert_eq!(gateway.get_public(&as_callback).await.status, 401);
    let as_anna = format!("{again}&customCSV=anna%2C7%2C3%2Cmoodle");
    assert_eq!(gateway.get_public(&as_anna).await.status, 403);
}

/// Until when a state counts, in seconds.
fn expiry(address: &str) -> i64 {
    let state = address.rsplit_once("&state=").unwrap().1;
    let bytes = URL_SAFE_NO_PAD.decode(state).unwrap();
    i64::from_be_bytes(bytes[2..10].try_into().unwrap())
}

#[actix_web::test]
async fn the_saved_pages_link_ends_with_the_launch_that_it_goes_back_to() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let callback = callback_of(&gateway.author("mdquiz10", 1).await.location());
    let ends = expiry(&callback);
    Gateway::until("a second is over", async || {
        Utc::now().timestamp() > ends - 24 * 3600
    })
    .await;
    let saved = gateway
        .get_public(&format!("{callback}&extToolContentID=5"))
        .await;
    let again = saved.attributes("#edit-again", "href").remove(0);
    assert_eq!(expiry(&again), ends);
    let next = callback_of(&gateway.get_public(&again).await.location());
    assert_eq!(expiry(&next), ends);
}

#[rstest]
#[actix_web::test]
async fn what_came_back_of_removed_content_is_neither_saved_nor_made_anew(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let callback = callback_of(&gateway.author("mdquiz10", 1).await.location());
    let callback = format!("{callback}&extToolContentID=5");
    let saved = gateway.get_public(&callback).await;
    let again = saved.attributes("#edit-again", "href").remove(0);
    // Learners are not kept waiting by what no state covers.
    let as_teacher = format!("{again}&mode=teacher");
    gateway.get_public(&as_teacher).await.location();
    let locked = "select count(*) from contents where locked_until is not null";
    assert_eq!(gateway.database.number(locked).await, 0);

    let path = "/tools/mdquiz10/contents/1";
    assert_eq!(gateway.call("DELETE", path, None).await.status, 204);
    let before = gateway.rows().await;
    gateway.get_public(&callback).await.refused(404);
    let elsewhere = format!("{again}&customCSV=bill%2C666%2C3%2Cmoodle");
    for link in [&again, &elsewhere] {
        gateway.get_public(link).await.refused(404);
    }
    assert_eq!(gateway.rows().await, before);
    gateway.author("mdquiz10", 1).await;
    gateway.get_public(&callback).await.refused(404);
}

#[rstest]
#[actix_web::test]
async fn a_state_stands_for_a_signature_on_the_saved_pages_link_alone(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let callback = callback_of(&gateway.author("mdquiz10", 1).await.location());
    let update = callback.rsplit_once("&state=").unwrap().1.to_owned();
    let saved = gateway
        .get_public(&format!("{callback}&extToolContentID=5"))
        .await;
    let again = saved.attributes("#edit-again", "href").remove(0);
    let again = again.rsplit_once("&state=").unwrap().1.to_owned();
    let learner = gateway.get_signed(LEARN, "mdl_Anna").await.location();
    let back = parameter(&learner, "returnUrl").unwrap();
    let finish = back.rsplit_once("&state=").unwrap().1.to_owned();
    let before = gateway.rows().await;
    let monitor = "/lams/tool/mdquiz10/monitoring.do?toolContentID=1&contentFolderID=f1";
    let author = AUTHOR.replace("toolContentID=1", "toolContentID=20");
    for state in ["x", &update, &again, &finish] {
        for path in [
            LEARN,
            monitor,
            &author,
            "/lams/tool/mdquiz10/authoring.do?dispatch=nothing",
        ] {
            let page = gateway.get(&format!("{path}&state={state}")).await;
            assert_eq!(page.status, 401, "{path} with {state}");
        }
    }
    // What is told first is the state, then the parameters.
    for path in [
        "/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&extToolContentID=5&state=x",
        "/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&toolContentID=x&state=x",
        "/lams/tool/mdquiz10/learning.do?dispatch=finishActivity&toolSessionID=x&state=x",
    ] {
        assert_eq!(
            gateway.get(path).await.refused(401),
            "This return cannot be trusted",
            "{path}"
        );
    }
    let no_id = format!("/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&state={update}");
    assert_eq!(gateway.get(&no_id).await.status, 400);
    assert_eq!(gateway.rows().await, before);
}

#[actix_web::test]
async fn a_callback_without_a_state_gets_no_link_that_stands_for_a_signature() {
    let setup = Setup {
        callback_state: "off",
        ..Setup::default()
    };
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup).await;
    let callback = "/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&toolContentID=1";
    let saved = gateway.get(&format!("{callback}&extToolContentID=5")).await;
    assert_eq!(saved.status, 200);
    assert_eq!(
        saved.attributes("#edit-again", "href"),
        Vec::<String>::new()
    );
    assert_eq!(saved.attributes("#close", "href").len(), 1);
}

#[actix_web::test]
async fn the_api_knows_a_platform_by_its_token() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    for token in [None, Some("wrong"), Some("")] {
        for path in [
            "/toolkit",
            "/tools/mdquiz10/contents/1",
            "/tools/mdquiz10/sessions/2",
        ] {
            assert_eq!(
                gateway
                    .call_with("GET", path, None, token)
                    .await
                    .refused(401),
                "api-token"
            );
        }
        let body = json!({"toolContentID": 1});
        let put = gateway
            .call_with("PUT", "/tools/mdquiz10/sessions/3", Some(body), token)
            .await;
        assert_eq!(put.refused(401), "api-token");
    }
    assert_eq!(
        gateway
            .database
            .number("select count(*) from sessions")
            .await,
        1
    );
}

#[actix_web::test]
async fn toolgate_sign_makes_an_address_that_is_believed() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let sign_for = |user: &str, platform: &str, path: &str| {
        binary()
            .args(["sign", platform, user, path])
            .envs(environment(&gateway.database))
            .output()
            .unwrap()
    };
    let sign = |platform: &str, path: &str| sign_for("mdl_Anna", platform, path);
    let signed = sign("lams", LEARN);
    assert!(signed.status.success());
    let address = String::from_utf8(signed.stdout).unwrap();
    assert!(address.starts_with(&format!("{LEARN}&ts=")), "{address}");
    gateway.get(address.trim()).await.location();
    let [ts, uid, sig] = ["ts=1", "uid=mdl_Bill", "%73ig=00"].map(|more| format!("{LEARN}&{more}"));
    for (user, platform, path, words) in [
        ("a", "nobody", LEARN, "there is no platform \"nobody\""),
        (
            "a",
            "lams",
            "/other/tool/x",
            "the path must begin with /lams/",
        ),
        ("", "lams", LEARN, "the user must not be empty"),
        (" ", "lams", LEARN, "the user must not be empty"),
        ("a", "lams", &ts, "the path has ts already"),
        ("a", "lams", &uid, "the path has uid already"),
        ("a", "lams", &sig, "the path has sig already"),
    ] {
        let refused = sign_for(user, platform, path);
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(words), "{said}");
    }
}
