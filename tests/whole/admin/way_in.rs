//! The pages about the way in: who came, from which courses, and an address for trying.

use rstest::rstest;

use crate::support::{
    ADA, Gateway, Kind, PUBLIC_URL, Setup, Visitor, binary, environment, login_path, parameter,
};

const TRY: &str = "/admin/people/try";

#[rstest]
#[actix_web::test]
async fn an_address_to_try_is_taken_and_whoever_came_is_found(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    assert!(ada.get("/admin/people").await.text("#empty").is_some());
    let hostile = "Bi'll %_<b>\"";
    let mut fields = vec![
        ("platform", "lams"),
        ("server", "moodle"),
        ("user", hostile),
        ("method", "learnerStrictAuth"),
        ("custom_csv", "bill,7,3,moodle"),
        ("course", "7"),
    ];
    let page = ada.post_form(TRY, TRY, &fields).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.text("#lesson-error").is_some(), "{}", page.body);
    assert_eq!(page.attributes("#user", "value"), [hostile]);
    fields.push(("lesson", "42"));
    let page = ada.post_form(TRY, TRY, &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.body.to_lowercase().contains("s3cretkey"));
    assert!(!page.body.contains("<b>"), "{}", page.body);
    let address = page.text("#address").unwrap();
    let path = address.strip_prefix(PUBLIC_URL).unwrap();
    let ts = parameter(&address, "ts").unwrap();
    let who = (ts.as_str(), hostile, "learnerStrictAuth");
    let right = login_path("moodle", "S3cretKey", who, &[("lsid", "42")]);
    assert_eq!(
        parameter(&address, "hash"),
        parameter(&format!("{PUBLIC_URL}{right}"), "hash")
    );
    gateway.get(path).await.location();
    assert_eq!(page.text("#csv-kept"), None, "only an author's is kept");
    fields.retain(|(name, _)| *name != "method");
    fields.push(("method", "author"));
    let page = ada.post_form(TRY, TRY, &fields).await;
    assert!(page.text("#csv-kept").is_some(), "{}", page.body);
    let address = page.text("#address").unwrap();
    let path = address.strip_prefix(PUBLIC_URL).unwrap();
    gateway.get(path).await.location();
    for (search, is_found) in [
        ("%25_", true),
        ("BI%27LL", true),
        ("%25%25", false),
        ("%00", false),
    ] {
        let page = ada.get(&format!("/admin/people?search={search}")).await;
        let found = !page.attributes("[data-login]", "data-login").is_empty();
        assert_eq!(found, is_found, "{search}: {}", page.body);
    }
    let list = ada.get("/admin/people").await;
    let person = ada.get(&list.attributes("tbody a", "href")[0]).await;
    assert_eq!(person.text("#remembered").unwrap(), "bill,7,3,moodle");
    let courses = ada.get("/admin/people/courses?server=moodle").await;
    assert_eq!(courses.attributes("[data-course]", "data-course"), ["7"]);
}

/// Two servers that cannot be tried with.
fn with_others() -> Setup {
    Setup {
        more: "[[servers]]\nid = \"off\"\nurl = \"http://off.example/\"\nkey = \"OffKey\"\nenabled = false\n\
               [[servers]]\nid = \"keyless\"\nurl = \"http://keyless.example/\"\n"
            .to_owned(),
        ..Setup::default()
    }
}

#[actix_web::test]
async fn what_cannot_be_tried_is_said_at_its_field() {
    let gateway = Gateway::start(Kind::Sqlite, with_others()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let (long, longer) = ("x".repeat(256), "y".repeat(9000));
    for (field, value, at, words) in [
        ("platform", "nowhere", "platform", "nowhere"),
        ("server", "nowhere", "server", "nowhere"),
        ("server", "off", "server", "disabled"),
        ("server", "keyless", "server", "key"),
        ("user", "", "user", "Whose login"),
        ("user", &long, "user", "At most"),
        ("user", "a\u{7}b", "user", "control character"),
        ("course", &long, "course", "At most"),
        ("course_name", &long, "course_name", "At most"),
        ("custom_csv", &longer, "custom_csv", "At most"),
        ("method", "guess", "method", "Method must be"),
        ("lesson", "seven", "lesson", "digits alone"),
        ("lesson", "12345678901234567890", "lesson", "19 at most"),
    ] {
        let usual = [
            ("platform", "lams"),
            ("server", "moodle"),
            ("user", "Bill"),
            ("method", "author"),
        ];
        let usual = usual.into_iter().filter(|(name, _)| *name != field);
        let fields: Vec<_> = usual.chain([(field, value)]).collect();
        let page = ada.post_form(TRY, TRY, &fields).await;
        assert_eq!(page.status, 422, "{field} {value:.20}: {}", page.body);
        let said = page.text(&format!("#{at}-error"));
        let said = said.unwrap_or_else(|| panic!("{field} {value:.20}: {}", page.body));
        assert!(said.contains(words), "{field} {value:.20}: {said}");
        assert!(page.text("#address").is_none());
        // What was typed is there again, safely.
        if value.len() < 100 && field == "user" && !value.contains('\u{7}') {
            assert_eq!(page.attributes("#user", "value"), [value]);
        }
    }
    assert_eq!(
        gateway
            .database
            .number("select count(*) from login_users")
            .await,
        0
    );
}

#[actix_web::test]
async fn the_command_on_the_page_makes_an_address_that_is_taken() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let fields = [
        ("platform", "lams"),
        ("server", "moodle"),
        ("user", "-O'Neil; $(id) \"q\" `x`"),
        ("method", "learnerStrictAuth"),
        ("course", "--help"),
        ("course_name", "Größe & co"),
        ("custom_csv", "bill,7,3,moodle"),
        ("lesson", "42"),
    ];
    let page = ada.post_form(TRY, TRY, &fields).await;
    let command = page.text("#command").unwrap();
    let command = command.strip_prefix("toolgate ").unwrap();
    let binary = binary();
    let script = format!("'{}' {command}", binary.get_program().to_str().unwrap());
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .envs(environment(&gateway.database))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let path = said.lines().find_map(|line| {
        let at = line.find("/lams/LoginRequest?")?;
        Some(line[at..].trim().to_owned())
    });
    let path = path.unwrap_or_else(|| panic!("{said}"));
    for (name, value) in [
        ("uid", fields[2].1),
        ("courseid", "--help"),
        ("courseName", "Größe & co"),
    ] {
        assert_eq!(
            parameter(&format!("http://x{path}"), name).as_deref(),
            Some(value)
        );
    }
    gateway.get(&path).await.location();
    let logins = "select ext_login from login_users";
    assert_eq!(
        gateway.database.text(logins).await.as_deref(),
        Some(fields[2].1)
    );
}

#[rstest]
#[actix_web::test]
async fn those_who_came_stand_on_pages(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let long = "ü".repeat(255);
    let insert = |who: &str, at: u32| {
        format!(
            "insert into login_users (platform_id, server_id, ext_login, ext_login_key, lams_login, lams_login_key, first_seen_at, last_seen_at,
                last_method, last_carried) values ('lams', 'moodle', '{who}', '{who}', 'mdl_{who}', 'mdl_{who}', {}, {}, 'author', '')",
            time(kind, at), time(kind, at)
        )
    };
    for at in 0..101 {
        let who = if at == 100 {
            long.clone()
        } else {
            format!("user{at}")
        };
        gateway.database.execute(&insert(&who, at)).await;
    }
    let mut seen = Vec::new();
    let mut path = "/admin/people?search=".to_owned();
    for rows in [50, 50, 1] {
        let page = ada.get(&path).await;
        let logins = page.attributes("[data-login]", "data-login");
        assert_eq!(logins.len(), rows, "{path}");
        seen.extend(logins);
        path = page.attributes("#older", "href").pop().unwrap_or_default();
    }
    assert_eq!(path, "");
    assert_eq!(seen[0], long);
    assert_eq!(seen[1], "user99");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 101);
    let person = ada
        .get(&ada.get("/admin/people").await.attributes("tbody a", "href")[0])
        .await;
    assert_eq!(person.status, 200);
    for nonsense in ["-1", "x", "99999999999", "100000"] {
        let page = ada.get(&format!("/admin/people?page={nonsense}")).await;
        assert_eq!(page.status, 200, "{nonsense}");
    }
}

/// A moment as a database has it.
fn time(kind: Kind, minute: u32) -> String {
    let text = format!("2026-01-01T{:02}:{:02}:00Z", minute / 60, minute % 60);
    match kind {
        Kind::Postgres => format!("'{text}'"),
        Kind::Sqlite => format!("'{}'", text.replace('Z', "+00:00")),
    }
}

#[actix_web::test]
async fn a_server_without_a_window_is_shown_as_a_risk() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let edit = "/admin/servers/edit?id=dotLRN";
    let form = ada.get(edit).await;
    assert!(
        form.text("#no-window").unwrap().contains("Risk"),
        "{}",
        form.body
    );
    let made_from = form.attributes("[name=made_from]", "value").remove(0);
    let fields = [
        ("id", "dotLRN"),
        ("made_from", &*made_from),
        ("name", ".LRN"),
        ("url", "http://dotlrn.test/"),
        ("prefix", "lrn"),
        ("enabled", "on"),
        ("signature", "1"),
        ("login_window_minutes", "60"),
    ];
    ada.post_form(edit, "/admin/servers/edit", &fields)
        .await
        .see_other();
    assert!(ada.get(edit).await.text("#no-window").is_none());
}
