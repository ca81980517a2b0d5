//! Definitions of tools: an address made by one that is taken leads to the server, whatever is put in.

#![no_main]

use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use toolgate::domain::base_url::BaseUrl;
use toolgate::domain::content::Place;
use toolgate::domain::person::Person;
use toolgate::domain::redirect::Redirect;
use toolgate::domain::server::{Server, Signing};
use toolgate::domain::tool::Tool;
use url::Url;

const HOSTILE: &str = "//evil.example/\\@evil.example:80?a=b&c#d%2f%0d%0a\u{2028}";

fuzz_target!(|text: &str| {
    for signing in [Signing::Legacy, Signing::Two] {
        leads_there(text, signing);
    }
});

fn leads_there(text: &str, signing: Signing) {
    let Ok(tool) = Tool::from_toml(text) else {
        return;
    };
    let server = Server {
        id: "moodle".parse().unwrap(),
        name: "Moodle".into(),
        url: BaseUrl::parse("http://moodle.example.org/moodle/").unwrap(),
        key: Some(SecretString::from("S3cretKey")),
        prefix: Some("mdl".into()),
        enabled: true,
        sign_redirects: true,
        signing,
        timeout: None,
        private_network: true,
        login_window_minutes: None,
        time_zone: chrono_tz::Tz::UTC,
        tools: [tool.signature.clone()].into(),
        settings: Default::default(),
        lms: None,
    };
    let place = Place {
        server: "moodle".parse().unwrap(),
        user: HOSTILE.into(),
        course: HOSTILE.into(),
        section: Some(HOSTILE.into()),
        course_url: Some("http://moodle.example.org/c".into()),
    };
    let person = Person::External(HOSTILE.into());
    let redirect = Redirect {
        public_url: "http://gate.example.org:8080",
        platform: &"lams".parse().unwrap(),
        tool: &tool,
        server: &server,
        place: (&place).into(),
        person: Some(&person),
        now: DateTime::UNIX_EPOCH,
        nonce: || [5; 16],
    };
    let address = redirect.author("5".parse().unwrap(), None, Some("AQ"));
    let there = Url::parse(&address).expect("an address that a browser can open");
    assert_eq!(there.host_str(), Some("moodle.example.org"), "{address}");
    assert!(
        address.bytes().all(|byte| (0x21..0x7f).contains(&byte)),
        "{address}"
    );
}
