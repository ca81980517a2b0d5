//! The given vectors of LMS connections.

use std::collections::BTreeMap;

use super::exchanges;
use serde_json::{Map, Value, json};
use toolgate::domain::lms::{
    Backend, CourseKey, GradesApi, LAUNCH_TIMEOUT, Lms, LmsAddress, Pattern, STUDENT_ROLE,
    USER_AUTH, choose, course_id, read_joanie,
};

/// The file.
pub struct Given {
    settings: Map<String, Value>,
    vectors: Vec<Value>,
}

fn given() -> Given {
    let file: Value = serde_json::from_str(include_str!("../../vectors/lms.json")).unwrap();
    Given {
        settings: file["settings"].as_object().unwrap().clone(),
        vectors: file["vectors"].as_array().unwrap().clone(),
    }
}

impl Given {
    /// The connections of a vector, in their order, as Joanie would have them: keys may be missing.
    pub fn connections(&self, vector: &Value) -> Vec<Lms> {
        let list = match &vector["settings"] {
            Value::String(name) => &self.settings[name],
            list => list,
        };
        let entries = list.as_array().unwrap().iter().enumerate();
        entries.map(|(at, entry)| connection(at, entry)).collect()
    }
}

fn connection(at: usize, entry: &Value) -> Lms {
    let text = |key: &str| entry[key].as_str();
    Lms {
        server: format!("lms-{at}").parse().unwrap(),
        backend: Backend::named(text("BACKEND").unwrap()).unwrap(),
        address: LmsAddress::parse(text("BASE_URL").unwrap()).unwrap(),
        selector: Pattern::parse(text("SELECTOR_REGEX").unwrap_or(".*")).unwrap(),
        course: text("COURSE_REGEX").map(|text| Pattern::parse(text).unwrap()),
        api_token: text("API_TOKEN").map(|token| token.to_owned().into()),
        client: None,
        auto_enroll: false,
        launch_timeout: LAUNCH_TIMEOUT,
        role_id: STUDENT_ROLE,
        user_auth: USER_AUTH.to_owned(),
        create_users: true,
        grades_api: GradesApi::Fun,
        private_network: true,
        timeout: None,
        position: i64::try_from(at).unwrap(),
    }
}

/// What a vector expects of the gateway, and not of Joanie where that differs.
fn expected(vector: &Value) -> &Value {
    match &vector["gateway_expected"] {
        Value::Null => &vector["expect"],
        better => better,
    }
}

fn selects(given: &Given, vector: &Value) {
    let connections = given.connections(vector);
    let all: Vec<&Lms> = connections.iter().collect();
    let link = vector["operation"]["args"]["resource_link"].as_str();
    let chosen = choose(&all, link).map(|choice| choice.lms.position);
    let expected = expected(vector);
    match expected["outcome"].as_str().unwrap() {
        "none" => assert_eq!(chosen, None, "{vector}"),
        "selected" => assert_eq!(chosen, expected["index"].as_i64(), "{vector}"),
        other => panic!("{other} is no outcome of a selection: {vector}"),
    }
}

fn extracts(given: &Given, vector: &Value) {
    let connections = given.connections(vector);
    let all: Vec<&Lms> = connections.iter().collect();
    let link = vector["operation"]["args"]["resource_link"]
        .as_str()
        .unwrap();
    let found = course_id(choose(&all, Some(link)).unwrap().lms, link);
    let expected = expected(vector);
    match expected["outcome"].as_str().unwrap() {
        "ok" => {
            let value = match &expected["value"] {
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            assert_eq!(found.as_deref(), Ok(value.as_str()), "{vector}");
        }
        "error" => assert!(found.is_err(), "{vector}"),
        other => panic!("{other} is no outcome of an extraction: {vector}"),
    }
}

fn splits(vector: &Value) {
    let key = vector["operation"]["args"]["key"].as_str().unwrap();
    match expected(vector)["outcome"].as_str().unwrap() {
        "error" => assert!(CourseKey::parse(key).is_err(), "{vector}"),
        _ => assert!(CourseKey::parse(key).is_ok(), "{vector}"),
    }
}

fn validates(vector: &Value) {
    let text = vector["operation"]["args"]["json_text"].as_str().unwrap();
    let expected = expected(vector);
    match (read_joanie(text), expected["outcome"].as_str().unwrap()) {
        (Ok(read), "ok") => {
            let value = expected["value"].as_array().unwrap();
            assert_eq!(read.len(), value.len(), "{vector}");
            for (read, value) in read.iter().zip(value) {
                assert_eq!(json!(read.address.as_str()), value["BASE_URL"], "{vector}");
                assert_eq!(
                    json!(read.selector.as_str()),
                    value["SELECTOR_REGEX"],
                    "{vector}"
                );
                assert_eq!(
                    json!(read.course.as_str()),
                    value["COURSE_REGEX"],
                    "{vector}"
                );
            }
        }
        (Err(error), "error") => {
            assert_eq!(json!(error.message()), expected["message"], "{vector}")
        }
        (outcome, _) => panic!("{outcome:?} of {vector}"),
    }
}

#[actix_web::test]
async fn the_given_vectors_are_answered() {
    let given = given();
    let mut ran: BTreeMap<&str, usize> = BTreeMap::new();
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for vector in &given.vectors {
        let area = vector["area"].as_str().unwrap();
        match area {
            "select_lms" => selects(&given, vector),
            "extract_course_id" => extracts(&given, vector),
            "split_course_key" => splits(vector),
            "validate_config" => validates(vector),
            "get_enrollment" | "get_enrollments" | "set_enrollment" | "get_grades"
            | "create_user" | "openedx_seed_api" => exchanges::run(&given, vector).await,
            _ => {
                *skipped.entry(area).or_default() += 1;
                continue;
            }
        }
        *ran.entry(area).or_default() += 1;
    }
    println!("ran {ran:?}, skipped {skipped:?}");
    assert_eq!(
        ran.values().sum::<usize>(),
        given.vectors.len(),
        "{skipped:?}"
    );
    assert!(given.vectors.len() >= 62);
}
