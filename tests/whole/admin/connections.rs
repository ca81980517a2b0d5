//! LMS connections on the pages: connected, tried with a link, tested, moved, removed, and what stands in the way.

use rstest::rstest;

use crate::lms::asked::{OpenEdx, connection};
use crate::lms::stand_in::{Reply, Request, StandIn};
use crate::support::{ADA, Gateway, Kind, Page, Setup, Visitor};

const LIST: &str = "/admin/connections";
const EDIT: &str = "/admin/connections/edit";
const KEY: &str = "a key of the tests that is long";
const COUNT: &str = "select count(*) from lms_connections";

/// What a browser sends of the form.
fn fields<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("id", "dotLRN"),
        ("backend", "openedx"),
        ("base_url", "http://127.0.0.1:1"),
        ("selector_regex", r"^http://edx\.test/.*"),
        ("course_regex", r"^.*/courses/(?P<course_id>[^/]+)/"),
        ("api_token", KEY),
        ("auto_enroll", "on"),
        ("timeout_ms", "700"),
        ("create_users", "on"),
        ("grades_api", "core"),
    ];
    let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
    let usual = usual.into_iter().filter(|(name, _)| !is_changed(name));
    usual.chain(changed.iter().copied()).collect()
}

/// Sends the form with what it was made from.
async fn send(ada: &Visitor<'_>, form: &Page, changed: &[(&str, &str)]) -> Page {
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let mut fields = fields(changed);
    fields.push(("made_from", &made_from));
    let page = format!("{EDIT}?id=dotLRN");
    ada.post_form(&page, EDIT, &fields).await
}

async fn order(ada: &Visitor<'_>) -> Vec<String> {
    let list = ada.get(LIST).await;
    list.attributes("[data-connection]", "data-connection")
}

#[rstest]
#[actix_web::test]
async fn a_connection_is_made_changed_tried_and_removed(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let list = ada.get(LIST).await;
    assert!(list.text("#none").is_some());
    assert_eq!(list.attributes("#id option", "value"), ["dotLRN", "moodle"]);
    let page = format!("{EDIT}?id=dotLRN");
    let form = ada.get(&page).await;
    let saved = send(&ada, &form, &[]).await;
    assert_eq!(saved.see_other(), "/admin/connections?done=saved");
    assert_eq!(order(&ada).await, ["dotLRN"]);
    let lms = gateway.call("GET", "/lms", None).await.json();
    assert_eq!(lms["lms"][0]["id"], "dotLRN");

    // What is stored stands in the form, but for the key, which stays where no other is typed.
    let form = ada.get(&page).await;
    assert!(!form.body.contains(KEY), "{}", form.body);
    assert_eq!(form.attributes("#timeout_ms", "value"), ["700"]);
    assert_eq!(
        form.attributes("[name=backend][checked]", "value"),
        ["openedx"]
    );
    let sealed = "select hex(api_token) from lms_connections";
    let sealed = match kind {
        Kind::Sqlite => sealed,
        Kind::Postgres => "select encode(api_token, 'hex') from lms_connections",
    };
    let key = gateway.database.text(sealed).await.unwrap();
    let changed = send(&ada, &form, &[("api_token", ""), ("timeout_ms", "900")]).await;
    assert_eq!(changed.see_other(), "/admin/connections?done=saved");
    assert_eq!(gateway.database.text(sealed).await.unwrap(), key);

    // The older form is out of date now: it says what is different and changes nothing.
    let late = send(&ada, &form, &[("timeout_ms", "1")]).await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert!(
        late.text("#changed-meanwhile")
            .unwrap()
            .contains("now: 900")
    );

    let link = "http%3A%2F%2Fedx.test%2Fcourses%2Fcourse-v1%3Aa%2Bb%2Bc%2Finfo";
    let tried = ada.get(&format!("{LIST}?link={link}")).await;
    assert_eq!(tried.attributes("#chosen", "data-chosen"), ["dotLRN"]);
    assert_eq!(tried.text("#course").unwrap(), "course-v1:a+b+c");
    let none = ada
        .get(&format!("{LIST}?link=http%3A%2F%2Felsewhere%2F%3Cb%3E"))
        .await;
    assert!(none.text("#chosen").is_none());
    assert!(none.text("#why").unwrap().contains("none of the 1 LMSs"));
    assert!(!none.body.contains("elsewhere/<b>"), "{}", none.body);

    let remove = "/admin/connections/remove";
    let ask = ada.get(&format!("{remove}?id=dotLRN")).await;
    assert!(ask.text("h1").unwrap().ends_with("?"), "{}", ask.body);
    let older = form.attributes("[name=made_from]", "value").remove(0);
    let late = [("id", "dotLRN"), ("made_from", &*older)];
    ada.post_form(LIST, remove, &late).await.refused(409);
    let made_from = ask.attributes("[name=made_from]", "value").remove(0);
    let gone = [("id", "dotLRN"), ("made_from", &*made_from)];
    let gone = ada.post_form(LIST, remove, &gone).await;
    assert_eq!(gone.see_other(), "/admin/connections?done=removed");
    assert_eq!(gateway.database.number(COUNT).await, 0);
    ada.get(&format!("{remove}?id=dotLRN")).await.refused(404);
    let audit = ada.get("/admin/audit").await;
    assert!(!audit.body.contains(KEY), "{}", audit.body);
}

#[rstest]
#[case::no_backend(&[("backend", "")], "backend")]
#[case::no_address(&[("base_url", "")], "base_url")]
#[case::no_http(&[("base_url", "ftp://edx.test")], "base_url")]
#[case::no_selector(&[("selector_regex", "")], "selector_regex")]
#[case::no_expression(&[("selector_regex", "(")], "selector_regex")]
#[case::no_group(&[("course_regex", "^.*$")], "course_regex")]
#[case::no_course(&[("course_regex", "")], "course_regex")]
#[case::no_number(&[("timeout_ms", "soon")], "timeout_ms")]
#[case::too_long(&[("timeout_ms", "60001")], "timeout_ms")]
#[case::no_role(&[("role_id", "0")], "role_id")]
#[case::odd_auth(&[("user_auth", "o auth")], "user_auth")]
#[case::no_secret(&[("client_id", "x")], "client_secret")]
#[case::no_client(&[("client_secret", "x")], "client_id")]
#[case::odd_grades(&[("grades_api", "x")], "grades_api")]
#[case::no_json(&[("extras", "[1]")], "extras")]
#[actix_web::test]
async fn a_mistake_stands_at_its_field(#[case] changed: &[(&str, &str)], #[case] field: &str) {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let form = ada.get(&format!("{EDIT}?id=dotLRN")).await;
    let page = send(&ada, &form, changed).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(
        page.text(&format!("#{field}-error")).is_some(),
        "{field}: {}",
        page.body
    );
    assert!(!page.body.contains(KEY), "{}", page.body);
    assert_eq!(gateway.database.number(COUNT).await, 0);
}

#[actix_web::test]
async fn what_is_worth_a_second_look_stands_in_the_list_and_the_order_can_be_changed() {
    let edx = OpenEdx::default();
    let edx = StandIn::start(move |request| edx.answer(request)).await;
    let selector = "selector_regex = 'http://b\\.test/.*'";
    let more = [
        connection(
            "a",
            "openedx",
            &edx.url,
            "api_token = \"a-key-that-is-long\"",
        ),
        connection("b", "dummy", "http://b.test", "")
            .replace(selector, "selector_regex = 'http://[a-z]\\.test/.*'"),
        connection("c", "openedx", "http://c.test", "")
            .replace("selector_regex = 'http", "selector_regex = 'ˆhttp"),
    ];
    let setup = Setup {
        more: more.concat(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    assert_eq!(order(&ada).await, ["a", "b", "c"]);
    let list = ada.get(LIST).await;
    assert!(list.text("#overlaps").is_none(), "{}", list.body);
    let row = list.text("[data-connection=c]").unwrap();
    assert!(
        row.contains("U+02C6") && row.contains("neither api_token nor client"),
        "{row}"
    );

    let up = |id: &'static str, above: &'static str| {
        let ada = &ada;
        async move {
            let fields = [("id", id), ("above", above)];
            ada.post_form(LIST, "/admin/connections/move", &fields)
                .await
        }
    };
    assert_eq!(
        up("b", "a").await.see_other(),
        "/admin/connections?done=moved"
    );
    assert_eq!(order(&ada).await, ["b", "a", "c"]);
    let list = ada
        .get(&format!("{LIST}?link=http%3A%2F%2Fa.test%2F"))
        .await;
    let words = list.text("#overlaps").unwrap();
    assert!(words.contains("overlaps that of b"), "{words}");
    assert_eq!(list.attributes("#chosen", "data-chosen"), ["b"]);
    assert!(
        list.text("[data-other=a]")
            .unwrap()
            .contains("b comes first")
    );
    // What somebody else moved in the meantime is not moved over.
    up("b", "a").await.refused(409);
    up("b", "b").await.refused(409);
    up("nobody", "a").await.refused(409);
    assert_eq!(order(&ada).await, ["b", "a", "c"]);
}

/// The row of the test of a server's connection about its enrollment: verdict and words.
async fn tested(
    backend: &str,
    more: &str,
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (String, String) {
    let lms = StandIn::start(answer).await;
    let setup = Setup {
        more: connection("campus", backend, &lms.url, more),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let test = "/admin/servers/campus/test";
    let page = ada.post_form(test, test, &[]).await;
    let row = "[data-code=enrollment]";
    let verdict = page.attributes(row, "data-verdict").remove(0);
    // Nothing was changed there.
    for request in lms.asked() {
        let function = request.field("wsfunction").unwrap_or_default();
        let reads = request.method == "GET" || !function.is_empty();
        assert!(reads && !function.contains("enrol_users"), "{request:?}");
    }
    (verdict, page.text(&format!("{row} .words")).unwrap())
}

fn says(json: &str) -> Reply {
    Reply::Says(200, json.to_owned())
}

#[rstest]
#[case::taken(200, "", "ok", "takes what the calls are signed with")]
#[case::no_rights(404, "", "failed", "whether the API key may see and change")]
#[case::wrong_key(
    401,
    "{\"detail\": \"Invalid\"}",
    "failed",
    "Compare the API key on both sides"
)]
#[case::another_site(200, "<html>", "failed", "See whether the base address")]
#[case::broken(500, "", "failed", "See how the LMS does")]
#[actix_web::test]
async fn the_test_of_a_connection_tries_an_open_edx(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] verdict: &str,
    #[case] words: &str,
) {
    let key = "api_token = \"a-key-that-is-long\"";
    let answer = move |_: &Request| Reply::Says(status, body.to_owned());
    let (found, said) = tested("openedx", key, answer).await;
    assert_eq!(found, verdict, "{said}");
    assert!(said.contains(words), "{said}");
}

#[actix_web::test]
async fn the_test_of_a_connection_tries_a_moodle() {
    let token = "api_token = \"a-token-that-is-long\"";
    let functions = |names: &[&str]| {
        let named = names.iter().map(|name| format!("{{\"name\": \"{name}\"}}"));
        format!("{{\"functions\": [{}]}}", Vec::from_iter(named).join(", "))
    };
    let four = functions(&[
        "core_user_get_users",
        "core_user_create_users",
        "enrol_manual_enrol_users",
        "core_enrol_get_enrolled_users",
    ]);
    let (verdict, words) = tested("moodle", token, move |_| says(&four)).await;
    assert_eq!(verdict, "failed");
    assert!(
        words.contains("enrol_manual_unenrol_users, core_completion_get_course_completion_status"),
        "{words}"
    );
    // The list of functions need not be one of them.
    let denied = |request: &Request| match request.field("wsfunction").as_deref() {
        Some("core_user_get_users") => says("{\"users\": []}"),
        _ => says("{\"exception\": \"x\", \"errorcode\": \"accessexception\"}"),
    };
    assert_eq!(tested("moodle", token, denied).await.0, "ok");
    let (verdict, words) = tested("moodle", token, |_| {
        says("{\"exception\": \"x\", \"errorcode\": \"invalidtoken\", \"message\": \"Invalid a-token-that-is-long\"}")
    })
    .await;
    assert_eq!(verdict, "failed");
    assert!(words.contains("Compare the token"), "{words}");
    assert!(!words.contains("a-token-that-is-long"), "{words}");
    assert_eq!(tested("dummy", "", |_| says("")).await.0, "skipped");
}
