//! The answers of calls about LMSs: each failure that is documented is one that an LMS is made to have.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::book::{Book, Call, call};
use crate::lms::stand_in::{Reply, StandIn};
use crate::support::{Answer, Gateway, Peer};

/// Calls that choose an LMS.
pub const CHOOSING: [&str; 2] = ["getAllLms", "selectLms"];
/// Calls that ask the LMS of a link.
pub const ASKING: [&str; 3] = ["getEnrollment", "setEnrollment", "getGrades"];

/// Calls about lists of enrollments.
pub const LISTS: [&str; 2] = ["setEnrollments", "getEnrollments"];

pub fn is_of_lms(operation: &str) -> bool {
    CHOOSING.contains(&operation) || ASKING.contains(&operation) || LISTS.contains(&operation)
}

/// A call as it should be.
pub fn right(operation: &str) -> Call {
    of(operation, "http://campus.test/course")
}

fn of(operation: &str, link: &str) -> Call {
    let call = call(operation, 0);
    match operation {
        "getAllLms" | "getEnrollments" => call.tool("no-such-list"),
        "setEnrollments" => {
            let row = json!({"username": "anna", "resourceLink": link});
            call.json(json!({"rows": [row], "dryRun": true}))
        }
        "selectLms" => call.json(json!({"resourceLink": link})),
        "setEnrollment" => {
            let user = json!({"firstName": "Anna", "email": "anna@example.org"});
            call.json(json!({"username": "anna", "resourceLink": link, "user": user}))
        }
        _ => {
            let link = urlencoding::encode(link);
            call.query(&format!("username=anna&resourceLink={link}"))
        }
    }
}

/// The LMSs of the tests.
pub struct Campuses {
    campus: Peer,
    failing: Vec<Peer>,
    school_says: Arc<Mutex<String>>,
    _school: StandIn,
    _held: Box<dyn std::any::Any>,
}

impl Campuses {
    pub async fn start() -> (Self, String) {
        let campus = Peer::start(Answer::Says(200, String::new())).await;
        let school_says = Arc::new(Mutex::new(String::new()));
        let says = school_says.clone();
        let school = StandIn::start(
            move |request| match request.field("wsfunction").as_deref() {
                Some("core_user_create_users") => Reply::Says(200, exception("invalidparameter")),
                _ => Reply::Says(200, says.lock().unwrap().clone()),
            },
        )
        .await;
        let (unreachable, held) = Peer::unreachable();
        let mut file = server("campus", "openedx", &campus.url, "grades_api = \"core\"");
        file += &server("school", "moodle", &school.url, "");
        file += &server("meta", "openedx", "http://169.254.169.254", "");
        let mut failing = Vec::new();
        for (at, _) in ASKING.iter().enumerate() {
            for (name, answer) in [
                ("hangs", Answer::HangsUp),
                ("fails", Answer::Says(500, "it is broken".to_owned())),
            ] {
                let peer = Peer::start(answer).await;
                file += &server(&format!("{name}-{at}"), "openedx", &peer.url, "");
                failing.push(peer);
            }
            let late = server(&format!("tardy-{at}"), "openedx", &unreachable, "");
            file += &late.replace(
                "[servers.enrollment]",
                "timeout_ms = 100\n[servers.enrollment]",
            );
        }
        let campuses = Self {
            campus,
            failing,
            school_says,
            _school: school,
            _held: Box::new(held),
        };
        (campuses, file)
    }

    pub async fn answer(&self, book: &Book, gateway: &Gateway) {
        assert_eq!(self.failing.len(), 6);
        for operation in CHOOSING {
            book.tries(gateway, right(operation), 200, "").await;
        }
        book.tries(gateway, right("setEnrollments"), 202, "").await;
        let taken = book.sends(gateway, &right("setEnrollments")).await.json();
        let list = call("getEnrollments", 0).tool(taken["id"].as_str().unwrap());
        book.tries(gateway, list, 200, "").await;
        book.tries(gateway, right("getEnrollments"), 404, "unknown-list")
            .await;
        let nowhere = "http://nowhere.test/course";
        book.tries(gateway, of("selectLms", nowhere), 200, "").await;
        for (at, operation) in ASKING.into_iter().enumerate() {
            book.tries(gateway, of(operation, nowhere), 404, "no-lms")
                .await;
            let without = of(operation, "http://campus.test/");
            book.tries(gateway, without, 422, "no-course-id").await;
            self.of_campus(book, gateway, operation).await;
            self.of_school(book, gateway, operation).await;
            let meta = of(operation, "http://meta.test/course");
            book.tries(gateway, meta, 502, "lms-not-callable").await;
            let link = |name: &str| format!("http://{name}-{at}.test/course");
            let hangs = || of(operation, &link("hangs"));
            book.tries(gateway, hangs(), 502, "lms-unreachable").await;
            book.sends(gateway, &hangs()).await;
            book.tries(gateway, hangs(), 503, "lms-down").await;
            book.tries(gateway, of(operation, &link("fails")), 502, "lms-failed")
                .await;
            book.tries(gateway, of(operation, &link("tardy")), 504, "lms-late")
                .await;
        }
    }

    async fn of_campus(&self, book: &Book, gateway: &Gateway, operation: &str) {
        let link = "http://campus.test/course";
        let right = match operation {
            "getGrades" => json!([{"username": "anna", "passed": true}]),
            _ => json!({"is_active": true, "mode": "audit"}),
        };
        self.campus.answers(Answer::Says(200, right.to_string()));
        book.tries(gateway, of(operation, link), 200, "").await;
        for (answer, code) in [
            (Answer::Says(401, String::new()), "lms-credentials"),
            (Answer::Says(404, String::new()), "lms-not-found"),
            (Answer::Says(429, String::new()), "lms-throttled"),
            (
                Answer::Sends(302, "http://elsewhere.test/".to_owned()),
                "lms-redirected",
            ),
        ] {
            self.campus.answers(answer);
            book.tries(gateway, of(operation, link), 502, code).await;
        }
        if operation == "getGrades" {
            self.campus.answers(Answer::Says(200, "[]".to_owned()));
            book.tries(gateway, of(operation, link), 502, "lms-no-grades")
                .await;
        }
        if operation == "getEnrollment" {
            let nobody =
                call(operation, 0).query("username=..&resourceLink=http://campus.test/course");
            book.tries(gateway, nobody, 502, "lms-user-not-found").await;
        }
    }

    async fn of_school(&self, book: &Book, gateway: &Gateway, operation: &str) {
        let link = "http://school.test/course/view.php?id=2";
        let says = |text: String| *self.school_says.lock().unwrap() = text;
        for (answer, code) in [
            (exception("accessexception"), "lms-forbidden"),
            (exception("invalidparameter"), "lms-bad-request"),
            (exception("invalidrecord"), "lms-course-not-found"),
            (exception("wsnoinstance"), "lms-refused"),
            ("<html></html>".to_owned(), "lms-protocol"),
        ] {
            says(answer);
            book.tries(gateway, of(operation, link), 502, code).await;
        }
        says(json!({"users": []}).to_string());
        match operation {
            "setEnrollment" => {
                book.tries(gateway, of(operation, link), 502, "lms-account")
                    .await;
                let unknown = json!({"username": "anna", "resourceLink": link});
                let unknown = call(operation, 0).json(unknown);
                book.tries(gateway, unknown, 502, "lms-user-not-found")
                    .await;
            }
            "getGrades" => {
                book.tries(gateway, of(operation, link), 502, "lms-user-not-found")
                    .await;
            }
            _ => {}
        }
    }
}

fn exception(code: &str) -> String {
    let exception: Value = json!({"exception": "x", "errorcode": code, "message": "it says so"});
    exception.to_string()
}

fn server(id: &str, backend: &str, base_url: &str, more: &str) -> String {
    format!(
        r#"
[[servers]]
id = "{id}"
url = "http://{id}.example.org/"
[servers.enrollment]
backend = "{backend}"
base_url = "{base_url}"
selector_regex = 'http://{id}\.test/.*'
course_regex = 'http://[^/]*/(?P<course_id>.*)'
api_token = "a-token-of-an-lms"
{more}
"#
    )
}
