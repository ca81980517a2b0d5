//! A learner, a previewing author or a teacher opens a session: `learning.do` (protocol 3). The path
//! that a class waits on: one indexed read, everything else from memory, records behind the answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::admission::{Proof, Visitor};
use super::{Gateway, Refusal};
use crate::domain::content::{Place, is_not_ready};
use crate::domain::id::ToolSessionId;
use crate::domain::launch_mode::LaunchMode;
use crate::domain::person::Person;
use crate::domain::query::{Query, QueryError};
use crate::domain::redirect::{Redirect, SessionPage, SessionTarget};
use crate::domain::session::{Session, SessionKey};
use crate::domain::state_token::Purpose;

/// What never changes of a session while it exists; kept in memory.
#[derive(Debug)]
pub struct SessionFacts {
    /// The session.
    pub session: Session,
    /// Where its content lives.
    pub place: Place,
}

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

/// Opens a session.
pub async fn open(
    gateway: &Gateway,
    visitor: &Visitor,
    query: &Query<'_>,
    now: DateTime<Utc>,
) -> Result<Learning, Refusal> {
    query.check()?;
    let mode: LaunchMode = query.required("mode")?.parse()?;
    let id: ToolSessionId = query.required("toolSessionID")?.parse()?;
    let launcher = visitor.uid.as_ref();
    // `userID` names a learner where nothing is signed; it never signs for one.
    let learner = launcher.cloned().or_else(|| {
        let named = query.get("userID").filter(|name| !name.trim().is_empty());
        named
            .filter(|_| visitor.proof == Proof::Nothing)
            .map(|name| Person::Lams(name.to_owned()))
    });
    if learner
        .as_ref()
        .is_some_and(|person| !is_a_name(person.name()))
    {
        return Err(QueryError::Malformed("userID or uid".to_owned()).into());
    }

    let key = visitor.session_key(id);
    let facts = gateway.session_facts(&key).await?;
    let server = visitor
        .configuration
        .usable_server(facts.place.server.as_str(), &visitor.tool.signature)?;
    let name = learner.as_ref().map_or("", |person| person.name());
    let Some(flags) = gateway.store.flags(&key, name).await? else {
        gateway.forget_session(&key);
        return Err(Refusal::UnknownSession);
    };

    if mode == LaunchMode::Learner && is_not_ready(flags.define_later, flags.locked_until, now) {
        return Ok(Learning::NotReady);
    }
    if !flags.content_in_use {
        gateway.recorder().in_use(facts.session.content_key());
    }
    if flags.run_offline {
        return Ok(Learning::Offline);
    }
    let (page, purpose) = match mode {
        LaunchMode::Learner => (SessionPage::Learner, Purpose::Finish),
        LaunchMode::Author => (SessionPage::Preview, Purpose::Finish),
        LaunchMode::Teacher => (SessionPage::Teacher, Purpose::Look),
    };
    if purpose == Purpose::Finish
        && let Some(learner) = &learner
    {
        gateway
            .recorder()
            .opened(key, learner.name().to_owned(), now);
    }
    let state = gateway.callback_state(visitor, purpose, id.get(), learner.as_ref(), now);
    let redirect = Redirect {
        public_url: gateway.public_url(),
        platform: &visitor.platform.id,
        tool: &visitor.tool,
        server,
        place: &facts.place,
        person: launcher,
        now,
    };
    let target = SessionTarget {
        id,
        ext_id: &facts.session.ext_id,
        finished: flags.finished_at.is_some(),
    };
    Ok(Learning::Redirect(redirect.session(
        page,
        target,
        state.as_deref(),
    )))
}

/// Whether a name can be stored: short enough, and without control characters.
fn is_a_name(name: &str) -> bool {
    name.chars().count() <= 255 && !name.chars().any(char::is_control)
}

impl Gateway {
    /// What never changes of a session, from memory or, the first time, from the database.
    pub(super) async fn session_facts(
        &self,
        key: &SessionKey,
    ) -> Result<Arc<SessionFacts>, Refusal> {
        if let Some(facts) = self.sessions().get(key) {
            return Ok(facts);
        }
        let session = self
            .store
            .session(key)
            .await?
            .ok_or(Refusal::UnknownSession)?;
        let content = session.content_key();
        let place = self
            .store
            .content(&content)
            .await?
            .ok_or(Refusal::UnknownSession)?
            .place;
        let facts = Arc::new(SessionFacts { session, place });
        self.sessions().insert(key.clone(), facts.clone());
        Ok(facts)
    }

    /// Drops what is in memory of a session that is no more.
    pub(super) fn forget_session(&self, key: &SessionKey) {
        self.sessions().invalidate(key);
    }
}
