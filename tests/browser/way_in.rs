//! The way into LAMS: Bill starts in the external LMS, LAMS drops the customCSV that he brings, and his activity
//! is made for his course all the same.

use crate::support::Lesson;

#[actix_web::test]
async fn an_activity_belongs_to_the_course_that_its_author_came_from_though_lams_dropped_it() {
    let lesson = Lesson::at_the_external_lms().await;
    // Who opens LAMS first is shown the way.
    lesson.open(&lesson.demo.lams).await;
    lesson.sees("#begin").await;
    lesson.picture("lesson-begin").await;
    lesson.click("#to-external-lms").await;
    lesson.sees("#course").await;
    assert_eq!(lesson.address().await, lesson.demo.lms);
    lesson.picture("lms-home").await;

    lesson.click("#open-author").await;
    comes_in(&lesson).await;
    lesson.picture("lesson-came-in").await;
    let activity = lesson.add("mdquiz10").await;
    lesson
        .click_to_new_tab(&format!("#author-{activity}"))
        .await;
    lesson.write_a_quiz().await;
    lesson.close_tab("#close").await;
    lesson.shows(&activity, "saved").await;
    let card = lesson.text(&format!("#activity-{activity} dl")).await;
    assert!(
        card.contains("7, section 3") && card.contains("Bill"),
        "{card}"
    );
    lesson.picture("lesson-saved").await;

    // On the external LMS it stands in that course.
    lesson.open(&lesson.demo.lms).await;
    let made = lesson.text("[data-kind=quiz] .foot").await;
    assert!(made.contains("course 7"), "{made}");
    lesson.picture("lms-home-with-quiz").await;
    assert_eq!(lesson.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn a_login_by_form_is_passed_on_by_itself() {
    let lesson = Lesson::at_the_external_lms().await;
    by_form(&lesson).await;
    comes_in(&lesson).await;
    assert_eq!(lesson.complaints().await, [""; 0]);
}

#[actix_web::test]
async fn without_script_a_login_by_form_is_passed_on_by_a_button() {
    let lesson = Lesson::at_the_external_lms().await;
    lesson.let_scripts_run(false).await;
    by_form(&lesson).await;
    lesson.sees("#go-on").await;
    let address = lesson.address().await;
    assert!(address.starts_with(&lesson.demo.gateway), "{address}");
    // axe is a script.
    lesson.let_scripts_run(true).await;
    lesson.picture("passing-on").await;
    lesson.let_scripts_run(false).await;
    lesson.click("#go-on").await;
    comes_in(&lesson).await;
}

async fn by_form(lesson: &Lesson) {
    lesson
        .open(&format!("{}open-author?method=post", lesson.demo.lms))
        .await;
    lesson.sees("#send").await;
    lesson.click("#send").await;
}

/// The lesson's page names Bill and his course.
async fn comes_in(lesson: &Lesson) {
    let came_in = lesson.sees("#came-in[data-login=smp_Bill]").await;
    let course = came_in.attr("data-course").await.unwrap();
    assert_eq!(course.as_deref(), Some("7"));
    assert_eq!(lesson.address().await, lesson.demo.lams);
}
