//! A learner, a previewing author or a teacher opens a session: `learning.do` (protocol 3). The path
//! that a class waits on: everything from memory where that is known to be still so, else one indexed read;
//! records behind the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::admission::{Proof, Visitor, lams_login};
use super::lms::launching;
use super::{Gateway, Refusal};
use crate::domain::content::{ContentKey, is_not_ready};
use crate::domain::id::ToolSessionId;
use crate::domain::launch_mode::LaunchMode;
use crate::domain::launch_record::{About, Noted};
use crate::domain::query::Query;
use crate::domain::redirect::{SessionPage, SessionTarget};
use crate::domain::session::SessionKey;
use crate::domain::state_token::Purpose;
use crate::store::{Changes, Opening, Stamp, StoreError};

/// What is in memory of a session.
#[derive(Debug)]
pub struct SessionFacts {
    /// The session and its content, as they were read.
    pub opening: Opening,
    /// Whether it is known, or being written down, that a session of its content was opened.
    in_use: AtomicBool,
    /// Under which counts it was read.
    stamp: Option<Stamp>,
    /// When.
    read_at: Instant,
}

/// What is in memory is read anew after so long, whatever is known of changes: in case that somebody changed the
/// embedded database past the gateway.
const FRESH: Duration = Duration::from_secs(600);
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
    let facts = gateway.session_facts(&key).await?;
    let opening = &facts.opening;
    noted.server = Some(opening.place.server.clone());
    noted.content = Some(opening.content.get());
    let server = visitor
        .configuration
        .usable_server(opening.place.server.as_str(), &visitor.tool.signature)?;

    if mode == LaunchMode::Learner && is_not_ready(opening.define_later, opening.locked_until, now)
    {
        return Ok(Learning::NotReady);
    }
    if !facts.in_use.swap(true, Ordering::Relaxed) {
        let content = visitor.content_key(opening.content);
        gateway.recorder().in_use(content);
    }
    if opening.run_offline {
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
            launching::enroll(gateway, lms, (&opening.place.course, login), about).await;
    }
    let (page, purpose) = match mode {
        LaunchMode::Learner => (SessionPage::Learner, Purpose::Finish),
        LaunchMode::Author => (SessionPage::Preview, Purpose::Finish),
        LaunchMode::Teacher => (SessionPage::Teacher, Purpose::Look),
    };
    let state = gateway.callback_state(visitor, purpose, id.get(), learner.as_ref(), now);
    let redirect = visitor.redirect(gateway, (server, &opening.place), launcher, now);
    let target = SessionTarget {
        id,
        ext_id: &opening.ext_id,
        finished: gateway.has_finished(&key, opening, name).await?,
    };
    Ok(Learning::Redirect(redirect.session(
        page,
        target,
        state.as_deref(),
    )))
}

impl Gateway {
    /// What a launch has to know of a session: from memory where that is known to be still so, else from the
    /// database. While that is away, what is in memory counts for five minutes, so that launches go on.
    pub(super) async fn session_facts(
        &self,
        key: &SessionKey,
    ) -> Result<Arc<SessionFacts>, Refusal> {
        let known = self.sessions().get(key);
        let changes = self.store.changes();
        if let Some(facts) = &known
            && facts.read_at.elapsed() < FRESH
            && facts
                .stamp
                .is_some_and(|stamp| changes.hold(stamp, key, facts.opening.content))
        {
            return Ok(facts.clone());
        }
        let reading = changes.before_reading(key);
        let read_at = Instant::now();
        let away = match tokio::time::timeout(PATIENCE, self.store.opening(key)).await {
            Ok(Ok(Some(opening))) => {
                let content = ContentKey {
                    platform: key.platform.clone(),
                    signature: key.signature.clone(),
                    id: opening.content,
                };
                let facts = Arc::new(SessionFacts {
                    in_use: AtomicBool::new(opening.in_use),
                    stamp: changes.after_reading(reading, &content),
                    opening,
                    read_at,
                });
                self.sessions().insert(key.clone(), facts.clone());
                return Ok(facts);
            }
            Ok(Ok(None)) => {
                self.forget_session(key);
                return Err(Refusal::UnknownSession);
            }
            Ok(Err(error @ StoreError::Unavailable(_))) => error,
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => StoreError::late(),
        };
        known
            .filter(|facts| facts.was_so_at(key, changes).elapsed() < STALE)
            .ok_or_else(|| away.into())
    }

    /// Whether somebody has finished a session. While the database is away and cannot be asked, where so many
    /// have that their names are not in memory, nobody has.
    async fn has_finished(
        &self,
        key: &SessionKey,
        opening: &Opening,
        name: &str,
    ) -> Result<bool, Refusal> {
        if let Some(finished) = &opening.finished {
            return Ok(finished.iter().any(|one| **one == *name));
        }
        match tokio::time::timeout(PATIENCE, self.store.has_finished(key, name)).await {
            Ok(Ok(finished)) => Ok(finished),
            Ok(Err(StoreError::Unavailable(_))) | Err(_) => Ok(false),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Drops what is in memory of a session that is no more.
    pub(super) fn forget_session(&self, key: &SessionKey) {
        self.sessions().invalidate(key);
    }
}

impl SessionFacts {
    /// Until when it was known to be so.
    fn was_so_at(&self, key: &SessionKey, changes: &Changes) -> Instant {
        let held = self
            .stamp
            .and_then(|stamp| changes.held_until(stamp, key, self.opening.content));
        held.map_or(self.read_at, |held| held.max(self.read_at))
    }
}
