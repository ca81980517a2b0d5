//! The adapter pages, as the gateway calls them.

use super::*;

#[actix_web::test]
async fn a_clone_has_another_id_and_the_settings_but_no_posts() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    let address = format!("course/lamsframes.php?&id=501&returnUrl={}", enc(BACK));
    let number = ticket(&site.page(&address, "Anna").await);
    let fields = [("ticket", &*number), ("subject", "Hi"), ("message", "Fern")];
    site.send("mod/forum/post.php", &fields).await;
    let ids = [
        site.clone_of("forum", "501").await,
        site.clone_of("forum", "501").await,
    ];
    assert_eq!(ids, [502, 503]);
    let clone = site.lms().activity(502).unwrap();
    assert_eq!(clone.settings, site.lms().activity(501).unwrap().settings);
    assert_eq!((clone.posts.len(), clone.copied_from), (0, Some(501)));
    assert_eq!(site.lms().clone_count(), 2);
}

#[actix_web::test]
async fn an_unknown_id_or_one_of_another_kind_makes_default_content() {
    let site = site();
    let quiz = site.author_quiz().await.to_string();
    for id in ["0", "9999", "x", "", &quiz] {
        let made = site.clone_of("forum", id).await;
        let made = site.lms().activity(made).unwrap();
        assert_eq!(
            (made.settings.title.as_str(), made.copied_from),
            ("Forum", Some(0))
        );
    }
    let made = site.clone_of("quiz", "0").await;
    assert_eq!(site.lms().activity(made).unwrap().settings.title, "Quiz");
}

#[actix_web::test]
async fn another_method_is_answered_with_nothing() {
    let site = site();
    let answer = site
        .open("mod/lamstwo/tooladapter_quiz.php?&method=output", "Bill")
        .await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "");
    assert_eq!(site.lms().clone_count(), 0);
}
