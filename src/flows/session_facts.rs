//! What is in memory of sessions, so that a launch asks the database nothing: a hundred thousand of them in the room of
//! a few megabytes, each believed for as long as nothing is known to have changed ([`crate::store::Changes`]).

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::two_hashes::TwoHashes;
use super::{Gateway, Refusal};
use crate::domain::content::{ContentKey, Place, PlaceRef, is_not_ready};
use crate::domain::id::ToolContentId;
use crate::domain::session::{SessionKey, SessionRef};
use crate::store::{Changes, Opening, Stamp, StoreError};

/// So many sessions are kept in memory, the most used ones. More than a hundred thousand, so that as many are kept
/// whatever their keys are: each of the cache's parts has its own share, and by chance gets some more or fewer.
const SESSIONS_IN_MEMORY: u64 = 110_000;
/// So many parts there are, on any machine: of many small ones some would be full.
const PARTS: usize = 16;
/// So many names of people who finished take about the room of one session.
const NAMES_FOR_ONE: u64 = 8;

/// What is in memory is read anew after so long, whatever is known of changes: a bound for what nobody thought of. Longer
/// than a lesson: in the next one's rush all would be read anew at once.
const FRESH: Duration = Duration::from_secs(3600);
/// While the database is away, what was last read of a session counts for this long.
const STALE: Duration = Duration::from_secs(300);
/// The database has this long to answer a launch that could do without it; longer than it takes to find out that
/// it is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// When the first session was read.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The sessions in memory.
pub(super) struct Sessions {
    facts: Cache<[u64; 2], SessionFacts, ByFinished>,
    hashes: TwoHashes,
}

/// Sessions that were finished by many take the room of several.
#[derive(Clone)]
struct ByFinished;

impl Weighter<[u64; 2], SessionFacts> for ByFinished {
    fn weight(&self, _: &[u64; 2], facts: &SessionFacts) -> u64 {
        let finished = u64::try_from(facts.finished()).unwrap_or(u64::MAX);
        1 + finished / NAMES_FOR_ONE
    }
}

impl Default for Sessions {
    fn default() -> Self {
        // Room for all of them from the start, which takes no memory before it is used: to make more again and again
        // would leave what was outgrown behind, and take as much once more.
        let options = OptionsBuilder::new()
            .shards(PARTS)
            .estimated_items_capacity(SESSIONS_IN_MEMORY as usize)
            .weight_capacity(SESSIONS_IN_MEMORY)
            .build()
            .expect("both capacities are given");
        Self {
            facts: Cache::with_options(
                options,
                ByFinished,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            hashes: TwoHashes::default(),
        }
    }
}

impl Sessions {
    pub(super) fn get(&self, key: SessionRef<'_>) -> Option<SessionFacts> {
        self.facts.get(&self.known_as(key))
    }

    /// Keeps in mind that it is known, or being written down, that a session of its content was opened.
    pub(super) fn set_in_use(&self, key: SessionRef<'_>, mut facts: SessionFacts) {
        facts.in_use = true;
        self.insert(key, facts);
    }

    fn insert(&self, key: SessionRef<'_>, facts: SessionFacts) {
        self.facts.insert(self.known_as(key), facts);
    }

    fn remove(&self, key: SessionRef<'_>) {
        self.facts.remove(&self.known_as(key));
    }

    fn known_as(&self, key: SessionRef<'_>) -> [u64; 2] {
        self.hashes.of(key)
    }
}

/// What is in memory of a session. It lies in the cache as it is, in one piece where its texts are as short as most
/// are: what lies elsewhere would have to be fetched from there for each launch.
#[derive(Debug, Clone)]
pub struct SessionFacts {
    /// External id, and user, course, section, server and course address of the content's place, one after the other.
    texts: Texts,
    /// Where the first five end.
    ends: [u16; 5],
    has_section: bool,
    has_course_url: bool,
    define_later: bool,
    run_offline: bool,
    /// Whether it is known, or being written down, that a session of its content was opened.
    pub(super) in_use: bool,
    content: ToolContentId,
    /// What few have.
    seldom: Option<Arc<Seldom>>,
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

/// So many bytes of text lie where the facts are.
const SHORT: usize = 38;

/// A text, short or long.
#[derive(Clone)]
enum Texts {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<str>),
}

impl Texts {
    fn of(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(text.as_bytes());
                Texts::Short { length, bytes }
            }
            _ => Texts::Long(text.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Texts::Short { length, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*length)]).expect("it was a text")
            }
            Texts::Long(text) => text,
        }
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// The texts of a session's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionTexts<'a> {
    /// The id of the session's own copy on the server.
    pub(super) ext_id: &'a str,
    /// The id of that server.
    pub(super) server: &'a str,
    /// Where on it.
    pub(super) place: PlaceRef<'a>,
}

impl Gateway {
    /// What a launch has to know of a session: from memory where that is known to be still so, else from the
    /// database. While that is away, what is in memory counts for five minutes, so that launches go on.
    pub(super) async fn session_facts(&self, key: SessionRef<'_>) -> Result<SessionFacts, Refusal> {
        let known = self.sessions().get(key);
        let changes = self.store.changes();
        match known {
            Some(facts) if facts.read_at().elapsed() < FRESH && changes.hold(facts.stamp) => {
                Ok(facts)
            }
            known => Box::pin(self.read_session_facts(key.to_key(), known)).await,
        }
    }

    /// The same from the database; `known` is what was so before.
    async fn read_session_facts(
        &self,
        key: SessionKey,
        known: Option<SessionFacts>,
    ) -> Result<SessionFacts, Refusal> {
        let changes = self.store.changes();
        let reading = changes.before_reading(&key);
        let read_at = Instant::now();
        let away = match tokio::time::timeout(PATIENCE, self.store.opening(&key)).await {
            Ok(Ok(Some(opening))) => {
                let content = ContentKey {
                    platform: key.platform.clone(),
                    signature: key.signature.clone(),
                    id: opening.content,
                };
                let stamp = changes.after_reading(reading, &content);
                let facts = SessionFacts::packed(opening, stamp, read_at);
                self.sessions().insert((&key).into(), facts.clone());
                return Ok(facts);
            }
            Ok(Ok(None)) => {
                self.forget_session(&key);
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
    pub(super) async fn has_finished(
        &self,
        key: SessionRef<'_>,
        facts: &SessionFacts,
        name: &str,
    ) -> Result<bool, Refusal> {
        if let Some(finished) = facts.finished_by() {
            return Ok(finished.iter().any(|one| **one == *name));
        }
        let key = key.to_key();
        let asked = tokio::time::timeout(PATIENCE, self.store.has_finished(&key, name));
        match Box::pin(asked).await {
            Ok(Ok(finished)) => Ok(finished),
            Ok(Err(StoreError::Unavailable(_))) | Err(_) => Ok(false),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    /// Drops what is in memory of a session that is no more.
    pub(super) fn forget_session(&self, key: &SessionKey) {
        self.sessions().remove(key.into());
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
        } = &opening.place;
        let mut texts = String::new();
        let mut ends = [0; 5];
        let (ext_id, section_text) = (opening.ext_id.as_str(), section.as_deref());
        let first = [ext_id, user, course, section_text.unwrap_or_default()];
        for (end, text) in ends
            .iter_mut()
            .zip(first.into_iter().chain([server.as_str()]))
        {
            texts.push_str(text);
            *end = u16::try_from(texts.len()).expect("ids and fields have 255 characters at most");
        }
        texts.push_str(course_url.as_deref().unwrap_or_default());
        let (locked_until, finished) = (opening.locked_until, opening.finished);
        let is_usual =
            locked_until.is_none() && finished.as_ref().is_some_and(|all| all.is_empty());
        let seldom = (!is_usual).then(|| {
            Arc::new(Seldom {
                locked_until,
                finished,
            })
        });
        Self {
            texts: Texts::of(&texts),
            ends,
            has_section: section.is_some(),
            has_course_url: course_url.is_some(),
            define_later: opening.define_later,
            run_offline: opening.run_offline,
            in_use: opening.in_use,
            content: opening.content,
            seldom,
            stamp,
            read_at: u32::try_from(read_at.saturating_duration_since(*BEGUN).as_secs())
                .unwrap_or(u32::MAX),
        }
    }

    /// Its texts.
    pub(super) fn texts(&self) -> SessionTexts<'_> {
        let (texts, mut begin) = (self.texts.as_str(), 0);
        let [ext_id, user, course, section, server] = self.ends.map(|end| {
            let text = &texts[begin..usize::from(end)];
            begin = end.into();
            text
        });
        SessionTexts {
            ext_id,
            server,
            place: PlaceRef {
                user,
                course,
                section: self.has_section.then_some(section),
                course_url: self.has_course_url.then_some(&texts[begin..]),
            },
        }
    }

    /// The content that the session was made from.
    pub(super) fn content(&self) -> ToolContentId {
        self.content
    }

    /// Whether learners have to wait.
    pub(super) fn is_not_ready(&self, now: DateTime<Utc>) -> bool {
        let locked_until = self.seldom.as_ref().and_then(|seldom| seldom.locked_until);
        is_not_ready(self.define_later, locked_until, now)
    }

    /// Whether learners do it offline.
    pub(super) fn is_offline(&self) -> bool {
        self.run_offline
    }

    /// Who finished it; `None` where they are too many.
    fn finished_by(&self) -> Option<&[Box<str>]> {
        match &self.seldom {
            Some(seldom) => seldom.finished.as_deref(),
            None => Some(&[]),
        }
    }

    /// The people who finished it, as far as they are known by name.
    fn finished(&self) -> usize {
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
    use crate::domain::id::ExtId;
    use crate::store::tests::{place, session};

    /// Those of a session whose copy is at a place.
    fn facts_at(place: Place) -> SessionFacts {
        let opening = Opening {
            content: ToolContentId::from_number(5).unwrap(),
            ext_id: ExtId::stored("556".into()),
            place,
            define_later: false,
            locked_until: None,
            run_offline: false,
            in_use: true,
            finished: Some(Box::default()),
        };
        SessionFacts::packed(opening, Stamp::NONE, Instant::now())
    }

    #[rstest]
    fn what_is_packed_is_what_was_read(
        #[values("bill é", "somebody with a name that takes more room than is there é")] user: &str,
        #[values(None, Some(""), Some("3"))] section: Option<&str>,
        #[values(None, Some("http://lrn.example.org/dotlrn/clubs/é"))] course_url: Option<&str>,
    ) {
        let place = Place {
            server: "moodle".parse().unwrap(),
            user: user.into(),
            course: "7".into(),
            section: section.map(str::to_owned),
            course_url: course_url.map(str::to_owned),
        };
        let facts = facts_at(place.clone());
        let texts = SessionTexts {
            ext_id: "556",
            server: "moodle",
            place: PlaceRef::from(&place),
        };
        assert_eq!(facts.texts(), texts);
    }

    #[test]
    fn a_hundred_thousand_are_there_together() {
        let facts = facts_at(place());
        let sessions = Sessions::default();
        let keys: Vec<_> = (1..=100_000).map(|id| session(id, 5).key).collect();
        for key in &keys {
            sessions.insert(key.into(), facts.clone());
        }
        let there = keys
            .iter()
            .filter(|key| sessions.get((*key).into()).is_some());
        assert_eq!(there.count(), keys.len());
    }

    #[test]
    fn a_hundred_thousand_take_ten_megabytes() {
        assert_eq!(std::mem::size_of::<SessionFacts>(), 96);
    }

    #[rstest]
    #[case(SHORT)]
    #[case(SHORT + 1)]
    fn a_text_is_kept_however_long_it_is(#[case] length: usize) {
        let text = "x".repeat(length);
        let kept = Texts::of(&text);
        assert_eq!(matches!(kept, Texts::Short { .. }), length == SHORT);
        assert_eq!(kept.as_str(), text);
    }
}
