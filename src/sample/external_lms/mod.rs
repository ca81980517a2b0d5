//! The sample external LMS: a small server that speaks the other side of the tool-adapter protocol for
//! a forum (`mdfrum10`) and a quiz (`mdquiz10`), as Moodle's `lamstwo` module does.
//!
//! Its home page is a course whose teacher, Bill, goes into LAMS from there: with a LoginRequest
//! (protocol 6.6) to the gateway, as an address, or as a form by `open-author?method=post`.
//!
//! People arrive with a signed address (the legacy `un`, `ts`, `hs`, or signature 2) at `course/lamsframes.php`,
//! `course/modedit-lams.php`, `mod/forum/view.php` or `mod/quiz/report.php`, and get a ticket that
//! their forms carry from there on. An address with signature 2 is good once, so they are sent on to one with
//! their ticket, which they may reload. The gateway calls `mod/lamstwo/tooladapter_forum.php` and
//! `tooladapter_quiz.php`:
//!
//! | method | answer |
//! |---|---|
//! | `clone` | the id of a copy without posts and attempts; of default content for an id that is unknown |
//! | `export` | the settings as a file; 500 for an id that is unknown |
//! | `import` (POST) | the id of an activity made from such a file; `0` for any other file |
//! | `output` | a learner's number: of a forum's posts or words, or the grade in percent |
//! | `export_portfolio` | a page with what a learner wrote or answered; 404 for an id that is unknown |
//! | `delete` | nothing; 404 for an id that is unknown |
//! | any other | nothing |
//!
//! `clone` and `import` with a `rid` that came before answer with the id that they made then. Ids are
//! course-module ids, never given twice; one of the other kind is unknown. Everything is in memory.
//!
//! What a browser test holds on to:
//!
//! | page | ids and attributes |
//! |---|---|
//! | home | `course`, `open-author` where the gateway's LoginRequest is known; `activities`; each card `data-activity="501"`, `data-kind="forum"`, `data-copied-from="501"` |
//! | the way into LAMS as a form | `send` |
//! | author and monitor form | `title`, `intro`, `save`, for question n from 1 to 5 `qn_text`, `qn_option1` to `qn_option4`, `qn_right1` to `qn_right4`, its `details` `qn`; errors in `problems`; a monitor's `saved` and `return` |
//! | forum | `subject`, `message`, `post`, `next-activity`, `finished-note`; each post `data-post-by="Anna"`; errors in `problems` |
//! | quiz | options `qn_option1` to `qn_option4`, `answer`, `next-activity`, `finished-note`, the result `grade` with `data-percent="100"` |
//! | teacher's view | `return`; posts as above; each attempt `data-attempt-by="Anna"`, `data-percent="100"` |
//! | refusal | `refusal` with `data-status="401"` |

mod activity;
mod adapter_page;
mod author;
mod draft;
mod entry;
mod forum;
mod home;
mod learner;
mod made;
mod open_author;
mod quiz;
mod refusal;
mod state;
mod teacher;
#[cfg(test)]
mod tests;
mod ticket;
mod way_back;

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web;
use chrono::Utc;
use secrecy::SecretString;

pub use activity::{Activity, Answer, Attempt, Kind, Post, Question, Settings};

use super::Running;
use super::page;
use crate::domain::server::Signing;
use refusal::Refusal;
use state::State;

/// What the sample LMS is told when it starts.
#[derive(Debug, Clone)]
pub struct ExternalLmsConfig {
    /// The server id that LAMS knows it by.
    pub server_id: String,
    /// The key that it shares with the gateway.
    pub server_key: SecretString,
    /// How the gateway signs what it sends here: nothing else is taken.
    pub signing: Signing,
    /// The gateway's address: nobody is sent back anywhere else. `None`: any http(s) address.
    pub return_base: Option<String>,
    /// The gateway's LoginRequest, by which its teacher goes into LAMS. `None`: nobody goes there from
    /// here.
    pub login_request: Option<String>,
    /// The id of the first activity. A gateway that outlives this server remembers ids, so one that is
    /// started anew beside it should begin beyond those given before.
    pub first_id: u64,
}

impl ExternalLmsConfig {
    /// A server that sends people back to any address and none into LAMS, with the legacy signature and ids from
    /// 501.
    pub fn new(server_id: impl Into<String>, server_key: impl Into<SecretString>) -> Self {
        Self {
            server_id: server_id.into(),
            server_key: server_key.into(),
            signing: Signing::Legacy,
            return_base: None,
            login_request: None,
            first_id: 501,
        }
    }

    /// A first id that no server started earlier than a second ago has given: the seconds since 2026
    /// began. Two digits shorter than the sample LAMS's numbers, so that nobody takes one for the other.
    pub fn fresh_first_id() -> u64 {
        const YEAR_2026: i64 = 1_767_225_600;
        Utc::now()
            .timestamp()
            .saturating_sub(YEAR_2026)
            .max(1)
            .unsigned_abs()
    }
}

/// The sample external LMS: what its pages share. Clones share one state.
#[derive(Debug, Clone)]
pub struct ExternalLms {
    config: Arc<ExternalLmsConfig>,
    state: Arc<Mutex<State>>,
}

impl ExternalLms {
    /// Starts a server on `listener`, on the current runtime.
    pub fn start(listener: TcpListener, config: ExternalLmsConfig) -> io::Result<Running<Self>> {
        let lms = Self {
            state: Arc::new(Mutex::new(State::new(config.first_id))),
            config: Arc::new(config),
        };
        Running::serve(listener, lms, routes)
    }

    /// All activities, the oldest first.
    pub fn activities(&self) -> Vec<Activity> {
        self.lock().activities().cloned().collect()
    }

    /// One activity.
    pub fn activity(&self, id: u64) -> Option<Activity> {
        self.lock().activity(id).cloned()
    }

    /// How many clones were made, default content included.
    pub fn clone_count(&self) -> usize {
        self.lock()
            .activities()
            .filter(|activity| activity.copied_from.is_some())
            .count()
    }

    /// The state; a panic of another page leaves it usable.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn return_base(&self) -> Option<&str> {
        self.config.return_base.as_deref()
    }
}

impl Running<ExternalLms> {
    /// The server's state, to look inside.
    pub fn lms(&self) -> &ExternalLms {
        self.state()
    }
}

/// The largest form without a file that is read, in bytes.
const LARGEST_FORM: usize = 64 * 1024;
/// The most that is kept of an import's fields and file together, in bytes.
const LARGEST_UPLOAD: usize = 1024 * 1024;

fn routes(config: &mut web::ServiceConfig) {
    let form = web::PayloadConfig::new(LARGEST_FORM);
    let css = |text| web::get().to(move || async move { page::css(text) });
    config
        .app_data(form)
        .route("/", web::get().to(home::home))
        .route("/open-author", web::get().to(open_author::open_author))
        .route("/course/lamsframes.php", web::get().to(entry::lams_frames))
        .route("/course/modedit-lams.php", web::get().to(author::monitor))
        .route("/course/modedit-lams.php", web::post().to(author::save))
        .route("/mod/forum/view.php", web::get().to(teacher::forum))
        .route("/mod/forum/post.php", web::post().to(forum::post))
        .route("/mod/quiz/report.php", web::get().to(teacher::quiz))
        .route("/mod/quiz/attempt.php", web::post().to(quiz::attempt))
        .service(adapter_page::resource(Kind::Forum))
        .service(adapter_page::resource(Kind::Quiz))
        .route(
            "/static/common.css",
            css(include_str!("../../../static/sample/common.css")),
        )
        .route(
            "/static/lms.css",
            css(include_str!("../../../static/sample/lms.css")),
        )
        .route(
            "/static/lms.svg",
            web::get().to(|| async { page::svg(include_str!("../../../static/sample/lms.svg")) }),
        )
        .default_service(web::to(|| async { Err::<&str, _>(Refusal::NoPage) }));
}
