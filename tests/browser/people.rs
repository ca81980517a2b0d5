//! Who came in from the external LMS, and a login to try.

use crate::support::Lesson;

#[actix_web::test]
async fn who_came_in_is_found_and_a_login_is_tried() {
    let lesson = Lesson::signed_in().await;
    lesson.click("nav a[href$=people]").await;
    let row = "[data-login=Bill]";
    lesson.sees(row).await;
    lesson.picture("people").await;
    lesson.click(&format!("{row} a")).await;
    assert_eq!(lesson.text("#remembered").await, "Bill,7,3,sample");
    lesson.picture("person").await;
    lesson.click("nav a[href$=people]").await;
    lesson.click("#list-courses").await;
    lesson.sees("[data-course='7']").await;
    lesson.picture("people-courses").await;

    lesson.click("#try").await;
    lesson.fill("#user", "Anna").await;
    lesson.picture("try-login").await;
    lesson.click("#make").await;
    assert_eq!(lesson.text("#lams-login").await, "smp_Anna");
    let address = lesson.text("#address").await;
    lesson.picture("try-login-made").await;
    assert_eq!(lesson.complaints().await, [""; 0]);
    // It works: LAMS lets her in.
    lesson.open(&address).await;
    let at = lesson.address().await;
    assert!(at.starts_with(&lesson.demo.lams), "{at}");
    let people = format!("{}admin/people", lesson.demo.gateway);
    lesson.open(&people).await;
    lesson.sees("[data-login=Anna]").await;
}
