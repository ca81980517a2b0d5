//! The sample LAMS over HTTP, against a stand-in of the gateway's API.

mod logins;
mod stand_in;

use std::sync::atomic::Ordering;

use super::*;
use crate::domain::launch_signature::LaunchKey;
use crate::domain::query::Query;
use reqwest::Response;
use reqwest::header::LOCATION;
use stand_in::StandIn;
use url::Url;

struct Site {
    running: Running<Lams>,
    stand_in: StandIn,
    client: reqwest::Client,
}

fn port_0() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn config(gateway_url: &str, api_token: &str) -> LamsConfig {
    LamsConfig {
        gateway_url: gateway_url.trim_end_matches('/').to_owned(),
        platform_id: "lams".into(),
        launch_secret: "s3cret".into(),
        api_token: api_token.into(),
        server_id: "campus".into(),
        server_key: "S3cretKey".into(),
        server_name: "Sample Campus".into(),
        prefix: "cmp".into(),
        external_lms_url: "http://campus.example.org/".into(),
        first_id: 1001,
    }
}

fn site() -> Site {
    let stand_in = StandIn::default();
    let gateway = Running::serve(port_0(), stand_in.clone(), StandIn::routes).unwrap();
    site_at(config(gateway.base_url(), "t0ken"), stand_in)
}

/// A site into which Bill came already.
fn site_at(config: LamsConfig, stand_in: StandIn) -> Site {
    let site = empty_site_at(config, stand_in);
    *site.running.state().teacher() = Some(Teacher {
        name: "Bill".into(),
        login: "cmp_Bill".into(),
        course: None,
    });
    site
}

/// A site into which nobody came yet.
fn empty_site_at(config: LamsConfig, stand_in: StandIn) -> Site {
    let running = start(port_0(), config).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    Site {
        running,
        stand_in,
        client,
    }
}

impl Site {
    async fn get(&self, address: &str) -> Response {
        let address = format!("{}{address}", self.running.base_url());
        self.client.get(address).send().await.unwrap()
    }

    async fn lesson(&self) -> String {
        let answer = self.get("").await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    async fn post(&self, page: &str, body: impl Into<String>) -> Response {
        self.client
            .post(format!("{}{page}", self.running.base_url()))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body.into())
            .send()
            .await
            .unwrap()
    }

    /// A lesson with a saved forum, 1001.
    async fn with_saved_forum(self) -> Self {
        self.stand_in.saved.store(true, Ordering::Relaxed);
        let answer = self.post("add", "signature=mdfrum10").await;
        assert_eq!(answer.status(), 303);
        self
    }

    /// The path and query that a button leads to, with its signature checked, and who is sent.
    async fn launched(&self, button: &str) -> (String, String) {
        let answer = self.get(button).await;
        assert_eq!(answer.status(), 302, "{button}");
        let address = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
        let query = address.query().unwrap();
        let sent = format!("{}?{query}", address.path());
        let parsed = Query::parse(query);
        let uid = LaunchKey::new("s3cret").verify(&sent, &parsed, Utc::now());
        let (launch, _) = sent.split_once("&ts=").unwrap();
        (launch.to_owned(), uid.unwrap().to_owned())
    }
}

#[actix_web::test]
async fn a_tool_is_added_and_shown_as_not_opened_yet() {
    let site = site();
    assert!(site.lesson().await.contains("id=\"add-mdfrum10\""));
    let answer = site.post("add", "signature=mdfrum10").await;
    assert_eq!(answer.headers()[LOCATION], "/#activity-1001");
    let page = site.lesson().await;
    assert!(
        page.contains(
            "data-activity=\"1001\" data-signature=\"mdfrum10\" data-state=\"not-opened\""
        )
    );
    let unknown = site.post("add", "signature=nosuch").await;
    assert_eq!(unknown.status(), 404);
}

#[actix_web::test]
async fn what_came_back_is_shown() {
    let page = site().with_saved_forum().await.lesson().await;
    assert!(page.contains("data-state=\"saved\""));
    assert!(page.contains("<dd id=\"ext-id-1001\">501</dd>"));
}

#[actix_web::test]
async fn every_button_leads_to_a_freshly_signed_address() {
    let site = site().with_saved_forum().await;
    site.post("start/1001", "").await;
    let tool = "/lams/tool/mdfrum10";
    for (button, page, uid) in [
        (
            "author/1001",
            "authoring.do?toolContentID=1001&contentFolderID=f1",
            "cmp_Bill",
        ),
        (
            "monitor/1001",
            "monitoring.do?toolContentID=1001&contentFolderID=f1",
            "cmp_Bill",
        ),
        (
            "learn/2001/anna",
            "learning.do?mode=learner&toolSessionID=2001",
            "cmp_Anna",
        ),
        (
            "learn/2001/ben",
            "learning.do?mode=learner&toolSessionID=2001",
            "cmp_Ben",
        ),
        (
            "preview/2001",
            "learning.do?mode=author&toolSessionID=2001",
            "cmp_Bill",
        ),
        (
            "teacher/2001",
            "learning.do?mode=teacher&toolSessionID=2001",
            "cmp_Bill",
        ),
    ] {
        let launched = site.launched(&format!("open/{button}")).await;
        assert_eq!(launched, (format!("{tool}/{page}"), uid.to_owned()));
    }
    for unknown in [
        "open/author/7",
        "open/learn/7/anna",
        "open/learn/2001/zoe",
        "open/teacher/x",
    ] {
        assert_eq!(site.get(unknown).await.status(), 404, "{unknown}");
    }
}

#[actix_web::test]
async fn a_start_that_failed_is_shown_and_repeated_under_the_same_number() {
    let site = site().with_saved_forum().await;
    site.stand_in.failing.store(true, Ordering::Relaxed);
    let answer = site.post("start/1001", "").await;
    assert_eq!(answer.status(), 502);
    let page = answer.text().await.unwrap();
    assert!(page.contains("data-notice=\"step\""));
    assert!(page.contains("The copy failed") && page.contains("campus answered &#60;500&#62;."));
    assert!(!page.contains("data-session"));
    site.stand_in.failing.store(false, Ordering::Relaxed);
    assert_eq!(site.post("start/1001", "").await.status(), 303);
    assert!(site.lesson().await.contains("data-session=\"2001\""));
    let asked = r#"/api/v1/tools/mdfrum10/sessions/2001 {"name":"Group 1","toolContentID":1001}"#;
    assert_eq!(*site.stand_in.puts.lock().unwrap(), [asked, asked]);
}

#[actix_web::test]
async fn a_learner_who_finished_is_remembered_and_a_look_is_not() {
    let site = site().with_saved_forum().await;
    site.post("start/1001", "").await;
    let look = site.get("finished?toolSessionID=2001").await;
    assert!(!look.text().await.unwrap().contains("data-user"));
    assert!(!site.lesson().await.contains("data-finished"));
    let done = site.get("finished?toolSessionID=2001&uid=cmp_Anna").await;
    assert!(
        done.text()
            .await
            .unwrap()
            .contains("data-session=\"2001\" data-user=\"Anna\"")
    );
    assert!(site.lesson().await.contains("data-finished=\"Anna\""));
    assert_eq!(
        site.get("finished?toolSessionID=7&uid=cmp_Anna")
            .await
            .status(),
        404
    );
}

#[actix_web::test]
async fn a_gateway_that_refuses_or_is_away_is_said_to() {
    let stand_in = StandIn::default();
    let gateway = Running::serve(port_0(), stand_in.clone(), StandIn::routes).unwrap();
    let stranger = site_at(config(gateway.base_url(), "wrong"), stand_in.clone());
    let page = stranger.lesson().await;
    assert!(page.contains("data-notice=\"toolkit\"") && page.contains("The token is not known."));
    let away = site_at(config("http://127.0.0.1:1", "t0ken"), stand_in);
    assert!(
        away.lesson()
            .await
            .contains("The gateway cannot be reached")
    );
    let answer = away.post("add", "signature=mdfrum10").await;
    assert_eq!(answer.status(), 502);
}

#[actix_web::test]
async fn a_form_of_another_site_is_refused() {
    let site = site();
    let answer = site
        .client
        .post(format!("{}add", site.running.base_url()))
        .header("Sec-Fetch-Site", "cross-site")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body("signature=mdfrum10")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
}
