//! A learner, a previewing author or a teacher opens a session: `learning.do` (protocol 3). The path
//! that a class waits on: everything from memory where that is known to be still so, else one indexed read;
//! records behind the answer.

use chrono::{DateTime, Utc};

use super::admission::{Proof, Visitor, lams_login};
use super::lms::launching;
use super::{Gateway, Refusal};
use crate::domain::id::ToolSessionId;
use crate::domain::launch_mode::LaunchMode;
use crate::domain::launch_record::{About, Noted};
use crate::domain::query::Query;
use crate::domain::redirect::{SessionPage, SessionTarget};
use crate::domain::state_token::Purpose;

/// Where the browser goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learning {
    /// To the external server.
    Redirect(String),
    /// Nowhere yet: the activity is still to be defined, or being edited.
    NotReady,
    /// Nowhere: it is done offline.
    Offline,
}

/// Opens a session. What is known of the launch goes to `noted`, also where it is refused.
pub async fn open(
    gateway: &Gateway,
    visitor: &Visitor<'_>,
    query: &Query<'_>,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<Learning, Refusal> {
    query.check()?;
    let mode: LaunchMode = query.required("mode")?.parse()?;
    let id: ToolSessionId = query.required("toolSessionID")?.parse()?;
    let launcher = visitor.uid.as_ref();
    // `userID` names a learner where nothing is signed; it never signs for one.
    let named = query.get("userID").filter(|name| !name.trim().is_empty());
    let learner = match (launcher, named) {
        (None, Some(name)) if visitor.proof == Proof::Nothing => Some(lams_login("userID", name)?),
        _ => launcher.cloned(),
    };

    let key = visitor.session(id);
    let name = learner.as_ref().map_or("", |person| person.name());
    noted.session = Some(id.get());
    noted.user = learner.as_ref().map(|person| person.name().to_owned());
    let facts = gateway.session_facts(key).await?;
    noted.content = Some(facts.content().get());
    let texts = facts.texts();
    let server = visitor
        .configuration
        .usable_server(texts.server, &visitor.tool.signature);
    noted.server = match server {
        Ok(server) => Some(server.id.clone()),
        Err(_) => texts.server.parse().ok(),
    };
    let server = server?;

    if mode == LaunchMode::Learner && facts.is_not_ready(now) {
        return Ok(Learning::NotReady);
    }
    let place = texts.place;
    // Where it leads nowhere any more, that is told before anything is noted.
    let redirect = match facts.is_offline() {
        true => None,
        false => Some(visitor.redirect(gateway, (server, place), launcher, now)?),
    };
    if !facts.in_use {
        let content = visitor.content_key(facts.content());
        gateway.recorder().in_use(content);
        gateway.sessions().set_in_use(key, facts.clone());
    }
    let Some(redirect) = redirect else {
        return Ok(Learning::Offline);
    };
    if let (LaunchMode::Learner, Some(lms), Some(person)) = (mode, &server.lms, launcher)
        && lms.auto_enroll
    {
        let login = person.external_login(server);
        let about = || About {
            platform: visitor.platform.id.clone(),
            signature: visitor.tool.signature.clone(),
            content: noted.content,
            session: noted.session,
        };
        let enrolling = launching::enroll(gateway, lms, (place.course, login), about);
        // Boxed, as all that few launches need: else each would carry the room that it takes.
        noted.not_enrolled = Box::pin(enrolling).await;
    }
    let (page, purpose) = match mode {
        LaunchMode::Learner => (SessionPage::Learner, Purpose::Finish),
        LaunchMode::Author => (SessionPage::Preview, Purpose::Finish),
        LaunchMode::Teacher => (SessionPage::Teacher, Purpose::Look),
    };
    let until = gateway.expiry(purpose, now);
    let state = gateway.callback_state(visitor, purpose, id.get(), learner.as_ref(), until);
    let target = SessionTarget {
        id,
        ext_id: texts.ext_id,
        finished: gateway.has_finished(key, &facts, name).await?,
    };
    Ok(Learning::Redirect(redirect.session(
        page,
        target,
        state.as_deref(),
    )))
}
