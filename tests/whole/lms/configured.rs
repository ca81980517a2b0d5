//! `[servers.enrollment]` and `apply --joanie`.

use std::process::Output;

use rstest::rstest;
use serde_json::json;

use crate::support::{ADA, Database, Gateway, Kind, Setup, Visitor, apply, binary, environment};

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn server(id: &str, enrollment: &str) -> String {
    format!(
        "[[servers]]\nid = \"{id}\"\nurl = \"http://{id}.test/\"\n[servers.enrollment]\n{enrollment}\n"
    )
}

const EDX: &str = r#"backend = "openedx"
base_url = "http://edx.test"
selector_regex = '^.*/courses/(?P<course_id>.*)/info/?$'
course_regex = '^.*/courses/(?P<course_id>.*)/info/?$'
api_token = "a-secure-api-token"
grades_api = "core""#;

const MOODLE: &str = r#"backend = "moodle"
base_url = "http://moodle.test/webservice/rest/server.php"
selector_regex = '^.*/course/view.php\?id=.*$'
client_id = "client"
client_secret = "a-secure-client-secret"
auto_enroll = true
extras = '{"JS_BACKEND":"x","nothing":null}'"#;

fn toolgate(database: &Database, arguments: &[&str]) -> Output {
    let mut command = binary();
    command.args(arguments).envs(environment(database));
    command.output().unwrap()
}

async fn places(database: &Database) -> String {
    let mut placed = Vec::new();
    for id in ["edx", "moodle", "extra"] {
        let sql = format!(
            "select coalesce(max(position), 0) from lms_connections where server_id = '{id}'"
        );
        match database.number(&sql).await {
            0 => {}
            place => placed.push((place, id)),
        }
    }
    placed.sort_unstable();
    Vec::from_iter(placed.into_iter().map(|(_, id)| id)).join(" ")
}

#[rstest]
#[actix_web::test]
async fn a_connection_is_stored_and_comes_out_again(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let file = [server("moodle", MOODLE), server("edx", EDX)].concat();
    let output = apply(&database, &file, &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("warning"), "{}", said(&output));
    let again = said(&apply(&database, &file, &[]));
    assert!(
        again.lines().all(|line| line.starts_with("left server")),
        "{again}"
    );
    assert_eq!(places(&database).await, "moodle edx");

    let exported = said(&toolgate(&database, &["export-config"]));
    for secret in ["a-secure-api-token", "a-secure-client-secret"] {
        assert!(!exported.contains(secret), "{exported}");
    }
    assert!(exported.contains("JS_BACKEND"), "{exported}");
    let again = said(&apply(&database, &exported, &[]));
    assert!(
        again.lines().all(|line| line.starts_with("left server")),
        "{again}"
    );
    let references = said(&toolgate(&database, &["export-config", "--references"]));
    for name in ["EDX_API_TOKEN", "MOODLE_CLIENT_SECRET"] {
        assert!(references.contains(name), "{references}");
    }
    // On another database it makes the same order, which is not that of ids.
    let other = Database::new(kind).await;
    let file = exported.replace("client_id = \"client\"\n", "");
    let output = apply(&other, &file, &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(places(&other).await, "moodle edx");
    assert!(said(&output).contains("warning: server edx: it has neither api_token nor client"));

    let rotated = binary()
        .args(["rotate-keys"])
        .envs(environment(&database))
        .env(
            "TOOLGATE_SECRET_KEY",
            format!(
                "new:bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU=,default:{}",
                environment(&database)[1].1
            ),
        )
        .output()
        .unwrap();
    assert!(
        said(&rotated).starts_with("sealed anew 2 secrets of the key default"),
        "{}",
        said(&rotated)
    );
}

#[rstest]
#[actix_web::test]
async fn the_order_is_the_files_and_new_ones_come_last(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let extra = MOODLE.replace("moodle.test", "extra.test");
    for (files, order) in [
        (
            [server("edx", EDX), server("moodle", MOODLE)].concat(),
            "edx moodle",
        ),
        (server("edx", EDX), "edx moodle"),
        (
            [server("moodle", MOODLE), server("edx", EDX)].concat(),
            "moodle edx",
        ),
        (
            [server("extra", &extra), server("edx", EDX)].concat(),
            "moodle extra edx",
        ),
        (
            "[[servers]]\nid = \"extra\"\nurl = \"http://extra.test/\"".to_owned(),
            "moodle edx",
        ),
    ] {
        let output = apply(&database, &files, &[]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(places(&database).await, order, "{files}");
    }
}

#[rstest]
#[case(
    "base_url = \"http://edx.test\"",
    "base_url = \"ftp://edx.test\"",
    "line 6, base_url: base_url must be an address"
)]
#[case(
    "backend = \"openedx\"",
    "backend = \"edx\"",
    "line 5, backend: backend must be"
)]
#[case(
    "(?P<course_id>.*)/info/?$'\napi",
    "[a'\napi",
    "line 8, course_regex: course_regex is no regular expression"
)]
#[case(
    "(?P<course_id>.*)/info/?$'\napi",
    "x'\napi",
    "line 8, course_regex: course_regex must have a group"
)]
#[case(
    "course_regex",
    "#course_regex",
    "line 5, backend: course_regex must have a group"
)]
#[case(
    "grades_api = \"core\"",
    "grades_api = \"both\"",
    "line 10, grades_api: grades_api must be"
)]
#[case(
    "grades_api = \"core\"",
    "timeout_ms = 0",
    "line 10, timeout_ms: timeout_ms of enrollment must be 1 to 60000"
)]
#[case(
    "grades_api = \"core\"",
    "role_id = 0",
    "line 10, role_id: role_id must be"
)]
#[case(
    "grades_api = \"core\"",
    "user_auth = \"\"",
    "line 10, user_auth: user_auth must be"
)]
#[case(
    "grades_api = \"core\"",
    "extras = \"[]\"",
    "line 10, extras: extras must be a JSON object"
)]
#[case(
    "grades_api = \"core\"",
    "client_id = \"x\"",
    "line 10, client_id: client_id needs a client_secret"
)]
#[case(
    "grades_api = \"core\"",
    "client_secret = \"x\"",
    "line 5, backend: client_secret needs a client_id"
)]
#[case(
    "grades_api",
    "nonsense",
    "line 10, nonsense: unknown field `nonsense`"
)]
#[case("selector_regex", "#", "missing field `selector_regex`")]
#[actix_web::test]
async fn a_mistake_is_named_by_line_and_key(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] expected: &str,
) {
    let database = Database::new(Kind::Sqlite).await;
    let file = server("edx", EDX);
    assert!(file.contains(right));
    let output = apply(&database, &file.replacen(right, wrong, 1), &[]);
    assert!(!output.status.success());
    assert!(said(&output).contains(expected), "{}", said(&output));
    assert_eq!(database.number("select count(*) from servers").await, 0);
}

#[rstest]
#[actix_web::test]
async fn joanies_list_makes_servers_that_are_known_again(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    let entry = |backend: &str, base: &str, selector: &str| {
        json!({"BACKEND": format!("joanie.lms_handler.backends.{backend}"), "BASE_URL": base,
            "SELECTOR_REGEX": selector, "COURSE_REGEX": "^.*/courses/(?P<course_id>.*)/course/?$",
            "API_TOKEN": "a-secure-api-token", "JS_BACKEND": "openedx-hawthorn"})
    };
    let edx = |selector| entry("openedx.OpenEdXLMSBackend", "http://lms.test", selector);
    let moodle = entry(
        "moodle.MoodleLMSBackend",
        "http://lms.test/moodle/webservice/rest/server.php",
        "^.*/course/view.php\\?id=.*$",
    );
    let list = json!([edx(".*/a/.*"), moodle, edx(".*/b/.*")]).to_string();
    let dry = said(&apply(&database, &list, &["--joanie", "--dry-run"]));
    let created = "would create server lms.test\nwould create server lms.test-2\nwould create server lms.test-3\n";
    assert_eq!(dry, created);
    let output = apply(&database, &list, &["--joanie"]);
    assert!(output.status.success(), "{}", said(&output));
    let again = said(&apply(&database, &list, &["--joanie"]));
    assert_eq!(
        again.matches("as the file says already").count(),
        3,
        "{again}"
    );
    let exported = said(&toolgate(&database, &["export-config"]));
    assert!(
        exported.contains("openedx-hawthorn")
            && exported.contains("url = \"http://lms.test/moodle/\"")
    );

    let list = json!([edx(".*/b/.*"), edx("\u{2c6}.*")]).to_string();
    let changed = said(&apply(&database, &list, &["--joanie"]));
    assert!(
        changed.contains("changed server lms.test: enrollment"),
        "{changed}"
    );
    assert!(
        changed.contains("left server lms.test-2: not in the file"),
        "{changed}"
    );
    assert!(
        changed.contains("warning: server lms.test-3: SELECTOR_REGEX holds ˆ (U+02C6)"),
        "{changed}"
    );

    let broken = list.replacen(',', ",\n oops", 1);
    let refused = apply(&database, &broken, &["--joanie"]);
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("- was not applied: line 2, column 2: "),
        "{}",
        said(&refused)
    );
    let missing = list.replacen("BASE_URL", "BASE", 1);
    let refused = said(&apply(&database, &missing, &["--joanie"]));
    assert!(
        refused.contains("entry 1: Missing key BASE_URL in LMS Backend."),
        "{refused}"
    );
}

#[actix_web::test]
async fn what_holds_for_all_moodles_comes_from_the_environment() {
    let database = Database::new(Kind::Sqlite).await;
    let path = database.folder.path().join("list.json");
    let list = json!([{"BACKEND": "joanie.lms_handler.backends.moodle.MoodleLMSBackend",
        "BASE_URL": "http://m.test/webservice/rest/server.php", "SELECTOR_REGEX": ".*", "COURSE_REGEX": ".*"}]);
    std::fs::write(&path, list.to_string()).unwrap();
    let role = |value: Option<&str>| {
        let mut command = binary();
        command.args(["apply", "--joanie", path.to_str().unwrap()]);
        command.envs(environment(&database));
        if let Some(value) = value {
            command.env("JOANIE_LMS_MOODLE_STUDENT_ROLE_ID", value);
        }
        let output = command.output().unwrap();
        (output.status.success(), said(&output))
    };
    let stored = "select coalesce(max(role_id), 0) from lms_connections";
    for (value, expected) in [(Some("7"), 7), (None, 7), (Some(""), 0)] {
        let (success, words) = role(value);
        assert!(success, "{words}");
        assert_eq!(database.number(stored).await, expected);
    }
    let (success, words) = role(Some("student"));
    assert!(!success);
    assert!(
        words.contains("JOANIE_LMS_MOODLE_STUDENT_ROLE_ID must be a number"),
        "{words}"
    );
}

#[actix_web::test]
async fn forms_of_servers_and_tools_leave_the_connection_as_it_is() {
    let setup = Setup {
        more: server("edx", EDX).replace(
            "[servers.enrollment]",
            "key = \"a key that is long enough\"\nprefix = \"edx\"\n[servers.enrollment]",
        ),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let row =
        "select server_id || backend || selector_regex || hex(api_token) || grades_api || position
        from lms_connections";
    let before = gateway.database.text(row).await.unwrap();

    let edit = "/admin/servers/edit?id=edx";
    let form = ada.get(edit).await;
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let fields = [
        ("id", "edx"),
        ("name", "Another name"),
        ("url", "http://edx.test/"),
        ("prefix", "edx"),
        ("enabled", "on"),
        ("signature", "1"),
        ("made_from", &made_from),
    ];
    let saved = ada.post_form(edit, "/admin/servers/edit", &fields).await;
    assert!(
        saved.see_other().starts_with("/admin/servers?done="),
        "{}",
        saved.body
    );
    let off = "/admin/servers/disable";
    ada.post_form(&format!("{off}?id=edx"), off, &[("id", "edx")])
        .await
        .see_other();
    assert_eq!(
        gateway.call("GET", "/lms", None).await.json(),
        json!({"lms": []})
    );
    ada.post_form("/admin/servers", "/admin/servers/enable", &[("id", "edx")])
        .await
        .see_other();
    assert_eq!(
        gateway.call("GET", "/lms", None).await.json()["lms"][0]["id"],
        "edx"
    );

    let page = "/admin/tools/tool?signature=mdquiz10";
    let form = ada.get(page).await;
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let boxes = [
        ("signature", "mdquiz10"),
        ("made_from", &made_from),
        ("server.edx", "on"),
        ("server.moodle", "on"),
    ];
    ada.post_form(page, "/admin/tools/servers", &boxes)
        .await
        .see_other();
    let mapped = "select count(*) from server_tools where server_id = 'edx'";
    assert_eq!(gateway.database.number(mapped).await, 1);
    assert_eq!(gateway.database.text(row).await, Some(before));
}
