use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// The time of a login, in milliseconds, where nothing else about it matters.
const TS: &str = "1262304000000";

fn server() -> Server {
    Server::sample()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_262_304_000_000).unwrap()
}

fn checked(query: &str, server: &Server) -> Result<LoginRequest, LoginError> {
    let platform = BaseUrl::parse("http://lams.example.org/lams/").unwrap();
    let window = window(server.login_window_minutes.unwrap_or(0));
    LoginRequest::check(&Query::parse(query), server, window, &platform, now())
}

/// A query with its right hash; `lsid` is part of it where the method says so.
fn signed(ts: &str, uid: &str, method: &str, more: &str) -> String {
    let pairs = form_urlencoded(more);
    let lsid = pairs.iter().find(|(name, _)| name == "lsid");
    let lsid = lsid.map_or("", |(_, value)| value);
    let hash = login_hash(&server(), ts, uid, method, lsid).unwrap();
    let mut query = format!("hash={hash}&sid=moodle");
    for (name, value) in [("ts", ts), ("uid", uid), ("method", method)] {
        query.push_str(&format!("&{name}={}", urlencoding::encode(value)));
    }
    if !more.is_empty() {
        query.push('&');
        query.push_str(more);
    }
    query
}

fn form_urlencoded(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// Of the formulas, with another implementation of SHA-1.
#[rstest]
#[case(
    "1262304000000",
    "Bill",
    "author",
    "",
    "0932e9207ae4df6807af5616d03f4df2c28b010c"
)]
#[case(
    "January 01,2010 12:00 am",
    "Bill Smith",
    "learner",
    "",
    "d629f6172da41964b55817380dd3d30bf2a60e0a"
)]
#[case(
    "1262304000000",
    "ÉMILE",
    "monitor",
    "",
    "4e7e9bda5b0a6f4e6715ba634f003a56ab7e1d01"
)]
#[case(
    "1262304000000",
    " BiLL\t",
    "Author",
    "",
    "0932e9207ae4df6807af5616d03f4df2c28b010c"
)]
#[case(
    "1262304000000",
    "Bill",
    "learnerStrictAuth",
    "42",
    "1f05cf9c60628c23558a757064871c89210c719d"
)]
#[case(
    "1262304000000",
    "Bill",
    "learner",
    "42",
    "165a1705ebebe03ea1afa818e6c1031f016d26ab"
)]
fn hashes_are_those_of_the_formulas(
    #[case] ts: &str,
    #[case] uid: &str,
    #[case] method: &str,
    #[case] lsid: &str,
    #[case] expected: &str,
) {
    let hash = login_hash(&server(), ts, uid, method, lsid).unwrap();
    assert_eq!(hash, expected);
}

#[test]
fn everything_that_counts_is_read() {
    let more = "courseid=7&courseName=Physics+1&customCSV=bill%2C7%2C3%2Cmoodle&lang=en&country=AU";
    let login = checked(&signed(TS, "Bill", "author", more), &server()).unwrap();
    assert_eq!(
        login,
        LoginRequest {
            uid: "Bill".to_owned(),
            method: Method::Author,
            course: Some("7".to_owned()),
            course_name: Some("Physics 1".to_owned()),
            use_prefix: true,
            custom_csv: Some("bill,7,3,moodle".to_owned()),
        }
    );
    assert_eq!(login.lams_login(&server()), "mdl_Bill");
    let login = checked(&signed(TS, "Bill", "author", "usePrefix=false"), &server()).unwrap();
    assert_eq!(login.lams_login(&server()), "Bill");
}

#[test]
fn a_change_of_what_the_hash_covers_is_noticed_first() {
    let right = signed("1262304000000", "Bill", "author", "");
    assert!(checked(&right, &server()).is_ok());
    for (from, to) in [
        ("ts=1", "ts=2"),
        ("uid=Bill", "uid=Bob"),
        ("method=author", "method=monitor"),
        ("method=author", "method=nothing"),
        ("hash=", "hash=0"),
        ("uid=Bill", "uid=Bill%"),
    ] {
        let wrong = right.replace(from, to);
        assert_eq!(checked(&wrong, &server()), Err(LoginError::Hash), "{wrong}");
    }
    let hash = right[5..45].to_owned();
    let upper = right.replace(&hash, &hash.to_uppercase());
    assert_eq!(checked(&upper, &server()), Err(LoginError::Hash));
    let without = right.replace("hash=", "hsh=");
    assert_eq!(checked(&without, &server()), Err(LoginError::NoHash));
    for changed in [
        Server {
            id: "other".parse().unwrap(),
            ..server()
        },
        Server {
            key: Some("S3cretKez".into()),
            ..server()
        },
        Server {
            key: None,
            ..server()
        },
    ] {
        assert_eq!(checked(&right, &changed), Err(LoginError::Hash));
    }
}

#[test]
fn a_login_of_too_many_parameters_is_refused_wherever_its_hash_stands() {
    let login = signed("1262304000000", "Bill", "author", "");
    let many = "a&".repeat(100);
    for query in [format!("{many}{login}"), format!("{login}&{many}")] {
        let too_many = LoginError::Query(QueryError::TooMany);
        assert_eq!(checked(&query, &server()), Err(too_many));
    }
}

#[test]
fn the_lesson_is_in_the_hash_of_strict_learners_alone() {
    let strict = signed(TS, "Bill", "learnerStrictAuth", "lsid=42");
    assert!(checked(&strict, &server()).is_ok());
    let wrong = strict.replace("lsid=42", "lsid=43");
    assert_eq!(checked(&wrong, &server()), Err(LoginError::Hash));
    let learner = signed(TS, "Bill", "learner", "lsid=42");
    assert!(checked(&learner.replace("lsid=42", "lsid=43"), &server()).is_ok());
    let without = signed(TS, "Bill", "learnerStrictAuth", "");
    let missing = LoginError::Query(QueryError::Missing("lsid"));
    assert_eq!(checked(&without, &server()), Err(missing));
}

#[rstest]
#[case("1262304000000", Ok(()))]
#[case("1262307600000", Ok(()))]
#[case("1262300400000", Ok(()))]
#[case("1262307600001", Err(LoginError::Late(60)))]
#[case("1262300399999", Err(LoginError::Late(60)))]
#[case("January 01,2010 11:30 am", Ok(()))]
#[case("January 01,2010 9:59 am", Err(LoginError::Late(60)))]
#[case("January 01,2010 10:00 AM", Ok(()))]
#[case("yesterday", Err(LoginError::Time("yesterday".to_owned())))]
#[case("99999999999999999999", Err(LoginError::Time("99999999999999999999".to_owned())))]
fn a_window_is_kept_where_there_is_one(#[case] ts: &str, #[case] expected: Result<(), LoginError>) {
    let windowed = Server {
        login_window_minutes: Some(60),
        // Eleven hours before UTC in January.
        time_zone: Tz::Australia__Sydney,
        ..server()
    };
    let query = signed(ts, "Bill", "author", "");
    assert_eq!(checked(&query, &windowed).map(drop), expected);
    assert!(checked(&query, &server()).is_ok(), "any counts without one");
}

#[rstest]
#[case(TS, "anamaria", "1262304000000ana", "maria")]
#[case(TS, "1maria", "12623040000001", "maria")]
#[case(TS, "maria", "126230400000", "0maria")]
#[case(
    "January 01,2010 12:00 am",
    "anamaria",
    "January 01,2010 12:00 amana",
    "maria"
)]
#[case("January 01,2010 12:00 am", "aria", "January 01,2010 12:00 a", "maria")]
fn a_login_of_one_is_never_made_into_one_of_another(
    #[case] ts: &str,
    #[case] uid: &str,
    #[case] other_ts: &str,
    #[case] other_uid: &str,
) {
    let hash = |ts, uid| login_hash(&server(), ts, uid, "author", "");
    assert_eq!(
        hash(ts, uid),
        hash(other_ts, other_uid),
        "the hash is the same"
    );
    assert!(checked(&signed(ts, uid, "author", ""), &server()).is_ok());
    let other = checked(&signed(other_ts, other_uid, "author", ""), &server());
    assert_eq!(other, Err(LoginError::Time(other_ts.to_owned())));
}

#[test]
fn times_that_clocks_have_twice_or_never() {
    let berlin = Tz::Europe__Berlin;
    let twice = time_of("October 25,2026 2:30 am", berlin).unwrap();
    assert_eq!(twice.to_rfc3339(), "2026-10-25T00:30:00+00:00");
    assert_eq!(time_of("March 29,2026 2:30 am", berlin), None);
}

#[test]
fn what_is_stored_has_its_bounds() {
    let long = "a".repeat(256);
    for (more, name, most) in [
        (format!("courseid={long}"), "courseid", 255),
        ("courseName=a%00b".to_owned(), "courseName", 255),
        (format!("customCSV={}", "a".repeat(2001)), "customCSV", 2000),
    ] {
        let refused = checked(&signed(TS, "Bill", "author", &more), &server());
        assert_eq!(refused, Err(LoginError::Text(name, most)));
    }
    let refused = checked(&signed(TS, &long, "author", ""), &server());
    assert_eq!(refused, Err(LoginError::Text("uid", 255)));
    // The longest is taken, and a line's end after customCSV, but nowhere else.
    let longest = format!("courseid={}&customCSV=a,7%0D%0A", "a".repeat(255));
    assert!(checked(&signed(TS, "Bill", "author", &longest), &server()).is_ok());
    let lines = checked(&signed(TS, "Bill", "author", "courseName=a%0Ab"), &server());
    assert_eq!(lines, Err(LoginError::Text("courseName", 255)));
    let nobody = LoginError::Query(QueryError::Missing("uid"));
    assert_eq!(
        checked(&signed(TS, " ", "author", ""), &server()),
        Err(nobody)
    );
    let doubled = checked(&signed(TS, "Bill", "author", "uid=Bob"), &server());
    assert_eq!(
        doubled,
        Err(LoginError::Query(QueryError::Doubled("uid".to_owned())))
    );
}

#[rstest]
#[case("home.do", true)]
#[case("/lams/home.do?x=1", true)]
#[case("http://lams.example.org/elsewhere", true)]
#[case("", true)]
#[case("https://lams.example.org/", false)]
#[case("http://lams.example.org:8080/", false)]
#[case("http://lams.example.org.evil.example/", false)]
#[case("http://lams.example.org@evil.example/", false)]
#[case("http://u@lams.example.org/", false)]
#[case("//evil.example/", false)]
#[case("/\\evil.example", false)]
#[case("\\\\evil.example", false)]
#[case("https:evil.example", false)]
#[case("javascript:alert(1)", false)]
#[case("\t//evil.example", false)]
#[case("/%09/evil.example", false)]
#[case("/%2f/evil.example", false)]
#[case("/%5Cevil.example", false)]
#[case("/x/..//evil.example", false)]
#[case("http:evil.example", false)]
#[case("/lams/a%20b?next=%2F%2Fx", true)]
#[case("home.do?next=http%3A%2F%2Fevil.example%2F#%2F%2Fx", true)]
#[case("http://lams.example.org/lams/50%25/a%2525b/%C3%A9+x/a%3Ab", true)]
#[case("http%3A%2F%2Flams.example.org%2Flams%2Fhome.do", true)]
#[case("http%253A%252F%252Fevil.example%252F", false)]
#[case("javascript%3Aalert(1)", false)]
#[case("javascript%253Aalert(1)?x", false)]
#[case("http%3A//evil.example/", false)]
#[case("http%3A//lams.example.org%40evil.example/", false)]
#[case("%252F%252Fevil.example", false)]
#[case("+%2F%2Fevil.example", false)]
#[case("%2B//evil.example", false)]
#[case("%20javascript%3Aalert(1)", false)]
#[case("/lams/..%252F%252Fevil.example", false)]
#[case("/%255Cevil.example", false)]
#[case("/%2509/evil.example", false)]
#[case("/a%252525252Fb", false)]
fn redirect_url_stays_at_the_platform(#[case] to: &str, #[case] stays: bool) {
    let more = format!("redirectURL={}", urlencoding::encode(to));
    let outcome = checked(&signed(TS, "Bill", "author", &more), &server());
    assert_eq!(outcome.is_ok(), stays, "{outcome:?}");
    if !stays {
        assert_eq!(outcome, Err(LoginError::Redirect));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn nothing_but_the_right_hash_comes_through(query in "[a-z0-9=&%+,]{0,80}", hash in "[0-9a-f]{40}") {
        let query = format!("{query}&hash={hash}");
        prop_assert!(checked(&query, &server()).is_err());
    }
}

#[test]
fn the_path_of_a_login_holds_all_and_is_taken() {
    let ts = now().timestamp_millis().to_string();
    for (method, lesson) in [(Method::Author, "7"), (Method::LearnerStrictAuth, "42")] {
        let more = [("courseid", "a b"), ("lsid", lesson)];
        let path = login_path("lams", &server(), (&ts, "Bill", method), &more).unwrap();
        assert!(
            path.starts_with("/lams/LoginRequest?uid=Bill&method="),
            "{path}"
        );
        assert!(
            path.ends_with(&format!("&courseid=a+b&lsid={lesson}")),
            "{path}"
        );
        let (_, query) = path.split_once('?').unwrap();
        let login = checked(query, &server()).unwrap();
        assert_eq!(
            (login.uid.as_str(), login.course.as_deref()),
            ("Bill", Some("a b"))
        );
    }
    let keyless = Server {
        key: None,
        ..server()
    };
    assert_eq!(
        login_path("lams", &keyless, (&ts, "Bill", Method::Author), &[]),
        None
    );
}
