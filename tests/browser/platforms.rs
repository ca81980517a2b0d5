//! A sysadmin connects a LAMS, gets its secrets, and plays with the configuration as a file.

use fantoccini::key::Key;

use crate::support::Lesson;

async fn fits(lesson: &Lesson) {
    assert_eq!(lesson.sticks_out().await, 0, "{}", lesson.address().await);
}

#[actix_web::test]
async fn a_lams_is_connected_and_gets_its_secrets_once() {
    let lesson = Lesson::signed_in().await;
    lesson.click("nav a[href$=platforms]").await;
    lesson.picture("admin-platforms").await;
    fits(&lesson).await;
    lesson.click("#add").await;
    lesson.fill("#id", "North").await;
    lesson.fill("#name", "LAMS of the North").await;
    lesson
        .fill("#url", "https://lams.north.example.org/lams")
        .await;
    lesson.click("#launch_auth-open").await;
    lesson.fill("#launch_secret", "typed and lost").await;
    lesson.click("#save").await;
    lesson.sees("#id-error").await;
    assert_eq!(lesson.value("#name").await, "LAMS of the North");
    assert_eq!(lesson.value("#launch_secret").await, "");
    lesson.sees("#launch_auth-open:checked").await;
    lesson.picture("admin-platform-mistake").await;

    // By keyboard: the cursor is where the mistake was; arrows choose.
    let focus = lesson.script("return document.activeElement.id").await;
    assert_eq!(focus, "id");
    lesson.fill("#id", "north").await;
    lesson
        .press(&[Key::Tab, Key::Tab, Key::Tab, Key::Tab, Key::Up])
        .await;
    lesson.sees("#launch_auth-signed:checked").await;
    lesson.click("#save").await;
    lesson.sees("#new-launch_secret").await;
    lesson.picture("admin-platform").await;
    fits(&lesson).await;

    lesson.click("#new-launch_secret").await;
    let secret = lesson.text("#secret").await;
    assert_eq!(secret.len(), 43);
    assert!(lesson.text("#example-shell").await.contains(&secret));
    assert!(!lesson.address().await.contains(&secret));
    lesson.click("[data-copy=secret]").await;
    lesson.sees("[data-copy=secret][data-said=Copied]").await;
    let selected = lesson
        .script("return getSelection().toString().trim()")
        .await;
    assert_eq!(selected, secret.as_str());
    for code in ["java", "php"] {
        let unfold =
            format!("document.getElementById('example-{code}').closest('details').open = true");
        lesson.script(&unfold).await;
    }
    lesson.picture("admin-new-secret").await;
    fits(&lesson).await;
    lesson.click("#back").await;
    lesson.click("#new-launch_secret").await;
    lesson.sees("#stops").await;
    lesson.picture("admin-ask-for-secret").await;
    lesson.click("#keep").await;
    let source = lesson
        .script("return document.documentElement.outerHTML")
        .await;
    assert!(!source.as_str().unwrap().contains(&secret));

    lesson.click("nav a[href$=platforms]").await;
    lesson.click("[data-platform=north] a[href*=delete]").await;
    lesson.picture("admin-delete-platform").await;
    lesson.click("#delete").await;
    assert_eq!(lesson.text("#done").await, "Deleted.");
    assert_eq!(
        lesson.attributes("[data-platform]", "data-platform").await,
        ["lams"]
    );
    let complaints = lesson.complaints().await;
    assert!(
        complaints.iter().all(|line| line.contains("422")),
        "{complaints:?}"
    );
}

#[actix_web::test]
async fn a_file_is_tried_mended_and_applied_and_found_again_in_the_audit() {
    let lesson = Lesson::signed_in().await;
    lesson.click("nav a[href$=configuration]").await;
    lesson.picture("admin-configuration").await;
    fits(&lesson).await;
    let wrong =
        "[[servers]]\nid = \"canvas\"\nurl = \"ftp://canvas.example.org/\"\nkey = \"short\"\n";
    lesson.fill("#text", wrong).await;
    lesson.click("#to-plan").await;
    assert!(lesson.text("#text-error").await.starts_with("Line 3, url:"));
    let area = "const a = document.getElementById('text'); return a.value.slice(a.selectionStart, a.selectionEnd)";
    assert_eq!(
        lesson.script(area).await,
        "url = \"ftp://canvas.example.org/\""
    );
    lesson.picture("admin-configuration-mistake").await;
    lesson.fill("#text", &wrong.replace("ftp", "http")).await;
    lesson.click("#to-plan").await;
    lesson.sees("[data-id=canvas][data-does=create]").await;
    lesson.picture("admin-configuration-plan").await;
    fits(&lesson).await;
    lesson.click("#apply").await;
    assert!(lesson.text("#done").await.starts_with("Applied."));
    assert_eq!(lesson.value("#text").await, "");

    lesson.click("nav a[href$=audit]").await;
    lesson.fill("[name=subject]", "canvas").await;
    lesson.click("#look").await;
    lesson.sees("#everything").await;
    let found = lesson.attributes("[data-subject]", "data-action").await;
    assert_eq!(found, ["server.added"]);
    lesson.picture("admin-audit-found").await;
    fits(&lesson).await;
}
