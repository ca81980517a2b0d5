//! `toolgate admin`: for whoever has a shell.

use std::process::Output;

use rstest::rstest;

use super::guessing::all_wait;
use crate::support::{ADA, Database, Gateway, Kind, PASSWORD, Setup, Visitor, admin};

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[rstest]
#[actix_web::test]
async fn sysadmins_are_added_listed_and_removed(
    #[values(Kind::Postgres, Kind::Sqlite)] kind: Kind,
) {
    let database = Database::new(kind).await;
    assert_eq!(
        said(&admin(&database, &["add", ADA], PASSWORD)),
        "added Ada\n"
    );
    said(&admin(&database, &["add", "Bob"], PASSWORD));
    let listed = said(&admin(&database, &["list"], ""));
    assert_eq!(listed, "Ada, last sign-in never\nBob, last sign-in never\n");
    assert_eq!(
        said(&admin(&database, &["remove", "BOB"], "")),
        "removed Bob\n"
    );
    let last = refused(&admin(&database, &["remove", ADA], ""));
    assert_eq!(last, "toolgate: the last sysadmin cannot be removed\n");
    let unknown = refused(&admin(&database, &["remove", "Bob"], ""));
    assert_eq!(unknown, "toolgate: there is no such sysadmin\n");
    let by = "select count(*) from audit where actor = '(command line)'";
    assert_eq!(database.number(by).await, 3);
}

#[actix_web::test]
async fn what_cannot_be_a_sysadmin_is_refused_in_words() {
    let database = Database::new(Kind::Sqlite).await;
    said(&admin(&database, &["add", ADA], PASSWORD));
    for (name, password, words) in [
        ("ada", PASSWORD, "there is a sysadmin of this name already"),
        (
            "Bob",
            "",
            "a password has at least 10 characters; a few words make a good one",
        ),
        (
            "Bob",
            "nine char",
            "a password has at least 10 characters; a few words make a good one",
        ),
        (
            "Bob the Builder",
            "Bob the Builder",
            "the name itself is no password",
        ),
        ("(bob)", PASSWORD, "a name has 1 to 64 characters"),
    ] {
        let said = refused(&admin(&database, &["add", name], password));
        assert!(said.starts_with(&format!("toolgate: {words}")), "{said}");
    }
    let left = database.number("select count(*) from sysadmins");
    assert_eq!(left.await, 1);
}

#[actix_web::test]
async fn a_forgotten_password_is_set_anew_and_ends_every_session_and_wait() {
    let gateway = Gateway::start(Kind::Sqlite, Setup::default()).await;
    let ada = Visitor::signed_in(&gateway, ADA).await;
    let visitor = Visitor::new(&gateway);
    visitor.sign_in(ADA, "forgotten it").await;
    all_wait(&gateway).await;
    assert_eq!(visitor.sign_in(ADA, PASSWORD).await.status, 429);
    let set = said(&admin(
        &gateway.database,
        &["password", "ada"],
        "some other words",
    ));
    assert_eq!(set, "set the password of Ada\n");
    assert!(!ada.is_in().await);
    assert_eq!(visitor.sign_in(ADA, PASSWORD).await.status, 401);
    visitor.sign_in(ADA, "some other words").await.see_other();
    let unknown = refused(&admin(&gateway.database, &["password", "Bob"], PASSWORD));
    assert_eq!(unknown, "toolgate: there is no such sysadmin\n");
}
