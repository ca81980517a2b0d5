//! A sample LAMS page: what a LAMS platform does with a gateway, in small. It fetches the toolkit and
//! the state of contents by the gateway's API, makes contents and sessions under fresh numbers, and
//! sends browsers to the gateway with addresses that it signs when a button is pressed.
//!
//! Its teacher comes from the external LMS by `LoginRequest` (protocol 6.6), which the gateway passes on;
//! customCSV is dropped there, as a LAMS of today does. Whoever came last teaches; Anna and Ben learn.
//! Anybody who can open the page can be any of them, so it is for a loopback address only. Everything is
//! in memory.
//!
//! What a browser test holds on to (ids are numbers, `N` a `toolContentID`, `S` a `toolSessionID`):
//!
//! | page | ids and attributes |
//! |---|---|
//! | `/` before anybody came in | `begin` |
//! | `/` | `came-in` with `data-login="smp_Bill"`, `data-course="7"`; `next-step`, `refresh`, `toolkit`, `lesson`; `add-mdfrum10`; notices `data-notice` |
//! | an activity's card | `data-activity="N"`, `data-signature`, `data-state` (`not-opened`, `opened`, `saved`, `in-use`, `locked`, `offline`, `unknown`), `ext-id-N`, `author-N`, `start-N`, `monitor-N` |
//! | a session in it | `data-session="S"`, `learn-anna-S`, `learn-ben-S`, `preview-S`, `teacher-S`; who finished: `data-finished="Anna"` |
//! | `/finished` | `finished` with `data-session="S"`, `data-user="Anna"`; `to-lesson` |
//! | refusal | `refusal` with `data-status="404"` |

mod finished;
mod gateway;
mod launch;
mod lesson;
mod login;
mod overview;
mod refusal;
mod steps;
#[cfg(test)]
mod tests;

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web;
use chrono::Utc;
use secrecy::SecretString;

use super::Running;
use super::page;
use gateway::Gateway;
use lesson::Lesson;
use login::Teacher;
use refusal::Refusal;

/// What the sample LAMS is told when it starts.
#[derive(Debug, Clone)]
pub struct LamsConfig {
    /// The gateway's address, without a slash at its end.
    pub gateway_url: String,
    /// The platform that this page is to the gateway.
    pub platform_id: String,
    /// The platform's `launch_secret`.
    pub launch_secret: SecretString,
    /// The platform's `api_token`.
    pub api_token: SecretString,
    /// The server that its teachers come from.
    pub server_id: String,
    /// The key that it shares with that server.
    pub server_key: SecretString,
    /// What people call that server.
    pub server_name: String,
    /// The server's prefix: Anna is `{prefix}_Anna` in LAMS.
    pub prefix: String,
    /// Where that server is, for a link to it.
    pub external_lms_url: String,
    /// The first `toolContentID`; sessions begin a thousand later. A gateway's database remembers
    /// numbers, so a page started anew on it must begin beyond those used before:
    /// [`LamsConfig::fresh_first_id`].
    pub first_id: i64,
}

impl LamsConfig {
    /// A first number that no page started earlier than a second ago has used: the time in seconds.
    pub fn fresh_first_id() -> i64 {
        Utc::now().timestamp()
    }
}

/// The sample LAMS: what its pages share. Clones share one state.
#[derive(Debug, Clone)]
pub struct Lams {
    config: Arc<LamsConfig>,
    gateway: Gateway,
    lesson: Arc<Mutex<Lesson>>,
    teacher: Arc<Mutex<Option<Teacher>>>,
}

/// Starts the page on `listener`, on the current runtime.
pub fn start(listener: TcpListener, config: LamsConfig) -> io::Result<Running<Lams>> {
    let lams = Lams {
        gateway: Gateway::new(&config).map_err(io::Error::other)?,
        lesson: Arc::new(Mutex::new(Lesson::new(config.first_id))),
        teacher: Arc::default(),
        config: Arc::new(config),
    };
    Running::serve(listener, lams, routes)
}

impl Lams {
    /// The lesson; a panic of another page leaves it usable.
    fn lesson(&self) -> MutexGuard<'_, Lesson> {
        self.lesson.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who came in last.
    fn teacher(&self) -> MutexGuard<'_, Option<Teacher>> {
        self.teacher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The largest LoginRequest as a form that is read, in bytes.
const LARGEST_LOGIN: usize = 16 * 1024;

fn routes(config: &mut web::ServiceConfig) {
    let form = web::PayloadConfig::new(LARGEST_LOGIN);
    let css = |text| web::get().to(move || async move { page::css(text) });
    config
        .app_data(form)
        .route("/", web::get().to(overview::overview))
        .route("/LoginRequest", web::get().to(login::get))
        .route("/LoginRequest", web::post().to(login::post))
        .route("/add", web::post().to(steps::add))
        .route("/start/{toolContentID}", web::post().to(steps::start))
        .route("/open/author/{id}", web::get().to(launch::author))
        .route("/open/monitor/{id}", web::get().to(launch::monitor))
        .route("/open/learn/{id}/{person}", web::get().to(launch::learn))
        .route("/open/preview/{id}", web::get().to(launch::preview))
        .route("/open/teacher/{id}", web::get().to(launch::teacher))
        .route("/finished", web::get().to(finished::finished))
        .route(
            "/static/common.css",
            css(include_str!("../../../static/sample/common.css")),
        )
        .route(
            "/static/lams.css",
            css(include_str!("../../../static/sample/lams.css")),
        )
        .route(
            "/static/lams.svg",
            web::get().to(|| async { page::svg(include_str!("../../../static/sample/lams.svg")) }),
        )
        .default_service(web::to(|| async { Err::<&str, _>(Refusal::NoPage) }));
}
