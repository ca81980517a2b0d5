//! The way in: LoginRequest, who came, and the customCSV that is remembered of it.

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use crate::support::{
    Answer, Gateway, Kind, Page, Peer, Setup, binary, environment, login_path, parameter,
};

const CSV: &str = "bill,7,3,moodle";
const NEW: &str = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f1";
const UNTRUSTED: &str = "This login cannot be trusted";

/// A login of Bill's into `lams` from the server `moodle`, just now.
fn login(method: &str, more: &[(&str, &str)]) -> String {
    let ts = Utc::now().timestamp_millis().to_string();
    login_path("moodle", "S3cretKey", (&ts, "Bill", method), more)
}

async fn came_in(gateway: &Gateway, csv: &str) {
    let path = login("author", &[("courseid", "7"), ("customCSV", csv)]);
    gateway.get(&path).await.location();
}

/// What the address of an author's page says of where it leads: course and section.
fn place(location: &str) -> (String, String) {
    let of = |name| parameter(location, name).unwrap_or_default();
    (of("course"), of("section"))
}

#[rstest]
#[actix_web::test]
async fn a_login_is_checked_noted_and_passed_on_as_it_came(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let mut gateway = Gateway::start(kind, Setup::default()).await;
    let path = login(
        "author",
        &[
            ("courseid", "7"),
            ("courseName", "Physics & Maths"),
            ("customCSV", CSV),
            ("requestSrc", "Moodle"),
        ],
    );
    // An order and escapes that nobody else would choose stay as they are.
    let path = format!("{path}&x=%7e+%2B&country=AU");
    let location = gateway.get(&path).await.location();
    let query = path.split_once('?').unwrap().1;
    assert_eq!(
        location,
        format!("http://lams.example.org:8080/lams/LoginRequest?{query}")
    );
    let again = login("monitor", &[("lsid", "42")]);
    gateway.get(&again).await.location();
    let database = &gateway.database;
    let user =
        "select ext_login || ' ' || lams_login || ' ' || server_id || ' ' || last_method || ' ' ||
        coalesce(last_course, '-') from login_users";
    assert_eq!(
        database.text(user).await.unwrap(),
        "Bill mdl_Bill moodle monitor -"
    );
    let course = "select server_id || ' ' || course || ' ' || name from login_courses";
    assert_eq!(
        database.text(course).await.unwrap(),
        "moodle 7 Physics & Maths"
    );
    let csv = "select custom_csv from remembered_csv";
    assert_eq!(database.text(csv).await.unwrap(), CSV);
    let carried = database.text("select last_carried from login_users").await;
    assert!(carried.unwrap().contains("hash=…"));
    assert!(gateway.stop().success());
    let told = "select kind || ' ' || outcome || ' ' || server_id || ' ' || user_name from launches order by id";
    assert_eq!(
        gateway.database.text(told).await.unwrap(),
        "login redirected moodle mdl_Bill"
    );
    let secret = "select count(*) from launches where came_with like '%hash=_%' and came_with not like '%hash=…%'";
    assert_eq!(gateway.database.number(secret).await, 0);
}

#[rstest]
#[actix_web::test]
async fn a_form_is_passed_on_as_a_form(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let path = login("author", &[("customCSV", "bill,\"7 & <8>\",3,moodle")]);
    let (path, form) = path.split_once('?').unwrap();
    let page = gateway.post_form(&format!("{path}?lang=en"), form).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(page.headers["cache-control"], "no-store");
    let policy = &page.headers["content-security-policy"];
    assert!(
        policy.contains("form-action http://lams.example.org:8080;"),
        "{policy}"
    );
    assert_eq!(
        page.attributes("form[data-submit]", "action"),
        ["http://lams.example.org:8080/lams/LoginRequest?lang=en"]
    );
    let names = page.attributes("[type=hidden]", "name");
    let values = page.attributes("[type=hidden]", "value");
    let fields: Vec<_> = names.into_iter().zip(values).collect();
    let sent: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes())
        .into_owned()
        .collect();
    assert_eq!(fields, sent);
    assert_eq!(rows(&gateway).await, [1, 0, 1]);
    // What is said twice has to be the same.
    let doubled = gateway
        .post_form(&format!("{path}?uid=Bob"), form)
        .await
        .refused(401);
    assert_eq!(doubled, UNTRUSTED);
    for (kind, body) in [
        ("application/json", "{}".as_bytes()),
        ("text/plain", form.as_bytes()),
        ("application/x-www-form-urlencoded", b"uid=\xff"),
    ] {
        gateway.post_as(path, kind, body).await.refused(400);
        // Where there is nobody to log in at, nothing of it is looked at.
        let elsewhere = gateway.post_as("/other/LoginRequest", kind, body).await;
        assert_eq!(elsewhere.refused(404), "This LAMS is not known here");
    }
    let long = format!("{form}&x={}", "a".repeat(70_000));
    gateway.post_form(path, &long).await.refused(413);
    gateway.call_page("PUT", path).await.refused(405);
    assert_eq!(rows(&gateway).await, [1, 0, 1]);
}

/// How many users, courses and customCSVs are stored.
async fn rows(gateway: &Gateway) -> [i64; 3] {
    let mut counts = [0; 3];
    for (count, table) in counts
        .iter_mut()
        .zip(["login_users", "login_courses", "remembered_csv"])
    {
        let sql = format!("select count(*) from {table}");
        *count = gateway.database.number(&sql).await;
    }
    counts
}

#[rstest]
#[actix_web::test]
async fn what_is_refused_stores_nothing(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let more = r#"
[[servers]]
id = "off"
url = "http://off.example.org/"
key = "OffKey"
enabled = false

[[servers]]
id = "keyless"
url = "http://keyless.example.org/"

[[servers]]
id = "windowed"
url = "http://windowed.example.org/"
key = "WindowKey"
login_window_minutes = 60
time_zone = "Australia/Sydney"
"#;
    let setup = Setup {
        more: more.to_owned(),
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    let right = login("author", &[("courseid", "7"), ("customCSV", CSV)]);
    let of = |server, key, ts: &str| login_path(server, key, (ts, "Bill", "author"), &[]);
    let ago = |minutes| {
        let at = Utc::now() - TimeDelta::minutes(minutes);
        at.timestamp_millis().to_string()
    };
    let now = ago(0);
    let incomplete = "The login is not complete";
    for (path, status, title) in [
        (
            right.replace("/lams/", "/lamps/"),
            404,
            "This LAMS is not known here",
        ),
        (right.replace("hash=", "hsh="), 401, UNTRUSTED),
        (right.replace("hash=", "hash=0"), 401, UNTRUSTED),
        (right.replace("uid=Bill", "uid=Bob"), 401, UNTRUSTED),
        (right.replace("sid=moodle", "sid=dotLRN"), 401, UNTRUSTED),
        (of("keyless", "", &now), 401, UNTRUSTED),
        (
            right.replace("sid=moodle", "sid=nobody"),
            403,
            "The external system is not connected here",
        ),
        (
            right.replace("sid=moodle", "ssid=moodle"),
            400,
            "The address is not complete",
        ),
        (
            of("off", "OffKey", &now),
            403,
            "The external system is switched off here",
        ),
        (of("off", "Wrong", &now), 401, UNTRUSTED),
        (
            of("moodle", "S3cretKey", &format!("{now}x")),
            401,
            "This login has expired",
        ),
        (login("sorcerer", &[]), 400, incomplete),
        (login("learnerStrictAuth", &[]), 400, incomplete),
        (format!("{right}&courseid=8"), 400, incomplete),
        (
            login("author", &[("courseid", &"a".repeat(256))]),
            400,
            incomplete,
        ),
        (
            login("author", &[("redirectURL", "//evil.example/")]),
            400,
            "This login leads elsewhere",
        ),
        (
            of("windowed", "WindowKey", &ago(61)),
            401,
            "This login has expired",
        ),
        (
            of("windowed", "WindowKey", &ago(-61)),
            401,
            "This login has expired",
        ),
        (
            of("windowed", "WindowKey", "January 01,2010 12:00 am"),
            401,
            "This login has expired",
        ),
        (
            of("windowed", "WindowKey", "now"),
            401,
            "This login has expired",
        ),
    ] {
        let page = gateway.get(&path).await;
        assert_eq!(page.refused(status), title, "{path}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
    }
    assert_eq!(rows(&gateway).await, [0; 3]);
    // The same within the window, again and again; and as Moodle writes it, where it is.
    let fresh = of("windowed", "WindowKey", &ago(59));
    gateway.get(&fresh).await.location();
    gateway.get(&fresh).await.location();
    let sydney = Utc::now().with_timezone(&chrono_tz::Australia::Sydney);
    let words = sydney.format("%B %d,%Y %-I:%M %P").to_string();
    let in_words = of("windowed", "WindowKey", &words);
    gateway.get(&in_words).await.location();
    assert_eq!(rows(&gateway).await, [1, 0, 0]);
}

#[actix_web::test]
async fn the_settings_may_want_a_window_of_all_servers() {
    let more = "[[servers]]\nid = \"open\"\nurl = \"http://o.example/\"\nkey = \"OpenKey\"\nlogin_window_minutes = 0\n";
    let setup = Setup {
        more: more.to_owned(),
        environment: vec![("TOOLGATE_LOGIN_WINDOW_MINUTES", "5".to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let old = |server, key| login_path(server, key, ("1262304000000", "Bill", "author"), &[]);
    gateway.get(&old("moodle", "S3cretKey")).await.refused(401);
    gateway.get(&old("open", "OpenKey")).await.location();
}

#[rstest]
#[actix_web::test]
async fn a_hundred_logins_of_one_person_at_once_are_one_row(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let one = Gateway::start(kind, Setup::default()).await;
    let other = Gateway::start_on(one.database.clone(), Setup::default());
    let logins: Vec<_> = (0..100)
        .map(|n| {
            let ts = (1_262_304_000_000_u64 + n).to_string();
            let uid = if n % 2 == 0 { "Bill" } else { "BILL" };
            let more = [("courseid", "7"), ("customCSV", CSV)];
            login_path("moodle", "S3cretKey", (&ts, uid, "author"), &more)
        })
        .collect();
    let gateways = [&one, &other];
    let all = logins
        .iter()
        .enumerate()
        .map(|(n, path)| gateways[n / 2 % 2].get(path));
    for page in join_all(all).await {
        page.location();
    }
    assert_eq!(rows(&one).await, [1, 1, 1]);
}

#[rstest]
#[actix_web::test]
async fn a_launch_without_custom_csv_goes_where_the_login_came_from(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let mut gateway = Gateway::start(kind, Setup::default()).await;
    let title = "It is not known which course this activity is for";
    assert_eq!(
        gateway.get_signed(NEW, "mdl_Bill").await.refused(400),
        title
    );
    came_in(&gateway, "bill,6,2,moodle").await;
    came_in(&gateway, CSV).await;
    // It is Bill's, not Anna's.
    assert_eq!(
        gateway.get_signed(NEW, "mdl_Anna").await.refused(400),
        title
    );
    let page = gateway.get_signed(NEW, "mdl_bill").await;
    assert_eq!(place(&page.location()), ("7".to_owned(), "3".to_owned()));
    // What stands in the address wins.
    let csv = NEW.replace("=1&", "=2&") + "&customCSV=bill%2C8%2C4%2Cmoodle";
    let page = gateway.get_signed(&csv, "mdl_Bill").await;
    assert_eq!(place(&page.location()), ("8".to_owned(), "4".to_owned()));
    // What is stored stays where it is, wherever its author comes from.
    came_in(&gateway, "bill,9,9,moodle").await;
    let page = gateway.get_signed(NEW, "mdl_Bill").await;
    assert_eq!(place(&page.location()), ("7".to_owned(), "3".to_owned()));
    assert!(gateway.stop().success());
    let used = "select remembered_csv || ' ' || kind from launches where remembered_at is not null";
    let used = gateway.database.text(used).await;
    assert_eq!(used.unwrap(), format!("{CSV} author"));
    let count = "select count(*) from launches where remembered_at is not null";
    assert_eq!(gateway.database.number(count).await, 1);
}

#[rstest]
#[actix_web::test]
async fn it_is_remembered_for_so_many_hours(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let setup = Setup {
        environment: vec![("TOOLGATE_CSV_HOURS", "2".to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    for (hours, status) in [(3, 400), (1, 302)] {
        came_in(&gateway, CSV).await;
        let at = (Utc::now() - TimeDelta::hours(hours)).to_rfc3339();
        let aged = format!("update remembered_csv set remembered_at = '{at}'");
        gateway.database.execute(&aged).await;
        let page = gateway.get_signed(NEW, "mdl_Bill").await;
        assert_eq!(page.status, status, "{hours}: {}", page.body);
    }
}

/// A second Moodle with the same tool, of the same people.
fn two_moodles() -> Setup {
    let more = "[[servers]]\nid = \"other\"\nurl = \"http://other.example.org/\"\nkey = \"OtherKey\"\n\
                prefix = \"oth\"\ntools = [\"mdquiz10\"]\n";
    Setup {
        more: more.to_owned(),
        ..Setup::default()
    }
}

#[rstest]
#[actix_web::test]
async fn of_several_servers_the_named_one_counts(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, two_moodles()).await;
    came_in(&gateway, CSV).await;
    // The same LAMS login, from elsewhere.
    let more = [
        ("customCSV", "mdl_Bill,70,30,other"),
        ("usePrefix", "false"),
    ];
    let from_other = login_path(
        "other",
        "OtherKey",
        ("1262304000000", "mdl_Bill", "author"),
        &more,
    );
    gateway.get(&from_other).await.location();
    let title = "It is not clear which course this activity is for";
    assert_eq!(
        gateway.get_signed(NEW, "mdl_Bill").await.refused(400),
        title
    );
    let named = format!("{NEW}&extLmsId=nobody");
    gateway.get_signed(&named, "mdl_Bill").await.refused(400);
    let named = format!("{NEW}&extLmsId=other");
    let location = gateway.get_signed(&named, "mdl_Bill").await.location();
    assert!(
        location.starts_with("http://other.example.org/"),
        "{location}"
    );
    assert_eq!(place(&location), ("70".to_owned(), "30".to_owned()));
    // Of a tool that only one of them has, that one is meant.
    let forum = NEW.replace("mdquiz10", "mdfrum10");
    let location = gateway.get_signed(&forum, "mdl_Bill").await.location();
    assert!(
        location.starts_with("http://moodle.example.org/"),
        "{location}"
    );
}

#[rstest]
#[case("bill,7", 400, "It is not clear which course this activity is for")]
#[case("bill,7,3,other", 403, "The external system spoke for another one")]
#[case("bill,7,3,no server", 403, "The external system spoke for another one")]
#[case("anna,7,3,moodle", 403, "This link was made for somebody else")]
#[actix_web::test]
async fn what_a_login_brought_is_read_as_strictly(
    #[case] csv: &str,
    #[case] status: u16,
    #[case] title: &str,
) {
    let gateway = Gateway::start(Kind::Sqlite, two_moodles()).await;
    came_in(&gateway, csv).await;
    let before = gateway.rows().await;
    let page = gateway.get_signed(NEW, "mdl_Bill").await;
    assert_eq!(page.refused(status), title);
    assert_eq!(gateway.rows().await, before);
}

#[rstest]
#[actix_web::test]
async fn where_only_the_remembered_counts_another_is_refused(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let setup = Setup {
        custom_csv: "remembered",
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    let with = |csv: &str| format!("{NEW}&customCSV={}", urlencoding::encode(csv));
    let title = "It is not known which course this activity is for";
    let page = gateway.get_signed(&with(CSV), "mdl_Bill").await;
    assert_eq!(page.refused(400), title);
    came_in(&gateway, CSV).await;
    let differs = "This is not the course that you came from";
    for csv in [
        "bill,8,3,moodle",
        "bill,7,4,moodle",
        "bill,7,3",
        "ann,7,3,moodle",
    ] {
        let page = gateway.get_signed(&with(csv), "mdl_Bill").await;
        assert_eq!(page.refused(403), differs, "{csv}");
    }
    assert_eq!(
        gateway
            .database
            .number("select count(*) from contents")
            .await,
        0
    );
    // What says the same in other letters is the same.
    let page = gateway
        .get_signed(&with(" bill ,7,\"3\",moodle,"), "mdl_Bill")
        .await;
    assert_eq!(place(&page.location()), ("7".to_owned(), "3".to_owned()));
    let page = gateway
        .get_signed(&with("bill,8,3,moodle"), "mdl_Bill")
        .await;
    assert_eq!(page.refused(403), differs);
    gateway.get_signed(NEW, "mdl_Bill").await.location();
}

#[rstest]
#[actix_web::test]
async fn calls_may_name_a_user_in_place_of_custom_csv(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let peer = Peer::start(Answer::Works(700)).await;
    let setup = Setup {
        adapter_page: peer.url.clone(),
        custom_csv: "remembered",
        ..Setup::default()
    };
    let gateway = Gateway::start(kind, setup).await;
    let copy = |body| gateway.call("POST", "/tools/mdquiz10/contents/5/copy", Some(body));
    let code = |page: Page, status| {
        assert_eq!(page.status, status, "{}", page.body);
        page.json()["code"].as_str().unwrap_or_default().to_owned()
    };
    let of_bill = json!({"from": null, "user": "mdl_Bill"});
    assert_eq!(code(copy(of_bill.clone()).await, 400), "nothing-remembered");
    came_in(&gateway, CSV).await;
    let made = copy(of_bill.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["course"], "7");
    assert_eq!(copy(of_bill.clone()).await.status, 200);
    // What a learner's login brings is nobody's.
    let learner = login(
        "learner",
        &[("lsid", "42"), ("customCSV", "bill,9,3,moodle")],
    );
    gateway.get(&learner).await.location();
    let remembered = gateway
        .database
        .text("select custom_csv from remembered_csv");
    assert_eq!(remembered.await.as_deref(), Some(CSV));
    // The same call, whatever was remembered since, and whatever became of the server.
    came_in(&gateway, "bill,8,3,moodle").await;
    let again = copy(of_bill.clone()).await;
    assert_eq!((again.status, again.json()), (200, made.json()));
    let nobody = json!({"from": null, "user": "mdl_Anna"});
    assert_eq!(code(copy(nobody).await, 400), "nothing-remembered");
    came_in(&gateway, "anna,7,3,moodle").await;
    let path = "/tools/mdquiz10/contents/7/copy";
    let in_another_name = gateway.call("POST", path, Some(of_bill)).await;
    assert_eq!(code(in_another_name, 403), "somebody-else");
    came_in(&gateway, CSV).await;
    for body in [
        json!({"from": null}),
        json!({"from": null, "user": "mdl_Bill", "customCSV": CSV}),
    ] {
        assert_eq!(code(copy(body).await, 400), "body");
    }
    let form = [("user", b"mdl_bill".as_slice()), ("file", b"exported")];
    let made = gateway
        .send_form("/tools/mdquiz10/contents/6/import", &form)
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["section"], "3");
}

#[rstest]
#[actix_web::test]
async fn the_toolkit_of_a_user_is_that_of_the_server_they_last_came_from(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let tools = async |query: &str| {
        let page = gateway
            .call("GET", &format!("/toolkit?{query}"), None)
            .await;
        let tools = page.json()["tools"].as_array().unwrap().clone();
        let signature = |tool: &serde_json::Value| tool["signature"].as_str().unwrap().to_owned();
        tools.iter().map(signature).collect::<Vec<_>>()
    };
    assert!(tools("user=mdl_Bill").await.is_empty());
    let more = [("usePrefix", "false")];
    let path = login_path(
        "dotLRN",
        "L3rnKey",
        ("1262304000000", "mdl_Bill", "author"),
        &more,
    );
    gateway.get(&path).await.location();
    assert_eq!(tools("user=MDL_bill").await, ["dlfrum10"]);
    came_in(&gateway, CSV).await;
    assert_eq!(tools("user=mdl_Bill").await.len(), 9);
    assert_eq!(tools("user=mdl_Bill&extLmsId=dotLRN").await, ["dlfrum10"]);
    assert!(tools("user=mdl_Anna").await.is_empty());
}

#[actix_web::test]
async fn a_login_can_be_tried_from_the_shell() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let run = |arguments: &[&str]| {
        let mut command = binary();
        command.envs(environment(&gateway.database));
        command.arg("sign-login").args(arguments).output().unwrap()
    };
    let printed = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let address = printed(&[
        "lams",
        "moodle",
        "Bill",
        "author",
        "--course",
        "7",
        "--custom-csv",
        CSV,
    ]);
    let path = format!("/lams/{}", address.split_once("/lams/").unwrap().1);
    gateway.get(&path).await.location();
    assert_eq!(rows(&gateway).await, [1, 1, 1]);
    let strict = printed(&[
        "lams",
        "moodle",
        "Bill",
        "learnerStrictAuth",
        "--lesson",
        "42",
    ]);
    let path = format!("/lams/{}", strict.split_once("/lams/").unwrap().1);
    gateway.get(&path).await.location();
    for (arguments, status) in [
        (["lamps", "moodle", "Bill", "author"], 1),
        (["lams", "noodle", "Bill", "author"], 1),
        (["lams", "moodle", "Bill", "learnerStrictAuth"], 1),
        (["lams", "moodle", "Bill", "sorcerer"], 2),
    ] {
        assert_eq!(run(&arguments).status.code(), Some(status), "{arguments:?}");
    }
}
