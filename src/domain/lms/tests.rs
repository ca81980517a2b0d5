use std::time::Duration;

use super::joanie::read_joanie;
use super::pattern::Match;
use super::*;

pub(crate) fn lms(id: &str, backend: Backend, base: &str, selector: &str, course: &str) -> Lms {
    Lms {
        server: id.parse().unwrap(),
        backend,
        address: LmsAddress::parse(base).unwrap(),
        selector: Pattern::parse(selector).unwrap(),
        course: Some(Pattern::parse(course).unwrap()),
        api_token: None,
        client: None,
        auto_enroll: false,
        launch_timeout: LAUNCH_TIMEOUT,
        role_id: STUDENT_ROLE,
        user_auth: USER_AUTH.to_owned(),
        create_users: true,
        grades_api: GradesApi::Fun,
        private_network: true,
        timeout: None,
        position: 0,
    }
}

fn matches(pattern: &str, link: &str) -> bool {
    matches!(
        Pattern::parse(pattern).unwrap().matches(link),
        Match::Yes(_)
    )
}

#[test]
fn expressions_match_from_the_beginning_and_need_not_reach_the_end() {
    assert!(matches("a|b", "bc"));
    assert!(!matches("^a|b", "cb"), "the whole is anchored");
    assert!(!matches("b", "ab"));
    assert!(matches("a$", "a"));
    assert!(
        !matches("a$", "a\n"),
        "a link with a control character is none"
    );
    assert!(!matches(".*", &"x".repeat(5000)));
}

#[test]
fn what_the_linear_engine_cannot_read_is_read_by_the_one_that_steps_back() {
    assert!(matches(r"(?!https?://other).*/x", "http://this/x"));
    assert!(!matches(r"(?!https?://other).*/x", "http://other/x"));
    assert!(matches(r"(?P<x>a+)-(?P=x)\Z", "aa-aa"));
    assert!(
        Pattern::parse("(?!a)(?P<course_id>b)")
            .unwrap()
            .has_course_group()
    );
    for wrong in ["\u{2c6}][$", "(", "a)|(b", "(?P<x>", &"a".repeat(3000)] {
        assert!(Pattern::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_expression_that_steps_back_for_ever_gives_up() {
    let pattern = Pattern::parse(r"(?=x)(x+x+)+(?=y)y").unwrap();
    assert_eq!(pattern.matches(&"x".repeat(4000)), Match::GaveUp);
}

#[test]
fn of_equal_selectors_the_links_host_decides_by_its_whole_origin() {
    let one = lms(
        "one",
        Backend::Moodle,
        "https://moodle.test/server.php",
        ".*",
        "",
    );
    let two = lms(
        "two",
        Backend::Moodle,
        "https://moodle.test.evil.example/",
        ".*",
        "",
    );
    let all = [&one, &two];
    let chosen = |link| choose(&all, Some(link)).unwrap().lms.server.to_string();
    assert_eq!(chosen("https://moodle.test/course"), "one");
    assert_eq!(chosen("https://moodle.test.evil.example/c"), "two");
    assert_eq!(chosen("https://moodle.test:8443/c"), "one");
    assert_eq!(chosen("nonsense"), "one");
    let fates = explain(&all, "https://moodle.test.evil.example/c");
    assert_eq!(fates[0].1, Fate::OtherHost("two".parse().unwrap()));
    assert_eq!(fates[1].1, Fate::Chosen);
    assert!(choose(&all, None).is_none());
    assert!(choose(&[], Some("x")).is_none());
}

#[test]
fn a_moodle_course_is_the_first_number_called_id() {
    let moodle = lms("m", Backend::Moodle, "http://m/s.php", ".*", ".*");
    for (link, id) in [
        ("http://m/course/view.php?id=2&section=1", Some("2")),
        ("http://m/course/view.php?section=1&id=2#id=5", Some("2")),
        ("http://m/course/view.php?id=&id=7", Some("7")),
        ("http://m/course/view.php?id=2&id=9", Some("2")),
        ("http://m/course/view.php?id=two", None),
        ("http://m/course/view.php?id=-2", None),
        ("http://m/course/view.php?id=99999999999999999999", None),
        ("http://m/course/view.php#?id=2", None),
        ("http://m/course/view.php?grid=2", None),
        ("?id=0", None),
    ] {
        assert_eq!(course_id(&moodle, link).ok().as_deref(), id, "{link}");
    }
}

#[test]
fn a_course_key_has_three_parts() {
    let key = CourseKey::parse("course-v1:edX+DemoX+2026").unwrap();
    assert_eq!(
        (key.organization, key.course, key.run),
        ("edX", "DemoX", "2026")
    );
    assert_eq!(CourseKey::parse("edX/DemoX/old").unwrap().run, "old");
    for wrong in [
        "edX+DemoX",
        "course-v1:a+b",
        "a/b",
        "a//c",
        "",
        "course-v1:a+b+c+d",
    ] {
        assert_eq!(CourseKey::parse(wrong), Err(NotACourseKey), "{wrong}");
    }
}

#[test]
fn overlapping_selectors_are_found_and_those_of_the_document_are_not() {
    let moodle = r"^.*/course/view.php\?id=.*$";
    let edx = r"^.*/courses/(?P<course_id>.*)/info/?$";
    let a = lms("a", Backend::Moodle, "http://moodle.test/s.php", moodle, "");
    let b = lms("b", Backend::OpenEdx, "http://edx.test", edx, edx);
    assert!(overlaps(&[&a, &b]).is_empty() && overlaps(&[&b, &a]).is_empty());
    let all = lms("all", Backend::Dummy, "http://all.test", ".*", "");
    assert!(overlaps(&[&a, &b, &all]).is_empty());
    let found = overlaps(&[&all, &a]);
    assert!(
        found[0].contains("a is never chosen: all comes first"),
        "{found:?}"
    );
    let found = overlaps(&[&a, &lms("c", Backend::Moodle, "http://c.test", moodle, "")]);
    assert!(
        found[0].contains("a and c have the same selector_regex"),
        "{found:?}"
    );
    let host = lms(
        "host",
        Backend::Moodle,
        "http://x.test",
        "https?://moodle.test/.*",
        "",
    );
    let found = overlaps(&[&host, &a]);
    assert!(
        found[0].contains("http://moodle.test/course/view.php?id=x goes to host"),
        "{found:?}"
    );
}

#[test]
fn joanies_list_is_refused_with_the_place_and_the_entry() {
    let json = "[{\n  \"BACKEND\": \"x\"\n  \"BASE_URL\": \"y\"}]";
    let JoanieError::Json {
        line,
        column,
        message,
    } = read_joanie(json).unwrap_err()
    else {
        panic!("it is no JSON");
    };
    assert_eq!((line, column), (3, 3), "{message}");
    let entry = |key: &str, value: &str| {
        let mut entry = serde_json::json!({
            "BACKEND": "joanie.lms_handler.backends.openedx.OpenEdXLMSBackend",
            "BASE_URL": "https://edx.test", "SELECTOR_REGEX": ".*",
            "COURSE_REGEX": "^.*/courses/(?P<course_id>.*)/", "API_TOKEN": "S3cret",
            "JS_BACKEND": "openedx-hawthorn",
        });
        if !key.is_empty() {
            entry[key] = serde_json::from_str(value).unwrap();
        }
        format!("[{entry}]")
    };
    let right = read_joanie(&entry("", "")).unwrap().remove(0);
    assert_eq!(right.backend, Backend::OpenEdx);
    assert_eq!(right.extras.len(), 1);
    for (key, value, message) in [
        ("BACKEND", "5", "BACKEND must be a string."),
        (
            "BACKEND",
            "\"a.b2\"",
            "a.b2 must be a valid python module path string.",
        ),
        (
            "BACKEND",
            "\"a.b\"",
            "BACKEND a.b is not one that is known here in LMS Backend.",
        ),
        (
            "BASE_URL",
            "\"ftp://x\"",
            "BASE_URL must be an address that begins with http:// or https:// in LMS Backend.",
        ),
        (
            "COURSE_REGEX",
            "\".*\"",
            "COURSE_REGEX must have a group named course_id, (?P<course_id>…), in LMS Backend.",
        ),
        (
            "COURSE_RUN_SYNC_NO_UPDATE_FIELDS",
            "{}",
            "COURSE_RUN_SYNC_NO_UPDATE_FIELDS must be a list.",
        ),
        ("API_TOKEN", "[1]", "API_TOKEN must be a string."),
    ] {
        let error = read_joanie(&entry(key, value)).unwrap_err();
        assert_eq!(error.message(), message);
        assert_eq!(error.to_string(), format!("entry 1: {message}"));
    }
    assert_eq!(read_joanie("[5]").unwrap_err(), JoanieError::NotAList);
    let warned = read_joanie(&entry("SELECTOR_REGEX", "\"\u{2c6}.*\""))
        .unwrap()
        .remove(0);
    assert!(warned.warnings[0].contains("U+02C6"));
    assert_eq!(LAUNCH_TIMEOUT, Duration::from_secs(2));
}
