//! Tools of one's own: written, tried, saved, used, changed and deleted.

use rstest::rstest;

use super::{LIST, tick};
use crate::support::{ADA, Answer, Gateway, Kind, Page, Peer, Setup, Visitor};

const NEW: &str = "/admin/tools/new";
const EDIT: &str = "/admin/tools/edit?signature=forum08";
const TOOL: &str = "/admin/tools/tool?signature=forum08";
/// What somebody types, comments and all.
const FORUM: &str = r#"# Ours, of 2008.
signature = "forum08"
title = "Old <i>forum</i>"

[custom_csv]
fields = ["user", "course", "section"]   # no server

[addresses]
author_new = "{server}{config.form|path}?u={update_url}&section={section}&course={course}"
author_saved = "{server}{config.form|path}?u={update_url}&update={ext_tool_content_id}"
learner = "{server}mod/forum/view.php?id={ext_session_id}&returnUrl={return_url}"
monitor = "{server}mod/forum/view.php?id={ext_session_id}"

[adapter_page]
address = "mod/lams/tooladapter_forum.php"
parameters = "un={user}&cs={course}&section={section}"

[[config]]
name = "form"
label = "Page with the author's form"
default = "course/modedit-lams.php"
"#;

async fn add(ada: &Visitor<'_>, definition: &str) -> Page {
    ada.post_form(LIST, NEW, &[("definition", definition)])
        .await
}

/// Saves a definition in the editor of a page.
async fn edit(ada: &Visitor<'_>, page: &Page, definition: &str) -> Page {
    let made_from = page.attributes("[name=made_from]", "value").remove(0);
    let fields = [
        ("signature", "forum08"),
        ("made_from", made_from.as_str()),
        ("definition", definition),
    ];
    ada.post_form(LIST, "/admin/tools/edit", &fields).await
}

#[rstest]
#[actix_web::test]
async fn a_tool_is_written_used_changed_and_deleted(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let peer = Peer::start(Answer::Ids(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    // A browser ends lines in its own way.
    let saved = add(&ada, &FORUM.replace('\n', "\r\n")).await;
    assert_eq!(saved.see_other(), format!("{TOOL}&done=saved"));
    let stored = "select definition from tools where signature = 'forum08'";
    assert_eq!(gateway.database.text(stored).await.as_deref(), Some(FORUM));
    let list = ada.get(LIST).await;
    assert!(list.text("[data-tool=forum08] .tag").is_some() && !list.body.contains("<i>forum"));

    let page = ada.get(TOOL).await;
    tick(&ada, &page, &["moodle"]).await.see_other();
    let launch =
        "/lams/tool/forum08/authoring.do?toolContentID=1&contentFolderID=f1&customCSV=bill%2C7%2C3";
    let location = gateway.get_signed(launch, "mdl_bill").await.location();
    let expected = "http://moodle.example.org/moodle/course/modedit-lams.php?u=";
    assert!(location.starts_with(expected), "{location}");

    // A comment alone is a change, too, where somebody edits it.
    let form = ada.get(EDIT).await;
    assert_eq!(form.text("textarea").as_deref(), Some(FORUM.trim()));
    let commented = FORUM.replace("# Ours, of 2008.", "# Ours, of 2008. Ask Ada.");
    edit(&ada, &form, &commented).await.see_other();
    assert_eq!(
        gateway.database.text(stored).await.as_deref(),
        Some(commented.as_str())
    );
    // Somebody else's change is not overwritten unseen.
    let late = edit(&ada, &form, &FORUM.replace("Old", "My")).await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert!(
        late.text("#changed-meanwhile pre")
            .unwrap()
            .contains("Ask Ada.")
    );
    assert!(late.text("textarea").unwrap().contains("My <i>forum</i>"));
    edit(&ada, &late, &FORUM.replace("course/modedit", "mod/edit"))
        .await
        .see_other();
    let location = gateway.get_signed(launch, "mdl_bill").await.location();
    assert!(
        location.contains("/moodle/mod/edit-lams.php?u="),
        "{location}"
    );

    // In use, it stays and says why.
    let ask = ada.get("/admin/tools/delete?signature=forum08").await;
    let why = ask.text("#in-use").unwrap();
    assert!(
        why.contains("moodle") && why.contains("lams/forum08/1"),
        "{why}"
    );
    let fields = [("signature", "forum08")];
    let kept = ada.post_form(LIST, "/admin/tools/delete", &fields).await;
    assert_eq!(kept.status, 409);
    let page = ada.get(TOOL).await;
    tick(&ada, &page, &[]).await.see_other();
    let kept = ada.post_form(LIST, "/admin/tools/delete", &fields).await;
    assert!(
        kept.text("#in-use").unwrap().contains("made with it (1)"),
        "{}",
        kept.body
    );
    gateway
        .call("DELETE", "/tools/forum08/contents/1", None)
        .await;
    gateway
        .database
        .execute("insert into tool_settings (server_id, signature, name, value) values ('moodle', 'forum08', 'form', 'x')")
        .await;
    let ask = ada.get("/admin/tools/delete?signature=forum08").await;
    assert_eq!(ask.text("h1").as_deref(), Some("Delete Old <i>forum</i>?"));
    let gone = ada.post_form(LIST, "/admin/tools/delete", &fields).await;
    assert_eq!(gone.see_other(), "/admin/tools?done=deleted");
    ada.get(TOOL).await.refused(404);
    gateway.get_signed(launch, "mdl_bill").await.refused(404);
    // What servers had set for it went along: else none of them could be saved any more.
    let left = "select count(*) from tool_settings where signature = 'forum08'";
    assert_eq!(gateway.database.number(left).await, 0);
    let audit = ada.get("/admin/audit").await;
    let told = audit.attributes("[data-subject=forum08]", "data-action");
    assert_eq!(
        told,
        ["tool.deleted", "tool.changed", "tool.changed", "tool.added"]
    );
}

/// Where a refused definition's mistake is said to be, and what.
fn mistake(page: &Page) -> (Option<String>, String) {
    let line = page.attributes(".mistake", "data-line").pop();
    (line, page.text(".mistake .error").unwrap())
}

#[actix_web::test]
async fn a_mistake_is_shown_at_its_line_and_what_was_typed_stays() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (from, to, line, said, caret) in [
        (
            "title =",
            "titel =",
            Some("3"),
            "unknown field `titel`",
            "^^^^^",
        ),
        (
            "{return_url}",
            "{retrun_url}",
            Some("11"),
            "there is no value {retrun_url}",
            "^^^^^^^^^^^",
        ),
        (
            "{update_url}&section",
            "{return_url}&section",
            Some("9"),
            "has no value in author_new",
            "^^^^^^^^^^^",
        ),
        (
            "\"forum08\"",
            "\"../../etc\"",
            Some("2"),
            "tool signature must be",
            "^^^^^^^^^^^",
        ),
        (
            "\"forum08\"",
            "\"mdquiz10\"",
            Some("2"),
            "is built in",
            "^^^^^^^^^^",
        ),
        (
            "title = \"Old <i>forum</i>\"",
            "title = \"\"",
            Some("3"),
            "a title is 1 to 100",
            "^^",
        ),
        ("[addresses]", "[addresses", Some("8"), "", ""),
        (
            "name = \"form\"",
            "name = \"Form\"",
            Some("19"),
            "is no name for an item",
            "^^^^^^",
        ),
        (
            "learner = ",
            "# learner = ",
            Some("8"),
            "missing field `learner`",
            "",
        ),
        (
            "signature = \"forum08\"",
            "",
            None,
            "missing field `signature`",
            "",
        ),
    ] {
        assert!(FORUM.contains(from), "{from}");
        let typed = FORUM.replacen(from, to, 1);
        let page = add(&ada, &typed).await;
        assert_eq!(page.status, 422, "{from}: {}", page.body);
        let (at, words) = mistake(&page);
        assert_eq!(at.as_deref(), line, "{from}: {words}");
        assert!(
            words.to_lowercase().contains(&said.to_lowercase()),
            "{from}: {words}"
        );
        assert_eq!(
            page.text("textarea").as_deref(),
            Some(typed.trim()),
            "{from}"
        );
        if !caret.is_empty() {
            assert_eq!(
                page.text("#definition-error .caret").as_deref(),
                Some(caret),
                "{from}"
            );
        }
        if let Some(line) = line {
            let marked = page.text("#definition-error mark").unwrap();
            assert!(marked.starts_with(line), "{marked}");
        }
        assert!(!page.body.contains("<i>forum"));
    }
    let tools = "select count(*) from tools";
    assert_eq!(gateway.database.number(tools).await, 0);
    // A second of the same signature, and another signature for the first.
    add(&ada, FORUM).await.see_other();
    let taken = add(&ada, FORUM).await;
    assert_eq!(
        (taken.status, mistake(&taken).0.as_deref()),
        (422, Some("2"))
    );
    let renamed = edit(
        &ada,
        &ada.get(EDIT).await,
        &FORUM.replace("forum08", "forum09"),
    )
    .await;
    assert_eq!(renamed.status, 422);
    assert!(
        mistake(&renamed).1.contains("must stay forum08"),
        "{}",
        renamed.body
    );
    assert_eq!(gateway.database.number(tools).await, 1);
}

#[actix_web::test]
async fn a_change_that_its_servers_could_not_live_with_is_refused() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    add(&ada, FORUM).await.see_other();
    tick(&ada, &ada.get(TOOL).await, &["moodle"])
        .await
        .see_other();
    let required = FORUM.replace("default = \"course/modedit-lams.php\"", "required = true");
    let form = ada.get(EDIT).await;
    let refused = edit(&ada, &form, &required).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(
        mistake(&refused).1.contains("moodle cannot have it so"),
        "{}",
        refused.body
    );
    // Without the server it may be so, and then the box says what is missing.
    tick(&ada, &ada.get(TOOL).await, &[]).await.see_other();
    edit(&ada, &form, &required).await.see_other();
    let page = ada.get(TOOL).await;
    let refused = tick(&ada, &page, &["moodle"]).await;
    assert_eq!(refused.status, 422);
    let told = refused.text("[id='server.moodle-error']").unwrap();
    assert!(told.contains("needs the item \"form\""), "{told}");
}

#[actix_web::test]
async fn what_is_not_saved_yet_can_be_tried_and_is_not_saved_by_that() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let fields = [
        ("definition", FORUM),
        ("customCSV", "bill,7,3"),
        ("server", "moodle"),
        ("platform", "lams"),
        ("login", "mdl_bill"),
        ("content", "1"),
        ("ext_content", "555"),
        ("session", "2"),
        ("ext_session", "556"),
    ];
    let tried = ada.post_form(LIST, "/admin/tools/try", &fields).await;
    assert_eq!(tried.status, 200);
    let learner = tried.text("[data-page=learner] code.whole").unwrap();
    let expected = "http://moodle.example.org/moodle/mod/forum/view.php?id=556&returnUrl=";
    assert!(learner.starts_with(expected), "{learner}");
    assert!(
        tried
            .text("#remarks")
            .unwrap()
            .contains("not connected to this tool")
    );
    assert_eq!(tried.text("textarea").as_deref(), Some(FORUM.trim()));
    assert_eq!(tried.attributes("#customCSV", "value"), ["bill,7,3"]);
    let part = ada
        .post_form(LIST, "/admin/tools/try?part=outcome", &fields)
        .await;
    assert_eq!((part.text("h1"), part.text("textarea")), (None, None));
    assert!(part.body.contains("view.php"));
    let wrong = [("definition", "title = 1")];
    let part = ada
        .post_form(LIST, "/admin/tools/try?part=outcome", &wrong)
        .await;
    assert_eq!((part.status, mistake(&part).0.as_deref()), (200, Some("1")));
    assert_eq!(
        gateway.database.number("select count(*) from tools").await,
        0
    );
}

#[actix_web::test]
async fn hostile_definitions_are_refused_and_nothing_else_happens() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let changed = |from: &str, to: &str| FORUM.replacen(from, to, 1);
    let hostile = [
        String::new(),
        "\0".to_owned(),
        "\u{feff}".to_owned(),
        "[[tools]]".to_owned(),
        format!("x = {}1{}", "[".repeat(8000), "]".repeat(8000)),
        format!("[{}a]", "a.".repeat(8000)),
        format!("{FORUM}# {}", "x".repeat(16 * 1024)),
        "signature = 7".to_owned(),
        changed("\"forum08\"", "[\"forum08\"]"),
        changed("\"forum08\"", "\"\""),
        changed("\"forum08\"", "\"forum08/../mdquiz10\""),
        changed("\"forum08\"", "\"forum08\\u0000\""),
        changed("\"forum08\"", "\"<script>\""),
        changed("\"forum08\"", &format!("\"{}\"", "a".repeat(33))),
        changed("Old <i>forum</i>", "Old\\u0000forum"),
        changed("Old <i>forum</i>", &"x".repeat(101)),
        changed("{server}mod", "https://evil.example/{server}mod"),
        changed("{server}mod", "javascript:alert(1)//"),
        changed("{server}mod", "//evil.example/mod"),
        changed("{server}mod", "{server}\\r\\nSet-Cookie: a=b"),
        changed("{server}mod", "{server}{server}mod"),
        changed("{server}mod", "{course_url}/mod"),
        changed("\"mod/lams", "\"file:///etc/passwd"),
        changed("\"mod/lams", "\"gopher://x/"),
        changed("un={user}", "un={update_url}"),
        format!("{FORUM}\n[addresses]\n"),
        format!("{FORUM}\nunknown = 1\n"),
    ];
    for definition in &hostile {
        let page = add(&ada, definition).await;
        assert_eq!(
            page.status,
            422,
            "{}",
            definition.chars().take(300).collect::<String>()
        );
        assert!(
            page.text("#definition-error .error")
                .is_some_and(|words| words.len() > 5)
        );
        let tried = ada
            .post_form(LIST, "/admin/tools/try", &[("definition", definition)])
            .await;
        assert_eq!(tried.status, 200);
    }
    let endless = [("definition", "x".repeat(70_000))];
    let endless: Vec<(&str, &str)> = endless.iter().map(|(n, v)| (*n, v.as_str())).collect();
    ada.post_form(LIST, NEW, &endless).await.refused(413);
    assert_eq!(
        gateway.database.number("select count(*) from tools").await,
        0
    );
    add(&ada, FORUM).await.see_other();
}

#[actix_web::test]
async fn one_like_a_built_in_one_has_a_signature_that_is_free() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (like, signature) in [
        ("mdchce10", "mdchce10-own"),
        ("mdchce10", "mdchce10-own2"),
        ("mdchce10-own", "mdchce10-own-own"),
    ] {
        let form = ada.get(&format!("{NEW}?like={like}")).await;
        let definition = form.text("textarea").unwrap();
        assert!(
            definition.contains("# One version of the page reads"),
            "{definition}"
        );
        // It is right as it stands, and shows where it leads.
        assert_eq!(form.attributes("[data-page]", "data-page").len(), 6);
        let saved = add(&ada, &definition).await;
        let to = format!("/admin/tools/tool?signature={signature}&done=saved");
        assert_eq!(saved.see_other(), to);
    }
    ada.get(&format!("{NEW}?like=nobody")).await.refused(404);
}
