//! A learner, a previewing author or a teacher opens a session: `learning.do` (protocol 3). The path
//! that a class waits on: one indexed read, everything else from memory, records behind the answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::admission::{Proof, Visitor, lams_login};
use super::lms::launching;
use super::{Gateway, Refusal};
use crate::domain::content::{Place, is_not_ready};
use crate::domain::id::ToolSessionId;
use crate::domain::launch_mode::LaunchMode;
use crate::domain::launch_record::{About, Noted};
use crate::domain::query::Query;
use crate::domain::redirect::{SessionPage, SessionTarget};
use crate::domain::session::{Session, SessionKey};
use crate::domain::state_token::Purpose;
use crate::store::{Flags, StoreError};

/// What never changes of a session while it exists; kept in memory.
#[derive(Debug)]
pub struct SessionFacts {
    /// The session.
    pub session: Session,
    /// Where its content lives.
    pub place: Place,
    /// What could change when it was last read, for launches while the database is away.
    last_flags: Mutex<Option<(Instant, Flags)>>,
}

/// While the database is away, what was last read of a session counts for this long.
const STALE: Duration = Duration::from_secs(300);
/// The database has this long to answer a launch that could do without it; longer than it takes to find out that
/// it is away.
const PATIENCE: Duration = Duration::from_secs(2);

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
    visitor: &Visitor,
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

    let key = visitor.session_key(id);
    let name = learner.as_ref().map_or("", |person| person.name());
    noted.session = Some(id.get());
    noted.user = learner.as_ref().map(|person| person.name().to_owned());
    let (facts, flags) = gateway.facts_and_flags(&key, name).await?;
    noted.server = Some(facts.place.server.clone());
    noted.content = Some(facts.session.content.get());
    let server = visitor
        .configuration
        .usable_server(facts.place.server.as_str(), &visitor.tool.signature)?;

    if mode == LaunchMode::Learner && is_not_ready(flags.define_later, flags.locked_until, now) {
        return Ok(Learning::NotReady);
    }
    if !flags.content_in_use {
        gateway.recorder().in_use(facts.session.content_key());
    }
    if flags.run_offline {
        return Ok(Learning::Offline);
    }
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
        noted.not_enrolled =
            launching::enroll(gateway, lms, (&facts.place.course, login), about).await;
    }
    let (page, purpose) = match mode {
        LaunchMode::Learner => (SessionPage::Learner, Purpose::Finish),
        LaunchMode::Author => (SessionPage::Preview, Purpose::Finish),
        LaunchMode::Teacher => (SessionPage::Teacher, Purpose::Look),
    };
    let state = gateway.callback_state(visitor, purpose, id.get(), learner.as_ref(), now);
    let redirect = visitor.redirect(gateway, (server, &facts.place), launcher, now);
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
        let facts = Arc::new(SessionFacts {
            session,
            place,
            last_flags: Mutex::default(),
        });
        self.sessions().insert(key.clone(), facts.clone());
        Ok(facts)
    }

    /// All of a session that a launch needs. What is in memory is read anew where it is of a session that
    /// was removed, or made again, in the meantime.
    async fn facts_and_flags(
        &self,
        key: &SessionKey,
        person: &str,
    ) -> Result<(Arc<SessionFacts>, Flags), Refusal> {
        for _ in 0..2 {
            let facts = self.session_facts(key).await?;
            if let Some(flags) = self.flags(&facts, person).await? {
                return Ok((facts, flags));
            }
            self.forget_session(key);
        }
        Err(Refusal::UnknownSession)
    }

    /// What may have changed since the last launch. While the database is away, what was read last, and
    /// that the person has not finished: launches go on, five minutes at most.
    async fn flags(&self, facts: &SessionFacts, person: &str) -> Result<Option<Flags>, Refusal> {
        let read = self.store.flags(&facts.session, person);
        let read = tokio::time::timeout(PATIENCE, read).await;
        let mut last = facts
            .last_flags
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let away = match read {
            Ok(Ok(flags)) => {
                *last = flags.map(|flags| {
                    (
                        Instant::now(),
                        Flags {
                            finished_at: None,
                            ..flags
                        },
                    )
                });
                return Ok(flags);
            }
            Ok(Err(error @ StoreError::Unavailable(_))) => error,
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => StoreError::late(),
        };
        match *last {
            Some((at, flags)) if at.elapsed() < STALE => Ok(Some(flags)),
            _ => Err(away.into()),
        }
    }

    /// Drops what is in memory of a session that is no more.
    pub(super) fn forget_session(&self, key: &SessionKey) {
        self.sessions().invalidate(key);
    }
}
