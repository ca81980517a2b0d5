//! Sessions: what a browser holds, and when it is worth nothing.

use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, PASSWORD, Setup, Visitor};

async fn gateway(kind: Kind) -> Gateway {
    Gateway::start(kind, Setup::default()).await
}

const CHANGED: [(&str, &str); 3] = [
    ("current", PASSWORD),
    ("password", "some other words"),
    ("repeated", "some other words"),
];

#[rstest]
#[actix_web::test]
async fn who_signs_in_on_one_instance_is_in_on_the_other(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let one = gateway(kind).await;
    let two = Gateway::start_on(one.database.clone(), Setup::default());
    let here = Visitor::signed_in(&one, ADA).await;
    let there = here.at(&two);
    assert!(there.is_in().await);
    // A form of the one is taken by the other.
    let out = there.post_form("/admin/", "/admin/sign-out", &[]).await;
    assert_eq!(out.see_other(), "/admin/sign-in?done=out");
    assert!(!here.is_in().await);
}

#[rstest]
#[case(
    "http://gate.example.org:8080",
    "toolgate",
    "; Path=/; HttpOnly; SameSite=Strict"
)]
#[case(
    "https://gate.example.org",
    "__Host-toolgate",
    "; Path=/; HttpOnly; SameSite=Strict; Secure"
)]
#[case(
    "https://school.example.org/tools",
    "__Host-toolgate",
    "; Path=/; HttpOnly; SameSite=Strict; Secure"
)]
#[actix_web::test]
async fn cookies_have_their_flags(#[case] url: &str, #[case] name: &str, #[case] flags: &str) {
    let setup = Setup {
        environment: vec![("TOOLGATE_PUBLIC_URL", url.to_owned())],
        ..Setup::default()
    };
    let gateway = Gateway::start(Kind::Sqlite, setup).await;
    let added = crate::support::admin(&gateway.database, &["add", ADA], PASSWORD);
    assert!(added.status.success());
    let visitor = Visitor::new(&gateway);
    let to = visitor.sign_in(ADA, PASSWORD).await.see_other();
    let path = url::Url::parse(url).unwrap();
    let base = path.path().trim_end_matches('/');
    assert_eq!(to, format!("{base}/admin/"));
    let set = visitor.set_cookies();
    let [session, device] = &set[..] else {
        panic!("{set:?}")
    };
    let value = &visitor.cookies()[name];
    assert_eq!(value.len(), 64);
    assert_eq!(session, &format!("{name}={value}{flags}"));
    let known = &visitor.cookies()[&format!("{name}-device")];
    assert_eq!(
        device,
        &format!("{name}-device={known}{flags}; Max-Age=31536000")
    );
    // And they are what is asked for, under the path that browsers see.
    let page = visitor.get("/admin/account").await;
    assert_eq!(page.status, 200);
    let action = page.attributes("form", "action");
    assert!(
        action.contains(&format!("{base}/admin/account/password")),
        "{action:?}"
    );
}

#[actix_web::test]
async fn a_session_that_somebody_planted_is_not_taken_over() {
    let gateway = gateway(Kind::Sqlite).await;
    let mallory = Visitor::signed_in(&gateway, "Mallory").await;
    let planted = mallory.cookies()["toolgate"].clone();
    let added = crate::support::admin(&gateway.database, &["add", ADA], PASSWORD);
    assert!(added.status.success());
    for planted in [planted.as_str(), &"0".repeat(64)] {
        let ada = Visitor::new(&gateway);
        ada.give_cookie("toolgate", planted);
        ada.sign_in(ADA, PASSWORD).await.see_other();
        assert_ne!(ada.cookies()["toolgate"], planted);
        assert!(ada.is_in().await);
        let spy = Visitor::new(&gateway);
        spy.give_cookie("toolgate", planted);
        assert!(!spy.is_in().await, "{planted}");
    }
}

#[actix_web::test]
async fn a_copied_cookie_is_worth_nothing_after_sign_out() {
    let gateway = gateway(Kind::Sqlite).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let thief = ada.at(&gateway);
    assert!(thief.is_in().await);
    ada.post_form("/admin/", "/admin/sign-out", &[])
        .await
        .see_other();
    assert!(!ada.cookies().contains_key("toolgate"));
    assert!(!thief.is_in().await);
    let form = [("form_token", "x")];
    thief.post("/admin/sign-out", &form).await.refused(401);
}

#[rstest]
#[actix_web::test]
async fn a_new_password_ends_every_other_session_and_renews_this_one(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = gateway(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let elsewhere = Visitor::new(&gateway);
    elsewhere.sign_in(ADA, PASSWORD).await.see_other();
    let copied = ada.at(&gateway);
    let bob = Visitor::signed_in(&gateway, "Bob").await;

    let done = ada
        .post_form("/admin/account", "/admin/account/password", &CHANGED)
        .await;
    assert_eq!(done.see_other(), "/admin/account?done=password");
    assert!(ada.is_in().await);
    assert!(!elsewhere.is_in().await);
    assert!(!copied.is_in().await);
    assert!(bob.is_in().await);
    let visitor = Visitor::new(&gateway);
    assert_eq!(visitor.sign_in(ADA, PASSWORD).await.status, 401);
    visitor.sign_in(ADA, CHANGED[1].1).await.see_other();
    let by =
        "select count(*) from audit where actor = 'Ada' and action = 'sysadmin.password-changed'";
    assert_eq!(gateway.database.number(by).await, 1);
}

#[actix_web::test]
async fn a_password_is_changed_with_the_one_before_alone() {
    let gateway = gateway(Kind::Sqlite).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    for (change, field) in [
        (
            [("current", "not this one"), CHANGED[1], CHANGED[2]],
            "current",
        ),
        ([CHANGED[0], ("password", "short"), CHANGED[2]], "password"),
        (
            [CHANGED[0], CHANGED[1], ("repeated", "not the same words")],
            "repeated",
        ),
    ] {
        let page = ada
            .post_form("/admin/account", "/admin/account/password", &change)
            .await;
        assert_eq!(page.status, 422);
        assert!(
            page.text(&format!("#{field}-error")).is_some(),
            "{}",
            page.body
        );
        for (_, typed) in change {
            assert!(!page.body.contains(typed), "{typed}");
        }
    }
    Visitor::new(&gateway)
        .sign_in(ADA, PASSWORD)
        .await
        .see_other();
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let gateway = gateway(Kind::Sqlite).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let others: Vec<_> = (0..3).map(|_| Visitor::new(&gateway)).collect();
    for other in &others {
        other.sign_in(ADA, PASSWORD).await.see_other();
    }
    let listed = |page: &crate::support::Page| page.attributes("[data-session]", "data-session");
    let sessions = ada.get("/admin/account").await;
    assert_eq!(listed(&sessions).len(), 4);
    let others_of = sessions.attributes("[name=session]", "value");
    assert_eq!(others_of.len(), 3);
    let one = [("session", others_of[0].as_str())];
    let ended = ada
        .post_form("/admin/account", "/admin/account/end-session", &one)
        .await;
    assert_eq!(ended.see_other(), "/admin/account?done=ended");
    let mut still = 0;
    for other in &others {
        still += usize::from(other.is_in().await);
    }
    assert_eq!(still, 2);

    // Nobody ends another's.
    let bob = Visitor::signed_in(&gateway, "Bob").await;
    let of_ada = [("session", others_of[1].as_str())];
    bob.post_form("/admin/account", "/admin/account/end-session", &of_ada)
        .await
        .see_other();
    assert_eq!(listed(&ada.get("/admin/account").await).len(), 3);

    let all = ada
        .post_form("/admin/account", "/admin/account/end-other-sessions", &[])
        .await;
    assert_eq!(all.see_other(), "/admin/account?done=others");
    assert_eq!(listed(&ada.get("/admin/account").await).len(), 1);
    for other in &others {
        assert!(!other.is_in().await);
    }
    assert!(bob.is_in().await);
}

#[rstest]
#[case("last_seen_at", 29, true)]
#[case("last_seen_at", 31, false)]
#[case("created_at", 719, true)]
#[case("created_at", 721, false)]
#[actix_web::test]
async fn a_session_ends_by_itself(
    #[case] column: &str,
    #[case] minutes: i64,
    #[case] is_in: bool,
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = gateway(kind).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let ago = chrono::Utc::now() - chrono::TimeDelta::minutes(minutes);
    let ago = ago.to_rfc3339();
    let age = format!("update sysadmin_sessions set {column} = '{ago}'");
    gateway.database.execute(&age).await;
    assert_eq!(ada.is_in().await, is_in);
}

#[actix_web::test]
async fn that_a_session_was_seen_is_stored_once_a_minute() {
    let gateway = gateway(Kind::Sqlite).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let now = chrono::Utc::now();
    for (seconds, written) in [(5, 0), (90, 1)] {
        let ago = (now - chrono::TimeDelta::seconds(seconds)).to_rfc3339();
        let age = format!("update sysadmin_sessions set last_seen_at = '{ago}'");
        gateway.database.execute(&age).await;
        assert!(ada.is_in().await);
        let seen = format!("select count(*) from sysadmin_sessions where last_seen_at <> '{ago}'");
        assert_eq!(gateway.database.number(&seen).await, written, "{seconds}");
    }
}
