//! Authors and monitors at the form.

use super::*;

#[actix_web::test]
async fn a_saved_activitys_id_goes_back_with_the_state_unharmed() {
    let site = site();
    for (encoded, id) in [(enc(UPDATE), 501), (enc(&enc(UPDATE)), 502)] {
        let answer = site.author_forum(&encoded).await;
        assert_eq!(answer.status(), 302);
        assert_eq!(location(&answer), format!("{UPDATE}&extToolContentID={id}"));
    }
    let saved = site.lms().activity(501).unwrap();
    assert_eq!(
        (saved.settings.title.as_str(), saved.course.as_str()),
        ("Plants", "7")
    );
    assert_eq!(saved.copied_from, None);
}

#[actix_web::test]
async fn the_same_form_sent_twice_makes_one_activity() {
    let site = site();
    let address = format!(
        "course/lamsframes.php?&lamsUpdateURL={}&add=forum",
        enc(UPDATE)
    );
    let number = ticket(&site.page(&address, "Bill").await);
    for title in ["First", "Second"] {
        let fields = [("ticket", &*number), ("title", title)];
        let answer = site.send("course/modedit-lams.php", &fields).await;
        assert!(location(&answer).ends_with("&extToolContentID=501"));
    }
    assert_eq!(site.lms().activities().len(), 1);
    assert_eq!(site.lms().activity(501).unwrap().settings.title, "Second");
}

#[actix_web::test]
async fn an_author_edits_what_is_there() {
    let site = site();
    let id = site.author_quiz().await;
    let address = format!(
        "course/lamsframes.php?lamsUpdateURL={}&id={id}",
        enc(&enc(UPDATE))
    );
    let page = site.page(&address, "Bill").await;
    for written in ["value=\"Sums\"", "value=\"1 + 1\"", "value=\"4\""] {
        assert!(page.contains(written), "{written}");
    }
}

#[actix_web::test]
async fn what_cannot_be_saved_is_shown_again_with_words() {
    let site = site();
    let address = format!(
        "course/lamsframes.php?&lamsUpdateURL={}&add=quiz",
        enc(UPDATE)
    );
    let number = ticket(&site.page(&address, "Bill").await);
    let long = "x".repeat(201);
    let fields = [
        ("ticket", &*number),
        ("title", &*long),
        ("intro", "<script>"),
        ("q2_text", "Why?"),
        ("q2_option1", "So"),
    ];
    let answer = site.send("course/modedit-lams.php", &fields).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    for words in [
        "The title is 201 characters long; 200 is the most.",
        "Question 2: write at least two answers to choose from.",
        "Question 2: mark the answer that is right.",
        "value=\"Why?\"",
        "&#60;script&#62;",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(site.lms().activities().is_empty());
}

#[actix_web::test]
async fn a_monitor_edits_the_copy_and_stays() {
    let site = site();
    site.author_forum(&enc(UPDATE)).await;
    let address = format!(
        "course/modedit-lams.php?&update=501&id=501&returnUrl={}",
        enc(BACK)
    );
    let number = ticket(&site.page(&address, "Bill").await);
    let fields = [("ticket", &*number), ("title", "Trees")];
    let answer = site.send("course/modedit-lams.php", &fields).await;
    assert_eq!(answer.status(), 303);
    let page = site
        .get(&location(&answer)[1..])
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("id=\"saved\"") && page.contains("id=\"return\""));
    assert_eq!(site.lms().activity(501).unwrap().settings.title, "Trees");
}
