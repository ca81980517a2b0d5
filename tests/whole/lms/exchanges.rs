//! The calls of a given vector: a stand-in answers what the vector says, and what was asked is compared. The same
//! call repeated at once counts as one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use toolgate::domain::lms::{Backend, Lms, LmsAddress, choose, course_id};
use toolgate::outbound::{Account, Limits, LmsCode, LmsError, Outbound, Wanted};

use super::stand_in::{Reply, Request, StandIn};
use super::vectors::Given;

/// Runs a vector that says which calls have to be made.
pub async fn run(given: &Given, vector: &Value) {
    let exchanges = exchanges(vector);
    let stand_in = script(&exchanges).await;
    let args = &vector["operation"]["args"];
    let connections = given.connections(vector);
    let mut lms = selected(&connections, args);
    let path = lms
        .address
        .root()
        .splitn(4, '/')
        .nth(3)
        .map(|path| format!("/{path}"));
    let address = format!("{}{}", stand_in.url, path.unwrap_or_default());
    lms.address = LmsAddress::parse(&address).unwrap();
    if let Some(auth) = vector["context"]["MOODLE_AUTH_METHOD"].as_str() {
        lms.user_auth = auth.to_owned();
    }
    let outcome = call(&lms, vector).await;
    judge(vector, &outcome);
    compare(
        vector,
        &exchanges,
        &asked_once(stand_in.asked()),
        &stand_in.url,
    );
}

/// The LMS that a vector is about: of its link, or the only Moodle where it has none.
fn selected(connections: &[Lms], args: &Value) -> Lms {
    let all: Vec<&Lms> = connections.iter().collect();
    match args["resource_link"].as_str() {
        Some(link) => choose(&all, Some(link)).unwrap().lms.clone(),
        None => connections
            .iter()
            .find(|lms| lms.backend == Backend::Moodle)
            .unwrap()
            .clone(),
    }
}

/// Given ones, and the one more that the gateway is to make.
fn exchanges(vector: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = vector["exchanges"].as_array().cloned().unwrap_or_default();
    let extra = &vector["gateway_expected"]["extra_exchange"];
    if !extra.is_null() {
        let mut exchange = all.last().unwrap().clone();
        exchange["request"]["form"] = extra["form"].clone();
        exchange["response"] = json!({"status": 200, "text": extra["response"]});
        all.push(exchange);
    }
    all
}

/// Answers each call as the exchange that it fits, in their order; a call that none fits gets 404.
async fn script(exchanges: &[Value]) -> StandIn {
    let exchanges = exchanges.to_vec();
    let next = Arc::new(Mutex::new((0, None::<(Request, Reply)>)));
    StandIn::start(move |request| {
        let mut state = next.lock().unwrap();
        if let Some((last, reply)) = &state.1
            && same(last, request)
        {
            return reply.clone();
        }
        let fits = exchanges
            .get(state.0)
            .filter(|exchange| fits(exchange, request).is_ok());
        let Some(exchange) = fits else {
            return Reply::Says(404, String::new());
        };
        let response = &exchange["response"];
        let status = || u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let reply = match (
            &response["network_error"],
            &response["json"],
            &response["text"],
        ) {
            (Value::Bool(true), _, _) => Reply::HangsUp,
            (_, Value::Null, Value::String(text)) => Reply::Says(status(), text.clone()),
            (_, json, _) => Reply::Says(status(), json.to_string()),
        };
        *state = (state.0 + 1, Some((request.clone(), reply.clone())));
        reply
    })
    .await
}

fn same(one: &Request, other: &Request) -> bool {
    (&one.method, &one.address, &one.body) == (&other.method, &other.address, &other.body)
}

/// What is asked again at once counts once.
fn asked_once(mut asked: Vec<Request>) -> Vec<Request> {
    asked.dedup_by(|one, other| same(one, other));
    asked
}

/// Whether a call is that of an exchange; else why not.
fn fits(exchange: &Value, request: &Request) -> Result<(), String> {
    let expected = &exchange["request"];
    let url = url::Url::parse(expected["url"].as_str().unwrap()).unwrap();
    let mut address = url.path().to_owned();
    if let Some(query) = url.query() {
        address = format!("{address}?{query}");
    }
    if request.method != expected["method"] || request.address != address {
        return Err(format!("{} {address} was expected", expected["method"]));
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        if request.header(name) != value.as_str() {
            return Err(format!("the header {name}: {value} was expected"));
        }
    }
    if let Some(form) = expected["form"].as_object() {
        let sent: BTreeMap<String, Value> = url::form_urlencoded::parse(request.body.as_bytes())
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect();
        let form: BTreeMap<String, Value> = form.clone().into_iter().collect();
        return if sent == form {
            Ok(())
        } else {
            Err(format!("{form:?} was expected"))
        };
    }
    let sent: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
    if expected["json"] == sent {
        Ok(())
    } else {
        Err(format!("{} was expected", expected["json"]))
    }
}

fn compare(vector: &Value, exchanges: &[Value], asked: &[Request], _url: &str) {
    let why = vector["gateway_expected"]["why"]
        .as_str()
        .unwrap_or_default();
    let mut asked = asked.to_vec();
    // Looking first is allowed where the vector does not list it.
    if why.contains("a pre-check GET is allowed")
        && asked.first().is_some_and(|r| r.method == "GET")
    {
        asked.remove(0);
    }
    let mut exchanges = exchanges.to_vec();
    if why.contains("no POST needed") {
        exchanges.retain(|exchange| exchange["request"]["method"] == "GET");
    }
    assert_eq!(asked.len(), exchanges.len(), "{asked:#?} for {vector}");
    for (exchange, request) in exchanges.iter().zip(&asked) {
        assert_eq!(fits(exchange, request), Ok(()), "{request:?} of {vector}");
    }
}

async fn call(lms: &Lms, vector: &Value) -> Result<Value, LmsError> {
    let outbound = Outbound::new(Limits::with_archives_of(1));
    let (operation, context) = (&vector["operation"], &vector["context"]);
    let args = &operation["args"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let course = args["resource_link"]
        .as_str()
        .map(|link| course_id(lms, link).unwrap());
    let course = course.unwrap_or_default();
    let username = text(&args["username"]);
    let user = &args["user"];
    let account = Account {
        first_name: text(&user["first_name"]),
        last_name: text(&user["last_name"]),
        email: text(&user["email"]),
    };
    match operation["method"].as_str().unwrap() {
        "get_enrollment" => {
            let found = outbound.enrollment(lms, &username, &course).await?;
            Ok(found.said.unwrap_or_default())
        }
        "get_enrollments" => Ok(json!(outbound.enrolled_in(lms, &course).await?)),
        "get_grades" => outbound.grades(lms, &username, &course).await,
        "create_user" => {
            let login = text(&user["username"]);
            let id = outbound.create_account(lms, &login, &account).await?;
            Ok(json!({"id": id.parse::<i64>().unwrap(), "username": login}))
        }
        "set_enrollment" => {
            // Joanie knows the mode by the orders of its shop; the older interface has none.
            let mode = match &context["has_enrollable_order"] {
                Value::Bool(true) => Some("verified"),
                Value::Bool(false) => Some("honor"),
                _ => None,
            };
            let active = args["is_active"].as_bool().or(args["active"].as_bool());
            let wanted = Wanted {
                username: &username,
                course: &course,
                active: active.unwrap_or(true),
                mode,
                account: (!user.is_null()).then_some(&account),
            };
            let set = outbound.set_enrollment(lms, wanted).await?;
            Ok(json!({"warning": set.warning}))
        }
        other => panic!("{other} is no method that is known"),
    }
}

fn judge(vector: &Value, outcome: &Result<Value, LmsError>) {
    let joanies = &vector["expect"];
    let better = &vector["gateway_expected"];
    let expected = match better["outcome"].as_str() {
        None | Some("same") => joanies,
        Some(_) => better,
    };
    let is_set = vector["operation"]["method"] == "set_enrollment";
    match (expected["outcome"].as_str().unwrap(), outcome) {
        // That nobody is enrolled, and that it is not known, are two answers here.
        ("none", Ok(value)) => assert!(value.is_null(), "{value} of {vector}"),
        ("none", Err(error)) => assert!(error.failure.retryable, "{error} of {vector}"),
        ("ok" | "ok or EnrollmentError", Ok(said)) if is_set => {
            assert_eq!(said["warning"], expected["warning"], "{vector}");
        }
        ("ok or EnrollmentError", Err(error)) => {
            assert_eq!(error.failure.code, LmsCode::UserNotFound, "{vector}");
        }
        ("ok", Ok(value)) => assert_eq!(*value, expected["value"], "{vector}"),
        ("ok_subset", Ok(value)) => {
            assert!(holds(value, &expected["value"]), "{value} of {vector}")
        }
        ("error", Err(error)) => judge_error(vector, expected, error),
        (_, outcome) => panic!("{outcome:?} of {vector}"),
    }
}

fn judge_error(vector: &Value, expected: &Value, error: &LmsError) {
    let failure = &error.failure;
    let code = match expected["error"].as_str().unwrap() {
        "BadRequest" => Some(LmsCode::BadRequest),
        "NotFoundOrForbidden" => Some(LmsCode::NotFound),
        "CourseNotFound" => Some(LmsCode::CourseNotFound),
        "UserNotFound" => Some(LmsCode::UserNotFound),
        "LmsForbidden" => Some(LmsCode::Forbidden),
        "LmsProtocolError" => Some(LmsCode::Protocol),
        "EnrollmentError" | "GradeError" | "MoodleUserCreateException" => None,
        other => panic!("{other} is no error that is known"),
    };
    assert!(
        code.is_none_or(|code| code == failure.code),
        "{failure:?} of {vector}"
    );
    if let Some(retryable) = expected["retryable"].as_bool() {
        assert_eq!(failure.retryable, retryable, "{failure:?} of {vector}");
    }
    if let Some(errorcode) = expected["errorcode"].as_str() {
        assert_eq!(failure.lms_code.as_deref(), Some(errorcode), "{vector}");
    }
}

fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| whole.get(key).is_some_and(|whole| holds(whole, part))),
        (whole, part) => whole == part,
    }
}
