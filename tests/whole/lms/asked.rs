//! Enrollments and grades by the API, against stand-ins that behave as Open edX and Moodle do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rstest::rstest;
use serde_json::json;

use super::stand_in::{Reply, Request, StandIn};
use crate::support::{Gateway, Kind, Setup, binary, environment};

/// A connection to an LMS; links are `http://{id}.test/…`.
pub fn connection(id: &str, backend: &str, base_url: &str, more: &str) -> String {
    format!(
        r#"
[[servers]]
id = "{id}"
url = "http://{id}.example.org/"
[servers.enrollment]
backend = "{backend}"
base_url = "{base_url}"
selector_regex = 'http://{id}\.test/.*'
course_regex = 'http://[^/]*/courses/(?P<course_id>[^/]*)'
{more}
"#
    )
}

pub async fn gateway(file: String) -> Gateway {
    let setup = Setup {
        more: file,
        ..Setup::default()
    };
    Gateway::start(Kind::Sqlite, setup).await
}

/// An Open edX that keeps enrollments: login and course, with mode and activity.
#[derive(Default)]
pub struct OpenEdx(Mutex<BTreeMap<(String, String), (String, bool)>>);

impl OpenEdx {
    pub fn answer(&self, request: &Request) -> Reply {
        let mut all = self.0.lock().unwrap();
        let shape = |user: &str, course: &str, (mode, active): &(String, bool)| {
            let said = json!({"created": "2026-01-01T00:00:00Z", "mode": mode, "is_active": active,
                "course_details": {"course_id": course}, "user": user});
            Reply::Says(200, said.to_string())
        };
        if request.method == "GET" {
            let name = request.address.rsplit('/').next().unwrap();
            let (user, course) = name.split_once(',').unwrap();
            let found = all.get(&(user.to_owned(), course.to_owned()));
            return found.map_or(Reply::Says(200, String::new()), |found| {
                shape(user, course, found)
            });
        }
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (user, course) = (
            text(&body["user"]),
            text(&body["course_details"]["course_id"]),
        );
        if user.starts_with("busy") {
            return Reply::Later(429, 7);
        }
        if user.starts_with("nobody") {
            let message = json!({"message": format!("The user {user} does not exist.")});
            return Reply::Says(406, message.to_string());
        }
        let key = (user.clone(), course.clone());
        let active = body["is_active"].as_bool().unwrap();
        let current = all.get(&key).cloned();
        let mode = body["mode"].as_str().map(str::to_owned);
        // An unchanged one goes to "add", which the closed course refuses.
        if current.as_ref().is_some_and(|(had, was)| {
            *was == active && mode.as_ref().is_none_or(|mode| mode == had)
        }) {
            return Reply::Says(400, json!({"message": "An error occurred"}).to_string());
        }
        let had = current.map_or("audit".to_owned(), |(mode, _)| mode);
        let now = (mode.unwrap_or(had), active);
        all.insert(key, now.clone());
        shape(&user, &course, &now)
    }
}

const LINK: &str = "http://edx.test/courses/course-v1:a+b+c/";

fn wanted(username: &str, active: bool, mode: Option<&str>) -> serde_json::Value {
    json!({"username": username, "resourceLink": LINK, "active": active, "mode": mode})
}

#[actix_web::test]
async fn an_enrollment_is_set_once_and_ends_with_the_mode_that_it_has() {
    let edx = Arc::new(OpenEdx::default());
    let answering = edx.clone();
    let lms = StandIn::start(move |request| answering.answer(request)).await;
    let file = connection(
        "edx",
        "openedx",
        &lms.url,
        "api_token = \"an-edx-key-of-the-tests\"",
    );
    let gateway = gateway(file).await;
    let put = async |body| gateway.call("PUT", "/lms/enrollment", Some(body)).await;
    let query = format!(
        "/lms/enrollment?username=anna&resourceLink={}",
        urlencoding::encode(LINK)
    );

    let page = gateway.call("GET", &query, None).await;
    assert_eq!(
        page.json(),
        json!({"status": "not_enrolled", "enrollment": null})
    );
    let page = put(wanted("anna", false, None)).await;
    assert_eq!(
        page.json(),
        json!({"status": "not_enrolled", "changed": false})
    );
    let page = put(wanted("anna", true, Some("verified"))).await;
    assert_eq!(page.json(), json!({"status": "enrolled", "changed": true}));
    let page = put(wanted("anna", true, None)).await;
    assert_eq!(page.json(), json!({"status": "enrolled", "changed": false}));
    let page = gateway.call("GET", &query, None).await;
    assert_eq!(page.json()["enrollment"]["mode"], "verified");
    let page = put(wanted("anna", false, Some("honor"))).await;
    assert_eq!(
        page.json(),
        json!({"status": "not_enrolled", "changed": true})
    );

    let posts: Vec<_> = lms
        .asked()
        .into_iter()
        .filter(|asked| asked.method == "POST")
        .collect();
    assert_eq!(posts.len(), 2, "{posts:#?}");
    assert!(
        posts[1].body.contains("\"mode\":\"verified\""),
        "{posts:#?}"
    );
    assert_eq!(
        posts[0].header("x-edx-api-key"),
        Some("an-edx-key-of-the-tests")
    );

    let busy = put(wanted("busy", true, None)).await.json();
    assert_eq!(
        (&busy["code"], &busy["retryable"]),
        (&json!("lms-throttled"), &json!(true))
    );

    let problem = put(wanted("nobody", true, None)).await;
    assert_eq!(problem.status, 502);
    let problem = problem.json();
    assert_eq!(problem["code"], "lms-user-not-found");
    assert_eq!(problem["retryable"], false);
    assert_eq!(problem["lmsMessage"], "“The user nobody does not exist.”");
}

#[actix_web::test]
async fn a_token_is_asked_for_once_and_anew_when_it_is_refused() {
    let number = Arc::new(Mutex::new(0));
    let tokens = number.clone();
    let lms = StandIn::start(move |request| {
        if request.address == "/oauth2/access_token" {
            let mut number = tokens.lock().unwrap();
            *number += 1;
            assert_eq!(request.field("client_secret").as_deref(), Some("a-client-secret-of-the-tests"));
            let said = json!({"access_token": format!("token-{number}"), "expires_in": 3600, "token_type": "JWT"});
            return Reply::Says(200, said.to_string());
        }
        match request.header("authorization") {
            // The first one is taken back after a while.
            Some("JWT token-1") if request.address.contains("late") => Reply::Says(401, "token-1 is over".to_owned()),
            Some("JWT token-1" | "JWT token-2") => Reply::Says(200, String::new()),
            other => Reply::Says(403, format!("{other:?}")),
        }
    })
    .await;
    let client = "client_id = \"gate\"\nclient_secret = \"a-client-secret-of-the-tests\"";
    let gateway = gateway(connection("edx", "openedx", &lms.url, client)).await;
    let link = urlencoding::encode(LINK).into_owned();
    let get = |name: String| {
        let path = format!("/lms/enrollment?username={name}&resourceLink={link}");
        let gateway = &gateway;
        async move { gateway.call("GET", &path, None).await }
    };
    let all = futures_util::future::join_all((0..20).map(|at| get(format!("user{at}")))).await;
    assert!(all.iter().all(|page| page.status == 200));
    assert_eq!(*number.lock().unwrap(), 1);
    assert_eq!(get("late".to_owned()).await.status, 200);
    assert_eq!(*number.lock().unwrap(), 2);
    assert_eq!(get("late".to_owned()).await.status, 200);
    assert_eq!(*number.lock().unwrap(), 2);
    assert!(!gateway.log().contains("token-"), "{}", gateway.log());
}

#[actix_web::test]
async fn a_look_up_that_failed_makes_no_account_and_secrets_are_not_echoed() {
    let lms = StandIn::start(|request| {
        let token = request.field("wstoken").unwrap();
        match request.field("wsfunction").as_deref() {
            Some("core_user_get_users") => {
                Reply::Says(500, format!("no such thing: wstoken={token}"))
            }
            _ => Reply::Says(200, "null".to_owned()),
        }
    })
    .await;
    let base = format!("{}/webservice/rest/server.php", lms.url);
    let file = connection(
        "school",
        "moodle",
        &base,
        "api_token = \"a-moodle-token-of-the-tests\"",
    );
    let gateway = gateway(file).await;
    let body = json!({"username": "Anna", "resourceLink": "http://school.test/course/view.php?id=2",
        "user": {"firstName": "Anna", "lastName": "", "email": "anna@example.org"}});
    let problem = gateway.call("PUT", "/lms/enrollment", Some(body)).await;
    assert_eq!(problem.status, 502);
    assert_eq!(problem.json()["code"], "lms-failed");
    assert_eq!(problem.json()["retryable"], true);
    assert!(
        problem.body.contains("wstoken=…") && !problem.body.contains("a-moodle-token"),
        "{}",
        problem.body
    );
    assert_eq!(
        lms.asked().len(),
        1,
        "a status of 500 is not tried again, and nothing is made"
    );
    assert!(
        !gateway.log().contains("a-moodle-token"),
        "{}",
        gateway.log()
    );
}

#[actix_web::test]
async fn an_account_of_another_login_is_found_by_its_address() {
    let lms = StandIn::start(|request| {
        let says = |json: serde_json::Value| Reply::Says(200, json.to_string());
        match request.field("wsfunction").as_deref() {
            Some("core_user_get_users") => match request.field("criteria[0][key]").as_deref() {
                Some("email") => says(json!({"users": [{"id": 9}], "warnings": []})),
                _ => says(json!({"users": [], "warnings": []})),
            },
            Some("core_user_create_users") => {
                says(json!({"exception": "invalid_parameter_exception",
                "errorcode": "invalidparameter", "message": "Invalid parameter value detected"}))
            }
            _ => Reply::Says(200, "null".to_owned()),
        }
    })
    .await;
    let gateway = gateway(connection(
        "school",
        "moodle",
        &lms.url,
        "api_token = \"a-moodle-token-of-the-tests\"",
    ))
    .await;
    let body = json!({"username": "Anna", "resourceLink": "http://school.test/course/view.php?id=2",
        "user": {"firstName": "", "lastName": "", "email": "anna@example.org"}});
    let page = gateway.call("PUT", "/lms/enrollment", Some(body)).await;
    assert_eq!(
        page.json(),
        json!({"status": "enrolled", "changed": true, "warning": "account_by_email"})
    );
    let asked = lms.asked();
    assert_eq!(
        asked[0].field("criteria[0][value]").as_deref(),
        Some("anna")
    );
    assert_eq!(asked[1].field("users[0][firstname]").as_deref(), Some("."));
    assert_eq!(
        asked
            .last()
            .unwrap()
            .field("enrolments[0][userid]")
            .as_deref(),
        Some("9")
    );
}

#[rstest]
#[case::broken(Reply::Says(500, String::new()), "lms-failed")]
#[case::no_right(Reply::Says(200, "{\"exception\": \"x\", \"errorcode\": \"accessexception\"}".to_owned()), "lms-forbidden")]
#[case::hung_up(Reply::HangsUp, "lms-unreachable")]
#[actix_web::test]
async fn only_a_moodle_that_refuses_an_account_is_looked_at_again(
    #[case] made: Reply,
    #[case] code: &str,
) {
    let lms = StandIn::start(
        move |request| match request.field("wsfunction").as_deref() {
            Some("core_user_get_users") => Reply::Says(200, "{\"users\": []}".to_owned()),
            Some("core_user_create_users") => made.clone(),
            other => panic!("{other:?} is not called"),
        },
    )
    .await;
    let token = "api_token = \"a-moodle-token-of-the-tests\"";
    let gateway = gateway(connection("school", "moodle", &lms.url, token)).await;
    let body = json!({"username": "Anna", "resourceLink": "http://school.test/course/view.php?id=2",
        "user": {"firstName": "Anna", "lastName": "A", "email": "anna@example.org"}});
    let problem = gateway.call("PUT", "/lms/enrollment", Some(body)).await;
    assert_eq!(problem.json()["code"], code, "{}", problem.body);
    let functions: Vec<_> = lms
        .asked()
        .iter()
        .map(|asked| asked.field("wsfunction"))
        .collect();
    let functions: Vec<_> = functions.iter().flatten().collect();
    assert_eq!(functions, ["core_user_get_users", "core_user_create_users"]);
}

#[actix_web::test]
async fn the_command_says_which_lms_a_link_belongs_to_and_why() {
    let file = [
        connection(
            "edx",
            "openedx",
            "http://edx.example",
            "api_token = \"an-edx-key-of-the-tests\"",
        ),
        connection("other", "dummy", "http://other.example", "")
            .replace("http://other\\.test/.*", ".*"),
    ];
    let gateway = gateway(file.concat()).await;
    let select = |link: &str| {
        let mut command = binary();
        command
            .args(["lms", "select", link])
            .envs(environment(&gateway.database));
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, said) = select(LINK);
    assert_eq!(code, Some(0));
    assert_eq!(
        said,
        "LMS     edx (openedx, http://edx.example)\n\
         why     its selector is the first of 2 that match\n\
         course  course-v1:a+b+c (organization a, course b, run c)\n\
         not other: its selector matches, but edx comes first\n"
    );
    let (code, said) = select("http://edx.test/");
    assert_eq!(code, Some(1));
    assert!(
        said.contains("but course_regex finds no course_id"),
        "{said}"
    );
    let page = gateway.call("GET", "/lms", None).await;
    assert_eq!(page.json()["lms"][0]["id"], "edx");
    assert_eq!(page.json()["lms"][1]["baseUrl"], "http://other.example");
    let link = json!({"resourceLink": LINK});
    let page = gateway.call("POST", "/lms/select", Some(link)).await;
    assert_eq!(page.json()["courseId"], "course-v1:a+b+c");
    assert_eq!(page.json()["lms"]["id"], "edx");
    let page = gateway
        .call("POST", "/lms/select", Some(json!({"resourceLink": "a\nb"})))
        .await;
    assert_eq!(page.json()["lms"], json!(null));
}
