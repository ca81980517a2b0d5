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

#[test]
fn backends_are_known_by_short_names_and_by_joanies_classes() {
    for (backend, short, class) in [
        (Backend::OpenEdx, "openedx", "openedx.OpenEdXLMSBackend"),
        (Backend::Moodle, "moodle", "moodle.MoodleLMSBackend"),
        (Backend::Dummy, "dummy", "dummy.DummyLMSBackend"),
        (Backend::Failing, "failing", "failing.FailingLMSBackend"),
        (Backend::Base, "base", "base.BaseLMSBackend"),
    ] {
        assert_eq!(backend.as_str(), short);
        assert_eq!(Backend::named(short), Some(backend));
        let path = format!("joanie.lms_handler.backends.{class}");
        assert_eq!(Backend::named(&path), Some(backend));
        assert_eq!(Backend::named(class), None);
        let called = matches!(backend, Backend::OpenEdx | Backend::Moodle);
        assert_eq!(backend.is_called(), called);
        let by_group = matches!(backend, Backend::OpenEdx | Backend::Dummy);
        assert_eq!(backend.needs_course_group(), by_group);
    }
    assert_eq!(Backend::named("OpenEdx"), None);
    for (api, name) in [(GradesApi::Fun, "fun"), (GradesApi::Core, "core")] {
        assert_eq!(api.as_str(), name);
        assert_eq!(GradesApi::named(name), Some(api));
    }
    assert_eq!(GradesApi::named("both"), None);
}

#[test]
fn an_address_is_http_without_user_query_or_fragment() {
    let address = LmsAddress::parse("https://EDX.test:8443/lms//").unwrap();
    assert_eq!(address.as_str(), "https://EDX.test:8443/lms//");
    assert_eq!(address.to_string(), address.as_str());
    assert_eq!(address.root(), "https://edx.test:8443/lms");
    assert_eq!(address.host(), "edx.test");
    assert_eq!(address.origin(), "https://edx.test:8443");
    assert!(address.is_origin_of("https://edx.test:8443/x?y"));
    for other in [
        "http://edx.test:8443/",
        "https://edx.test/",
        "https://x.test:8443/",
        "nonsense",
    ] {
        assert!(!address.is_origin_of(other), "{other}");
    }
    for wrong in ["", "edx.test", "ftp://edx.test/", "mailto:a@b"] {
        assert_eq!(
            LmsAddress::parse(wrong),
            Err(NotAnLmsAddress::NotHttp),
            "{wrong}"
        );
    }
    for wrong in [
        "http://u@h",
        "http://:p@h",
        "http://h/?a",
        "http://h/#a",
        "http://u:p@h",
    ] {
        assert_eq!(
            LmsAddress::parse(wrong),
            Err(NotAnLmsAddress::Extra),
            "{wrong}"
        );
    }
}

#[test]
fn a_course_is_what_its_group_holds() {
    let course = |backend, regex: &str, link: &str| {
        course_id(&lms("e", backend, "http://e", ".*", regex), link)
    };
    let regex = "http://e/courses/(?P<course_id>[^/]*)/";
    let link = "http://e/courses/course-v1:a+b+c/info";
    assert_eq!(
        course(Backend::OpenEdx, regex, link),
        Ok("course-v1:a+b+c".to_owned())
    );
    let none = Err(NoCourseId::NoGroup);
    assert_eq!(course(Backend::OpenEdx, regex, "http://e/courses//"), none);
    assert_eq!(course(Backend::OpenEdx, regex, "http://e/courses/ /"), none);
    assert_eq!(course(Backend::OpenEdx, regex, "http://other/"), none);
    assert_eq!(course(Backend::OpenEdx, "http://e/", link), none);
    let without = Lms {
        course: None,
        ..lms("e", Backend::OpenEdx, "http://e", ".*", "")
    };
    assert_eq!(course_id(&without, link), none);
    assert_eq!(
        course(Backend::Moodle, "", "http://e/x"),
        Err(NoCourseId::NoId)
    );
    for (text, number) in [
        ("7", Some("7")),
        (" 07 ", Some("7")),
        ("0", None),
        ("-7", None),
        ("+7", None),
        ("", None),
        ("7a", None),
    ] {
        assert_eq!(whole_number(text).as_deref(), number, "{text}");
    }
}

#[test]
fn why_an_lms_is_chosen_is_said() {
    let one = lms("one", Backend::Dummy, "http://one.test", "http://.*", "");
    let two = lms("two", Backend::Dummy, "http://two.test", "http://t.*", "");
    let same = lms("same", Backend::Dummy, "http://same.test", "http://t.*", "");
    let why = |all: &[&Lms], link: &str| {
        choose(all, Some(link)).map(|choice| (choice.lms.server.to_string(), choice.why))
    };
    let said = |id: &str, words: &str| Some((id.to_owned(), words.to_owned()));
    assert_eq!(
        why(&[&one, &two], "http://x"),
        said("one", "only its selector matches")
    );
    assert_eq!(
        why(&[&one, &two], "http://two.test/"),
        said("one", "its selector is the first of 2 that match")
    );
    let (id, words) = why(&[&two, &same], "http://two.test/").unwrap();
    assert_eq!(id, "two");
    assert!(
        words.contains("of the 2 with this selector it is the one whose base address"),
        "{words}"
    );
    let (id, words) = why(&[&two, &same], "http://third.test/").unwrap();
    assert_eq!(id, "two");
    assert!(
        words.contains("it is the first of the 2 with this selector"),
        "{words}"
    );
    assert_eq!(why(&[&one], "https://x"), None);
    let fates = explain(&[&one, &two, &same], "http://t.test/");
    let fates: Vec<_> = fates.iter().map(|(_, fate)| fate.to_string()).collect();
    let after = "its selector matches, but one comes first";
    assert_eq!(fates, ["chosen", after, after]);
    let fates = explain(&[&two, &one], "http://x");
    assert_eq!(fates[0].1, Fate::NoMatch);
    // Only one with the same selector is beaten by its host.
    let second = |all: &[&Lms], link: &str| explain(all, link)[1].1.clone();
    let three = lms(
        "three",
        Backend::Dummy,
        "http://three.test",
        "http://.*",
        "",
    );
    let two_has = |fate: fn(crate::domain::id::ServerId) -> Fate| fate("two".parse().unwrap());
    assert_eq!(
        second(&[&two, &same], "http://two.test/"),
        two_has(Fate::OtherHost)
    );
    assert_eq!(
        second(&[&two, &same], "http://third.test/"),
        two_has(Fate::After)
    );
    assert_eq!(
        second(&[&three, &two], "http://three.test/"),
        Fate::After("three".parse().unwrap())
    );
    let given_up = lms(
        "g",
        Backend::Dummy,
        "http://g.test",
        "(?=x)(x+x+)+(?=y)y",
        "",
    );
    let link = "x".repeat(4000);
    assert_eq!(explain(&[&given_up], &link)[0].1, Fate::GaveUp);
    assert!(Fate::GaveUp.to_string().contains("too many steps"));
    let other = Fate::OtherHost("two".parse().unwrap()).to_string();
    assert!(other.contains("two has the same one"), "{other}");
    assert_eq!(not_a_link("http://x"), None);
    assert!(not_a_link("a\u{7}b").is_some());
    assert!(not_a_link(&"x".repeat(4096)).is_none() && not_a_link(&"x".repeat(4097)).is_some());
}

#[test]
fn an_expression_is_at_most_so_long_and_the_same_where_its_text_is() {
    assert!(Pattern::parse(&"a".repeat(2048)).is_ok());
    assert_eq!(
        Pattern::parse(&"a".repeat(2049)).unwrap_err(),
        BadPattern::TooLong
    );
    let [a, same, b] = ["a", "a", "b"].map(|text| Pattern::parse(text).unwrap());
    assert!(a == same && a != b);
    assert_eq!(a.as_str(), "a");
    let group = Pattern::parse("(?!x)(?P<course_id>.)").unwrap();
    assert_eq!(group.matches("ab"), Match::Yes(Some("a".to_owned())));
    let none = Pattern::parse("(?P<other>.)").unwrap();
    assert!(
        !none.has_course_group() && !Pattern::parse("(?!x)(?P<y>.)").unwrap().has_course_group()
    );
}

#[test]
fn joanies_keys_are_needed_and_a_token_may_be_empty() {
    let entry = |without: &str, token: serde_json::Value| {
        let mut entry = serde_json::json!({"BACKEND": "dummy", "BASE_URL": "http://d.test",
            "SELECTOR_REGEX": ".*", "COURSE_REGEX": "(?P<course_id>.*)", "API_TOKEN": token,
            "COURSE_RUN_SYNC_NO_UPDATE_FIELDS": ["languages"]});
        entry.as_object_mut().unwrap().remove(without);
        read_joanie(&format!("\u{feff}[{entry}]"))
    };
    for key in ["BACKEND", "BASE_URL", "SELECTOR_REGEX", "COURSE_REGEX"] {
        let error = entry(key, "x".into()).unwrap_err();
        assert_eq!(
            error.message(),
            format!("Missing key {key} in LMS Backend.")
        );
    }
    let token = |token: serde_json::Value| entry("", token).unwrap().remove(0).api_token.is_some();
    assert!(token("x".into()));
    assert!(!token("".into()) && !token(serde_json::Value::Null));
    assert!(
        entry("API_TOKEN", "".into()).unwrap()[0]
            .api_token
            .is_none()
    );
    assert_eq!(
        read_joanie("{}").unwrap_err().message(),
        "LMS Backends must be a list of dictionaries."
    );
    assert_eq!(read_joanie("[]").unwrap().len(), 0);
    let JoanieError::Json { message, .. } = read_joanie("[").unwrap_err() else {
        panic!("it is no JSON");
    };
    assert!(
        !message.contains(" at line ") && message.contains("EOF"),
        "{message}"
    );
    let module = |path: &str| {
        let path = serde_json::json!([{"BACKEND": path, "BASE_URL": "", "SELECTOR_REGEX": "", "COURSE_REGEX": ""}]);
        read_joanie(&path.to_string()).unwrap_err().message()
    };
    assert!(module("a_b.C").contains("is not one that is known here"));
    for wrong in ["", "a..b", ".a", "a b"] {
        assert!(
            module(wrong).contains("must be a valid python module path"),
            "{wrong}"
        );
    }
}

#[test]
fn a_look_alike_is_found_at_its_place() {
    let words = look_alike("selector_regex", "aé\u{2c6}b").unwrap();
    assert!(
        words.starts_with("selector_regex holds ˆ (U+02C6) at character 3,"),
        "{words}"
    );
    assert_eq!(look_alike("selector_regex", "^.*"), None);
}
