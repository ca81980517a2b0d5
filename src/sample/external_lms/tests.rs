//! The sample LMS over HTTP, as the gateway and browsers meet it.

use super::*;
use crate::domain::enc::enc;
use crate::domain::hash::external_hash;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

const BACK: &str = "http://gate.example.org/lams/tool/mdfrum10/learning.do?toolSessionID=9&dispatch=finishActivity&state=aZ-_09";
const UPDATE: &str = "http://gate.example.org/lams/tool/mdfrum10/authoring.do?dispatch=updateContent&toolContentID=5&state=aZ-_09";

struct Site {
    running: Running<ExternalLms>,
    client: Client,
}

fn site() -> Site {
    site_with(ExternalLmsConfig {
        return_base: Some("http://gate.example.org".into()),
        ..ExternalLmsConfig::new("campus", "S3cretKey")
    })
}

fn site_with(config: ExternalLmsConfig) -> Site {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    Site {
        running: ExternalLms::start(listener, config).unwrap(),
        client: Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .unwrap(),
    }
}

/// The ticket in a page's form.
fn ticket(page: &str) -> String {
    let (_, after) = page.split_once("name=\"ticket\" value=\"").unwrap();
    after.split_once('"').unwrap().0.to_owned()
}

/// A form's body.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", enc(name), enc(value)))
        .collect();
    pairs.join("&")
}

fn location(answer: &Response) -> &str {
    answer.headers()[LOCATION].to_str().unwrap()
}

impl Site {
    fn lms(&self) -> &ExternalLms {
        self.running.lms()
    }

    async fn get(&self, address: &str) -> Response {
        let address = format!("{}{address}", self.running.base_url());
        self.client.get(address).send().await.unwrap()
    }

    /// Opens `page_and_query` with the signature of `un` after it.
    async fn open(&self, page_and_query: &str, un: &str) -> Response {
        let hs = external_hash("1262304000000", un, "campus", "S3cretKey");
        self.get(&format!(
            "{page_and_query}&un={}&ts=1262304000000&hs={hs}",
            enc(un)
        ))
        .await
    }

    async fn page(&self, page_and_query: &str, un: &str) -> String {
        let answer = self.open(page_and_query, un).await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    async fn send(&self, page: &str, fields: &[(&str, &str)]) -> Response {
        self.client
            .post(format!("{}{page}", self.running.base_url()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form(fields))
            .send()
            .await
            .unwrap()
    }

    /// Calls the adapter page for a clone; answers the new id.
    async fn clone_of(&self, module: &str, id: &str) -> u64 {
        let page = format!(
            "mod/lamstwo/tooladapter_{module}.php?&method=clone&cs=7&section=3&extToolContentID={id}"
        );
        self.page(&page, "Bill").await.parse().unwrap()
    }

    /// Makes a forum as Bill; answers where he is sent.
    async fn author_forum(&self, lams_update_url: &str) -> Response {
        let page = self
            .page(
                &format!("course/lamsframes.php?&lamsUpdateURL={lams_update_url}&dest=x&section=3&add=Forum&course=7"),
                "Bill",
            )
            .await;
        let fields = [
            ("ticket", &*ticket(&page)),
            ("title", "Plants"),
            ("intro", "Which one is yours?"),
        ];
        self.send("course/modedit-lams.php", &fields).await
    }

    /// Makes a quiz of two questions as Bill; answers its id.
    async fn author_quiz(&self) -> u64 {
        let address = format!(
            "course/lamsframes.php?lamsUpdateURL={}&add=QUIZ&course=7",
            enc(&enc(UPDATE))
        );
        let page = self.page(&address, "Bill").await;
        let fields = [
            ("ticket", &*ticket(&page)),
            ("title", "Sums"),
            ("q1_text", "1 + 1"),
            ("q1_option1", "2"),
            ("q1_option2", "3"),
            ("q1_right", "1"),
            ("q3_text", "2 + 2"),
            ("q3_option2", "3"),
            ("q3_option4", "4"),
            ("q3_right", "4"),
        ];
        let answer = self.send("course/modedit-lams.php", &fields).await;
        let (_, id) = location(&answer).rsplit_once('=').unwrap();
        id.parse().unwrap()
    }
}

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
