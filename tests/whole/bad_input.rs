//! Hostile and broken requests. The process lives through all of them.

use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, Gateway, Kind, Setup, parameter};

const AUTHOR: &str = "/lams/tool/mdquiz10/authoring.do?toolContentID=1&contentFolderID=f1";

/// Sends bytes as they are; answers the status line's number, or nothing where the connection ended.
async fn status_of(gateway: &Gateway, request: &[u8]) -> Option<u16> {
    let address = gateway.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.contains(&b'\n') {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => answer.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
    let line = String::from_utf8_lossy(&answer).into_owned();
    line.split(' ').nth(1)?.parse().ok()
}

#[rstest]
#[actix_web::test]
async fn the_process_lives_through_what_no_browser_sends(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::open()).await;
    let before = gateway.rows().await;

    let long = |length: usize| format!("{AUTHOR}&customCSV={}", "a".repeat(length));
    assert_eq!(
        gateway.get(&long(60_000)).await.refused(414),
        "The address is too long"
    );
    // Whoever asks for a call of the API gets a problem document, however it writes its slashes.
    let call = format!("//api//v1/toolkit?extLmsId={}", "a".repeat(20_000));
    assert_eq!(gateway.get(&call).await.refused(414), "address-too-long");
    let longer = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", long(100_000));
    assert!((400..500).contains(&status_of(&gateway, longer.as_bytes()).await.unwrap()));

    for raw in [
        &b"GET /lams/tool/mdquiz10/authoring.do?toolContentID=\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n"
            [..],
        b"GET /lams/\xc3\x28/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /lams/tool/%00/authoring.do HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /lams/tool/%FF/authoring.do HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ///x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"FROB / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let status = status_of(&gateway, raw).await;
        let shown = String::from_utf8_lossy(raw).into_owned();
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "{shown:?}: {status:?}"
        );
    }
    let garbage = status_of(
        &gateway,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    )
    .await;
    assert!(garbage.is_none_or(|status| status == 400));
    assert_eq!(gateway.rows().await, before);
    assert_eq!(gateway.get("/readyz").await.status, 200);
}

#[actix_web::test]
async fn an_address_or_a_form_full_of_parameters_is_refused() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::open()).await;
    let many = |n| "&a".repeat(n);
    let launch = gateway.get(&format!("{AUTHOR}{}", many(5_000))).await;
    assert_eq!(launch.refused(400), "The address is not complete");
    let form = format!("sid=moodle&hash=00{}", many(30_000));
    let login = gateway.post_form("/lams/LoginRequest", &form).await;
    assert_eq!(login.refused(400), "The login is not complete");
}

#[actix_web::test]
async fn markup_in_a_name_is_only_text() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::open()).await;
    for path in [
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E/tool/mdquiz10/authoring.do",
        "/lams/tool/%3Cscript%3Ealert(1)%3C%2Fscript%3E/authoring.do",
        "/lams/tool/mdquiz10/authoring.do?dispatch=%3Cscript%3Ealert(1)%3C/script%3E",
        "/lams/tool/mdquiz10/authoring.do?%3Cscript%3Ealert(1)=%FF",
    ] {
        let page = gateway.get(path).await;
        assert!(page.status >= 400);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
    }
}

#[actix_web::test]
async fn no_control_character_reaches_an_address() {
    let gateway = Gateway::start(
        Kind::Sqlite,
        Setup {
            sign_redirects: true,
            ..Setup::open()
        },
    )
    .await;
    for csv in [
        "bi%0D%0All,7,3,moodle",
        "bill,7%0D%0ASet-Cookie%3Aa,3,moodle",
        "bill,7,\"3%00\",moodle",
        "bill,7,\"%0A3%C2%85x\",moodle",
    ] {
        let page = gateway.get(&format!("{AUTHOR}&customCSV={csv}")).await;
        assert_eq!(page.status, 400, "{csv}");
        assert!(!page.headers.contains_key("location") && !page.headers.contains_key("set-cookie"));
    }
    // Names that LAMS gives are escaped, whatever they hold.
    let (gateway, _peer) = Gateway::with_session(Kind::Sqlite, Setup::default()).await;
    let learn = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=2";
    assert_eq!(gateway.get_signed(learn, "mdl_a\r\nb").await.status, 400);
    let location = gateway
        .get_signed(learn, "mdl_\u{202e}é&x=1")
        .await
        .location();
    assert!(location.is_ascii());
    assert_eq!(parameter(&location, "un").as_deref(), Some("\u{202e}é&x=1"));
}

#[actix_web::test]
async fn a_doubled_dispatch_and_doubled_slashes_are_taken() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::open()).await;
    gateway.author("mdquiz10", 1).await;
    let saved = gateway
        .get("//lams//tool/mdquiz10//authoring.do?&dispatch=updateContent&toolContentID=1&extToolContentID=5&dispatch=updateContent&toolContentID=1")
        .await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    // A state and its address survive the slashes that LAMS itself writes.
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let callback = crate::support::callback_of(&gateway.author("mdquiz10", 1).await.location());
    let slashes = callback
        .replace("/tool/", "//tool/")
        .replace("/mdquiz10/", "/mdquiz10//");
    assert_eq!(
        gateway
            .get_public(&format!("{slashes}&extToolContentID=5"))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn a_list_is_no_object_whatever_stands_at_its_places() {
    let (gateway, peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    let before = gateway.rows().await;
    let link = "http://campus.test/course";
    for (method, path, body) in [
        ("PATCH", "/tools/mdquiz10/contents/1", json!([true, false])),
        ("PUT", "/tools/mdquiz10/sessions/2", json!([1, "Group 1"])),
        (
            "POST",
            "/tools/mdquiz10/contents/2/copy",
            json!([null, "bill,7,3,moodle", null, null]),
        ),
        (
            "POST",
            "/tools/mdquiz10/sessions/2/leave",
            json!(["mdl_Bill"]),
        ),
        ("POST", "/lms/select", json!([link])),
        (
            "PUT",
            "/lms/enrollment",
            json!(["bill", link, true, null, null]),
        ),
        (
            "PUT",
            "/lms/enrollment",
            json!({"username": "bill", "resourceLink": link, "user": ["Bill", "Smith", "b@s"]}),
        ),
        (
            "POST",
            "/lms/enrollments",
            json!([[{"username": "bill", "resourceLink": link}], true]),
        ),
        (
            "POST",
            "/lms/enrollments",
            json!({"rows": [["bill", link, true, null, null]], "dryRun": true}),
        ),
    ] {
        let page = gateway.call(method, path, Some(body.clone())).await;
        assert_eq!(page.refused(400), "body", "{method} {path} {body}");
    }
    assert_eq!(gateway.rows().await, before);
    assert_eq!(peer.requests(), Vec::<String>::new());
}

#[actix_web::test]
async fn bodies_that_are_not_what_the_api_asks_for_are_refused() {
    let (gateway, peer) =
        Gateway::with_content(Kind::Sqlite, Setup::default(), Answer::Ids(700)).await;
    let before = gateway.rows().await;
    let put = |body| gateway.call("PUT", "/tools/mdquiz10/sessions/2", Some(body));
    for body in [
        json!({}),
        json!([]),
        json!({"toolContentID": "1"}),
        json!({"toolContentID": 1.5}),
        json!({"toolContentID": 1, "name": "a\u{0}b"}),
        json!({"toolContentID": 1, "name": "a".repeat(251)}),
        json!({"toolContentID": 1, "nam": "a"}),
    ] {
        assert_eq!(put(body.clone()).await.refused(400), "body", "{body}");
    }
    assert_eq!(
        put(json!({"toolContentID": 0})).await.refused(400),
        "parameter"
    );
    let huge = json!({"toolContentID": 1, "name": "a".repeat(70_000)});
    assert_eq!(put(huge).await.refused(413), "body-too-long");
    let patch = |body| gateway.call("PATCH", "/tools/mdquiz10/contents/1", Some(body));
    for body in [
        json!({"definelater": true}),
        json!({"defineLater": "yes"}),
        json!(null),
    ] {
        assert_eq!(patch(body.clone()).await.refused(400), "body", "{body}");
    }
    for path in [
        "/tools/mdquiz10/sessions/0",
        "/tools/mdquiz10/sessions/x",
        "/tools/mdquiz10/sessions/9223372036854775808",
    ] {
        assert_eq!(
            gateway.call("GET", path, None).await.refused(400),
            "parameter",
            "{path}"
        );
    }
    assert_eq!(
        gateway
            .call("GET", "/tools/none/sessions/1", None)
            .await
            .refused(404),
        "unknown-tool"
    );
    // The tool comes before what is wrong with the parameters.
    for (tool, status, code) in [
        ("none", 404, "unknown-tool"),
        ("mdquiz10", 400, "parameter"),
    ] {
        let path = format!("/tools/{tool}/sessions/1?a=1&a=2");
        let page = gateway.call("GET", &path, None).await;
        assert_eq!(page.refused(status), code);
    }
    assert_eq!(
        gateway.call("GET", "/nothing", None).await.refused(404),
        "no-such-page"
    );
    assert_eq!(
        gateway.call("POST", "/toolkit", None).await.refused(405),
        "method"
    );
    assert_eq!(gateway.rows().await, before);
    assert_eq!(peer.requests(), Vec::<String>::new());
}
