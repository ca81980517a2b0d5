//! Guessing passwords: slow, and no way to shut the rightful person out.

use chrono::{TimeDelta, Utc};
use rstest::rstest;

use crate::support::{ADA, Gateway, Kind, PASSWORD, Page, Setup, Visitor, admin};

/// A gateway with a sysadmin who never signed in.
async fn with_ada(kind: Kind) -> Gateway {
    let gateway = Gateway::start(kind, Setup::default()).await;
    assert!(
        admin(&gateway.database, &["add", ADA], PASSWORD)
            .status
            .success()
    );
    gateway
}

/// So many failed tries in a row, of all who tried so far.
async fn failed(gateway: &Gateway, times: i64) {
    let failed = format!("update sign_in_tries set failures = {times}");
    gateway.database.execute(&failed).await;
}

/// All who tried so far have failed often, and wait for ten minutes more; a wait longer than there is would not count.
pub(super) async fn all_wait(gateway: &Gateway) {
    let until = Utc::now() + TimeDelta::minutes(10);
    let until = until.format("%Y-%m-%d %H:%M:%S+00:00");
    let wait = format!("update sign_in_tries set failures = 30, wait_until = '{until}'");
    gateway.database.execute(&wait).await;
}

/// A page with the one part that may differ taken out.
fn words(page: &Page, name: &str) -> String {
    page.body.replace(name, "NAME")
}

#[actix_web::test]
async fn an_unknown_name_and_a_wrong_password_look_the_same() {
    let gateway = with_ada(Kind::Sqlite).await;
    let visitor = Visitor::new(&gateway);
    let wrong = visitor.sign_in(ADA, "not this one").await;
    let unknown = visitor.sign_in("Nobody", "not this one").await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(
        wrong.text("#password-error").as_deref(),
        Some("Name or password is wrong.")
    );
    assert_eq!(words(&wrong, ADA), words(&unknown, "Nobody"));
    assert_eq!(visitor.cookies().len(), 0);

    // Also when they have to wait.
    failed(&gateway, 30).await;
    for name in [ADA, "Nobody"] {
        assert_eq!(visitor.sign_in(name, "not this one").await.status, 401);
    }
    all_wait(&gateway).await;
    let wait = visitor.sign_in(ADA, "not this one").await;
    let waits = visitor.sign_in("Nobody", "not this one").await;
    assert_eq!((wait.status, waits.status), (429, 429));
    let told = |page: &Page| page.text("#password-error").unwrap();
    let same = |text: String| text.trim_end_matches(|c: char| c != 'i').to_owned();
    assert_eq!(same(told(&wait)), same(told(&waits)));
    let audit = "select count(*) from audit where subject = 'Nobody'";
    assert_eq!(gateway.database.number(audit).await, 0);
}

#[rstest]
#[actix_web::test]
async fn who_guesses_waits_on_every_instance_and_nobody_else_does(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let one = with_ada(kind).await;
    let two = Gateway::start_on(one.database.clone(), Setup::default());
    assert!(
        admin(&one.database, &["add", "Bob"], PASSWORD)
            .status
            .success()
    );
    let (here, there) = (Visitor::new(&one), Visitor::new(&two));
    for visitor in [&here, &there, &here, &there] {
        assert_eq!(visitor.sign_in(ADA, "not this one").await.status, 401);
    }
    // As after many more.
    failed(&one, 12).await;
    assert_eq!(here.sign_in("ada", "not this one").await.status, 401);
    for visitor in [&here, &there] {
        // The right one too: it is not looked at.
        let page = visitor.sign_in(" ADA ", PASSWORD).await;
        assert_eq!(page.status, 429, "{}", page.body);
        let seconds: u64 = page.headers["retry-after"].parse().unwrap();
        assert!((1..=256).contains(&seconds), "{seconds}");
        assert_eq!(page.attributes("#name", "value"), [" ADA "]);
        let said = page.text("#password-error").unwrap();
        assert!(said.contains("The next try is possible in"), "{said}");
    }
    there.sign_in("Bob", PASSWORD).await.see_other();
    // When the wait is over, the right password gets in and ends the counting.
    let over = "update sign_in_tries set wait_until = '2020-01-01 00:00:00+00:00'";
    one.database.execute(over).await;
    there.sign_in(ADA, PASSWORD).await.see_other();
    let counted = one.database.number("select count(*) from sign_in_tries");
    assert_eq!(counted.await, 0);
    let audit =
        "select count(*) from audit where action = 'sysadmin.sign-in-failed' and subject = 'Ada'";
    Gateway::until("the failure is in the audit", || async {
        one.database.number(audit).await == 1
    })
    .await;
}

#[rstest]
#[actix_web::test]
async fn many_guesses_at_once_are_many_guesses(#[values(Kind::Postgres, Kind::Sqlite)] kind: Kind) {
    let gateway = with_ada(kind).await;
    let visitor = Visitor::new(&gateway);
    visitor.sign_in(ADA, "not this one").await;
    // The next failure costs more than this test takes.
    failed(&gateway, 19).await;
    let guesses = (0..10).map(|_| visitor.sign_in(ADA, "not this one"));
    let pages = futures_util::future::join_all(guesses).await;
    let looked_at = pages.iter().filter(|page| page.status == 401).count();
    let waits = pages.iter().filter(|page| page.status == 429).count();
    assert_eq!((looked_at, waits), (1, 9));
}

#[rstest]
#[actix_web::test]
async fn a_browser_that_was_in_before_gets_in_while_others_guess(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let gateway = Gateway::start(kind, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    ada.post_form("/admin/", "/admin/sign-out", &[])
        .await
        .see_other();
    let guesser = Visitor::new(&gateway);
    guesser.sign_in(ADA, "not this one").await;
    failed(&gateway, 30).await;
    guesser.sign_in(ADA, "not this one").await;
    assert_eq!(guesser.sign_in(ADA, PASSWORD).await.status, 429);
    // Somebody else's known browser is nobody's here.
    let bob = Visitor::signed_in(&gateway, "Bob").await;
    assert_eq!(bob.sign_in(ADA, PASSWORD).await.status, 429);

    ada.sign_in(ADA, PASSWORD).await.see_other();
    assert!(ada.is_in().await);
    // That helps the guesser nothing, and the known browser has to wait for its own failures.
    assert_eq!(guesser.sign_in(ADA, PASSWORD).await.status, 429);
    ada.sign_in(ADA, "not this one").await;
    failed(&gateway, 30).await;
    assert_eq!(ada.sign_in(ADA, "not this one").await.status, 401);
    assert_eq!(ada.sign_in(ADA, PASSWORD).await.status, 429);
}

#[actix_web::test]
async fn guessing_within_a_session_waits_as_well() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let change = |current: &'static str| {
        let fields = [
            ("current", current),
            ("password", "some other words"),
            ("repeated", "some other words"),
        ];
        let ada = &ada;
        async move {
            ada.post_form("/admin/account", "/admin/account/password", &fields)
                .await
        }
    };
    assert_eq!(change("not this one").await.status, 422);
    failed(&gateway, 30).await;
    assert_eq!(change("not this one").await.status, 422);
    let page = change(PASSWORD).await;
    let said = page.text("#current-error").unwrap();
    assert!(said.contains("too many wrong tries"), "{said}");
    // And keeps nobody from signing in.
    Visitor::new(&gateway)
        .sign_in(ADA, PASSWORD)
        .await
        .see_other();
}

#[actix_web::test]
async fn who_tries_many_names_from_one_network_waits_and_a_known_browser_there_does_not() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let guesser = Visitor::new(&gateway);
    // Ada's sign-in was the first of them.
    for n in 1..60 {
        let page = guesser.sign_in(&format!("name {n}"), PASSWORD).await;
        assert_eq!(page.status, 401, "{n}");
    }
    for name in ["name 60", ADA] {
        // Also the right one: it is not looked at.
        let page = guesser.sign_in(name, PASSWORD).await;
        assert_eq!(page.status, 429);
        let seconds: u64 = page.headers["retry-after"].parse().unwrap();
        assert!((1..=61).contains(&seconds), "{seconds}");
        let said = page.text("#password-error").unwrap();
        assert!(said.contains("too many tries from your network"), "{said}");
    }
    let counted = "select count(*) from sign_in_tries";
    assert_eq!(gateway.database.number(counted).await, 59);
    guesser.give_cookie("toolgate-device", &"0".repeat(64));
    assert_eq!(guesser.sign_in(ADA, PASSWORD).await.status, 429);
    ada.sign_in(ADA, PASSWORD).await.see_other();
}
