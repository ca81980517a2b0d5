//! A quiz from its author's first click to its monitor's last.

use crate::support::Lesson;

#[actix_web::test]
async fn a_quiz_is_authored_learned_and_monitored_by_clicking() {
    let lesson = Lesson::open().await;
    lesson.sees("#lesson .empty").await;
    lesson.picture("lesson-empty").await;
    let activity = lesson.add("mdquiz10").await;
    let ext_id = bill_writes_it(&lesson, &activity).await;
    lesson.shows(&activity, "saved").await;
    assert_eq!(lesson.text(&format!("#ext-id-{activity}")).await, ext_id);

    let session = lesson.start(&activity).await;
    anna_answers_and_goes_on(&lesson, &session).await;
    ben_only_looks(&lesson, &session).await;
    lesson.shows(&activity, "in-use").await;
    assert_eq!(lesson.finished(&session).await, ["Anna"]);
    lesson.picture("lesson-in-use").await;

    bill_looks_at_the_attempts(&lesson, &session).await;
    bill_monitors(&lesson, &activity, &session).await;
    assert_eq!(lesson.finished(&session).await, ["Anna"]);
    assert_eq!(lesson.complaints().await, [""; 0]);
}

/// Writes it, saves it, edits it again from the saved page, and closes that; answers its external id.
async fn bill_writes_it(lesson: &Lesson, activity: &str) -> String {
    lesson
        .click_to_new_tab(&format!("#author-{activity}"))
        .await;
    lesson.fill("#title", "Planets").await;
    lesson
        .fill("#intro", "What do you know of our neighbours?")
        .await;
    lesson
        .fill("#q1_text", "Which planet is the largest?")
        .await;
    lesson.fill("#q1_option1", "Jupiter").await;
    lesson.fill("#q1_option2", "Mars").await;
    lesson.click("#q1_right1").await;
    lesson.click("#q2 summary").await;
    lesson
        .fill("#q2_text", "Which planet has the shortest year?")
        .await;
    lesson.fill("#q2_option1", "Neptune").await;
    lesson.fill("#q2_option2", "Mercury").await;
    lesson.click("#q2_right2").await;
    lesson.picture("author-form").await;
    lesson.click("#save").await;

    let ext_id = lesson.text("#ext-tool-content-id").await;
    assert!(ext_id.parse::<u64>().is_ok(), "{ext_id}");
    assert_eq!(lesson.text("h1").await, "Your activity is saved");
    assert!(lesson.address().await.starts_with(&lesson.demo.gateway));
    lesson.picture("saved").await;

    lesson.click("#edit-again").await;
    assert_eq!(lesson.value("#title").await, "Planets");
    assert_eq!(lesson.value("#q2_option2").await, "Mercury");
    assert!(lesson.sees("#q2_right2").await.is_selected().await.unwrap());
    lesson.fill("#title", "Planets and their years").await;
    lesson.click("#save").await;
    assert_eq!(lesson.text("#ext-tool-content-id").await, ext_id);
    lesson.close_tab("#close").await;
    ext_id
}

async fn anna_answers_and_goes_on(lesson: &Lesson, session: &str) {
    lesson.click(&format!("#learn-anna-{session}")).await;
    assert!(lesson.text(".who").await.ends_with("Anna"));
    assert_eq!(lesson.text("h1").await, "Planets and their years");
    lesson.click("#q1_option1").await;
    lesson.click("#q2_option1").await;
    lesson.picture("learner-quiz").await;
    lesson.click("#answer").await;
    assert_eq!(lesson.attribute("#grade", "data-percent").await, "50");
    lesson.picture("learner-graded").await;
    lesson.click("#next-activity").await;
    lesson.return_as_finished("Anna").await;
    lesson.picture("finished").await;
    lesson.click("#to-lesson").await;
}

async fn ben_only_looks(lesson: &Lesson, session: &str) {
    lesson.click(&format!("#learn-ben-{session}")).await;
    lesson.sees("#q1_option1").await;
    assert!(lesson.text(".who").await.ends_with("Ben"));
    lesson.go_back().await;
}

async fn bill_looks_at_the_attempts(lesson: &Lesson, session: &str) {
    lesson
        .click_to_new_tab(&format!("#teacher-{session}"))
        .await;
    lesson
        .sees("[data-attempt-by=Anna][data-percent='50']")
        .await;
    assert_eq!(
        lesson
            .attributes("[data-attempt-by]", "data-attempt-by")
            .await,
        ["Anna"]
    );
    lesson.picture("teacher-view").await;
    lesson.click("#return").await;
    assert_eq!(lesson.text("#looked").await, "You are back");
    lesson.picture("looked").await;
    lesson.close_tab("#close").await;
}

/// Opens the gateway's monitor page and from there the group's copy, changes it, and comes back.
async fn bill_monitors(lesson: &Lesson, activity: &str, session: &str) {
    let monitor = format!("#monitor-{activity}");
    lesson.click_to_new_tab(&monitor).await;
    lesson.sees(&format!("[data-session='{session}']")).await;
    assert_attendance(lesson).await;
    lesson.picture("monitor").await;

    let monitor_page = lesson.tab().await;
    lesson.click_to_new_tab("[data-monitor]").await;
    assert_eq!(lesson.value("#title").await, "Planets and their years");
    lesson.fill("#intro", "Take your time.").await;
    lesson.click("#save").await;
    lesson.sees("#saved").await;
    lesson.click("#return").await;
    assert_eq!(lesson.text("#looked").await, "You are back");
    lesson.click_to_close_tab("#close", &monitor_page).await;
    lesson.close_this_tab().await;

    lesson.click_to_new_tab(&monitor).await;
    lesson.sees(&format!("[data-session='{session}']")).await;
    assert_attendance(lesson).await;
    lesson.close_this_tab().await;
    lesson.shows(activity, "in-use").await;
}

/// Anna finished, Ben opened it, and no teacher is among the learners; the server says what each achieved.
async fn assert_attendance(lesson: &Lesson) {
    assert_eq!(
        lesson.attributes("tr[data-user]", "data-user").await,
        ["smp_Anna", "smp_Ben"]
    );
    assert_eq!(
        lesson
            .attributes("td[data-finished]", "data-finished")
            .await,
        ["true", "false"]
    );
    let mut results = Vec::new();
    for who in ["smp_Anna", "smp_Ben"] {
        let cell = format!("tr[data-user='{who}'] td[data-output]");
        results.push(lesson.text(&cell).await);
    }
    assert_eq!(results, ["50", "0"]);
}
