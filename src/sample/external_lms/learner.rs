//! A learner's page: the forum or the quiz, and the button that leads on in the lesson.

use actix_web::HttpResponse;

use super::activity::{Activity, Kind};
use super::entry::Visit;
use super::refusal::Refusal;
use super::ticket::Purpose;
use super::{ExternalLms, forum, quiz};

/// A learner at an activity.
pub(super) struct AtWork<'a> {
    pub(super) visit: &'a Visit,
    pub(super) activity: Activity,
    /// Where "Next activity" leads.
    pub(super) back: &'a str,
    /// Whether LAMS says that they have finished it.
    pub(super) finished: bool,
}

impl AtWork<'_> {
    /// Whether they did what there is to do, so that going on is the next thing.
    pub(super) fn is_done(&self) -> bool {
        self.finished || self.activity.has_work_of(&self.visit.user)
    }
}

/// Who is at work; refused where a visit is not a learner's.
pub(super) fn at_work<'a>(lms: &ExternalLms, visit: &'a Visit) -> Result<AtWork<'a>, Refusal> {
    let Purpose::Learn { id, back, finished } = &visit.purpose else {
        return Err(Refusal::NoTicket);
    };
    Ok(AtWork {
        visit,
        activity: lms.ticketed(*id)?,
        back,
        finished: *finished,
    })
}

/// The page of the learner's activity.
pub(super) fn page(lms: &ExternalLms, visit: &Visit) -> Result<HttpResponse, Refusal> {
    let at_work = at_work(lms, visit)?;
    Ok(match at_work.activity.kind {
        Kind::Forum => forum::page(&at_work),
        Kind::Quiz => quiz::page(&at_work),
    })
}

/// Where a form leads when it was taken: the same page, read anew.
pub(super) fn page_address(visit: &Visit) -> String {
    format!("/course/lamsframes.php?ticket={}", visit.ticket)
}
