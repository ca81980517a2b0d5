//! Where browsers are sent: to a configured origin, whatever a request says. What it is tried with are the ways past
//! such checks that others have met, among them CVE-2020-5233, CVE-2020-11053 and CVE-2021-21291 of oauth2-proxy.

use std::sync::Arc;

use rstest::rstest;
use url::Url;

use crate::support::{
    ADA, Database, Gateway, Kind, PASSWORD, PUBLIC_URL, Page, Setup, Visitor, apply, login_path,
    parameter,
};

const LAMS: &str = "http://lams.example.org:8080";

/// The origins of the configuration that the tests have, the gateway's own among them.
const OURS: [&str; 5] = [
    PUBLIC_URL,
    LAMS,
    "http://moodle.example.org",
    "http://lrn.example.org",
    "http://done.example.org",
];

/// Addresses that lead, or seem to lead, elsewhere; `{origin}` is one of ours.
const HOSTILE: &[&str] = &[
    "https://evil.example/",
    "HTTPS://EVIL.EXAMPLE/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\u{b}/evil.example",
    "/ /evil.example",
    "/\u{a0}/evil.example",
    "/\u{3000}/evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "/%0D/evil.example",
    "/%5cevil.example",
    "/%2fevil.example",
    "/%2F%2Fevil.example",
    "%2F%2Fevil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/x/..//evil.example",
    "/.\\/evil.example",
    "http:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "https:///evil.example",
    " https://evil.example",
    "\thttps://evil.example",
    "ht\ntps://evil.example",
    "\u{0}https://evil.example",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://lams.example.org:8080/%0aalert(1)",
    "data:text/html,evil.example",
    "ftp://evil.example/",
    "{origin}.evil.example/",
    "{origin}@evil.example/",
    "{origin}:80@evil.example/",
    "{origin}%40evil.example/",
    "{origin}%2eevil.example/",
    "{origin}\\.evil.example/",
    "{origin}\\@evil.example/",
    "{origin}%00.evil.example/",
    "{origin}\u{3002}evil.example/",
    "http://evil.example\\@lams.example.org:8080/",
    "http://evil.example#@lams.example.org:8080/",
    "http://evil.example?@lams.example.org:8080/",
    "http://evil.example/.lams.example.org:8080/",
    "http://evil.example;lams.example.org:8080/",
    "http://evil-lams.example.org.evil.example/",
    "http://a:b@evil.example/",
    "{origin}/\r\nLocation: https://evil.example/",
    "//evil.example%2f..%2f..",
    "http://[::ffff:192.0.2.1]/evil.example",
];

/// What parameters are called that lead somewhere, here or in other people's programs.
const NAMES: &[&str] = &[
    "redirect",
    "redirectURL",
    "redirect_uri",
    "returnUrl",
    "returnURL",
    "return",
    "next",
    "url",
    "rd",
    "target",
    "dest",
    "goto",
    "finishURL",
    "finish_url",
    "lamsUpdateURL",
    "server",
    "serverUrl",
    "extLmsId",
    "requestSrc",
];

fn hostile(origin: &str) -> impl Iterator<Item = String> {
    HOSTILE
        .iter()
        .map(move |address| address.replace("{origin}", origin))
}

/// Where a browser goes by what an answer says; nothing where it goes nowhere.
fn origin_of(page: &Page) -> Option<String> {
    let to = page.headers.get("location")?;
    let at = Url::parse(PUBLIC_URL).unwrap();
    let to = at.join(to).unwrap_or_else(|error| panic!("{to}: {error}"));
    assert!(to.username().is_empty() && to.password().is_none(), "{to}");
    Some(to.origin().ascii_serialization())
}

/// An answer that is no redirect, or one to an origin of ours; and none that lets a browser go on by itself.
fn stays(page: &Page, what: &str) -> Option<String> {
    assert!(page.status < 500, "{what}: {}", page.body);
    for header in ["refresh", "content-location", "link"] {
        assert!(!page.headers.contains_key(header), "{what}");
    }
    assert!(!page.headers.contains_key("set-cookie"), "{what}");
    let origin = origin_of(page)?;
    assert!(OURS.contains(&origin.as_str()), "{what} leads to {origin}");
    Some(origin)
}

fn setup() -> Setup {
    Setup {
        finish_url: Some("http://done.example.org/x?u={uid}&s={toolSessionID}"),
        environment: vec![("TOOLGATE_TRUSTED_PROXIES", "127.0.0.0/8".to_owned())],
        ..Setup::default()
    }
}

/// A signed launch, or one that is refused as often as one likes.
async fn get(gateway: &Gateway, path: &str) -> Page {
    let request = gateway.client().get(format!("{}{path}", gateway.base));
    let [a, b] = getrandom::u32().unwrap().to_be_bytes()[..2] else {
        unreachable!()
    };
    let request = request.header("X-Forwarded-For", format!("10.9.{a}.{b}"));
    Page::read(request.send().await.unwrap()).await
}

fn enc(text: &str) -> String {
    urlencoding::encode(text).into_owned()
}

#[actix_web::test]
async fn no_parameter_of_a_launch_leads_anywhere() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup()).await;
    let csv = "customCSV=bill%2C7%2C3%2Cmoodle";
    let launches = [
        (
            format!("authoring.do?toolContentID=1&contentFolderID=f&{csv}"),
            "mdl_bill",
            OURS[2],
        ),
        (
            "learning.do?mode=learner&toolSessionID=2".to_owned(),
            "mdl_anna",
            OURS[2],
        ),
        (
            "learning.do?mode=teacher&toolSessionID=2".to_owned(),
            "mdl_anna",
            OURS[2],
        ),
        (
            "learning.do?mode=author&toolSessionID=2".to_owned(),
            "mdl_bill",
            OURS[2],
        ),
    ];
    for (launch, uid, origin) in &launches {
        for address in hostile(LAMS) {
            let more: Vec<_> = NAMES
                .iter()
                .map(|name| format!("&{name}={}", enc(&address)))
                .collect();
            let path = format!("/lams/tool/mdquiz10/{launch}{}", more.concat());
            let page = get(&gateway, &gateway.sign(&path, uid)).await;
            let stayed = stays(&page, &path);
            // An author's extLmsId counts, and names no server.
            if !launch.starts_with("authoring") {
                assert_eq!(stayed.as_deref(), Some(*origin), "{path}: {}", page.body);
            }
        }
    }
    // Nor does what counts: names, courses, ids.
    for address in hostile("http://moodle.example.org") {
        let text = enc(&address);
        let in_csv = enc(&format!(
            "\"{0}\",\"{0}\",\"{0}\",moodle",
            address.replace('"', "")
        ));
        for path in [
            format!("learning.do?mode=learner&toolSessionID={text}"),
            format!("learning.do?mode={text}&toolSessionID=2"),
            format!("learning.do?dispatch={text}&toolSessionID=2"),
            format!("authoring.do?toolContentID={text}&contentFolderID={text}"),
            format!("authoring.do?toolContentID=1&contentFolderID={text}&customCSV={in_csv}"),
            format!(
                "authoring.do?toolContentID=9&contentFolderID=f&extLmsId={text}&customCSV={in_csv}"
            ),
            format!("monitoring.do?toolContentID=1&contentFolderID={text}"),
            format!("monitoring.do?dispatch=openSession&toolSessionID=2&state={text}"),
        ] {
            let path = format!("/lams/tool/mdquiz10/{path}");
            for uid in ["mdl_anna", &address] {
                stays(&get(&gateway, &gateway.sign(&path, uid)).await, &path);
            }
        }
        for path in [
            format!("/{text}/tool/mdquiz10/learning.do"),
            format!("/lams/tool/{text}/authoring.do"),
            format!("/{text}"),
            format!("/{text}/LoginRequest"),
            format!("/lams/tool/{text}/{text}admin.do"),
        ] {
            stays(&get(&gateway, &path).await, &path);
        }
    }
}

#[actix_web::test]
async fn who_finishes_goes_to_the_configured_address_alone() {
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup()).await;
    let learner = gateway
        .get_signed(
            "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2",
            "mdl_//evil.example\\@x",
        )
        .await
        .location();
    let back = parameter(&learner, "returnUrl").unwrap();
    let back = back.strip_prefix(PUBLIC_URL).unwrap();
    for address in hostile("http://done.example.org") {
        let more: Vec<_> = NAMES
            .iter()
            .map(|name| format!("&{name}={}", enc(&address)))
            .collect();
        let page = get(&gateway, &format!("{back}{}", more.concat())).await;
        assert_eq!(
            stays(&page, back).as_deref(),
            Some("http://done.example.org")
        );
        let user = parameter(&page.location(), "u");
        assert_eq!(user.as_deref(), Some("mdl_//evil.example\\@x"));
    }
}

#[actix_web::test]
async fn a_course_address_from_a_request_stays_at_its_server() {
    let gateway = Gateway::start(Kind::Sqlite, setup()).await;
    let open = async |id: u32, course: &str| {
        let csv = enc(&format!("bill,7,\"{}\"", course.replace('"', "")));
        let path = format!(
            "/lams/tool/dlfrum10/authoring.do?toolContentID={id}&contentFolderID=f&customCSV={csv}"
        );
        get(&gateway, &gateway.sign(&path, "lrn_bill")).await
    };
    let right = open(1, "http://lrn.example.org/dotlrn").await;
    assert_eq!(stays(&right, "").as_deref(), Some("http://lrn.example.org"));
    for address in hostile("http://lrn.example.org") {
        let page = open(2, &address).await;
        assert_eq!(page.status, 400, "{address}");
        assert_eq!(stays(&page, &address), None);
    }
}

#[rstest]
#[actix_web::test]
async fn a_login_leads_to_its_platform_and_nowhere_else(#[values("GET", "POST")] method: &str) {
    let gateway = Gateway::start(Kind::Sqlite, setup()).await;
    let login = |more: &[(&str, &str)]| {
        login_path(
            "moodle",
            "S3cretKey",
            ("1262304000000", "Bill", "author"),
            more,
        )
    };
    let send = async |path: String| {
        if method == "GET" {
            return get(&gateway, &path).await;
        }
        let (path, form) = path.split_once('?').unwrap();
        gateway.post_form(path, form).await
    };
    for right in [
        "",
        "/lams/index.do?x=a%20b%2Fc",
        "index.do",
        &format!("{LAMS}/lams/x"),
    ] {
        let page = send(login(&[("redirectURL", right)])).await;
        assert!([200, 302].contains(&page.status), "{right}: {}", page.body);
    }
    for address in hostile(LAMS) {
        let path = login(&[("redirectURL", &address)]);
        let page = send(path.clone()).await;
        assert_eq!(page.status, 400, "{address}: {}", page.body);
        assert_eq!(stays(&page, &path), None);
        // Whatever else a login carries goes to the platform alone.
        for name in NAMES.iter().filter(|name| **name != "redirectURL") {
            let page = send(login(&[(name, &address)])).await;
            match method {
                "GET" => assert_eq!(
                    stays(&page, &address).as_deref(),
                    Some(LAMS),
                    "{name} {}",
                    page.body
                ),
                _ => {
                    let action = page.attributes("form[data-submit]", "action");
                    assert_eq!(action, [format!("{LAMS}/lams/LoginRequest")], "{name}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn who_signs_in_stays_on_the_pages_of_sysadmins() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for address in hostile(PUBLIC_URL) {
        for next in [
            address.clone(),
            format!("/admin/{address}"),
            format!("/admin/account{address}"),
        ] {
            let page = ada
                .get(&format!("/admin/sign-in?next={}", enc(&next)))
                .await;
            let to = page.see_other();
            assert_eq!(origin_of(&page).as_deref(), Some(PUBLIC_URL), "{next}");
            assert!(
                to.starts_with("/admin/") && !to.contains("//"),
                "{next}: {to}"
            );
        }
    }
    let fields = [
        ("name", ADA),
        ("password", PASSWORD),
        ("next", "//evil.example/admin/"),
    ];
    assert_eq!(
        ada.post("/admin/sign-in", &fields).await.see_other(),
        "/admin/"
    );
}

/// Whether all readers take it for a path, however it looks.
fn stays_below(address: &str) -> bool {
    let beginnings = ["/%", "%2F", "/.//", "/..//", "/x/..//"];
    beginnings.iter().any(|begin| address.starts_with(begin))
}

/// What `toolgate apply` says of a file of one object.
fn refused(database: &Database, file: &str) -> bool {
    !apply(database, file, &["--dry-run"]).status.success()
}

#[actix_web::test]
async fn no_address_that_two_readers_read_differently_is_configured() {
    let database = Arc::new(Database::new(Kind::Sqlite).await);
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let server = |url: &str, more: &str| {
        format!(
            "[[servers]]\nid = \"x\"\nurl = {}\nkey = \"S3cretKeyS3cretKey\"\n{more}",
            quoted(url)
        )
    };
    let platform =
        |url: &str, more: &str| format!("[[platforms]]\nid = \"x\"\nurl = {}\n{more}", quoted(url));
    assert!(!refused(
        &database,
        &server("https://moodle.example.org/", "")
    ));
    assert!(!refused(
        &database,
        &platform("https://lams.example.org/", "finish_url = \"/x\"")
    ));
    for address in hostile("http://h.example") {
        let (trimmed, finish) = (address.trim(), format!("finish_url = {}", quoted(&address)));
        let absolute = trimmed.to_lowercase();
        let absolute = absolute
            .strip_prefix("http://")
            .or(absolute.strip_prefix("https://"));
        let tricks = |c: char| "\\@?#".contains(c) || c.is_whitespace() || c.is_control();
        // An address that everybody reads alike is the sysadmin's own choice.
        match absolute.filter(|rest| !rest.starts_with('/') && !rest.contains(tricks)) {
            Some(_) => {}
            None => {
                assert!(refused(&database, &server(&address, "")), "{address:?}");
                assert!(refused(&database, &platform(&address, "")), "{address:?}");
            }
        }
        if absolute.is_none() && !stays_below(&address) {
            let platform = platform("http://h.example/", &finish);
            assert!(refused(&database, &platform), "finish_url {address:?}");
        }
    }
    // A tool's addresses begin with a configured base, whatever fills them.
    let tool = include_str!("../../src/domain/tool/builtin/mdquiz10.toml");
    let value: toml::Table = toml::from_str(tool).unwrap();
    let own = |author: &str| {
        let mut tool = value.clone();
        tool["signature"] = "myquiz10".into();
        tool["addresses"]["author_new"] = author.into();
        let mut file = toml::Table::new();
        file.insert("tools".to_owned(), toml::Value::Array(vec![tool.into()]));
        toml::to_string(&file).unwrap()
    };
    assert!(!refused(
        &database,
        &own("{server}course/x.php?id={course}")
    ));
    for address in hostile("{server}").chain(hostile("{course_url}")) {
        let rooted = address.starts_with("{server}") && !address.contains(['\\', '\r', '\u{3002}']);
        assert_eq!(refused(&database, &own(&address)), !rooted, "{address:?}");
    }
    for address in [
        "{user}",
        "{config.x}",
        "{return_url}",
        "{server|twice}x",
        "{course}{server}",
        "{course_url}x",
        "{course_url}",
    ] {
        assert!(refused(&database, &own(address)), "{address}");
    }
}
