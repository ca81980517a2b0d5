//! Learners in a forum and at a quiz, and their teacher.

use super::*;

#[actix_web::test]
async fn a_learner_writes_into_the_forum_and_goes_on() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    let address = format!(
        "course/lamsframes.php?&id=501&returnUrl={}&dest=x&is_learner=1&isFinished=false",
        enc(BACK)
    );
    let number = ticket(&site.page(&address, "Anna").await);
    let fields = [
        ("ticket", &*number),
        ("subject", "Mine"),
        ("message", "<b>Fern</b>"),
    ];
    let answer = site.send("mod/forum/post.php", &fields).await;
    assert_eq!(answer.status(), 303);
    let page = site
        .get(&location(&answer)[1..])
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("data-post-by=\"Anna\""));
    assert!(page.contains("&#60;b&#62;Fern&#60;/b&#62;"));
    assert!(page.contains(&BACK.replace('&', "&#38;")), "the way on");
    let finished = site
        .page(
            &address.replace("isFinished=false", "isFinished=true"),
            "Anna",
        )
        .await;
    assert!(finished.contains("Finished: back to LAMS"));
}

#[actix_web::test]
async fn a_learner_answers_a_quiz_once_and_the_teacher_sees_the_grade() {
    let site = site();
    let id = site.author_quiz().await;
    let address = format!("course/lamsframes.php?&id={id}&returnUrl={}", enc(BACK));
    let number = ticket(&site.page(&address, "Anna").await);
    let half = site
        .send(
            "mod/quiz/attempt.php",
            &[("ticket", &*number), ("q1", "1"), ("q2", "9")],
        )
        .await;
    assert_eq!(half.status(), 422);
    assert!(half.text().await.unwrap().contains("Answer question 2."));
    for second in ["1", "2"] {
        let fields = [("ticket", &*number), ("q1", "1"), ("q2", second)];
        let answer = site.send("mod/quiz/attempt.php", &fields).await;
        assert_eq!(answer.status(), 303);
    }
    let page = site.page(&address, "ANNA").await;
    assert!(
        page.contains("data-percent=\"50\""),
        "the first attempt counts"
    );
    let report = format!("mod/quiz/report.php?&id={id}&returnUrl={}", enc(BACK));
    let report = site.page(&report, "Bill").await;
    assert!(report.contains("data-attempt-by=\"Anna\" data-percent=\"50\""));
}
