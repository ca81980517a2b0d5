//! Where the gateway never calls, whoever configured it and whatever is to be called: metadata and link-local addresses
//! in every spelling, and private ones where a server must not have them.

use serde_json::json;

use crate::lms::stand_in::{Reply, StandIn};
use crate::support::{ADA, Answer, Gateway, Kind, Page, Peer, Setup, Visitor, binary, environment};

const WORDS: &str = "must not be called";

/// Ways to write an address that tells machines of a cloud their keys, or that only this machine has.
const NEVER: [&str; 16] = [
    "http://169.254.169.254",
    "http://169.254.169.254.",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://%31%36%39.254.169.254",
    "http://169。254。169。254",
    "http://[::ffff:169.254.169.254]",
    "http://[64:ff9b::169.254.169.254]",
    "http://[2002:a9fe:a9fe::]",
    "http://[fe80::1]",
    "http://[fd00:ec2::254]",
    "http://100.100.100.200",
    "http://0.0.0.0",
    "http://224.0.0.1",
];

/// A server, its adapter page and its LMSs at an address.
fn server(id: &str, address: &str, more: &str) -> String {
    format!(
        "[[servers]]\nid = \"{id}\"\nurl = \"http://{id}.example.org/\"\nkey = \"S3cretKeyS3cretKey\"\nprefix = \"{id}\"\n\
         tools = [\"mdquiz10\"]\n{more}\n[servers.settings.mdquiz10]\nadapter_page = \"{address}/adapter\"\n\
         [servers.enrollment]\nbase_url = \"{address}\"\nselector_regex = 'http://{id}\\.test/.*'\n\
         course_regex = '.*/courses/(?P<course_id>[^/?]*)'\n"
    )
}

const MOODLE: &str = "backend = \"moodle\"\napi_token = \"moodle-token-of-the-tests\"\n";
const EDX: &str = "backend = \"openedx\"\nclient_id = \"client\"\nclient_secret = \"client-secret-of-the-tests\"\n";

fn refused(page: &Page, what: &str) {
    assert_eq!(page.status, 502, "{what}: {}", page.body);
    assert!(page.body.contains(WORDS), "{what}: {}", page.body);
}

/// Every call that a server's address is used for, and that none of them is made.
async fn nothing_is_called(gateway: &Gateway, id: &str, number: i64, what: &str) {
    let path = format!("/tools/mdquiz10/contents/{number}");
    let csv = format!("bill,7,3,{id}");
    let import = gateway.import(&path, Some(&csv), Some(b"x".to_vec())).await;
    refused(&import, what);
    let link = format!("http://{id}.test/courses/7?id=7");
    let body = json!({"resourceLink": link, "username": "bill"});
    let mut pages = vec![gateway.call("PUT", "/lms/enrollment", Some(body)).await];
    let query = format!("resourceLink={}&username=bill", urlencoding::encode(&link));
    for path in ["/lms/enrollment", "/lms/grades"] {
        let path = format!("{path}?{query}");
        pages.push(gateway.call("GET", &path, None).await);
    }
    // A name that leads nowhere is tried several times, and then not even tried.
    for page in pages.iter().filter(|page| page.status != 503) {
        refused(page, what);
    }
}

/// What the test of a server's connection says of its names.
async fn tested(ada: &Visitor<'_>, id: &str) -> Vec<String> {
    let path = format!("/admin/servers/{id}/test");
    let page = ada.post_form(&path, &path, &[]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for code in ["tls", "adapter-page"] {
        let rows = page.attributes(&format!("[data-code={code}]"), "data-verdict");
        assert!(!rows.contains(&"ok".to_owned()), "{code} {}", page.body);
    }
    let origin = page.attributes("[data-code=name]", "data-verdict");
    origin
        .into_iter()
        .filter(|verdict| verdict != "warning")
        .collect()
}

#[actix_web::test]
async fn metadata_and_link_local_addresses_are_never_called_in_any_spelling() {
    let servers = (0..).zip(NEVER).map(|(n, address)| {
        let backend = if n % 2 == 0 { MOODLE } else { EDX };
        server(&format!("s{n}"), address, "") + backend
    });
    let setup = Setup {
        more: servers.collect(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (n, address) in (0..).zip(NEVER) {
        nothing_is_called(&gateway, &format!("s{n}"), 100 + n, address).await;
        if n < 4 {
            assert!(
                tested(&ada, &format!("s{n}"))
                    .await
                    .contains(&"failed".to_owned())
            );
        }
    }
}

#[actix_web::test]
async fn private_addresses_are_called_only_where_the_server_may_have_them() {
    let peer = Peer::start(Answer::Ids(700)).await;
    let lms = StandIn::start(|_| Reply::Says(200, "{}".to_owned())).await;
    let page = peer.url.strip_suffix("/adapter").unwrap();
    let of = |id: &str, page: &str, lms: &str, backend: &str| {
        let server = server(id, page, "private_network = false");
        let ours = format!("base_url = \"{page}\"");
        server.replace(&ours, &format!("base_url = \"{lms}\"")) + backend
    };
    // As an address, as a name that leads there, and wrapped.
    let named = |url: &str| url.replace("127.0.0.1", "localhost");
    let wrapped = |url: &str| url.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    let setup = Setup {
        more: [
            of("s0", page, &lms.url, MOODLE),
            of("s1", &named(page), &named(&lms.url), EDX),
            of("s2", &wrapped(page), &wrapped(&lms.url), EDX),
            server("right", page, "") + MOODLE,
        ]
        .concat(),
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (n, id) in (0..).zip(["s0", "s1", "s2"]) {
        nothing_is_called(&gateway, id, 100 + n, id).await;
        assert!(
            tested(&ada, id).await.contains(&"failed".to_owned()),
            "{id}"
        );
    }
    let mut check = binary();
    check.arg("check").envs(environment(&gateway.database));
    let output = tokio::task::spawn_blocking(move || check.output());
    let said = String::from_utf8(output.await.unwrap().unwrap().stdout).unwrap();
    for id in ["s0", "s1", "s2"] {
        assert!(said.contains(&format!("FAILED server {id}")), "{said}");
    }
    assert!(lms.asked().is_empty());
    assert!(
        peer.asked()
            .iter()
            .all(|asked| asked.address.contains("ext_lms_id=right")
                || !asked.address.contains("ext"))
    );
    let before = peer.asked().len();
    let right = gateway
        .import(
            "/tools/mdquiz10/contents/200",
            Some("bill,7,3,right"),
            Some(b"x".to_vec()),
        )
        .await;
    assert_eq!(right.status, 201, "{}", right.body);
    assert_eq!(peer.asked().len(), before + 1);
}
