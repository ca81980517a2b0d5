//! Lists of enrollments: by the API and from a file.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use super::asked::{OpenEdx, connection};
use super::stand_in::{Reply, StandIn};
use crate::support::{Gateway, Kind, Setup, binary, environment};

const KEY: &str = "api_token = \"an-edx-key-of-the-tests\"";
const LINK: &str = "http://edx.test/courses/course-v1:a+b+c/";

async fn edx(pause: Duration) -> StandIn {
    let edx = OpenEdx::default();
    StandIn::slow(pause, move |request| edx.answer(request)).await
}

async fn gateway(kind: Kind, lms: &StandIn) -> Gateway {
    let more = connection("edx", "openedx", &lms.url, KEY);
    let setup = Setup {
        more,
        ..Setup::default()
    };
    Gateway::start(kind, setup).await
}

fn row(username: &str, link: &str) -> Value {
    json!({"username": username, "resourceLink": link})
}

async fn take(gateway: &Gateway, rows: Vec<Value>, dry_run: bool) -> String {
    let body = json!({"rows": rows, "dryRun": dry_run});
    let page = gateway.call("POST", "/lms/enrollments", Some(body)).await;
    assert_eq!(page.status, 202, "{}", page.body);
    page.json()["id"].as_str().unwrap().to_owned()
}

async fn stands(gateway: &Gateway, id: &str) -> Value {
    gateway
        .call("GET", &format!("/lms/enrollments/{id}"), None)
        .await
        .json()
}

async fn done(gateway: &Gateway, id: &str) -> Value {
    Gateway::until("the list is done", || async {
        stands(gateway, id).await["state"] == "done"
    })
    .await;
    stands(gateway, id).await
}

#[rstest]
#[actix_web::test]
async fn a_list_is_worked_through_and_every_row_has_its_result(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let lms = edx(Duration::ZERO).await;
    let gateway = gateway(kind, &lms).await;
    let mut rows: Vec<_> = (0..300).map(|at| row(&format!("user{at}"), LINK)).collect();
    rows[7] = row("nobody7", LINK);
    rows[8] = row("user8", "http://nowhere.test/");
    rows[9] = row("user9", "http://edx.test/");
    let id = take(&gateway, rows.clone(), false).await;
    let list = done(&gateway, &id).await;
    assert_eq!(
        (&list["total"], &list["done"], &list["failed"]),
        (&json!(300), &json!(297), &json!(3))
    );
    let of = |number: usize| &list["rows"][number];
    assert_eq!(of(0)["status"], "enrolled");
    assert_eq!(of(0)["changed"], true);
    assert_eq!(of(7)["code"], "lms-user-not-found");
    assert_eq!(of(7)["lmsMessage"], "“The user nobody7 does not exist.”");
    assert_eq!(of(7)["tries"], 1);
    assert_eq!(
        (&of(8)["code"], &of(9)["code"]),
        (&json!("no-lms"), &json!("no-course-id"))
    );

    // The same again changes nothing; a dry run calls nothing.
    let posts = || {
        lms.asked()
            .iter()
            .filter(|asked| asked.method == "POST")
            .count()
    };
    let before = posts();
    let again = take(&gateway, rows[..5].to_vec(), false).await;
    assert_eq!(done(&gateway, &again).await["rows"][3]["changed"], false);
    assert_eq!(posts(), before);
    let (before, dry) = (
        lms.asked().len(),
        take(&gateway, rows[..9].to_vec(), true).await,
    );
    let dry = done(&gateway, &dry).await;
    assert_eq!(lms.asked().len(), before);
    let calls = dry["rows"][0]["calls"].as_array().unwrap();
    assert!(
        calls[1]
            .as_str()
            .unwrap()
            .starts_with("POST http://127.0.0.1"),
        "{calls:?}"
    );
    assert_eq!(dry["failed"], 1);
    assert!(!dry.to_string().contains("an-edx-key"));
}

#[actix_web::test]
async fn of_two_rows_about_the_same_the_second_counts() {
    let lms = edx(Duration::from_millis(5)).await;
    let gateway = gateway(Kind::Sqlite, &lms).await;
    let pair = |at: usize| {
        let mut leaves = row(&format!("user{at}"), LINK);
        leaves["active"] = json!(false);
        [row(&format!("user{at}"), LINK), leaves]
    };
    let id = take(&gateway, (0..20).flat_map(pair).collect(), false).await;
    let list = done(&gateway, &id).await;
    assert_eq!((&list["done"], &list["failed"]), (&json!(40), &json!(0)));
    for pair in list["rows"].as_array().unwrap().chunks(2) {
        let came = pair.iter().map(|row| (&row["status"], &row["changed"]));
        let expected = [("enrolled", true), ("not_enrolled", true)];
        let expected = expected.map(|(status, changed)| (json!(status), json!(changed)));
        assert!(
            came.eq(expected.iter().map(|(status, changed)| (status, changed))),
            "{pair:?}"
        );
    }
}

#[rstest]
#[actix_web::test]
async fn a_list_goes_on_where_a_gateway_was_killed(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let lms = edx(Duration::from_millis(20)).await;
    let mut gateway = gateway(kind, &lms).await;
    let rows = (0..400).map(|at| row(&format!("user{at}"), LINK)).collect();
    let id = take(&gateway, rows, false).await;
    Gateway::until("some rows are done", || async {
        stands(&gateway, &id).await["done"].as_u64().unwrap() > 20
    })
    .await;
    gateway.kill();
    let left = "select count(*) from bulk_enrollment_rows where state = 'waiting'";
    assert!(
        gateway.database.number(left).await > 0,
        "it was not killed in the middle"
    );
    let next = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    let list = done(&next, &id).await;
    assert_eq!((&list["done"], &list["failed"]), (&json!(400), &json!(0)));
}

#[actix_web::test]
async fn a_gateway_that_stops_leaves_the_rest_to_another_at_once() {
    let lms = edx(Duration::from_millis(20)).await;
    let mut gateway = gateway(Kind::Sqlite, &lms).await;
    let rows = (0..400).map(|at| row(&format!("user{at}"), LINK)).collect();
    let id = take(&gateway, rows, false).await;
    Gateway::until("some rows are done", || async {
        stands(&gateway, &id).await["done"].as_u64().unwrap() > 20
    })
    .await;
    assert!(gateway.stop().success());
    assert!(!gateway.log().contains("cut short"), "{}", gateway.log());
    let kept = "select count(*) from bulk_enrollments where owner is not null";
    assert_eq!(gateway.database.number(kept).await, 0);
    let next = Gateway::start_on(gateway.database.clone(), gateway.setup.clone());
    assert_eq!(done(&next, &id).await["done"], 400);
}

#[actix_web::test]
async fn an_lms_that_asks_to_wait_is_left_alone_so_long() {
    let edx = OpenEdx::default();
    let times: Arc<Mutex<(usize, Option<Instant>, usize)>> = Arc::default();
    let seen = times.clone();
    let lms = StandIn::start(move |request| {
        let mut seen = seen.lock().unwrap();
        let (asked, told, too_early) = &mut *seen;
        *asked += 1;
        if told.is_some_and(|told| told.elapsed() < Duration::from_secs(1)) {
            *too_early += 1;
        }
        // As a throttle does: after some calls all are refused until the wait is over.
        if *asked % 20 == 0 {
            *told = Some(Instant::now());
            return Reply::Later(429, 1);
        }
        edx.answer(request)
    })
    .await;
    let gateway = gateway(Kind::Sqlite, &lms).await;
    let rows = (0..40).map(|at| row(&format!("user{at}"), LINK)).collect();
    let id = take(&gateway, rows, false).await;
    let list = done(&gateway, &id).await;
    assert_eq!(
        (&list["done"], &list["failed"]),
        (&json!(40), &json!(0)),
        "{list}"
    );
    let (asked, _, too_early) = *times.lock().unwrap();
    // Those that were under way when it said so cannot be called back: seven a time at most.
    assert!(too_early <= asked / 20 * 7, "{too_early} of {asked}");
}

#[actix_web::test]
async fn a_wrong_list_is_refused_as_a_whole() {
    let lms = edx(Duration::ZERO).await;
    let gateway = gateway(Kind::Sqlite, &lms).await;
    let many: Vec<_> = (0..10_001).map(|at| row(&format!("u{at}"), LINK)).collect();
    for (rows, said) in [
        (json!([]), "Rows must be 1 to 10000"),
        (json!(many), "Rows must be 1 to 10000"),
        (
            json!([row("anna", LINK), row(" ", LINK)]),
            "row 2: username",
        ),
        (
            json!([{"username": "anna"}]),
            "missing field `resourceLink`",
        ),
        (
            json!([{"username": "anna", "resourceLink": LINK, "role": 5}]),
            "unknown field `role`",
        ),
    ] {
        let page = gateway
            .call("POST", "/lms/enrollments", Some(json!({"rows": rows})))
            .await;
        assert_eq!(page.status, 400, "{}", page.body);
        let detail = page.json()["detail"].as_str().unwrap().to_lowercase();
        assert!(detail.contains(&said.to_lowercase()), "{detail}");
    }
    assert_eq!(
        gateway
            .database
            .number("select count(*) from bulk_enrollments")
            .await,
        0
    );
}

fn enroll(gateway: &Gateway, file: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = binary();
    command
        .args(["lms", "enroll", "-"])
        .args(arguments)
        .envs(environment(&gateway.database));
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, file.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[actix_web::test]
async fn a_file_is_enrolled_row_by_row() {
    let lms = edx(Duration::ZERO).await;
    let gateway = gateway(Kind::Sqlite, &lms).await;
    let head = "username,resource_link,active,mode,first_name,last_name,email\n";
    let file = format!(
        "{head}anna,{LINK},,verified,,,\nbill,{LINK},true,,Bill,\"Smith, Jr.\",b@example.org\n"
    );
    let (code, said) = enroll(&gateway, &file, &["--dry-run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("ok     row 1, anna: the LMS of edx, course course-v1:a+b+c"),
        "{said}"
    );
    assert_eq!(lms.asked(), []);
    assert_eq!(
        enroll(&gateway, &file, &[]),
        (
            Some(0),
            "2 of 2 rows are as they were wanted (2 changed), 0 failed\n".to_owned()
        )
    );
    let (code, said) = enroll(
        &gateway,
        &format!("{head}nobody,{LINK},,,,,\nanna,{LINK},false,,,,\n"),
        &[],
    );
    assert_eq!(code, Some(1));
    assert!(
        said.contains("FAILED row 1, nobody: lms-user-not-found"),
        "{said}"
    );
    assert!(
        said.contains("1 of 2 rows are as they were wanted (1 changed), 1 failed"),
        "{said}"
    );
    for (file, words) in [
        (
            "username\nanna\n".to_owned(),
            "the column resource_link is missing",
        ),
        (
            format!("username,resource_link,roll\nanna,{LINK},x\n"),
            "there is no column \"roll\"",
        ),
        (
            format!("username,resource_link,username\nanna,{LINK},bill\n"),
            "line 1: the column username is there twice",
        ),
        (
            format!("{head}anna,{LINK},perhaps,,,,\n"),
            "line 2: active must be true or false",
        ),
        (format!("{head},{LINK},,,,,\n"), "line 2"),
        (format!("{head}anna\n"), "record 1"),
        (head.to_owned(), "rows must be 1 to 10000"),
    ] {
        let (code, said) = enroll(&gateway, &file, &[]);
        assert_eq!(code, Some(1));
        assert!(said.contains(words), "{said}");
    }
}
