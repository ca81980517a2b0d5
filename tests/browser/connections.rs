//! An LMS connection: made, its order, a link to try, removed, as a sysadmin does it.

use crate::support::Lesson;

#[actix_web::test]
async fn a_connection_is_made_tried_with_a_link_and_removed() {
    let lesson = Lesson::signed_in().await;
    lesson.click("nav a[href$=connections]").await;
    lesson.sees("#none").await;
    lesson.picture("connections-none").await;
    lesson.click("#connect").await;
    lesson.click("#backend-dummy").await;
    lesson
        .fill("#base_url", "https://courses.example.org")
        .await;
    lesson
        .fill("#selector_regex", "^https://courses\\.example\\.org/(.*")
        .await;
    lesson
        .fill("#course_regex", "^.*/courses/(?P<course_id>[^/]+)/")
        .await;
    lesson.click("#save").await;
    lesson.sees("#selector_regex-error").await;
    let focus = lesson.script("return document.activeElement.id").await;
    assert_eq!(focus, "selector_regex");
    lesson.picture("connection-mistake").await;
    lesson
        .fill("#selector_regex", "ˆhttps://courses\\.example\\.org/.*")
        .await;
    lesson.click("#save").await;
    let row = "[data-connection=sample]";
    lesson.sees(&format!("{row} [data-second-look]")).await;
    lesson.picture("connections-second-look").await;
    lesson.click(&format!("{row} a[href*='/edit']")).await;
    lesson
        .fill("#selector_regex", "^https://courses\\.example\\.org/.*")
        .await;
    lesson.picture("connection-edit").await;
    lesson.click("#save").await;
    lesson.sees(row).await;
    lesson
        .fill(
            "#link",
            "https://courses.example.org/courses/course-v1:a+b+c/info",
        )
        .await;
    lesson.click("#try").await;
    assert_eq!(lesson.text("#course").await, "course-v1:a+b+c");
    lesson.picture("connections-tried").await;
    lesson.click(&format!("{row} a[href*='/remove']")).await;
    lesson.picture("connection-remove").await;
    lesson.click("#remove").await;
    lesson.sees("#none").await;
}
