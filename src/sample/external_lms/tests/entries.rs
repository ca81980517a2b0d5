//! Who is let in, and what is refused.

use super::*;

#[actix_web::test]
async fn no_entry_is_open_to_a_wrong_or_missing_hash() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    let entries = [
        format!(
            "course/lamsframes.php?&lamsUpdateURL={}&add=Forum",
            enc(UPDATE)
        ),
        format!("course/lamsframes.php?&id=501&returnUrl={}", enc(BACK)),
        format!(
            "course/modedit-lams.php?&update=501&id=501&returnUrl={}",
            enc(BACK)
        ),
        format!("mod/forum/view.php?&id=501&returnUrl={}", enc(BACK)),
        format!("mod/quiz/report.php?&id=501&returnUrl={}", enc(BACK)),
        "mod/lamstwo/tooladapter_forum.php?&method=clone&extToolContentID=0".to_owned(),
        "mod/lamstwo/tooladapter_quiz.php?&method=clone&extToolContentID=0".to_owned(),
    ];
    let anothers = external_hash("1262304000000", "Bill", "campus", "another key");
    for entry in entries {
        for signature in [
            "",
            "&un=Bill&ts=1&hs=",
            &format!("&un=Bill&ts=1262304000000&hs={anothers}"),
        ] {
            let answer = site.get(&format!("{entry}{signature}")).await;
            assert_eq!(answer.status(), 401, "{entry}{signature}");
            let body = answer.text().await.unwrap();
            assert_eq!(body.is_empty(), entry.contains("tooladapter"), "{body}");
        }
    }
    assert_eq!(site.lms().activities().len(), 1);
}

#[actix_web::test]
async fn a_ticket_is_needed_and_good_for_its_own_page_alone() {
    let site = site();
    let id = site.author_quiz().await;
    let address = format!("course/lamsframes.php?&id={id}&returnUrl={}", enc(BACK));
    let learners = ticket(&site.page(&address, "Anna").await);
    for page in [
        "course/modedit-lams.php",
        "mod/forum/post.php",
        "mod/quiz/attempt.php",
    ] {
        for fields in [vec![], vec![("ticket", "made up")]] {
            assert_eq!(site.send(page, &fields).await.status(), 401, "{page}");
        }
    }
    let fields = [("ticket", &*learners), ("title", "Mine now")];
    let answer = site.send("course/modedit-lams.php", &fields).await;
    assert_eq!(answer.status(), 401);
    let report = format!("mod/quiz/report.php?ticket={learners}");
    assert_eq!(site.get(&report).await.status(), 401);
    assert_eq!(site.lms().activity(id).unwrap().settings.title, "Sums");
}

#[actix_web::test]
async fn nobody_is_sent_anywhere_but_back_to_the_gateway() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    for foreign in [
        "http://evil.example/",
        "javascript:alert(1)",
        "http://gate.example.org.evil.example/",
    ] {
        for page in [
            format!("course/lamsframes.php?&id=501&returnUrl={}", enc(foreign)),
            format!("mod/forum/view.php?&id=501&returnUrl={}", enc(foreign)),
            format!("course/modedit-lams.php?&id=501&returnUrl={}", enc(foreign)),
            format!(
                "course/lamsframes.php?&add=Forum&lamsUpdateURL={}",
                enc(&enc(foreign))
            ),
        ] {
            assert_eq!(site.open(&page, "Bill").await.status(), 400, "{page}");
        }
    }
}

#[actix_web::test]
async fn an_activity_that_is_not_there_is_said_to_be_missing() {
    let site = site();
    let address = format!("course/lamsframes.php?&id=77&returnUrl={}", enc(BACK));
    assert_eq!(site.open(&address, "Anna").await.status(), 404);
    assert_eq!(site.get("nothing/here").await.status(), 404);
}

#[actix_web::test]
async fn a_form_of_more_than_64_kb_is_refused() {
    let site = site();
    let long = "x".repeat(LARGEST_FORM);
    let answer = site.send("mod/forum/post.php", &[("message", &long)]).await;
    assert_eq!(answer.status(), 413);
}

#[actix_web::test]
async fn the_home_page_lists_activities_and_every_page_says_its_type() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    site.clone_of("forum", "501").await;
    let answer = site.get("").await;
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer.text().await.unwrap();
    assert!(page.contains("data-activity=\"502\" data-kind=\"forum\" data-copied-from=\"501\""));
    for sheet in ["static/common.css", "static/lms.css"] {
        let answer = site.get(sheet).await;
        assert_eq!(answer.headers()["content-type"], "text/css; charset=utf-8");
    }
}

#[actix_web::test]
async fn a_server_stops_when_told() {
    let site = site();
    site.running.stop().await;
    assert!(
        site.client
            .get(site.running.base_url())
            .send()
            .await
            .is_err()
    );
}
