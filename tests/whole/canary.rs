//! Secrets that nobody could mistake go through everything that the gateway does, also where it fails, and every word
//! that comes out is searched for them: answers, log at its most talkative, metrics, pages of sysadmins, commands, and
//! the database.

mod failing;
mod lms;
mod search;
mod typed;
mod watched;

use std::sync::Arc;

use rstest::rstest;
use serde_json::json;

use crate::support::{
    ADA, API_TOKEN, Answer, Database, Gateway, Kind, LAUNCH_SECRET, PASSWORD, Peer, Setup, Visitor,
    apply, login_path,
};
use failing::{launches, lms_that_fail, servers_that_fail};
use search::Search;
use typed::{commands, forms};
use watched::Watched;

const SERVER_KEY: &str = "S3cretKey";
const DATABASE_PASSWORD: &str = "database-password-of-the-canary";
const MOODLE_TOKEN: &str = "moodle-token-of-the-canary";
const CLIENT_SECRET: &str = "client-secret-of-the-canary";
const ACCESS_TOKEN: &str = "access-token-of-the-canary";
const GUESSED_TOKEN: &str = "guessed-token-of-the-canary";
const TYPED_AS_NAME: &str = "password-in-the-wrong-field";
const TYPED_IN_A_FORM: &str = "key-that-was-typed-in-a-form";
const AUTHOR: &str = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f&customCSV=bill%2C7%2C3%2Cmoodle";
const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";

/// A gateway whose log says all that it can say; where the database has a password, it is in its address.
async fn start(kind: Kind, peer: &Peer, more: String, search: &Search) -> Gateway {
    let database = Arc::new(Database::new(kind).await);
    let with_password = format!("postgres:{DATABASE_PASSWORD}@");
    let url = database.url.replace("postgres@", &with_password);
    // One with the legacy signature, one with the other.
    let signature = match kind {
        Kind::Postgres => 1,
        Kind::Sqlite => 2,
    };
    let setup = Setup {
        adapter_page: peer.url.clone(),
        signature,
        more,
        environment: vec![
            ("TOOLGATE_LOG", "trace".to_owned()),
            ("TOOLGATE_DATABASE_URL", url),
            ("TOOLGATE_TRUSTED_PROXIES", "127.0.0.0/8".to_owned()),
        ],
        ..Setup::default()
    };
    for dry_run in [&["--dry-run"][..], &[]] {
        let applied = apply(&database, &setup.file(), dry_run);
        assert!(applied.status.success(), "{applied:?}");
        search.output("apply", &applied);
    }
    Gateway::start_on(database, setup)
}

#[rstest]
#[actix_web::test]
async fn no_secret_comes_out_anywhere(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let search = Search::default();
    for (name, secret) in [
        ("server key", SERVER_KEY),
        ("launch secret", LAUNCH_SECRET),
        ("API token", API_TOKEN),
        ("guessed API token", GUESSED_TOKEN),
        ("Moodle token", MOODLE_TOKEN),
        ("client secret", CLIENT_SECRET),
        ("access token", ACCESS_TOKEN),
        ("password", PASSWORD),
        ("database password", DATABASE_PASSWORD),
        ("password typed as a name", TYPED_AS_NAME),
        ("key typed in a form", TYPED_IN_A_FORM),
        ("secret key", "0123456789012345678901234567890"),
        ("secret key in base64", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"),
    ] {
        search.secret(name, secret);
    }
    let peer = Peer::start(Answer::Ids(700)).await;
    let (lms, other) = (lms::lms().await, lms::lms_without_tokens().await);
    let more = lms::connections(&lms.url, &other.url);
    let gateway = start(kind, &peer, more, &search).await;
    let watched = Watched {
        gateway: &gateway,
        search: &search,
    };
    let ada = first_sysadmin(&watched).await;
    launches(&watched).await;
    servers_that_fail(&watched, &peer).await;
    lms_that_fail(&watched).await;
    watched.every_page(&ada).await;
    forms(&watched, &ada, &peer).await;
    if kind == Kind::Postgres {
        gateway.database.lock_out().await;
        for path in ["/readyz", "/metrics", "/admin/"] {
            watched.get(path, &[]).await;
        }
        let author = AUTHOR.replace("toolContentID=1", "toolContentID=50");
        watched
            .get(&gateway.sign(&author, "mdl_bill"), &["state"])
            .await;
        watched.get(&login("author"), &["login hash"]).await;
        watched
            .call(
                "PUT",
                "/tools/mdquiz10/sessions/90",
                Some(json!({"toolContentID": 1})),
            )
            .await;
        gateway.database.let_in().await;
    }
    watched.get("/metrics", &[]).await;
    commands(&gateway, &search);
    let mut gateway = gateway;
    gateway.stop();
    // The address for the first sysadmin has to be said, once; it is used up by now.
    search.text_but("log", gateway.log(), &[]);
    search.text_but("standard output", gateway.said(), &["first start"]);
    for (what, bytes) in search::database(&gateway.database).await {
        search.bytes(&what, &bytes);
    }
    // All of it was on its way, and would be found if it were there.
    let asked = format!("{:?} {:?}", lms.asked(), other.asked());
    for secret in [MOODLE_TOKEN, CLIENT_SECRET, ACCESS_TOKEN] {
        assert!(asked.contains(secret), "{secret}");
    }
    assert!(gateway.log().lines().count() > 1000);
    assert!(gateway.log().contains("TRACE") && gateway.log().contains("mdquiz10"));
    search.nothing_found();
}

fn login(method: &str) -> String {
    login_path("moodle", SERVER_KEY, ("1262304000000", "Bill", method), &[])
}

async fn first_sysadmin<'a>(watched: &Watched<'a>) -> Visitor<'a> {
    let (gateway, search) = (watched.gateway, watched.search);
    let address = gateway.first_start().await;
    let token = address.rsplit_once("token=").unwrap().1.to_owned();
    search.secret("first start", &token);
    let ada = Visitor::new(gateway);
    let form = watched.by(&ada, &address, &["first start"]).await;
    assert_eq!(form.status, 200);
    let fields = [
        ("token", token.as_str()),
        ("name", ADA),
        ("password", PASSWORD),
        ("repeated", "another one of these"),
    ];
    watched
        .posts(&ada, "/admin/first", &fields, &["first start"])
        .await;
    let fields = [
        ("token", token.as_str()),
        ("name", ADA),
        ("password", PASSWORD),
        ("repeated", PASSWORD),
    ];
    watched
        .posts(&ada, "/admin/first", &fields, &[])
        .await
        .see_other();
    watched.by(&ada, &address, &[]).await.refused(410);
    for (name, password) in [(ADA, "wrong words of Ada"), (TYPED_AS_NAME, PASSWORD)] {
        search.secret("wrong password", "wrong words of Ada");
        let fields = [("name", name), ("password", password)];
        // A form that comes back holds the name that was typed.
        watched
            .posts(
                &ada,
                "/admin/sign-in",
                &fields,
                &["password typed as a name"],
            )
            .await;
    }
    let fields = [("name", ADA), ("password", PASSWORD)];
    let cookies = ["cookie toolgate", "cookie toolgate-device"];
    watched
        .posts(&ada, "/admin/sign-in", &fields, &cookies)
        .await
        .see_other();
    for (name, value) in ada.cookies() {
        search.secret(&format!("cookie {name}"), &value);
    }
    let token = ada.form_token("/admin/account").await;
    search.secret("form token", &token);
    ada
}
