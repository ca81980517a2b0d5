//! Tools on the pages: the list, the boxes of servers, and what attackers get. Previews and definitions are
//! below.

mod definitions;
mod files;
mod preview;

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, Page, Setup, Visitor};

const LIST: &str = "/admin/tools";
const QUIZ: &str = "/admin/tools/tool?signature=mdquiz10";
const MAP: &str = "/admin/tools/servers";

/// Two more servers: one that can have tools, one that lacks what it needs for that.
fn with_more() -> Setup {
    let more = r#"
[[servers]]
id = "canvas"
name = "Canvas <b>of</b> ours"
url = "https://canvas.example.org/"
key = "a key that is long enough"
prefix = "cnv"

[[servers]]
id = "bare"
url = "https://bare.example.org/"
"#;
    Setup {
        more: more.to_owned(),
        ..Setup::default()
    }
}

/// Saves the boxes of a page with these servers ticked.
async fn tick(ada: &Visitor<'_>, page: &Page, servers: &[&str]) -> Page {
    let made_from = page.attributes("[name=made_from]", "value").remove(0);
    let signature = page.text("#signature-of-it").unwrap();
    let names: Vec<String> = servers.iter().map(|id| format!("server.{id}")).collect();
    let mut fields = vec![("signature", signature.as_str()), ("made_from", &made_from)];
    fields.extend(names.iter().map(|name| (name.as_str(), "on")));
    ada.post_form(LIST, MAP, &fields).await
}

fn ticked(page: &Page) -> Vec<String> {
    page.attributes("[data-server] input[checked]", "name")
}

#[rstest]
#[actix_web::test]
async fn servers_get_and_lose_a_tool_by_its_boxes(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, with_more()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = ada.get(QUIZ).await;
    assert_eq!(ticked(&page), ["server.moodle"]);
    assert!(!page.body.contains("<b>of</b>"));

    let saved = tick(&ada, &page, &["canvas"]).await;
    assert_eq!(
        saved.see_other(),
        "/admin/tools/tool?signature=mdquiz10&done=mapped"
    );
    assert_eq!(ticked(&ada.get(QUIZ).await), ["server.canvas"]);
    let toolkit = |server: &'static str| {
        let gateway = &gateway;
        async move {
            let path = format!("/toolkit?extLmsId={server}");
            let tools = gateway.call("GET", &path, None).await.json()["tools"].clone();
            tools.to_string().contains("mdquiz10")
        }
    };
    assert!(toolkit("canvas").await && !toolkit("moodle").await);
    // Nothing else of the servers has changed, and both are told of.
    let others = "select count(*) from server_tools where server_id = 'moodle'";
    assert_eq!(gateway.database.number(others).await, 8);
    let audit = ada.get("/admin/audit").await;
    for server in ["moodle", "canvas"] {
        let told = audit.attributes(&format!("[data-subject={server}]"), "data-action");
        assert_eq!(told[0], "server.changed");
    }
    // The same once more changes nothing.
    let again = ada.get(QUIZ).await;
    tick(&ada, &again, &["canvas"]).await.see_other();
    let told = ada.get("/admin/audit").await;
    assert_eq!(
        told.attributes("li", "data-action"),
        audit.attributes("li", "data-action")
    );
}

#[actix_web::test]
async fn what_a_server_lacks_is_said_at_its_box() {
    let gateway = Gateway::start(Kind::Sqlite, with_more()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = ada.get(QUIZ).await;
    let hint = page.text("[id='server.bare-hint']").unwrap();
    assert_eq!(hint, "bare. It needs a key and a prefix first.");
    let refused = tick(&ada, &page, &["bare", "canvas"]).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let told = refused.text("[id='server.bare-error']").unwrap();
    assert_eq!(told, "It needs a key and a prefix first.");
    assert_eq!(refused.text("[id='server.canvas-error']"), None);
    assert_eq!(ticked(&refused), ["server.bare", "server.canvas"]);
    // None of it was saved, and what was typed can be mended from there.
    assert_eq!(ticked(&ada.get(QUIZ).await), ["server.moodle"]);
    tick(&ada, &refused, &["canvas", "moodle"])
        .await
        .see_other();
}

#[rstest]
#[actix_web::test]
async fn boxes_that_somebody_else_changed_are_not_overwritten_unseen(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, with_more()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let early = ada.get(QUIZ).await;
    tick(&ada, &early, &["moodle", "canvas"]).await.see_other();
    let late = tick(&ada, &early, &[]).await;
    assert_eq!(late.status, 409, "{}", late.body);
    let told = late.text("#changed-meanwhile").unwrap();
    assert!(
        told.contains("moodle has it now") && told.contains("ours has it now"),
        "{told}"
    );
    assert_eq!(ticked(&late), [""; 0]);
    // Another tool of the servers, and other fields of theirs, are not what these boxes are about.
    let other = ada.get("/admin/tools/tool?signature=mdchat10").await;
    tick(&ada, &other, &["canvas"]).await.see_other();
    tick(&ada, &late, &["moodle"]).await.see_other();
    // A server that was not there when the page was made is not taken for one without a tick.
    let before = ada.get(QUIZ).await;
    let gone = ada
        .post_form("/admin/servers", "/admin/servers/delete", &[("id", "bare")])
        .await;
    gone.see_other();
    assert_eq!(tick(&ada, &before, &["moodle"]).await.status, 409);
    assert_eq!(ticked(&ada.get(QUIZ).await), ["server.moodle"]);
}

#[rstest]
#[actix_web::test]
async fn the_list_says_who_has_it_and_how_often_it_is_opened(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let (gateway, _peer) = Gateway::with_session(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    gateway.get_signed(learn, "mdl_Anna").await.location();
    gateway.get_signed(learn, "mdl_Bert").await.location();
    gateway
        .get_signed(
            "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=3",
            "mdl_Anna",
        )
        .await
        .refused(404);
    gateway.rows().await;
    let list = ada.get(LIST).await;
    let signatures = list.attributes("[data-tool]", "data-tool");
    assert_eq!((signatures.len(), signatures[0].as_str()), (10, "mdfrum10"));
    let row = |label: &str| list.text(&format!("[data-tool=mdquiz10] [data-label='{label}']"));
    assert_eq!(row("Servers").as_deref(), Some("1 enabled"));
    // An author, a callback, and these.
    assert_eq!(
        row("Launches, 24 h").as_deref(),
        Some("5 1 refused, 0 failed")
    );
    let quiet = list.text("[data-tool=mdchat10] [data-label='Launches, 24 h']");
    assert_eq!(quiet.as_deref(), Some("0"));
    ada.post_form(
        "/admin/servers",
        "/admin/servers/disable",
        &[("id", "moodle")],
    )
    .await
    .see_other();
    let list = ada.get(LIST).await;
    let servers = list.text("[data-tool=mdquiz10] [data-label=Servers]");
    assert_eq!(servers.as_deref(), Some("none enabled"));
}

#[actix_web::test]
async fn a_tool_that_there_is_none_of_is_refused_in_words() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for signature in [
        "",
        "nobody",
        "..",
        "../servers",
        "%2e%2e%2f",
        "a%00b",
        "mdquiz10%0d%0a",
        "x'--",
    ] {
        for page in ["tool", "file", "edit", "delete", "preview"] {
            let path = format!("/admin/tools/{page}?signature={signature}");
            assert_eq!(
                ada.get(&path).await.refused(404),
                "It is not configured here"
            );
        }
    }
    // A built-in one is there, and is nobody's to change.
    for page in ["edit", "delete"] {
        let path = format!("/admin/tools/{page}?signature=mdquiz10");
        ada.get(&path).await.refused(404);
    }
    let fields = [("signature", "mdquiz10"), ("definition", "title = 1")];
    for path in ["/admin/tools/edit", "/admin/tools/delete"] {
        ada.post_form(LIST, path, &fields).await.refused(404);
    }
    for path in [
        "/admin/tools/servers",
        "/admin/tools/try",
        "/admin/tools/upload",
    ] {
        ada.get(path).await.refused(405);
    }
    for path in [QUIZ, "/admin/tools/preview", "/admin/tools/new", LIST] {
        let mut ids = ada.get(path).await.attributes("[id]", "id");
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "an id is there twice on {path}");
    }
    let page = ada.get(QUIZ).await;
    assert_eq!(page.text("h1").as_deref(), Some("Moodle Quiz"));
    assert_eq!(
        page.text("[data-call=Delete] code").as_deref(),
        Some("none")
    );
}
