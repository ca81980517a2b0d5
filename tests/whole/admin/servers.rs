//! Servers on the pages: connected, changed, switched off, deleted, and what stands in the way.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, Page, Setup, Visitor};

const LIST: &str = "/admin/servers";
const ADD: &str = "/admin/servers/add";
const EDIT: &str = "/admin/servers/edit?id=canvas";
/// What a browser sends of the form with everything switched on.
const CANVAS: [(&str, &str); 10] = [
    ("id", "canvas"),
    ("name", "Canvas <b>of</b> \"ours\""),
    ("url", "https://canvas.example.org"),
    ("key", "a key that is long enough"),
    ("prefix", "cnv"),
    ("enabled", "on"),
    ("sign_redirects", "on"),
    ("signature", "1"),
    ("tool.mdquiz10", "on"),
    ("settings.mdquiz10.adapter_page", "lams/quiz.php"),
];

/// The same with other values.
fn with<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let value = |name: &str, value: &'a str| {
        let changed = changed.iter().find(|(other, _)| *other == name);
        changed.map_or(value, |(_, changed)| changed)
    };
    let own = CANVAS.iter().map(|(name, own)| (*name, value(name, own)));
    let new = changed
        .iter()
        .filter(|(name, _)| CANVAS.iter().all(|(own, _)| own != name));
    own.chain(new.copied())
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Sends the form of a page with what it was made from.
async fn edit(ada: &Visitor<'_>, form: &Page, changed: &[(&str, &str)]) -> Page {
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let mut fields = with(changed);
    fields.push(("made_from", &made_from));
    ada.post_form(EDIT, "/admin/servers/edit", &fields).await
}

#[rstest]
#[actix_web::test]
async fn a_server_is_connected_changed_switched_off_and_deleted(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let added = ada.post_form(ADD, ADD, &CANVAS).await;
    assert_eq!(added.see_other(), "/admin/servers?done=saved");
    let list = ada.get(LIST).await;
    let listed = list.attributes("[data-server]", "data-server");
    assert_eq!(listed, ["canvas", "dotLRN", "moodle"]);
    assert!(!list.body.contains("<b>of</b>"), "{}", list.body);

    // It is served, with the mapping and the settings.
    let toolkit = gateway
        .call("GET", "/toolkit?extLmsId=canvas", None)
        .await
        .json();
    assert_eq!(toolkit["tools"][0]["signature"], "mdquiz10");
    let form = ada.get(EDIT).await;
    assert_eq!(
        form.attributes("[name=url]", "value"),
        ["https://canvas.example.org/"]
    );
    let page = form.attributes("[name='settings.mdquiz10.adapter_page']", "value");
    assert_eq!(page, ["lams/quiz.php"]);
    assert!(!form.body.contains("a key that is"), "{}", form.body);
    assert_eq!(form.attributes("[name=key]", "value"), [""]);

    // Without a new key the key stays.
    let key = "select count(*) from servers where id = 'canvas' and server_key is not null";
    let changed = edit(
        &ada,
        &form,
        &[
            ("key", ""),
            ("name", "Canvas"),
            ("timeout_ms", "5000"),
            ("signature", "2"),
        ],
    )
    .await;
    assert_eq!(changed.see_other(), "/admin/servers?done=saved");
    assert_eq!(gateway.database.number(key).await, 1);
    let form = ada.get(EDIT).await;
    let chosen = form.attributes("[name=signature][checked]", "value");
    assert_eq!(chosen, ["2"]);
    assert!(form.text("fieldset.choice").unwrap().contains("legacy"));

    let ask = ada.get("/admin/servers/disable?id=canvas").await;
    assert_eq!(ask.text("h1").as_deref(), Some("Disable Canvas?"));
    let off = ada
        .post_form(LIST, "/admin/servers/disable", &[("id", "canvas")])
        .await;
    assert_eq!(off.see_other(), "/admin/servers?done=disabled");
    let toolkit = gateway
        .call("GET", "/toolkit?extLmsId=canvas", None)
        .await
        .json();
    assert_eq!(toolkit["tools"], serde_json::json!([]));
    let on = ada
        .post_form(LIST, "/admin/servers/enable", &[("id", "canvas")])
        .await;
    assert_eq!(on.see_other(), "/admin/servers?done=enabled");

    let gone = ada
        .post_form(LIST, "/admin/servers/delete", &[("id", "canvas")])
        .await;
    assert_eq!(gone.see_other(), "/admin/servers?done=deleted");
    assert_eq!(
        ada.get(LIST)
            .await
            .attributes("[data-server]", "data-server")
            .len(),
        2
    );
    ada.get(EDIT).await.refused(404);
    let audit = ada.get("/admin/audit").await;
    let told = audit.attributes("[data-subject=canvas]", "data-action");
    let expected = [
        "server.deleted",
        "server.changed",
        "server.changed",
        "server.changed",
        "server.added",
    ];
    assert_eq!(told, expected);
    assert!(!audit.body.contains("a key that is"), "{}", audit.body);
}

#[actix_web::test]
async fn a_mistake_is_told_at_its_field_and_what_was_typed_stays() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (changed, field) in [
        (("id", "a b"), "id"),
        (("id", "moodle"), "id"),
        (("url", "ftp://canvas.example.org"), "url"),
        (("url", "https://user@canvas.example.org"), "url"),
        (("prefix", "mdl"), "prefix"),
        (("prefix", ""), "prefix"),
        (("key", ""), "key"),
        (("signature", ""), "signature"),
        (("signature", "3"), "signature"),
        (("timeout_ms", "soon"), "timeout_ms"),
        (("timeout_ms", "9999999"), "timeout_ms"),
    ] {
        let page = ada.post_form(ADD, ADD, &with(&[changed])).await;
        assert_eq!(page.status, 422, "{changed:?}: {}", page.body);
        let told = page.text(&format!("[id='{field}-error']"));
        assert!(
            told.is_some_and(|words| words.len() > 10),
            "{changed:?}: {}",
            page.body
        );
        assert_eq!(page.attributes("[name=name]", "value"), [CANVAS[1].1]);
        let page_of_quiz = page.attributes("[name='settings.mdquiz10.adapter_page']", "value");
        assert_eq!(page_of_quiz, ["lams/quiz.php"]);
        assert!(!page.body.contains(CANVAS[3].1), "the key is sent back");
    }
    let servers = "select count(*) from servers";
    assert_eq!(gateway.database.number(servers).await, 2);
}

#[actix_web::test]
async fn what_somebody_else_changed_is_not_overwritten_unseen() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    ada.post_form(ADD, ADD, &CANVAS).await.see_other();
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
    // Seen, it may be.
    edit(&ada, &late, &[("name", "Ada's")]).await.see_other();
    let name = "select name from servers where id = 'canvas'";
    assert_eq!(gateway.database.text(name).await.as_deref(), Some("Ada's"));
}

#[actix_web::test]
async fn a_server_that_content_lives_on_stays_and_says_so() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let ask = ada.get("/admin/servers/delete?id=moodle").await;
    assert!(
        ask.text("#in-use")
            .unwrap()
            .contains("1 content lives there"),
        "{}",
        ask.body
    );
    assert!(ask.body.contains("lams/mdquiz10/1"), "{}", ask.body);
    let tried = ada
        .post_form(LIST, "/admin/servers/delete", &[("id", "moodle")])
        .await;
    assert_eq!(tried.status, 409);
    assert_eq!(
        ada.get(LIST)
            .await
            .attributes("[data-server]", "data-server")
            .len(),
        2
    );
}

#[actix_web::test]
async fn a_form_of_another_session_changes_no_server_and_neither_does_an_address() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let mallory = Visitor::signed_in(&gateway, "Mallory").await;
    let token = mallory.form_token(ADD).await;
    let mut fields = CANVAS.to_vec();
    fields.push(("form_token", &token));
    ada.post(ADD, &fields).await.refused(403);
    for path in [
        "/admin/servers/disable?id=moodle",
        "/admin/servers/delete?id=moodle",
    ] {
        assert_eq!(ada.get(path).await.status, 200);
    }
    ada.get("/admin/servers/enable?id=moodle")
        .await
        .refused(405);
    let enabled = "select count(*) from servers where enabled";
    assert_eq!(gateway.database.number(enabled).await, 2);
}

#[rstest]
#[actix_web::test]
async fn the_last_answer_is_known_to_an_instance_that_did_not_ask(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (asked, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let other = Gateway::start_on(asked.database.clone(), Setup::default());
    let ada = Visitor::signed_in(&other, ADA).await;
    let answered = |server: &str| format!("[data-server={server}] [data-label='Last answer'] time");
    // What happened is written down behind the answers.
    Gateway::until("the answer is written down", || async {
        let page = ada.get("/admin/servers").await;
        !page.attributes(&answered("moodle"), "datetime").is_empty()
    })
    .await;
    let page = ada.get("/admin/servers").await;
    assert_eq!(page.attributes(&answered("dotLRN"), "datetime"), [""; 0]);
}
