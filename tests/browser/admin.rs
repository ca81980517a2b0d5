//! A sysadmin's first visit: the printed address, signing in, the account, signing out.

use fantoccini::key::Key;

use crate::support::{Lesson, PASSWORD};

#[actix_web::test]
async fn the_first_sysadmin_comes_in_looks_around_and_leaves() {
    let lesson = Lesson::open().await;
    let admin = format!("{}admin/", lesson.demo.gateway);
    lesson.open(&lesson.demo.first_start).await;
    lesson.fill("#name", "Ada").await;
    lesson.fill("#password", "short").await;
    lesson.fill("#repeated", "short").await;
    lesson.click("#become").await;
    lesson.sees("#password-error").await;
    assert_eq!(lesson.value("#name").await, "Ada");
    assert_eq!(lesson.value("#password").await, "");
    lesson.picture("admin-first").await;
    lesson.fill("#password", PASSWORD).await;
    lesson.fill("#repeated", PASSWORD).await;
    lesson.click("#become").await;

    // Where somebody wanted to go is where they come out.
    lesson.sees("#sign-in").await;
    lesson.picture("admin-sign-in").await;
    lesson.open(&format!("{admin}account")).await;
    lesson.fill("#name", "Ada").await;
    lesson.fill("#password", "not this one").await;
    lesson.click("#sign-in").await;
    assert_eq!(
        lesson.text("#password-error").await,
        "Name or password is wrong."
    );
    assert_eq!(lesson.value("#name").await, "Ada");
    lesson.picture("admin-wrong-password").await;
    // The cursor is where the mistake was.
    let focus = lesson.script("return document.activeElement.id").await;
    assert_eq!(focus, "password");
    lesson
        .fill(
            "#password",
            &format!("{PASSWORD}{}", char::from(Key::Enter)),
        )
        .await;
    lesson.sees("#this-session").await;
    assert_eq!(lesson.address().await, format!("{admin}account"));
    assert_eq!(lesson.text("#who").await, "Ada");
    let time = lesson.attribute("[data-session] time", "title").await;
    assert!(time.ends_with('Z') && !lesson.text("[data-session] time").await.contains("UTC"));
    lesson.picture("admin-account").await;

    lesson.fill("#current", PASSWORD).await;
    lesson.fill("#password", "some other words").await;
    lesson.fill("#repeated", "some other words").await;
    lesson.click("#change-password").await;
    assert!(
        lesson
            .text("#done")
            .await
            .starts_with("Your password is changed.")
    );

    lesson.click("nav a[href$=sysadmins]").await;
    lesson.fill("#name", "Grace").await;
    lesson.fill("#password", PASSWORD).await;
    lesson.fill("#repeated", PASSWORD).await;
    lesson.click("#add").await;
    lesson.sees("[data-sysadmin=Grace]").await;
    lesson.picture("admin-sysadmins").await;
    lesson.click("[data-sysadmin=Grace] a").await;
    lesson.sees("#remove").await;
    lesson.picture("admin-remove").await;
    lesson.click("#keep").await;
    lesson.click("nav a[href$=audit]").await;
    lesson
        .sees("[data-action='sysadmin.password-changed']")
        .await;
    lesson.picture("admin-audit").await;
    lesson.click(".brand").await;
    lesson.sees(".tile").await;
    lesson.picture("admin-home").await;

    // By keyboard alone: past the navigation, and out.
    lesson.press(&[Key::Tab, Key::Enter]).await;
    assert_eq!(
        lesson.script("return document.activeElement.id").await,
        "main"
    );
    lesson.click("#sign-out").await;
    assert_eq!(lesson.text("#done").await, "You are signed out.");
    lesson.open(&admin).await;
    lesson.sees("#sign-in").await;
    // The refused forms are worth a line in the browser's log, nothing else is.
    let complaints = lesson.complaints().await;
    assert!(
        complaints
            .iter()
            .all(|line| line.contains("422") || line.contains("401")),
        "{complaints:?}"
    );
}

#[actix_web::test]
async fn a_link_in_lams_leads_to_where_one_is_signed_in_already() {
    let lesson = Lesson::signed_in().await;
    let account = format!("{}admin/account", lesson.demo.gateway);
    // The same LAMS under a name that makes it another site.
    let lams = lesson.demo.lams.replace("127.0.0.1", "localhost");
    lesson.open(&lams).await;
    let link = format!("document.body.innerHTML = `<a id=link href='{account}'>x</a>`");
    lesson.script(&link).await;
    lesson.click("#link").await;
    assert_eq!(lesson.text("#who").await, "Ada");
    assert_eq!(lesson.address().await, account);
}

#[actix_web::test]
async fn a_page_of_another_site_changes_nothing_and_sees_nothing() {
    let lesson = Lesson::signed_in().await;
    let admin = format!("{}admin/", lesson.demo.gateway);
    // The sample LAMS is another origin of the same site: the cookie is sent along, and is not enough.
    lesson.ignore_policies_of_pages().await;
    lesson.open(&lesson.demo.lams).await;
    let attack = format!(
        "document.body.innerHTML = `<form method=post action='{admin}sign-out'><button id=attack>x</button></form>`"
    );
    lesson.script(&attack).await;
    lesson.click("#attack").await;
    assert_eq!(lesson.text("h1").await, "This did not come from here");
    lesson.picture("admin-refusal").await;
    lesson.click("#to-home").await;
    assert_eq!(lesson.text("#who").await, "Ada");
}
