//! What attackers get who have a sysadmin's browser open their page.

use rstest::rstest;

use crate::support::{ADA, From, Gateway, Kind, PASSWORD, PUBLIC_URL, Setup, Visitor};

const NEW: [(&str, &str); 3] = [
    ("name", "Mallory"),
    ("password", PASSWORD),
    ("repeated", PASSWORD),
];

/// Every address that changes something, and what it would need.
const CHANGES: &[&str] = &[
    "/admin/sign-out",
    "/admin/account/password",
    "/admin/account/end-session",
    "/admin/account/end-other-sessions",
    "/admin/sysadmins",
    "/admin/sysadmins/x/remove",
    "/admin/servers/moodle/test",
    "/admin/servers/add",
    "/admin/servers/edit",
    "/admin/servers/enable",
    "/admin/servers/disable",
    "/admin/servers/delete",
    "/admin/platforms/add",
    "/admin/platforms/edit",
    "/admin/platforms/secret",
    "/admin/platforms/delete",
    "/admin/configuration",
    "/admin/configuration/apply",
    "/admin/connections/edit",
    "/admin/connections/move",
    "/admin/connections/remove",
    "/admin/journal/retry",
    "/admin/journal/adopt",
    "/admin/journal/give-up",
    "/admin/journal/left-behind/delete",
    "/admin/journal/left-behind/strike",
    "/admin/tools/servers",
    "/admin/tools/new",
    "/admin/tools/edit",
    "/admin/tools/try",
    "/admin/tools/upload",
    "/admin/tools/delete",
    "/admin/people/try",
    "/admin/sign-in",
];

/// What a page elsewhere makes a browser say; each browser is at an address of its own, since one that is
/// refused a hundred times a minute has to wait.
const ELSEWHERE: [From; 6] = [
    From(&[
        ("X-Forwarded-For", "192.0.2.1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "https://evil.example"),
    ]),
    From(&[
        ("X-Forwarded-For", "192.0.2.2"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "http://gate.example.org:9"),
    ]),
    // An older browser, and one on plain http.
    From(&[
        ("X-Forwarded-For", "192.0.2.3"),
        ("Origin", "https://evil.example"),
    ]),
    From(&[("X-Forwarded-For", "192.0.2.4"), ("Origin", "null")]),
    From(&[
        ("X-Forwarded-For", "192.0.2.5"),
        ("Origin", "http://gate.example.org:8080.evil.example"),
    ]),
    // No browser at all.
    From(&[("X-Forwarded-For", "192.0.2.6")]),
];

async fn sysadmins(gateway: &Gateway) -> i64 {
    gateway
        .database
        .number("select count(*) from sysadmins")
        .await
}

#[actix_web::test]
async fn a_form_of_another_site_is_refused_even_with_cookie_and_token() {
    let setup = Setup {
        environment: vec![("TOOLGATE_TRUSTED_PROXIES", "127.0.0.0/8".to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let token = ada.form_token("/admin/sysadmins").await;
    let fields = [&NEW[..], &[("form_token", token.as_str())]].concat();
    for from in ELSEWHERE {
        for address in CHANGES {
            let title = ada.post_from(from, address, &fields).await.refused(403);
            assert_eq!(title, "This did not come from here", "{from:?} {address}");
        }
    }
    assert!(ada.is_in().await);
    assert_eq!(sysadmins(&gateway).await, 1);
    // The very same from the gateway's own page, as a browser without the newer header says it.
    let own = From(&[("Origin", PUBLIC_URL)]);
    let added = ada.post_from(own, "/admin/sysadmins", &fields).await;
    assert_eq!(added.see_other(), "/admin/sysadmins?done=added");
}

#[rstest]
#[actix_web::test]
async fn a_form_without_the_token_of_this_session_is_refused(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let mallory = Visitor::signed_in(&gateway, "Mallory").await;
    let of_another = mallory.form_token("/admin/sysadmins").await;
    let earlier = ada.form_token("/admin/sysadmins").await;
    ada.sign_in(ADA, PASSWORD).await.see_other();
    let cookie = ada.cookies()["toolgate"].clone();
    for token in ["", "x", &"0".repeat(64), &of_another, &earlier, &cookie] {
        for address in CHANGES
            .iter()
            .filter(|address| **address != "/admin/sign-in")
        {
            let fields = [&NEW[..], &[("form_token", token)]].concat();
            let title = ada.post(address, &fields).await.refused(403);
            assert_eq!(
                title, "This form is not from your session",
                "{address} {token}"
            );
        }
    }
    assert!(ada.is_in().await && mallory.is_in().await);
    assert_eq!(sysadmins(&gateway).await, 2);
}

#[actix_web::test]
async fn nothing_is_changed_or_shown_without_a_session() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let visitor = Visitor::new(&gateway);
    for planted in [None, Some("0"), Some(&*"0".repeat(64))] {
        if let Some(planted) = planted {
            visitor.give_cookie("toolgate", planted);
        }
        for address in CHANGES
            .iter()
            .filter(|address| **address != "/admin/sign-in")
        {
            visitor.post(address, &NEW).await.refused(401);
        }
        for (page, next) in [
            ("/admin/", ""),
            ("/admin/sysadmins", "?next=%2Fadmin%2Fsysadmins"),
            ("/admin/account", "?next=%2Fadmin%2Faccount"),
            (
                "/admin/audit?before=1_a",
                "?next=%2Fadmin%2Faudit%3Fbefore%3D1_a",
            ),
            (
                "/admin/sysadmins/x/remove",
                "?next=%2Fadmin%2Fsysadmins%2Fx%2Fremove",
            ),
        ] {
            let to = visitor.get(page).await.see_other();
            assert_eq!(to, format!("/admin/sign-in{next}"));
        }
    }
    assert_eq!(sysadmins(&gateway).await, 0);
}

#[actix_web::test]
async fn who_signs_in_is_never_sent_elsewhere() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for wrong in [
        "//evil.example",
        "//evil.example/admin/",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/admin/",
        "/admin/\\evil.example",
        "/admin//evil.example",
        "/admin/../../lams",
        "/admin/%2e%2e/lams",
        "%2F%2Fevil.example",
        "/%2Fevil.example",
        "/%5Cevil.example",
        "/\t/evil.example",
        "/admin/\r\nSet-Cookie: toolgate=x",
        "javascript:alert(1)",
        "/lams/tool/mdquiz10/authoring.do",
    ] {
        let fields = [("name", ADA), ("password", PASSWORD), ("next", wrong)];
        let to = ada.post("/admin/sign-in", &fields).await.see_other();
        assert_eq!(to, "/admin/", "{wrong}");
        let page = format!("/admin/sign-in?next={}", urlencoding::encode(wrong));
        assert_eq!(ada.get(&page).await.see_other(), "/admin/", "{wrong}");
        let form = Visitor::new(&gateway).get(&page).await;
        assert_eq!(form.attributes("[name=next]", "value"), [""], "{wrong}");
    }
    let right = "/admin/audit?before=1_a";
    let fields = [("name", ADA), ("password", PASSWORD), ("next", right)];
    assert_eq!(ada.post("/admin/sign-in", &fields).await.see_other(), right);
}

#[actix_web::test]
async fn what_is_typed_is_shown_as_text() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let name = "x\"><script>alert(1)</script>";
    let page = Visitor::new(&gateway).sign_in(name, PASSWORD).await;
    assert_eq!(page.status, 401);
    assert_eq!(page.attributes("#name", "value"), [name]);
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let fields = [
        ("name", name),
        ("password", PASSWORD),
        ("repeated", PASSWORD),
    ];
    ada.post_form("/admin/sysadmins", "/admin/sysadmins", &fields)
        .await
        .see_other();
    for page in ["/admin/sysadmins", "/admin/audit"] {
        assert!(
            !ada.get(page).await.body.contains("<script>alert"),
            "{page}"
        );
    }
}
