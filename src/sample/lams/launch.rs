//! The buttons that lead to the gateway. Each answers with an address signed at that moment: a
//! signature lasts five minutes, a lesson's page stays open for longer.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use secrecy::ExposeSecret;

use super::Lams;
use super::lesson::Activity;
use super::refusal::Refusal;
use crate::domain::launch_signature::LaunchKey;
use crate::sample::page;

/// Who learns.
pub(super) const LEARNERS: [&str; 2] = ["Anna", "Ben"];

type Answer = Result<HttpResponse, Refusal>;

/// `GET /open/author/{toolContentID}`: the teacher writes or edits the activity. Without customCSV, which
/// was dropped on the way in.
pub(super) async fn author(id: web::Path<String>, lams: web::Data<Lams>) -> Answer {
    let activity = lams.activity(&id)?;
    let page = format!(
        "authoring.do?toolContentID={}&contentFolderID=f1",
        activity.tool_content_id
    );
    Ok(lams.launch(&activity, &page, &lams.whoever_teaches()?.login))
}

/// `GET /open/monitor/{toolContentID}`: the teacher watches the groups.
pub(super) async fn monitor(id: web::Path<String>, lams: web::Data<Lams>) -> Answer {
    let activity = lams.activity(&id)?;
    let page = format!(
        "monitoring.do?toolContentID={}&contentFolderID=f1",
        activity.tool_content_id
    );
    Ok(lams.launch(&activity, &page, &lams.whoever_teaches()?.login))
}

/// `GET /open/learn/{toolSessionID}/{person}`: Anna or Ben takes part.
pub(super) async fn learn(path: web::Path<(String, String)>, lams: web::Data<Lams>) -> Answer {
    let (id, name) = path.into_inner();
    let learner = LEARNERS
        .into_iter()
        .find(|learner| learner.eq_ignore_ascii_case(&name))
        .ok_or(Refusal::NoPage)?;
    lams.session(&id, "learner", &format!("{}_{learner}", lams.config.prefix))
}

/// `GET /open/preview/{toolSessionID}`: the teacher sees what learners see.
pub(super) async fn preview(id: web::Path<String>, lams: web::Data<Lams>) -> Answer {
    lams.session(&id, "author", &lams.whoever_teaches()?.login)
}

/// `GET /open/teacher/{toolSessionID}`: the teacher sees what learners did.
pub(super) async fn teacher(id: web::Path<String>, lams: web::Data<Lams>) -> Answer {
    lams.session(&id, "teacher", &lams.whoever_teaches()?.login)
}

impl Lams {
    fn activity(&self, id: &str) -> Result<Activity, Refusal> {
        let id = id.parse().map_err(|_| Refusal::NotInLesson)?;
        let lesson = self.lesson();
        lesson.activity(id).cloned().ok_or(Refusal::NotInLesson)
    }

    fn session(&self, id: &str, mode: &str, uid: &str) -> Answer {
        let id: i64 = id.parse().map_err(|_| Refusal::NotInLesson)?;
        let activity = self.lesson().activity_of(id).cloned();
        let activity = activity.ok_or(Refusal::NotInLesson)?;
        let page = format!("learning.do?mode={mode}&toolSessionID={id}");
        Ok(self.launch(&activity, &page, uid))
    }

    /// A redirect to a page of the gateway, signed for a person now.
    fn launch(&self, activity: &Activity, page: &str, uid: &str) -> HttpResponse {
        let path = format!(
            "/{}/tool/{}/{page}",
            self.config.platform_id, activity.signature
        );
        let key = LaunchKey::new(self.config.launch_secret.expose_secret());
        let signed = key.sign(&path, uid, Utc::now());
        let gateway = self.config.gateway_url.trim_end_matches('/');
        page::redirect(StatusCode::FOUND, &format!("{gateway}{signed}"))
    }
}
