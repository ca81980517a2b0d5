//! A server: connected, tried, repaired, switched off, deleted, as a sysadmin does it.

use crate::support::Lesson;

#[actix_web::test]
async fn a_server_is_connected_tried_repaired_and_deleted() {
    let lesson = Lesson::signed_in().await;
    lesson.click("nav a[href$=servers]").await;
    let row = "[data-server=campus]";
    lesson.sees("[data-server=sample]").await;
    lesson.picture("servers").await;

    // A mistake leaves what was typed, but for the key.
    lesson.click("[data-server=sample] a[href*='/edit']").await;
    let url = lesson.value("#url").await;
    lesson.go_back().await;
    lesson.click("#add").await;
    lesson.fill("#id", "campus").await;
    lesson.fill("#url", "ftp://campus.example.org/").await;
    lesson.fill("#key", "not the key of the other side").await;
    lesson.fill("#prefix", "cmp").await;
    lesson.click("[id='tool.mdquiz10']").await;
    lesson.click("#save").await;
    lesson.sees("#url-error").await;
    assert_eq!(lesson.value("#id").await, "campus");
    assert_eq!(lesson.value("#key").await, "");
    let focus = lesson.script("return document.activeElement.id").await;
    assert_eq!(focus, "url");
    lesson.picture("server-mistake").await;
    lesson.fill("#url", &url).await;
    lesson.fill("#key", "not the key of the other side").await;
    lesson.click("#save").await;
    lesson.sees(row).await;

    // It answers, and refuses the hash: the words say what to compare.
    lesson.click(&format!("{row} a[href$='/test']")).await;
    lesson.picture("connection-test-before").await;
    lesson.click("#test").await;
    let hash = "[data-code=hash][data-verdict=failed]";
    let words = lesson.text(&format!("{hash} .words")).await;
    assert!(
        words.contains("compare the key and the server id"),
        "{words}"
    );
    lesson.picture("connection-test-refused").await;
    lesson.click("nav a[href$=servers]").await;
    lesson.click("[data-server=sample] a[href$='/test']").await;
    lesson.click("#test").await;
    for code in ["signature", "wrong-signature", "legacy-hash", "replay"] {
        let row = format!("[data-code={code}][data-verdict=ok]");
        lesson.sees(&row).await;
    }
    lesson.picture("connection-test").await;

    lesson.click("nav a[href$=servers]").await;
    lesson.click(&format!("{row} a[href*='/disable']")).await;
    lesson.picture("server-disable").await;
    lesson.click("#disable").await;
    lesson.sees(&format!("{row} .verdict.skipped")).await;
    lesson.click(&format!("{row} form button")).await;
    lesson.sees(&format!("{row} .verdict.ok")).await;
    lesson.click(&format!("{row} a[href*='/edit']")).await;
    assert_eq!(lesson.value("#key").await, "");
    assert_eq!(lesson.value("#prefix").await, "cmp");
    lesson.picture("server-edit").await;
    lesson.click("nav a[href$=servers]").await;
    lesson.click(&format!("{row} a[href*='/delete']")).await;
    lesson.picture("server-delete").await;
    lesson.click("#delete").await;
    assert_eq!(lesson.text("#done").await, "Deleted.");
    assert!(lesson.attributes(row, "data-server").await.is_empty());

    // What a lesson needs stays.
    lesson.open(&lesson.demo.lams).await;
    let activity = lesson.add("mdquiz10").await;
    lesson
        .click_to_new_tab(&format!("#author-{activity}"))
        .await;
    lesson.write_a_quiz().await;
    lesson
        .open(&format!("{}admin/servers", lesson.demo.gateway))
        .await;
    lesson
        .click("[data-server=sample] a[href*='/delete']")
        .await;
    let used = lesson.text("#in-use").await;
    assert!(used.contains("1 content lives there"), "{used}");
    lesson.picture("server-in-use").await;
    // The refused form is worth a line in the browser's log, nothing else is.
    let complaints = lesson.complaints().await;
    assert!(
        complaints.iter().all(|line| line.contains("422")),
        "{complaints:?}"
    );
}
