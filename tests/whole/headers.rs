//! What every answer has in its head: every address, asked by whoever may and may not, in every way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{ADA, Gateway, Kind, PASSWORD, PUBLIC_URL, Page, Setup, Visitor, login_path};

const HTTPS: &str = "https://gate.example.org";
const LAMS: &str = "http://lams.example.org:8080";
const TOOL: &str = "/lams/tool/mdquiz10";
const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
];

/// Operations, files, documents, and what is not there.
const ELSEWHERE: &[&str] = &[
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/docs",
    "/api/openapi.json",
    "/api/v1/nowhere",
    "/api/nowhere",
    "/nowhere",
    "/favicon.ico",
    "/.well-known/security.txt",
    "/static/nowhere.css",
    "/static/",
    "/static/toolgate.css",
    "/static/toolgate.js",
    "/static/toolgate.svg",
    "/static/admin.css",
    "/static/admin.js",
    "/static/live.js",
    "/static/preview.js",
    "/lams/nowhere",
    "/lams/LoginRequest",
    "/lams/LoginRequest?sid=moodle&uid=x&hash=0",
    "/other/tool/mdquiz10/learning.do",
    "/other/LoginRequest",
    "/lams/tool/mdquiz10/mdquiz10admin.do",
    "/%00",
    "/%FF/tool/x/learning.do",
];

const LAUNCHES: &[&str] = &[
    "learning.do?mode=learner&toolSessionID=2",
    "learning.do?mode=learner&toolSessionID=99",
    "learning.do?mode=teacher&toolSessionID=2&userID=mdl_Anna",
    "learning.do?mode=author&toolSessionID=2",
    "learning.do?dispatch=finishActivity&toolSessionID=2",
    "learning.do?mode=nothing",
    "authoring.do?toolContentID=1&contentFolderID=f&customCSV=anna%2C7%2C3%2Cmoodle",
    "authoring.do?toolContentID=1&contentFolderID=f&customCSV=%22",
    "authoring.do?dispatch=updateContent&toolContentID=1",
    "authoring.do?dispatch=other",
    "monitoring.do?toolContentID=1&contentFolderID=f",
    "monitoring.do?dispatch=openSession&toolSessionID=2&state=x",
    "monitoring.do",
    "nowhere.do",
];

/// What an answer is, which says what its head must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// A launch page, or a refusal in its place.
    Launch,
    /// A page of sysadmins.
    Admin,
    /// Anything else.
    Other,
}

fn has_its_headers(page: &Page, of: Of, what: &str, https: bool) {
    let header = |name: &str| page.headers.get(name).map(String::as_str);
    let said = format!("{what}: {} {:?}", page.status, page.headers);
    assert_eq!(header("x-content-type-options"), Some("nosniff"), "{said}");
    assert!(
        header("x-request-id").is_some_and(|id| id.len() == 16),
        "{said}"
    );
    let kept = match header("cache-control") {
        Some("public, max-age=31536000, immutable") => what.starts_with("GET /static/"),
        Some("no-cache") => what == "GET /api/openapi.json",
        other => other == Some("no-store"),
    };
    assert!(kept, "{said}");
    let is_page = header("content-type") == Some("text/html; charset=utf-8");
    let referrer = if of == Of::Admin && is_page {
        "same-origin"
    } else {
        "no-referrer"
    };
    assert_eq!(header("referrer-policy"), Some(referrer), "{said}");
    let year = https.then_some("max-age=31536000");
    assert_eq!(header("strict-transport-security"), year, "{said}");

    let policy = header("content-security-policy").unwrap_or_else(|| panic!("{said}"));
    let directives: BTreeMap<&str, &str> = policy
        .split("; ")
        .map(|directive| directive.split_once(' ').unwrap_or((directive, "")))
        .collect();
    assert_eq!(directives.get("default-src"), Some(&"'none'"), "{said}");
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{said}"
    );
    if directives.contains_key("sandbox") {
        return;
    }
    assert_eq!(directives.get("base-uri"), Some(&"'none'"), "{said}");
    let ancestors = match (of, (300..400).contains(&page.status)) {
        (_, true) => None,
        (Of::Launch, false) if is_page => Some(LAMS),
        _ => Some("'none'"),
    };
    assert_eq!(
        directives.get("frame-ancestors").copied(),
        ancestors,
        "{said}"
    );
    for source in ["script-src", "style-src", "img-src"] {
        let only = is_page.then_some("'self'");
        assert_eq!(directives.get(source).copied(), only, "{said}");
    }
    // What a page loads or runs comes from the gateway, and stands in no attribute.
    if is_page {
        let within =
            "script:not([src]), style, [style], [onclick], [onload], [onsubmit], base, iframe";
        assert_eq!(page.attributes(within, "class"), [""; 0], "{said}");
        for (element, attribute) in [
            ("script", "src"),
            ("link[rel=stylesheet]", "href"),
            ("img", "src"),
        ] {
            for address in page.attributes(element, attribute) {
                assert!(address.starts_with("/static/"), "{said}: {address}");
            }
        }
    }
}

/// Somebody who asks for everything.
struct Walker<'a> {
    gateway: &'a Gateway,
    https: bool,
    /// Each request comes from an address of its own: who is refused too often has to wait.
    asked: AtomicU32,
}

impl Walker<'_> {
    async fn send(&self, method: &str, path: &str, cookies: &str, of: Of) -> Page {
        let [_, a, b, c] = self.asked.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.gateway.base);
        let mut request = self.gateway.client().request(method.clone(), url);
        for (name, value) in [
            ("X-Forwarded-For", format!("10.{a}.{b}.{c}").as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("Cookie", cookies),
        ] {
            request = request.header(name, value);
        }
        let page = Page::read(request.send().await.unwrap()).await;
        has_its_headers(&page, of, &format!("{method} {path}"), self.https);
        page
    }

    /// Asks in every method; answers the statuses.
    async fn ask(&self, path: &str, of: Of) -> Vec<u16> {
        self.ask_as("", path, of).await
    }

    async fn ask_as(&self, cookies: &str, path: &str, of: Of) -> Vec<u16> {
        let mut statuses = Vec::new();
        for method in METHODS {
            let page = self.send(method, path, cookies, of).await;
            assert!(method != "TRACE" || page.status >= 400, "{path}");
            // What is refused names its request in its body, too; a form with a mistake is none.
            let mistake = page.body.contains("class=\"error\"");
            if page.status >= 400 && method != "HEAD" && !mistake {
                let id = &page.headers["x-request-id"];
                assert!(page.body.contains(id), "{path}: {}", page.body);
            }
            statuses.push(page.status);
        }
        statuses
    }
}

/// The addresses of the API, with something in place of their parameters.
async fn api(gateway: &Gateway) -> Vec<String> {
    let document = gateway.get("/api/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let filled = |path: &String| {
        path.replace("{signature}", "mdquiz10")
            .replace("{toolContentID}", "1")
            .replace("{toolSessionID}", "2")
            .replace("{id}", "1")
    };
    paths.keys().map(filled).collect()
}

/// Every link within `/admin/` that can be reached from the first page, forms' addresses as well.
async fn admin(ada: &Visitor<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::from(["/admin/".to_owned()]);
    let mut shapes = BTreeSet::new();
    let mut left = vec!["/admin/".to_owned()];
    while let Some(path) = left.pop() {
        let page = ada.get(&path).await;
        let links = page.attributes("a", "href").into_iter();
        for link in links.chain(page.attributes("form", "action")) {
            let path = link.split('#').next().unwrap().to_owned();
            // Of addresses that differ in their values alone, one.
            let shape: String = match path.split_once('?') {
                Some((path, query)) => {
                    let names = query.split('&').filter_map(|pair| pair.split('=').next());
                    format!("{path}?{}", names.collect::<Vec<_>>().join("&"))
                }
                None => path.clone(),
            };
            if path.starts_with("/admin/") && shapes.insert(shape) {
                found.insert(path.clone());
                left.push(path);
            }
        }
    }
    found
}

async fn walk(public_url: Option<&str>) {
    let https = public_url.is_some();
    let public_url = public_url.unwrap_or(PUBLIC_URL).to_owned();
    let setup = Setup {
        environment: vec![
            ("TOOLGATE_TRUSTED_PROXIES", "127.0.0.0/8".to_owned()),
            ("TOOLGATE_PUBLIC_URL", public_url),
        ],
        ..Setup::default()
    };
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, setup).await;
    let asked = AtomicU32::new(1);
    let walker = Walker {
        gateway: &gateway,
        https,
        asked,
    };
    for path in ELSEWHERE {
        let of = match path.starts_with("/lams/") {
            true => Of::Launch,
            false => Of::Other,
        };
        walker.ask(path, of).await;
    }
    for path in api(&gateway).await {
        let statuses = walker.ask(&path, Of::Other).await;
        let refused = |status| matches!(status, 401 | 405);
        assert!(statuses.into_iter().all(refused), "{path}");
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] {
            let known = path.strip_prefix("/api/v1").unwrap();
            let page = gateway.call(method, known, None).await;
            has_its_headers(&page, Of::Other, &format!("{method} {path}"), https);
        }
    }
    launches(&walker).await;
    sysadmins(&walker).await;
    // Somebody who is told to wait.
    let mut waits = gateway.get("/nowhere").await;
    for _ in 0..100 {
        waits = gateway.get("/nowhere").await;
    }
    assert_eq!(waits.status, 429);
    has_its_headers(&waits, Of::Other, "too many", https);
}

/// Launch pages, redirects and refusals of their kind.
async fn launches(walker: &Walker<'_>) {
    let gateway = walker.gateway;
    for page in LAUNCHES {
        let path = format!("{TOOL}/{page}");
        walker.ask(&path, Of::Launch).await;
        let signed = gateway.sign(&path, "mdl_Anna");
        walker.ask(&signed, Of::Launch).await;
    }
    let long = format!("{TOOL}/learning.do?mode={}", "a".repeat(20_000));
    assert_eq!(walker.ask(&long, Of::Launch).await[0], 414);
    let came = login_path(
        "moodle",
        "S3cretKey",
        ("1262304000000", "Bill", "author"),
        &[],
    );
    assert_eq!(walker.ask(&came, Of::Launch).await[0], 302);
    let wrong = came.replace("hash=", "hash=0");
    assert_eq!(walker.ask(&wrong, Of::Launch).await[0], 401);
    let (path, form) = came.split_once('?').unwrap();
    let passed_on = gateway.post_form(path, form).await;
    assert_eq!(passed_on.status, 200, "{}", passed_on.body);
    has_its_headers(&passed_on, Of::Launch, "POST of a login", walker.https);
}

/// Whatever of sysadmins' pages can be reached, signed in and not.
async fn sysadmins(walker: &Walker<'_>) {
    let ada = Visitor::signed_in(walker.gateway, ADA).await;
    let cookies: Vec<_> = ada.cookies().into_iter().collect();
    let cookies = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let pages = admin(&ada).await;
    assert!(pages.len() > 40, "{pages:?}");
    for path in pages {
        let statuses = walker.ask_as(&cookies, &path, Of::Admin).await;
        assert!(statuses[0] != 401 && statuses[0] < 500, "{path}");
        walker.ask(&path, Of::Admin).await;
    }
    for path in [
        "/admin",
        "/admin/nowhere",
        "/admin/first",
        "/admin/first?token=0",
        "/admin/sign-in?next=//evil.example",
    ] {
        walker.ask(path, Of::Admin).await;
    }
    let https = walker.https;
    let nobody = Visitor::new(walker.gateway);
    for (password, status) in [("not this one", 401), (PASSWORD, 303)] {
        let page = nobody.sign_in(ADA, password).await;
        assert_eq!(page.status, status);
        has_its_headers(&page, Of::Admin, "a sign-in", https);
    }
    for cookie in nobody.set_cookies() {
        let secure = if https { "; Secure" } else { "" };
        let flags = format!("; Path=/; HttpOnly; SameSite=Strict{secure}");
        assert!(cookie.contains(&flags), "{cookie}");
        assert_eq!(cookie.starts_with("__Host-"), https, "{cookie}");
    }
}

#[actix_web::test]
async fn every_answer_has_its_headers_over_https() {
    walk(Some(HTTPS)).await;
}

#[actix_web::test]
async fn every_answer_has_its_headers_over_plain_http() {
    walk(None).await;
}

#[actix_web::test]
async fn a_trusted_proxy_says_that_a_browser_came_over_https() {
    for (trusted, said, https) in [
        ("127.0.0.0/8", "https", true),
        ("127.0.0.0/8", "http, HTTPS", true),
        ("127.0.0.0/8", "https, http", false),
        ("127.0.0.0/8", "", false),
        ("192.0.2.1", "https", false),
    ] {
        let setup = Setup {
            environment: vec![("TOOLGATE_TRUSTED_PROXIES", trusted.to_owned())],
            ..Setup::default()
        };
        let gateway = Gateway::start(Kind::Sqlite, setup).await;
        let added = crate::support::admin(&gateway.database, &["add", ADA], PASSWORD);
        assert!(added.status.success());
        let ada = Visitor::behind_a_proxy(&gateway, said);
        let page = ada.sign_in(ADA, PASSWORD).await;
        assert_eq!(page.see_other(), "/admin/");
        has_its_headers(&page, Of::Admin, said, https);
        for cookie in ada.set_cookies() {
            assert_eq!(cookie.starts_with("__Host-"), https, "{cookie}");
            assert_eq!(cookie.contains("; Secure"), https, "{cookie}");
        }
        // And they are what is asked for, and taken away.
        assert_eq!(ada.get("/admin/servers").await.status, 200);
        ada.post_form("/admin/account", "/admin/sign-out", &[])
            .await
            .see_other();
        assert_eq!(ada.get("/admin/servers").await.status, 303);
    }
}

#[actix_web::test]
async fn a_launch_page_is_framed_by_its_own_platform_alone() {
    let other = "[[platforms]]\nid = \"other\"\nurl = \"https://other.example.org/lams/\"\nlaunch_auth = \"open\"\n";
    let setup = Setup {
        more: other.to_owned(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    for (path, ancestors) in [
        ("/lams/tool/mdquiz10/learning.do", LAMS),
        (
            "/other/tool/mdquiz10/learning.do?mode=learner&toolSessionID=1",
            "https://other.example.org",
        ),
        (
            "//other//tool/mdquiz10/learning.do",
            "https://other.example.org",
        ),
        ("/others/tool/mdquiz10/learning.do", "'none'"),
        ("/", "'none'"),
        ("/api/docs", "'none'"),
    ] {
        let page = gateway.get(path).await;
        let policy = &page.headers["content-security-policy"];
        assert!(
            policy.ends_with(&format!("; frame-ancestors {ancestors}")),
            "{path}: {policy}"
        );
    }
}
