//! The preview: what it says is what launches do, and it does nothing itself.

use rstest::rstest;
use toolgate::domain::configuration::Configuration;

use crate::support::{ADA, Answer, Gateway, Kind, Page, Peer, Setup, Visitor};

const PAGE: &str = "/admin/tools/preview";

/// The address of a preview of a tool, with some fields.
fn question(tool: &str, csv: &str, fields: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("signature", tool)
        .append_pair("customCSV", csv);
    let usual = [
        ("platform", "lams"),
        ("content", "1"),
        ("ext_content", "555"),
        ("session", "2"),
        ("ext_session", "700"),
    ];
    for (name, value) in usual {
        let given = fields.iter().find(|(other, _)| *other == name);
        query.append_pair(name, given.map_or(value, |(_, given)| given));
    }
    for (name, value) in fields
        .iter()
        .filter(|(name, _)| usual.iter().all(|(one, _)| one != name))
    {
        query.append_pair(name, value);
    }
    format!("{PAGE}?{}", query.finish())
}

fn csv_of(tool: &str) -> (&'static str, &'static str) {
    match tool {
        "dlfrum10" => (
            "bill,7,http://lrn.example.org/dotlrn/clubs/lams",
            "lrn_bill",
        ),
        _ => ("bill,7,3,moodle", "mdl_bill"),
    }
}

fn address(page: &Page, name: &str) -> String {
    let text = page.text(&format!("[data-page={name}] code.whole"));
    text.unwrap_or_else(|| panic!("no {name}: {}", page.body))
}

/// A launch's address with what no preview has in it: the state, and time and hash of the signature.
fn without_secrets(location: &str) -> String {
    let (address, signature) = match location.split_once("&ts=") {
        Some((address, signature)) => (address, Some(signature)),
        None => (location, None),
    };
    let mut address = address.to_owned();
    for state in ["state%3D", "state%253D"] {
        if let Some((before, token)) = address.split_once(state) {
            let rest =
                token.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
            assert!(token.len() - rest.len() > 40, "no token in {address}");
            address = format!("{before}{state}STATE{rest}");
        }
    }
    match signature {
        Some(signature) => {
            let (ts, hs) = signature.split_once("&hs=").unwrap();
            assert!(ts.parse::<i64>().is_ok() && hs.len() == 40, "{signature}");
            format!("{address}&ts=…&hs=•••")
        }
        None => address,
    }
}

/// The same of a preview.
fn without_time(address: &str) -> String {
    match address.split_once("&ts=") {
        Some((address, signature)) => {
            let (ts, hs) = signature.split_once("&hs=").unwrap();
            assert!(ts.parse::<i64>().is_ok(), "{signature}");
            format!("{address}&ts=…&hs={hs}")
        }
        None => address.to_owned(),
    }
}

#[rstest]
#[case::signed_with_states(Setup::default())]
#[case::bare(Setup::open())]
#[actix_web::test]
async fn the_addresses_are_those_of_launches(#[case] setup: Setup) {
    let peer = Peer::start(Answer::Says(200, "700".into())).await;
    let signs = setup.launch_auth == "signed";
    let setup = Setup {
        adapter_page: peer.url.clone(),
        ..setup
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let tools = Configuration::new(vec![], vec![], vec![]);
    let mut tried = 0;
    for tool in tools.tools().map(|tool| tool.signature.as_str()) {
        let (csv, uid) = csv_of(tool);
        let login = if signs { uid } else { "" };
        let asked = question(tool, csv, &[("login", login)]);
        let preview = ada.get(&asked).await;
        let same = |name: &str, location: &str| {
            let told = without_time(&address(&preview, name));
            assert_eq!(told, without_secrets(location), "{tool} {name}");
        };
        same("author_new", &gateway.author(tool, 1).await.location());
        gateway.saved_content(tool, 1, "555").await;
        same("author_saved", &gateway.author(tool, 1).await.location());
        gateway.session(tool, 2, 1).await;
        let get = |path: String| {
            let gateway = &gateway;
            async move {
                match signs {
                    true => gateway.get_signed(&path, uid).await,
                    false => gateway.get(&path).await,
                }
            }
        };
        for (mode, name) in [
            ("learner", "learner"),
            ("author", "preview"),
            ("teacher", "teacher"),
        ] {
            let path =
                format!("/lams/tool/{tool}/learning.do?mode={mode}&toolSessionID=2&userID=x");
            same(name, &get(path).await.location());
        }
        let path = format!("/lams/tool/{tool}/monitoring.do?toolContentID=1&contentFolderID=f1");
        let links = get(path).await.attributes("a[data-monitor]", "href");
        same("monitor", &links[0]);
        tried += 1;
    }
    assert_eq!(tried, 10);
}

#[actix_web::test]
async fn what_may_stand_in_an_address_is_escaped_as_a_launch_escapes_it() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let csv = "\"Doe, <Jo> & Co\",\"7&x=1\",3 é~#,moodle";
    let preview = ada
        .get(&question(
            "mdfrum10",
            csv,
            &[("login", "mdl_Doe, <Jo> & Co")],
        ))
        .await;
    let path = format!(
        "/lams/tool/mdfrum10/authoring.do?toolContentID=1&contentFolderID=f1&customCSV={}",
        urlencoding::encode(csv)
    );
    let location = gateway
        .get_signed(&path, "mdl_Doe, <Jo> & Co")
        .await
        .location();
    let told = without_time(&address(&preview, "author_new"));
    assert_eq!(told, without_secrets(&location));
    assert!(!preview.body.contains("<Jo>"), "{}", preview.body);
    assert_eq!(
        preview
            .text("[data-field='1'] [data-label='As read']")
            .as_deref(),
        Some("Doe, <Jo> & Co")
    );
    let raw = preview.text("[data-field='1'] [data-label='As typed']");
    assert_eq!(raw.as_deref(), Some("\"Doe, <Jo> & Co\""));
}

#[actix_web::test]
async fn each_field_is_told_with_what_is_wrong_with_it() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let asked = |csv: &'static str, fields: &'static [(&'static str, &'static str)]| {
        let ada = &ada;
        async move { ada.get(&question("mdquiz10", csv, fields)).await }
    };
    let empty = asked("bill, ,3,moodle", &[]).await;
    assert_eq!(empty.attributes("[data-wrong]", "data-field"), ["2"]);
    assert!(
        empty
            .text("#refused")
            .unwrap()
            .ends_with("The course in customCSV is empty.")
    );
    assert!(empty.text("#customCSV-error").is_some());
    assert!(empty.attributes("[data-page]", "data-page").is_empty());
    let long = asked("bill,7,3,moodle,x", &[]).await;
    assert_eq!(long.attributes("[data-wrong]", "data-field"), ["5"]);
    let short = asked("bill,7", &[]).await;
    assert_eq!(
        short.attributes("[data-missing]", "data-missing"),
        ["section", "server id"]
    );
    let open = asked("\"bill,7,3,moodle", &[]).await;
    assert!(
        open.text("#refused").unwrap().contains("not closed"),
        "{}",
        open.body
    );
    let older = asked("bill,7,3", &[]).await;
    assert!(older.text("#older").is_some());
    assert_eq!(older.attributes("[data-page]", "data-page").len(), 6);
    for (field, value) in [
        ("content", "0"),
        ("session", "x"),
        ("ext_content", "a b"),
        ("ext_session", ""),
        ("login", "\u{7}"),
    ] {
        let csv = "bill,7,3,moodle";
        let page = ada.get(&question("mdquiz10", csv, &[(field, value)])).await;
        let told = page.text(&format!("#{field}-error"));
        assert!(
            told.is_some_and(|told| told.len() > 10),
            "{field}: {}",
            page.body
        );
        assert_eq!(page.attributes("#refused a", "href"), [format!("#{field}")]);
    }
    let nobody = ada
        .get(&question(
            "mdquiz10",
            "bill,7,3,moodle",
            &[("platform", "x")],
        ))
        .await;
    assert!(
        nobody
            .text("#refused")
            .unwrap()
            .contains("no such platform")
    );
}

#[actix_web::test]
async fn what_keeps_a_launch_from_coming_through_is_said() {
    let setup = Setup {
        more: "[[servers]]\nid = \"off\"\nurl = \"https://off.example.org/\"\nkey = \"0123456789012345\"\n\
               prefix = \"off\"\nenabled = false\ntools = [\"mdquiz10\"]\nsign_redirects = false\n"
            .to_owned(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let remarks =
        |tool: &'static str, csv: &'static str, fields: &'static [(&'static str, &'static str)]| {
            let ada = &ada;
            async move {
                let page = ada.get(&question(tool, csv, fields)).await;
                let shown = !page.attributes("[data-page]", "data-page").is_empty();
                (
                    page.text("#remarks")
                        .or(page.text("#refused"))
                        .unwrap_or_default(),
                    shown,
                )
            }
        };
    let by_bill: &[(&str, &str)] = &[("login", "mdl_bill")];
    assert_eq!(
        remarks("mdquiz10", "bill,7,3,moodle", by_bill).await,
        (String::new(), true)
    );
    let (said, shown) = remarks("mdquiz10", "bill,7,3,dotLRN", by_bill).await;
    assert!(
        shown && said.contains("dotLRN is not connected to this tool"),
        "{said}"
    );
    let (said, shown) = remarks("mdquiz10", "bill,7,3,off", by_bill).await;
    assert!(
        shown && said.contains("off is disabled") && said.contains("does not want"),
        "{said}"
    );
    let (said, shown) = remarks("mdquiz10", "bill,7,3,moodle", &[("login", "mdl_anna")]).await;
    assert!(shown && said.contains("another user"), "{said}");
    let beside: &[(&str, &str)] = &[("login", "mdl_bill"), ("server", "off")];
    let (said, shown) = remarks("mdquiz10", "bill,7,3,moodle", beside).await;
    assert!(shown && said.contains("not to off"), "{said}");
    let (said, shown) = remarks("mdquiz10", "bill,7,3,nobody", by_bill).await;
    assert!(!shown && said.contains("not known here"), "{said}");
    let (said, shown) = remarks("mdquiz10", "bill,7,3", by_bill).await;
    assert!(
        !shown && said.contains("2 servers to choose from"),
        "{said}"
    );
    let (said, shown) = remarks("dlfrum10", "bill,7,http://evil.example/", by_bill).await;
    assert!(!shown && said.contains("not one of the server"), "{said}");
}

#[rstest]
#[actix_web::test]
async fn it_stores_nothing_signs_nothing_and_is_in_no_log(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let before = gateway.rows().await;
    let version = "select version from configuration_version";
    let launches = "select count(*) from launches";
    let was = gateway.database.number(version).await;
    let path = question(
        "mdquiz10",
        "billy-the-secret,7,3,moodle",
        &[("login", "mdl_billy-the-secret")],
    );
    let page = ada.get(&path).await;
    let address = address(&page, "learner");
    let (_, signature) = address.split_once("&un=billy-the-secret&ts=").unwrap();
    assert!(signature.ends_with("&hs=•••"), "{address}");
    let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).count();
    let outcome = ada.get(&format!("{path}&part=outcome")).await;
    let hashes = outcome.body.split(|c: char| !c.is_ascii_hexdigit());
    assert_eq!(
        hashes.filter(|run| digits(run) >= 32).count(),
        0,
        "{}",
        outcome.body
    );
    assert!(!outcome.body.contains("S3cretKey") && !page.body.contains("S3cretKey"));
    // The state of a preview opens nothing.
    let callback =
        "/lams/tool/mdquiz10/authoring.do?dispatch=updateContent&toolContentID=1&state=STATE";
    gateway
        .get(&format!("{callback}&extToolContentID=5"))
        .await
        .refused(401);
    assert_eq!(gateway.rows().await, before);
    assert_eq!(gateway.database.number(version).await, was);
    let of_preview = format!("{launches} where came_with like '%billy%'");
    assert_eq!(gateway.database.number(&of_preview).await, 0);
    let log = gateway.log();
    assert!(
        log.contains("/admin/tools/preview") && !log.contains("billy"),
        "{log}"
    );
}

#[actix_web::test]
async fn a_part_of_the_page_is_for_who_is_signed_in_alone_and_has_the_headers_of_pages() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let path = format!(
        "{}&part=outcome",
        question("mdquiz10", "bill,7,3,moodle", &[])
    );
    let nobody = Visitor::new(&gateway);
    assert!(
        nobody
            .get(&path)
            .await
            .see_other()
            .starts_with("/admin/sign-in?next=")
    );
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let part = ada.get(&path).await;
    assert!(part.headers["content-security-policy"].starts_with("default-src 'none'"));
    assert_eq!(part.headers["cache-control"], "no-store");
    assert_eq!(part.text("h1"), None);
    assert_eq!(
        part.text("#summary").as_deref(),
        Some("6 addresses on moodle.")
    );
}

#[actix_web::test]
async fn without_a_server_or_platform_it_says_what_to_do() {
    let database = std::sync::Arc::new(crate::support::Database::new(Kind::Sqlite).await);
    let gateway = Gateway::start_on(database, Setup::default());
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let page = ada.get(PAGE).await;
    assert_eq!(page.status, 200);
    assert!(page.text("#refused").is_some());
    let page = ada.get(&question("mdquiz10", "bill,7,3,moodle", &[])).await;
    assert!(
        page.text("#refused").unwrap().contains("connect one"),
        "{}",
        page.body
    );
    let page = ada.get("/admin/tools/tool?signature=mdquiz10").await;
    assert_eq!(page.status, 200);
}

#[actix_web::test]
async fn signature_2_is_shown_part_by_part_and_masked() {
    let setup = Setup {
        signature: 2,
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let asked = question("mdquiz10", "bill,7,3,moodle", &[("login", "mdl_Anna")]);
    let page = ada.get(&asked).await;
    for name in [
        "author_new",
        "author_saved",
        "learner",
        "teacher",
        "monitor",
    ] {
        let address = address(&page, name);
        let (_, signature) = address.split_once("&un=Anna&ts=").unwrap();
        assert!(signature.ends_with("&sv=2&sig=•••"), "{address}");
        assert!(
            signature.contains("&nonce=") && !address.contains("hs="),
            "{address}"
        );
    }
    for words in ["HMAC-SHA-256 of method", "good once", "Masked"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}
