//! A forum in which two learners meet.

use crate::support::Lesson;

#[actix_web::test]
async fn two_learners_of_a_group_write_in_one_thread_and_their_teacher_reads_it() {
    let lesson = Lesson::open().await;
    let activity = lesson.add("mdfrum10").await;
    lesson
        .click_to_new_tab(&format!("#author-{activity}"))
        .await;
    lesson.fill("#title", "Say hello").await;
    lesson
        .fill("#intro", "Who are you, and what do you hope to learn?")
        .await;
    lesson.click("#save").await;
    let ext_id = lesson.text("#ext-tool-content-id").await;
    lesson.close_tab("#close").await;
    lesson.shows(&activity, "saved").await;
    assert_eq!(lesson.text(&format!("#ext-id-{activity}")).await, ext_id);

    let session = lesson.start(&activity).await;
    lesson.click(&format!("#learn-anna-{session}")).await;
    write(
        &lesson,
        "Anna",
        "Hello from Anna",
        "I hope to learn the names of stars.",
    )
    .await;
    lesson.click("#next-activity").await;
    lesson.return_as_finished("Anna").await;
    lesson.click("#to-lesson").await;

    lesson.click(&format!("#learn-ben-{session}")).await;
    assert!(
        lesson
            .text("[data-post-by=Anna]")
            .await
            .contains("names of stars")
    );
    write(
        &lesson,
        "Ben",
        "Re: Hello from Anna",
        "So do I, and those of planets.",
    )
    .await;
    lesson.picture("learner-forum").await;
    lesson.click("#next-activity").await;
    lesson.return_as_finished("Ben").await;
    lesson.click("#to-lesson").await;
    lesson
        .sees(&format!("[data-session='{session}'] [data-finished=Ben]"))
        .await;
    assert_eq!(lesson.finished(&session).await, ["Anna", "Ben"]);

    lesson.add("mdquiz10").await;
    lesson.picture("lesson").await;

    lesson
        .click_to_new_tab(&format!("#teacher-{session}"))
        .await;
    lesson.sees("[data-post-by=Ben]").await;
    assert_eq!(
        lesson.attributes("[data-post-by]", "data-post-by").await,
        ["Anna", "Ben"]
    );
    lesson.click("#return").await;
    assert_eq!(lesson.text("#looked").await, "You are back");
    assert_eq!(lesson.complaints().await, [""; 0]);
}

async fn write(lesson: &Lesson, who: &str, subject: &str, message: &str) {
    lesson.fill("#subject", subject).await;
    lesson.fill("#message", message).await;
    lesson.click("#post").await;
    let post = lesson.text(&format!("[data-post-by={who}]")).await;
    assert!(post.contains(subject) && post.contains(message), "{post}");
}
