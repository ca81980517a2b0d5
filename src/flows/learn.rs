//! A learner, a previewing author or a teacher opens a session: `learning.do` (protocol 3). The path
//! that a class waits on: everything from memory where that is known to be still so, else one indexed read;
//! records behind the answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::admission::{Proof, Visitor, lams_login};
use super::lms::launching;
use super::{Gateway, Refusal};
use crate::domain::content::{ContentKey, Place, is_not_ready};
use crate::domain::id::{ExtId, ServerId, ToolContentId, ToolSessionId};
use crate::domain::launch_mode::LaunchMode;
use crate::domain::launch_record::{About, Noted};
use crate::domain::query::Query;
use crate::domain::redirect::{SessionPage, SessionTarget};
use crate::domain::session::SessionKey;
use crate::domain::state_token::Purpose;
use crate::store::{Changes, Opening, Stamp, StoreError};

/// What is in memory of a session. A hundred thousand are kept, so it is packed: texts one after the other, which costs
/// a launch less than the memory of as many small ones would.
#[derive(Debug)]
pub struct SessionFacts {
    /// External id, and user, course, section and course address of the content's place.
    texts: Box<str>,
    /// Where the first four end.
    ends: [u16; 4],
    has_section: bool,
    has_course_url: bool,
    define_later: bool,
    run_offline: bool,
    /// Whether it is known, or being written down, that a session of its content was opened.
    in_use: AtomicBool,
    server: ServerId,
    content: ToolContentId,
    /// What few have.
    seldom: Option<Box<Seldom>>,
    /// Under which counts it was read.
    stamp: Stamp,
    /// When: seconds after [`BEGUN`].
    read_at: u32,
}

/// What is known of few sessions: of others there is no lock, and nobody has finished them.
#[derive(Debug)]
struct Seldom {
    locked_until: Option<DateTime<Utc>>,
    /// See [`Opening::finished`].
    finished: Option<Box<[Box<str>]>>,
}

/// When the first session was read.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What is in memory is read anew after so long, whatever is known of changes: a bound for what nobody thought of.
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
    noted.server = Some(facts.server.clone());
    noted.content = Some(facts.content.get());
    let server = visitor
        .configuration
        .usable_server(facts.server.as_str(), &visitor.tool.signature)?;

    if mode == LaunchMode::Learner && is_not_ready(facts.define_later, facts.locked_until(), now) {
        return Ok(Learning::NotReady);
    }
    if !facts.in_use.swap(true, Ordering::Relaxed) {
        let content = visitor.content_key(facts.content);
        gateway.recorder().in_use(content);
    }
    if facts.run_offline {
        return Ok(Learning::Offline);
    }
    let place = facts.place();
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
        let enrolling = launching::enroll(gateway, lms, (&place.course, login), about);
        // Boxed, as all that few launches need: else each would carry the room that it takes.
        noted.not_enrolled = Box::pin(enrolling).await;
    }
    let (page, purpose) = match mode {
        LaunchMode::Learner => (SessionPage::Learner, Purpose::Finish),
        LaunchMode::Author => (SessionPage::Preview, Purpose::Finish),
        LaunchMode::Teacher => (SessionPage::Teacher, Purpose::Look),
    };
    let state = gateway.callback_state(visitor, purpose, id.get(), learner.as_ref(), now);
    let redirect = visitor.redirect(gateway, (server, &place), launcher, now);
    let target = SessionTarget {
        id,
        ext_id: &facts.ext_id(),
        finished: gateway.has_finished(&key, &facts, name).await?,
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
            && facts.read_at().elapsed() < FRESH
            && changes.hold(facts.stamp)
        {
            return Ok(facts.clone());
        }
        Box::pin(self.read_session_facts(key, known)).await
    }

    /// The same from the database; `known` is what was so before.
    async fn read_session_facts(
        &self,
        key: &SessionKey,
        known: Option<Arc<SessionFacts>>,
    ) -> Result<Arc<SessionFacts>, Refusal> {
        let changes = self.store.changes();
        let reading = changes.before_reading(key);
        let read_at = Instant::now();
        let away = match tokio::time::timeout(PATIENCE, self.store.opening(key)).await {
            Ok(Ok(Some(opening))) => {
                let content = ContentKey {
                    platform: key.platform.clone(),
                    signature: key.signature.clone(),
                    id: opening.content,
                };
                let stamp = changes.after_reading(reading, &content);
                let mut facts = SessionFacts::packed(opening, stamp, read_at);
                // One text for all of a server.
                let configuration = self.configuration();
                if let Some(server) = configuration.server(facts.server.as_str()) {
                    facts.server = server.id.clone();
                }
                let facts = Arc::new(facts);
                self.sessions().insert(key, facts.clone());
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
            .filter(|facts| facts.was_so_at(changes).elapsed() < STALE)
            .ok_or_else(|| away.into())
    }

    /// Whether somebody has finished a session. While the database is away and cannot be asked, where so many
    /// have that their names are not in memory, nobody has.
    async fn has_finished(
        &self,
        key: &SessionKey,
        facts: &SessionFacts,
        name: &str,
    ) -> Result<bool, Refusal> {
        if let Some(finished) = facts.finished_by() {
            return Ok(finished.iter().any(|one| **one == *name));
        }
        let asked = tokio::time::timeout(PATIENCE, self.store.has_finished(key, name));
        match Box::pin(asked).await {
            Ok(Ok(finished)) => Ok(finished),
            Ok(Err(StoreError::Unavailable(_))) | Err(_) => Ok(false),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Drops what is in memory of a session that is no more.
    pub(super) fn forget_session(&self, key: &SessionKey) {
        self.sessions().remove(key);
    }
}

impl SessionFacts {
    fn packed(opening: Opening, stamp: Stamp, read_at: Instant) -> Self {
        let Place {
            server,
            user,
            course,
            section,
            course_url,
        } = opening.place;
        let mut texts = String::new();
        let mut ends = [0; 4];
        let (has_section, has_course_url) = (section.is_some(), course_url.is_some());
        let parts = [&user, &course, section.as_deref().unwrap_or_default()];
        for (end, text) in ends
            .iter_mut()
            .zip([opening.ext_id.as_str()].into_iter().chain(parts))
        {
            texts.push_str(text);
            *end = u16::try_from(texts.len()).expect("ids and fields have 255 characters at most");
        }
        texts.push_str(course_url.as_deref().unwrap_or_default());
        let (locked_until, finished) = (opening.locked_until, opening.finished);
        let is_usual =
            locked_until.is_none() && finished.as_ref().is_some_and(|all| all.is_empty());
        let seldom = (!is_usual).then(|| {
            Box::new(Seldom {
                locked_until,
                finished,
            })
        });
        Self {
            texts: texts.into_boxed_str(),
            ends,
            has_section,
            has_course_url,
            define_later: opening.define_later,
            run_offline: opening.run_offline,
            in_use: AtomicBool::new(opening.in_use),
            server,
            content: opening.content,
            seldom,
            stamp,
            read_at: u32::try_from(read_at.saturating_duration_since(*BEGUN).as_secs())
                .unwrap_or(u32::MAX),
        }
    }

    /// The text before the end of that number, counted from 0, or the last.
    fn text(&self, number: usize) -> &str {
        let end = |number: usize| self.ends.get(number).map(|end| *end as usize);
        let begin = number.checked_sub(1).and_then(end).unwrap_or_default();
        &self.texts[begin..end(number).unwrap_or(self.texts.len())]
    }

    /// The id of the session's own copy on the server.
    fn ext_id(&self) -> ExtId {
        ExtId::stored(self.text(0).to_owned())
    }

    /// Where that is.
    fn place(&self) -> Place {
        Place {
            server: self.server.clone(),
            user: self.text(1).to_owned(),
            course: self.text(2).to_owned(),
            section: self.has_section.then(|| self.text(3).to_owned()),
            course_url: self.has_course_url.then(|| self.text(4).to_owned()),
        }
    }

    /// The server that it is on.
    pub(super) fn server(&self) -> &ServerId {
        &self.server
    }

    /// The content that the session was made from.
    pub(super) fn content(&self) -> ToolContentId {
        self.content
    }

    fn locked_until(&self) -> Option<DateTime<Utc>> {
        self.seldom.as_ref().and_then(|seldom| seldom.locked_until)
    }

    /// Who finished it; `None` where they are too many.
    fn finished_by(&self) -> Option<&[Box<str>]> {
        match &self.seldom {
            Some(seldom) => seldom.finished.as_deref(),
            None => Some(&[]),
        }
    }

    /// The people who finished it, as far as they are known by name.
    pub(super) fn finished(&self) -> usize {
        self.finished_by().map_or(0, <[_]>::len)
    }

    fn read_at(&self) -> Instant {
        *BEGUN + Duration::from_secs(self.read_at.into())
    }

    /// Until when it was known to be so.
    fn was_so_at(&self, changes: &Changes) -> Instant {
        let read_at = self.read_at();
        let held = changes.held_until(self.stamp);
        held.map_or(read_at, |held| held.max(read_at))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    fn what_is_packed_is_what_was_read(
        #[values(None, Some(""), Some("3"))] section: Option<&str>,
        #[values(None, Some("http://lrn.example.org/dotlrn/clubs/é"))] course_url: Option<&str>,
    ) {
        let place = Place {
            server: "moodle".parse().unwrap(),
            user: "bill é".into(),
            course: "7".into(),
            section: section.map(str::to_owned),
            course_url: course_url.map(str::to_owned),
        };
        let opening = Opening {
            content: ToolContentId::from_number(5).unwrap(),
            ext_id: ExtId::stored("556".into()),
            place: place.clone(),
            define_later: false,
            locked_until: None,
            run_offline: false,
            in_use: true,
            finished: Some(Box::default()),
        };
        let facts = SessionFacts::packed(opening.clone(), Stamp::NONE, Instant::now());
        assert_eq!(facts.place(), place);
        assert_eq!(facts.ext_id(), opening.ext_id);
        assert!(
            std::mem::size_of::<SessionFacts>() <= 88,
            "{}",
            std::mem::size_of::<SessionFacts>()
        );
    }
}
