//! Learners who are enrolled before a launch takes them to the server.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::stand_in::{Reply, Request, StandIn};
use crate::support::{ADA, Gateway, Kind, Peer, Setup, Visitor, apply};

/// A Moodle with one course, where everybody has an account but ghosts.
struct Moodle(Mutex<HashSet<String>>);

impl Moodle {
    fn with(people: impl Iterator<Item = String>) -> Self {
        Self(Mutex::new(people.collect()))
    }

    fn answer(&self, request: &Request) -> Reply {
        let mut people = self.0.lock().unwrap();
        let says = |json: serde_json::Value| Reply::Says(200, json.to_string());
        match request.field("wsfunction").as_deref() {
            Some("core_enrol_get_enrolled_users") => says(
                people
                    .iter()
                    .map(|name| json!({"id": 1, "username": name}))
                    .collect(),
            ),
            Some("core_user_get_users") => {
                let name = request.field("criteria[0][value]").unwrap();
                // Its number is in its name.
                let number: i64 = name
                    .trim_start_matches(|c: char| !c.is_ascii_digit())
                    .parse()
                    .unwrap_or(0);
                match name.starts_with("ghost") {
                    true => says(json!({"users": [], "warnings": []})),
                    false => says(
                        json!({"users": [{"id": number + 1, "username": name}], "warnings": []}),
                    ),
                }
            }
            Some("enrol_manual_enrol_users") => {
                let number: i64 = request
                    .field("enrolments[0][userid]")
                    .unwrap()
                    .parse()
                    .unwrap();
                people.insert(format!("new{}", number - 1));
                Reply::Says(200, "null".to_owned())
            }
            Some("enrol_manual_unenrol_users") => {
                people.clear();
                Reply::Says(200, "null".to_owned())
            }
            other => panic!("{other:?} is not called"),
        }
    }
}

/// A gateway with a session, whose server enrolls by an LMS at this address.
async fn enrolling(url: &str, more: &str) -> (Gateway, Gateway, Peer) {
    let (first, peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let enrollment = format!(
        "[servers.enrollment]\nbackend = \"moodle\"\nbase_url = \"{url}/webservice/rest/server.php\"\n\
         selector_regex = '.*'\napi_token = \"a-moodle-token-of-the-tests\"\nauto_enroll = true\n{more}\n"
    );
    let next = "[[servers]]\nid = \"dotLRN\"";
    let file = first
        .setup
        .file()
        .replace(next, &format!("{enrollment}{next}"));
    let applied = apply(&first.database, &file, &[]);
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    let gateway = Gateway::start_on(first.database.clone(), first.setup.clone());
    (gateway, first, peer)
}

const LEARN: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";

fn calls(lms: &StandIn, function: &str) -> usize {
    let is = |asked: &Request| asked.field("wsfunction").as_deref() == Some(function);
    lms.asked().iter().filter(|asked| is(asked)).count()
}

#[actix_web::test]
async fn a_class_that_comes_in_at_once_costs_one_look_at_the_course() {
    let moodle = Moodle::with((0..50).map(|at| format!("old{at}")));
    let lms = StandIn::start(move |request| moodle.answer(request)).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "timeout_ms = 30000").await;
    let names = || (0..50).flat_map(|at| [format!("mdl_old{at}"), format!("mdl_New{at}")]);
    for _ in 0..2 {
        let launches = names().map(|name| {
            let gateway = &gateway;
            async move { gateway.get_signed(LEARN, &name).await.status }
        });
        let statuses = join_all(launches).await;
        assert!(statuses.iter().all(|status| *status == 302), "{statuses:?}");
        assert_eq!(calls(&lms, "core_enrol_get_enrolled_users"), 1);
        assert_eq!(calls(&lms, "core_user_get_users"), 50);
        assert_eq!(calls(&lms, "enrol_manual_enrol_users"), 50);
    }
    let asked = lms.asked().pop().unwrap();
    assert_eq!(asked.field("enrolments[0][courseid]").as_deref(), Some("7"));
    assert_eq!(asked.field("enrolments[0][roleid]").as_deref(), Some("5"));
}

#[actix_web::test]
async fn an_enrollment_that_was_ended_is_not_known_any_more() {
    let moodle = Moodle::with(std::iter::empty());
    let lms = StandIn::start(move |request| moodle.answer(request)).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "timeout_ms = 30000").await;
    let enrolled = || calls(&lms, "enrol_manual_enrol_users");
    for times in [1, 1] {
        gateway.get_signed(LEARN, "mdl_new3").await.location();
        assert_eq!(enrolled(), times);
    }
    let body = json!({"username": "new3", "resourceLink": "http://moodle.test/course/view.php?id=7", "active": false});
    let ended = gateway.call("PUT", "/lms/enrollment", Some(body)).await;
    assert_eq!(
        ended.json(),
        json!({"status": "not_enrolled", "changed": true})
    );
    gateway.get_signed(LEARN, "mdl_new3").await.location();
    assert_eq!(enrolled(), 2);
}

#[actix_web::test]
async fn only_learners_are_enrolled() {
    let moodle = Moodle::with(std::iter::empty());
    let lms = StandIn::start(move |request| moodle.answer(request)).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "").await;
    for mode in ["teacher", "author"] {
        let path = LEARN.replace("=learner", &format!("={mode}"));
        assert_eq!(gateway.get_signed(&path, "mdl_new1").await.status, 302);
    }
    assert_eq!(lms.asked(), []);
}

async fn record(gateway: &Gateway) -> (String, String) {
    let of = |column: &str| {
        format!(
            "select max({column}) from launches where kind = 'learner' and outcome = 'redirected'"
        )
    };
    let (code, reason) = (of("code"), of("reason"));
    Gateway::until("the launch is recorded", || async {
        gateway.database.text(&code).await.is_some()
    })
    .await;
    let text = async |sql: &str| gateway.database.text(sql).await.unwrap();
    (text(&code).await, text(&reason).await)
}

#[actix_web::test]
async fn an_lms_that_never_answers_holds_up_no_launch() {
    let lms = StandIn::slow(Duration::from_secs(3600), |_| Reply::HangsUp).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "timeout_ms = 200").await;
    let page = gateway.get_signed(LEARN, "mdl_new1").await;
    assert_eq!(page.status, 302, "{}", page.body);
    let (code, reason) = record(&gateway).await;
    assert_eq!(code, "lms-late");
    assert_eq!(
        reason,
        "the LMS of moodle: no enrollment within 0.2 s; the launch did not wait longer"
    );
}

#[actix_web::test]
async fn a_learner_without_an_account_goes_on_and_the_record_says_so() {
    let moodle = Moodle::with(std::iter::empty());
    let lms = StandIn::start(move |request| moodle.answer(request)).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "").await;
    assert_eq!(gateway.get_signed(LEARN, "mdl_ghost").await.status, 302);
    let (code, reason) = record(&gateway).await;
    assert_eq!(code, "lms-user-not-found");
    assert!(
        reason.starts_with("the LMS of moodle: it has no account of this login"),
        "{reason}"
    );
}

#[actix_web::test]
async fn the_story_of_a_launch_tells_of_the_calls_to_the_lms() {
    let moodle = Moodle::with(std::iter::empty());
    let lms = StandIn::start(move |request| moodle.answer(request)).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "timeout_ms = 30000").await;
    gateway.get_signed(LEARN, "mdl_ghost").await.location();
    record(&gateway).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let list = ada.get("/admin/launches?user=mdl_ghost").await;
    let story = list.attributes("a[href*='/admin/launches/']", "href");
    let story = story.iter().find(|path| !path.ends_with("charts"));
    let story = ada.get(story.unwrap()).await;
    let timeline = story.text("#timeline").unwrap();
    for function in ["core_enrol_get_enrolled_users", "core_user_get_users"] {
        assert!(timeline.contains(function), "{function}: {timeline}");
    }
}

#[actix_web::test]
async fn an_lms_that_fails_is_left_alone_and_the_pages_say_so() {
    let lms = StandIn::start(|_| Reply::Says(500, String::new())).await;
    let (gateway, _first, _peer) = enrolling(&lms.url, "timeout_ms = 30000").await;
    let link = "http%3A%2F%2Fmoodle.test%2Fcourse%2Fview.php%3Fid%3D7";
    let path = format!("/lms/enrollment?username=new1&resourceLink={link}");
    for _ in 0..5 {
        gateway.call("GET", &path, None).await.refused(502);
    }
    let metrics = gateway.get("/metrics").await.body;
    let open = "toolgate_lms_breaker_open{server=\"moodle\"} 1";
    assert!(metrics.contains(open), "{metrics}");
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let list = ada.get("/admin/connections").await;
    let row = list.text("[data-connection=moodle]").unwrap();
    assert!(row.contains("left alone for"), "{row}");
    let off = "/admin/servers/disable";
    let posted = ada.post_form("/admin/servers", off, &[("id", "moodle")]);
    posted.await.see_other();
    let closed = open.replace("} 1", "} 0");
    assert!(gateway.get("/metrics").await.body.contains(&closed));
    // Its pages are called as before.
    assert!(metrics.contains("toolgate_breaker_open{server=\"moodle\"} 0"));
}
