//! Platforms on the pages: connected, changed, deleted, their secrets, and what stands in the way.

use rstest::rstest;

use crate::support::{
    ADA, API_TOKEN, Gateway, Kind, LAUNCH_SECRET, Page, Setup, Visitor, callback_of,
};

const LIST: &str = "/admin/platforms";
const ADD: &str = "/admin/platforms/add";
const EDIT: &str = "/admin/platforms/edit?id=north";
const SECRET: &str = "/admin/platforms/secret";
/// What a browser sends of the form.
const NORTH: [(&str, &str); 9] = [
    ("id", "north"),
    ("name", "LAMS <b>of</b> \"North\""),
    ("url", "https://lams.north.example.org/lams"),
    ("finish_url", "learner.do?s={toolSessionID}"),
    ("launch_auth", "signed"),
    ("launch_secret", "a launch secret that is typed"),
    ("callback_state", "required"),
    ("api_token", "an API token that is typed"),
    ("custom_csv", "accepted"),
];
const TYPED: [&str; 2] = ["a launch secret that is", "an API token that is"];

/// The same with other values.
fn with<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let value = |name: &str, own: &'a str| {
        let changed = changed.iter().find(|(other, _)| *other == name);
        changed.map_or(own, |(_, changed)| changed)
    };
    NORTH
        .iter()
        .map(|(name, own)| (*name, value(name, own)))
        .collect()
}

/// Sends the form of a page with what it was made from.
async fn edit(ada: &Visitor<'_>, form: &Page, changed: &[(&str, &str)]) -> Page {
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let no_secrets = [("launch_secret", ""), ("api_token", "")];
    let mut fields = with(&[changed, &no_secrets].concat());
    fields.push(("made_from", &made_from));
    ada.post_form(EDIT, "/admin/platforms/edit", &fields).await
}

/// Asks for a new secret of a platform as the page's form does, and answers the page that shows it.
async fn make(ada: &Visitor<'_>, id: &str, which: &str) -> Page {
    let form = ada.get(&format!("/admin/platforms/edit?id={id}")).await;
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let fields = [("id", id), ("which", which), ("made_from", &made_from)];
    ada.post_form(LIST_OF_FORMS, SECRET, &fields).await
}

const LIST_OF_FORMS: &str = "/admin/account";

#[rstest]
#[actix_web::test]
async fn a_platform_is_connected_changed_and_deleted(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let added = ada.post_form(ADD, ADD, &NORTH).await;
    assert_eq!(
        added.see_other(),
        "/admin/platforms/edit?id=north&done=added"
    );
    let list = ada.get(LIST).await;
    assert_eq!(
        list.attributes("[data-platform]", "data-platform"),
        ["lams", "north"]
    );
    assert!(!list.body.contains("<b>of</b>"), "{}", list.body);
    // It is served.
    let toolkit = "/toolkit?extLmsId=moodle";
    let call = async |token: &str| {
        gateway
            .call_with("GET", toolkit, None, Some(token))
            .await
            .status
    };
    assert_eq!(call(NORTH[7].1).await, 200);

    let form = ada.get(EDIT).await;
    assert_eq!(
        form.attributes("[name=url]", "value"),
        ["https://lams.north.example.org/lams/"]
    );
    assert_eq!(
        form.attributes("[type=radio][checked]", "value"),
        ["signed", "required", "accepted"]
    );
    for name in ["launch_secret", "api_token"] {
        assert_eq!(form.attributes(&format!("[name={name}]"), "value"), [""]);
    }
    let changed = [
        ("name", "North"),
        ("callback_state", "off"),
        ("custom_csv", "remembered"),
        ("finish_url", ""),
    ];
    let saved = edit(&ada, &form, &changed).await;
    assert_eq!(saved.see_other(), "/admin/platforms?done=saved");
    // Without new ones its secrets stay.
    assert_eq!(call(NORTH[7].1).await, 200);
    let row =
        "select name || callback_state || custom_csv || coalesce(finish_url, '') from platforms
        where id = 'north' and launch_secret is not null";
    assert_eq!(
        gateway.database.text(row).await.as_deref(),
        Some("Northoffremembered")
    );

    let ask = ada.get("/admin/platforms/delete?id=north").await;
    assert_eq!(ask.text("h1").as_deref(), Some("Delete North?"));
    let gone = ada
        .post_form(LIST_OF_FORMS, "/admin/platforms/delete", &[("id", "north")])
        .await;
    assert_eq!(gone.see_other(), "/admin/platforms?done=deleted");
    assert_eq!(call(NORTH[7].1).await, 401);
    ada.get(EDIT).await.refused(404);
    let audit = ada.get("/admin/audit").await;
    let told = audit.attributes("[data-subject=north]", "data-action");
    assert_eq!(
        told,
        ["platform.deleted", "platform.changed", "platform.added"]
    );
    for secret in TYPED {
        for page in [&list, &form, &audit] {
            assert!(!page.body.contains(secret), "{}", page.body);
        }
        assert!(!gateway.log().contains(secret));
    }
}

#[actix_web::test]
async fn a_mistake_is_told_at_its_field_and_what_was_typed_stays() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (changed, field) in [
        (("id", "North"), "id"),
        (("id", "admin"), "id"),
        (("id", "lams"), "id"),
        (("id", ""), "id"),
        (("url", "javascript:alert(1)"), "url"),
        (("url", "https://user@lams.example.org/"), "url"),
        (("url", ""), "url"),
        (("finish_url", "http://{uid}/"), "finish_url"),
        (("launch_auth", "sealed"), "launch_auth"),
        (("callback_state", ""), "callback_state"),
        (("custom_csv", "forgotten"), "custom_csv"),
        (("launch_secret", "   "), "launch_secret"),
        (("api_token", API_TOKEN), "api_token"),
    ] {
        let page = ada.post_form(ADD, ADD, &with(&[changed])).await;
        assert_eq!(page.status, 422, "{changed:?}: {}", page.body);
        let told = page.text(&format!("[id='{field}-error']"));
        assert!(
            told.is_some_and(|words| words.len() > 10),
            "{changed:?}: {}",
            page.body
        );
        assert_eq!(page.attributes("[name=name]", "value"), [NORTH[1].1]);
        if field != "finish_url" {
            assert_eq!(page.attributes("[name=finish_url]", "value"), [NORTH[3].1]);
        }
        for secret in TYPED.iter().chain(&[API_TOKEN]) {
            assert!(!page.body.contains(secret), "a secret is sent back");
        }
    }
    assert_eq!(
        gateway
            .database
            .number("select count(*) from platforms")
            .await,
        1
    );
    // A zero byte is no defect.
    let page = ada.post_form(ADD, ADD, &with(&[("name", "a\0b")])).await;
    page.see_other();
}

#[actix_web::test]
async fn what_somebody_else_changed_is_not_overwritten_unseen() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    ada.post_form(ADD, ADD, &NORTH).await.see_other();
    let form = ada.get(EDIT).await;
    edit(&ada, &form, &[("name", "Bob's")]).await.see_other();
    let late = edit(&ada, &form, &[("name", "Ada's")]).await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert!(
        late.text("#changed-meanwhile")
            .unwrap()
            .contains("now: Bob's")
    );
    assert_eq!(late.attributes("[name=name]", "value"), ["Ada's"]);
    edit(&ada, &late, &[("name", "Ada's")]).await.see_other();
}

#[rstest]
#[actix_web::test]
async fn a_secret_made_here_is_shown_once_and_holds_at_once(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let ask = ada
        .get("/admin/platforms/secret?id=lams&which=api_token")
        .await;
    assert!(
        ask.text("#stops").unwrap().contains("every call of it"),
        "{}",
        ask.body
    );
    assert_eq!(gateway.call("GET", "/no-such-call", None).await.status, 404);

    let token = make(&ada, "lams", "api_token").await;
    assert_eq!(token.status, 200, "{}", token.body);
    assert_eq!(token.headers["cache-control"], "no-store");
    let toolkit = "/toolkit?extLmsId=moodle";
    let new = token.text("#secret").unwrap();
    assert_eq!(new.len(), 43);
    assert_eq!(
        gateway
            .call_with("GET", toolkit, None, Some(&new))
            .await
            .status,
        200
    );
    gateway.call("GET", toolkit, None).await.refused(401);

    let secret = make(&ada, "lams", "launch_secret").await;
    let secret = secret.text("#secret").unwrap();
    assert_ne!(secret, new);
    let path = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f&customCSV=bill,7,3,moodle";
    gateway.get_signed(path, "mdl_bill").await.refused(401);
    let key = toolgate::domain::launch_signature::LaunchKey::new(&secret);
    let launch = key.sign(path, "mdl_bill", chrono::Utc::now());
    callback_of(&gateway.get(&launch).await.location());

    for path in [
        "/admin/platforms",
        "/admin/platforms/edit?id=lams",
        "/admin/platforms/secret?id=lams&which=launch_secret",
        "/admin/platforms/secret?id=lams&which=api_token",
        "/admin/audit",
        "/admin/configuration",
        "/admin/configuration/file",
        "/admin/configuration/file?secrets=references",
        "/metrics",
    ] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 200);
        for secret in [&new, &secret, &LAUNCH_SECRET.to_owned()] {
            assert!(!page.body.contains(secret), "{path}");
        }
    }
    for canary in [new, secret] {
        assert!(!gateway.log().contains(&canary) && !gateway.said().contains(&canary));
        let told = format!(
            "select count(*) from audit where before_json like '%{canary}%' or after_json like '%{canary}%'"
        );
        assert_eq!(gateway.database.number(&told).await, 0);
    }
    let told = "select count(*) from audit where actor = 'Ada' and action = 'platform.changed'";
    assert_eq!(gateway.database.number(told).await, 2);
}

#[actix_web::test]
async fn a_reload_of_a_new_secret_makes_no_other_one_and_an_address_makes_none() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let sealed = || {
        gateway
            .database
            .text("select hex(launch_secret) from platforms")
    };
    let before = sealed().await;
    let page = ada
        .get("/admin/platforms/secret?id=lams&which=launch_secret")
        .await;
    assert_eq!(page.text("#secret"), None);
    assert_eq!(sealed().await, before);
    let made_from = page.attributes("[name=made_from]", "value").remove(0);
    let fields = [
        ("id", "lams"),
        ("which", "launch_secret"),
        ("made_from", &*made_from),
    ];
    ada.post_form(LIST_OF_FORMS, SECRET, &fields)
        .await
        .text("#secret")
        .unwrap();
    let after = sealed().await;
    assert_ne!(after, before);
    ada.post_form(LIST_OF_FORMS, SECRET, &fields)
        .await
        .refused(409);
    assert_eq!(sealed().await, after);
    for (id, which, status) in [
        ("lams", "name", 404),
        ("lams", "", 404),
        ("..", "api_token", 404),
    ] {
        let fields = [("id", id), ("which", which), ("made_from", &*made_from)];
        ada.post_form(LIST_OF_FORMS, SECRET, &fields)
            .await
            .refused(status);
        let ask = format!("{SECRET}?id={id}&which={which}");
        ada.get(&ask).await.refused(status);
    }
    ada.get(SECRET).await.refused(404);
}

#[actix_web::test]
async fn a_platform_that_signs_without_a_secret_says_so_and_gets_one_by_a_button() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let bare = with(&[("launch_secret", ""), ("api_token", "")]);
    ada.post_form(ADD, ADD, &bare).await.see_other();
    let list = ada.get(LIST).await;
    let missing = "[data-platform=north] [data-secret=launch_secret]";
    assert_eq!(
        list.text(missing).as_deref(),
        Some("missing: all are refused")
    );
    let form = ada.get(EDIT).await;
    let forms = form.attributes("#secrets form [name=which]", "value");
    assert_eq!(forms, ["launch_secret", "api_token"]);
    make(&ada, "north", "launch_secret")
        .await
        .text("#secret")
        .unwrap();
    let list = ada.get(LIST).await;
    assert_eq!(list.text(missing).as_deref(), Some("set"));
}

#[actix_web::test]
async fn a_platform_whose_content_is_here_stays_and_says_which() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let ask = ada.get("/admin/platforms/delete?id=lams").await;
    let told = ask.text("#in-use").unwrap();
    assert!(told.contains("1 content is its own"), "{told}");
    assert!(ask.body.contains("lams/mdquiz10/1"), "{}", ask.body);
    let tried = ada
        .post_form(LIST_OF_FORMS, "/admin/platforms/delete", &[("id", "lams")])
        .await;
    assert_eq!(tried.status, 409);
    assert_eq!(
        gateway
            .database
            .number("select count(*) from platforms")
            .await,
        1
    );
}
