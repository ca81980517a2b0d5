//! The sample LMS over HTTP, as the gateway and browsers meet it.

mod authoring;
mod clones;
mod entries;
mod exports;
mod imports;
mod open_author;
mod outputs;
mod signature2;
mod taking_part;

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

    /// Calls the adapter page of a module with `method_and_more` in the name of `un`.
    async fn call(&self, module: &str, method_and_more: &str, un: &str) -> Response {
        let page = format!(
            "mod/lamstwo/tooladapter_{module}.php?&cs=7&section=3&method={method_and_more}"
        );
        self.open(&page, un).await
    }

    /// Calls the adapter page for a clone; answers the new id.
    async fn clone_of(&self, module: &str, id: &str) -> u64 {
        let method = format!("clone&extToolContentID={id}");
        let answer = self.call(module, &method, "Bill").await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap().parse().unwrap()
    }

    /// Opens an activity as a learner; answers the ticket.
    async fn learner(&self, id: u64, un: &str) -> String {
        let address = format!("course/lamsframes.php?&id={id}&returnUrl={}", enc(BACK));
        ticket(&self.page(&address, un).await)
    }

    /// Writes into a forum as a learner.
    async fn write(&self, id: u64, un: &str, message: &str) {
        let number = self.learner(id, un).await;
        let fields = [
            ("ticket", &*number),
            ("subject", "Mine"),
            ("message", message),
        ];
        let answer = self.send("mod/forum/post.php", &fields).await;
        assert_eq!(answer.status(), 303);
    }

    /// Answers the quiz of [`Site::author_quiz`] as a learner: half of it right.
    async fn answer_half_right(&self, id: u64, un: &str) {
        let number = self.learner(id, un).await;
        let fields = [("ticket", &*number), ("q1", "1"), ("q2", "1")];
        let answer = self.send("mod/quiz/attempt.php", &fields).await;
        assert_eq!(answer.status(), 303);
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
