use super::*;
use crate::domain::content::Place;
use crate::domain::tool::builtin_tools;
use proptest::prelude::*;
use url::Url;

fn server() -> Server {
    Server::sample()
}

fn tool(signature: &str) -> Tool {
    builtin_tools()
        .find(|tool| tool.signature.as_str() == signature)
        .unwrap()
}

fn with<T>(
    tool: &Tool,
    server: &Server,
    place: &Place,
    person: Option<&Person>,
    f: impl FnOnce(Redirect<'_>) -> T,
) -> T {
    f(Redirect {
        public_url: "http://gate.example.org:8080",
        platform: &"lams".parse().unwrap(),
        tool,
        server,
        place: place.into(),
        person,
        now: DateTime::from_timestamp_millis(1_262_304_000_000).unwrap(),
        nonce: || [7; 16],
    })
}

fn place(course: &str, section: &str) -> Place {
    Place {
        server: "moodle".parse().unwrap(),
        user: "bill".into(),
        course: course.into(),
        section: Some(section.into()),
        course_url: Some("http://moodle.example.org/c".into()),
    }
}

fn parameters(address: &str) -> Vec<(String, String)> {
    Url::parse(address)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn parameter(address: &str, name: &str) -> Option<String> {
    parameters(address)
        .into_iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value)
}

#[test]
fn the_signature_comes_last_and_names_the_person_without_prefix() {
    let person = Person::Lams("mdl_Bill".into());
    let address = with(
        &tool("mdquiz10"),
        &server(),
        &place("7", "3"),
        Some(&person),
        |redirect| redirect.author("5".parse().unwrap(), None, None),
    );
    assert!(
        address.ends_with(
            "&course=7&un=Bill&ts=1262304000000&hs=e71939e9deea3a58a02ac4c44c89be3b32105cc0"
        ),
        "{address}"
    );
}

/// What a server's check says of an address that a browser opens.
fn checked(
    address: &str,
    server: &Server,
) -> Result<signature2::Verified, signature2::Signature2Error> {
    let url = Url::parse(address).unwrap();
    let request = Request {
        method: "GET",
        path: url.path(),
        query: url.query().unwrap(),
        body: NO_BODY,
    };
    let at = DateTime::from_timestamp_millis(1_262_304_000_000).unwrap();
    signature2::verify("S3cretKey", server.id.as_str(), request, at)
}

#[test]
fn signature_2_comes_last_and_there_is_no_legacy_hash() {
    let person = Person::Lams("mdl_Bill".into());
    let server = Server {
        signing: Signing::Two,
        ..server()
    };
    for tool in builtin_tools() {
        let place = place("7 ü", "3&x=y;z");
        let addresses = with(&tool, &server, &place, Some(&person), |redirect| {
            assert!(redirect.is_for_one_use());
            let (content, ext_id) = ("10".parse().unwrap(), tool.id_form.parse("555").unwrap());
            let target = SessionTarget {
                id: "11".parse().unwrap(),
                ext_id: ext_id.as_str(),
                finished: false,
            };
            [
                redirect.author(content, None, Some("S-_1")),
                redirect.session(SessionPage::Teacher, target, Some("S-_1")),
                redirect.session(SessionPage::Monitor, target, None),
            ]
        });
        for address in addresses {
            let (before, sig) = address.rsplit_once("&sig=").unwrap();
            assert!(
                before.ends_with(
                    "&un=Bill&ts=1262304000000&nonce=07070707070707070707070707070707&sv=2"
                ),
                "{address}"
            );
            assert_eq!(sig.len(), 64);
            assert_eq!(parameter(&address, "hs"), None);
            assert!(checked(&address, &server).is_ok(), "{address}");
        }
    }
}

#[test]
fn a_browser_arrives_at_the_path_that_was_signed() {
    let person = Person::External("Bill".into());
    let server = Server {
        signing: Signing::Two,
        ..server()
    };
    let place = Place {
        course_url: Some("http://moodle.example.org/a/../b/%7e;'|".replace('|', "x")),
        ..place("7", "3")
    };
    let address = with(
        &tool("dlfrum10"),
        &server,
        &place,
        Some(&person),
        |redirect| redirect.author("5".parse().unwrap(), None, None),
    );
    assert!(address.contains("/a/../b/"), "{address}");
    assert!(checked(&address, &server).is_ok(), "{address}");
}

#[test]
fn nobody_is_signed_for_without_a_person_a_key_or_the_servers_wish() {
    let person = Person::External("Bill".into());
    let silent = Server {
        sign_redirects: false,
        ..server()
    };
    let keyless = Server {
        key: None,
        ..server()
    };
    for (server, person) in [
        (server(), None),
        (silent, Some(&person)),
        (keyless, Some(&person)),
    ] {
        let address = with(
            &tool("mdquiz10"),
            &server,
            &place("7", "3"),
            person,
            |redirect| redirect.author("5".parse().unwrap(), None, None),
        );
        assert_eq!(parameter(&address, "hs"), None, "{address}");
        let server = Server {
            signing: Signing::Two,
            ..server
        };
        let again = with(
            &tool("mdquiz10"),
            &server,
            &place("7", "3"),
            person,
            |redirect| redirect.author("5".parse().unwrap(), None, None),
        );
        assert_eq!(address, again);
    }
}

#[test]
fn the_state_stands_in_callback_and_return_address() {
    let address = with(
        &tool("mdquiz10"),
        &server(),
        &place("7", "3"),
        None,
        |redirect| redirect.author("5".parse().unwrap(), None, Some("To_ken-1")),
    );
    let callback = urlencoding::decode(&parameter(&address, "lamsUpdateURL").unwrap())
        .unwrap()
        .into_owned();
    assert_eq!(
        callback,
        "http://gate.example.org:8080/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&toolContentID=5&state=To_ken-1"
    );
    let ext_id = tool("mdquiz10").id_form.parse("556").unwrap();
    let target = SessionTarget {
        id: "9".parse().unwrap(),
        ext_id: ext_id.as_str(),
        finished: true,
    };
    let address = with(
        &tool("mdquiz10"),
        &server(),
        &place("7", "3"),
        None,
        |redirect| redirect.session(SessionPage::Learner, target, Some("To_ken-1")),
    );
    assert_eq!(
        parameter(&address, "returnUrl").unwrap(),
        "http://gate.example.org:8080/lams/tool/mdquiz10/learning.do?toolSessionID=9&dispatch=finishActivity&state=To_ken-1"
    );
    assert_eq!(parameter(&address, "isFinished").unwrap(), "true");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn what_goes_in_comes_out_decoded(
        signature in proptest::sample::select(vec![
            "mdfrum10", "mdchat10", "mdasgm10", "mdscrm10", "mdquiz10", "mdlesn10", "mdchce10", "mdwiki10", "mdglos10",
        ]),
        course in any::<String>(),
        section in any::<String>(),
        user in any::<String>(),
        id in 1..i64::MAX,
        ext_id in proptest::option::of(1..i64::MAX),
    ) {
        let tool = tool(signature);
        let ext_id = ext_id.map(|id| tool.id_form.parse(&id.to_string()).unwrap());
        let person = Person::External(user.as_str().into());
        let address = with(&tool, &server(), &place(&course, &section), Some(&person), |redirect| {
            redirect.author(ToolContentId::from_number(id).unwrap(), ext_id.as_ref(), Some("s-_T"))
        });
        prop_assert!(address.is_ascii() && !address.contains(|c: char| c <= ' '));
        prop_assert!(address.starts_with("http://moodle.example.org/moodle/course/lamsframes.php?"));
        prop_assert_eq!(parameter(&address, "course"), Some(course));
        prop_assert_eq!(parameter(&address, "section"), Some(section));
        prop_assert_eq!(parameter(&address, "un"), Some(user));
        prop_assert_eq!(parameter(&address, "id"), ext_id.as_ref().map(|id| id.to_string()));
        prop_assert_eq!(parameter(&address, "add").is_none(), ext_id.is_some());
        let once = parameter(&address, "lamsUpdateURL").unwrap();
        let callback = if once.starts_with("http://") { once } else { urlencoding::decode(&once).unwrap().into_owned() };
        prop_assert_eq!(parameter(&callback, "toolContentID"), Some(id.to_string()));
        prop_assert_eq!(parameter(&callback, "state"), Some("s-_T".to_owned()));
    }

    #[test]
    fn a_session_address_holds_what_it_was_made_of(
        page in proptest::sample::select(vec![SessionPage::Learner, SessionPage::Preview, SessionPage::Teacher, SessionPage::Monitor]),
        user in any::<String>(),
        id in 1..i64::MAX,
        ext_id in 1..i64::MAX,
        finished in any::<bool>(),
    ) {
        let tool = tool("mdasgm10");
        let ext_id = tool.id_form.parse(&ext_id.to_string()).unwrap();
        let person = Person::External(user.as_str().into());
        let address = with(&tool, &server(), &place("7", "3"), Some(&person), |redirect| {
            let target = SessionTarget { id: ToolSessionId::from_number(id).unwrap(), ext_id: ext_id.as_str(), finished };
            redirect.session(page, target, None)
        });
        prop_assert_eq!(parameter(&address, "id"), Some(ext_id.to_string()));
        prop_assert_eq!(parameter(&address, "un"), Some(user));
        prop_assert_eq!(parameter(&parameter(&address, "returnUrl").unwrap(), "toolSessionID"), Some(id.to_string()));
    }
}

#[test]
fn all_ten_adapters_have_the_addresses_of_the_protocol() {
    let mut addresses = String::new();
    let silent = Server {
        sign_redirects: false,
        ..server()
    };
    for tool in builtin_tools() {
        with(&tool, &silent, &place("7", "3"), None, |redirect| {
            let content = "10".parse().unwrap();
            let (ext_id, copy) = (
                tool.id_form.parse("555").unwrap(),
                tool.id_form.parse("556").unwrap(),
            );
            let target = SessionTarget {
                id: "11".parse().unwrap(),
                ext_id: copy.as_str(),
                finished: false,
            };
            let mut line = |name: &str, address: String| {
                addresses.push_str(&format!("{} {name}\n{address}\n", tool.signature));
            };
            line("author, new", redirect.author(content, None, None));
            line(
                "author, saved",
                redirect.author(content, Some(&ext_id), None),
            );
            line(
                "learner",
                redirect.session(SessionPage::Learner, target, None),
            );
            line(
                "preview",
                redirect.session(SessionPage::Preview, target, None),
            );
            line(
                "teacher",
                redirect.session(SessionPage::Teacher, target, None),
            );
            line(
                "monitor",
                redirect.session(SessionPage::Monitor, target, None),
            );
        });
        let page = silent.adapter_page(&tool).unwrap();
        addresses.push_str(&format!("{} adapter page\n{page}\n", tool.signature));
    }
    insta::assert_snapshot!(addresses);
}

#[test]
fn only_what_signature_2_signs_is_for_one_use() {
    let two = Server {
        signing: Signing::Two,
        ..server()
    };
    let person = Person::External("bill".into());
    let (tool, place) = (tool("mdquiz10"), place("7", "3"));
    let once =
        |server: &Server, person| with(&tool, server, &place, person, |r| r.is_for_one_use());
    assert!(once(&two, Some(&person)));
    assert!(!once(&two, None));
    assert!(!once(&server(), Some(&person)));
    let keyless = Server {
        key: None,
        ..two.clone()
    };
    assert!(!once(&keyless, Some(&person)));
    let silent = Server {
        sign_redirects: false,
        ..two
    };
    assert!(!once(&silent, Some(&person)));
}
