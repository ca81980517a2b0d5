//! Close on the gateway's pages, where there is no tab of their own to close. The other tests press it
//! where there is one.

use crate::support::Lesson;

/// The saved page of a new forum, in the lesson's own tab.
async fn saved_in_the_tab_of_the_lesson(lesson: &Lesson) {
    let activity = lesson.add("mdfrum10").await;
    let author = lesson
        .attribute(&format!("#author-{activity}"), "href")
        .await;
    let author = author.trim_start_matches('/');
    lesson.open(&format!("{}{author}", lesson.demo.lams)).await;
    lesson.fill("#title", "Say hello").await;
    lesson.click("#save").await;
    lesson.sees("#close").await;
}

#[actix_web::test]
async fn close_leads_to_lams_in_a_tab_that_was_not_opened_for_the_page() {
    let lesson = Lesson::open().await;
    saved_in_the_tab_of_the_lesson(&lesson).await;
    lesson.click("#close").await;
    lesson.sees("#lesson").await;
    assert_eq!(lesson.address().await, lesson.demo.lams);
}

#[actix_web::test]
async fn there_is_no_close_in_a_frame_of_lams() {
    let lesson = Lesson::open().await;
    saved_in_the_tab_of_the_lesson(&lesson).await;
    // The same return again shows the same page. The sample LAMS uses no frames, and forbids them.
    let saved = lesson.address().await;
    lesson.ignore_policies_of_pages().await;
    lesson.open(&lesson.demo.lams).await;
    let frame = format!("document.body.innerHTML = `<iframe src='{saved}'></iframe>`");
    lesson.script(&frame).await;
    lesson.enter_frame().await;
    assert_eq!(lesson.text("h1").await, "Your activity is saved");
    assert!(
        lesson
            .sees("#edit-again")
            .await
            .is_displayed()
            .await
            .unwrap()
    );
    let close = lesson.sees("#close[hidden]").await;
    assert!(!close.is_displayed().await.unwrap());
}
