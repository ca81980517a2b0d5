//! The adapter pages, as the gateway calls them to copy and to remove.

use super::*;

#[actix_web::test]
async fn a_clone_has_another_id_and_the_settings_but_no_posts() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    site.write(501, "Anna", "Fern").await;
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
    for method in ["getoptions", "import", ""] {
        let answer = site.call("quiz", method, "Bill").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    assert!(site.lms().activities().is_empty());
}

#[actix_web::test]
async fn a_clone_tried_again_is_the_same_clone() {
    let site = site();
    for id in [
        "0&rid=2f4c8a50-1b1f-4b7e-9d3a-6f0d1c2b3a49",
        "0&rid=2F4C8A50-1B1F-4B7E-9D3A-6F0D1C2B3A49",
    ] {
        assert_eq!(site.clone_of("forum", id).await, 501);
    }
    let another = "0&rid=9d0c7b1e-44f2-4a8e-8a55-0c2f6e7d8b90";
    assert_eq!(site.clone_of("forum", another).await, 502);
    for id in [503, 504] {
        assert_eq!(site.clone_of("forum", "0&rid=no+uuid").await, id);
    }
}

#[actix_web::test]
async fn what_is_deleted_is_gone_and_its_id_is_not_given_again() {
    let site = site();
    let id = site.author_quiz().await;
    let delete = format!("delete&extToolContentID={id}");
    assert_eq!(site.call("forum", &delete, "Bill").await.status(), 404);
    let answer = site.call("quiz", &delete, "Bill").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "");
    assert!(site.lms().activity(id).is_none());
    assert_eq!(site.call("quiz", &delete, "Bill").await.status(), 404);
    assert_eq!(site.clone_of("quiz", "0").await, id + 1);
}
