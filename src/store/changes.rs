//! What of sessions and contents has changed, so that what is in memory of them can be used without asking. Each
//! session and each content has a counter, which it shares with a few others by chance: who changes something
//! counts it up after it is stored, and what was read under another count, or while it changed, is read anew.
//!
//! What others change is told by triggers (`0017_changes.sql`), which hear of changes by hand, too. PostgreSQL tells it
//! over a connection that listens. To know that it does, an instance tells itself something again and again; while
//! that does not come back, nothing in memory is believed. An embedded database writes changes down in a table, which
//! is read ten times a second: there is nobody else than a command of an operator, or a second gateway by mistake.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{PgPool, SqlitePool};

use super::{Db, Store};
use crate::domain::content::ContentKey;
use crate::domain::id::{ToolContentId, ToolSessionId};
use crate::domain::session::SessionKey;

/// Where PostgreSQL tells of changes; see the migration.
const CHANNEL: &str = "toolgate_changes";
/// What an instance tells itself, on PostgreSQL alone; not later for a disk that is slow.
const TELL: &str = "select pg_notify($1, ''), set_config('synchronous_commit', 'off', true)";
/// What was told since, the newest that was, and forgetting it, on SQLite alone.
const TOLD: &str = "select id, what from told_changes where id > $1 order by id";
const NEWEST: &str = "select coalesce(max(id), 0) from told_changes";
const FORGET: &str = "delete from told_changes where id <= $1";

/// The statements that only one database knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] = &[("TELL", TELL)];
#[cfg(test)]
pub(super) const SQLITE_STATEMENTS: &[(&str, &str)] =
    &[("TOLD", TOLD), ("NEWEST", NEWEST), ("FORGET", FORGET)];

/// How often an embedded database is asked what was told.
const LOOK: Duration = Duration::from_millis(100);
/// So much of what was told is kept there for others who read on.
const KEPT: i64 = 1_000;

/// How often an instance tells itself something.
const PULSE: Duration = Duration::from_millis(500);
/// After so long without a pulse it counts as deaf; together with what a pulse takes less than the two seconds in
/// which a change has to be served.
const DEAF: Duration = Duration::from_millis(1500);
/// After so long it gives its connection up and listens over another. Until then a pulse that comes late says that
/// nothing was missed: what is told over one connection comes in its order.
const LOST: Duration = Duration::from_secs(6);
/// How long it waits before it tries to listen again.
const PAUSE: Duration = Duration::from_millis(500);
/// So many counters there are.
const COUNTERS: u16 = 8192;

/// The counters, one set for all stores of a process.
#[derive(Debug, Clone)]
pub struct Changes(Arc<Known>);

#[derive(Debug)]
struct Known {
    counters: Box<[AtomicU32]>,
    hasher: RandomState,
    /// How often any content changed.
    contents: AtomicU64,
    /// Which time it listens; 0 while it does not.
    listening: AtomicU32,
    /// How often it began to listen, and when a pulse was last heard.
    heard: Mutex<(u32, Option<Instant>)>,
}

/// The counts under which something was read; small, since one is kept of each session in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    listening: u32,
    /// Of the session and of the content: which counters, and how far they were.
    counters: [u16; 2],
    counts: [u32; 2],
}

impl Stamp {
    /// Under which nothing holds.
    pub const NONE: Self = Self {
        listening: 0,
        counters: [0; 2],
        counts: [0; 2],
    };
}

/// The counts before something is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    listening: u32,
    session: Counted,
    contents: u64,
}

/// Which counter, and how far it was.
#[derive(Debug, Clone, Copy)]
struct Counted {
    counter: u16,
    count: u32,
}

impl Changes {
    /// Nothing is believed until [`Store::hear_changes`] runs.
    pub fn deaf() -> Self {
        Self(Arc::new(Known {
            counters: (0..COUNTERS).map(|_| AtomicU32::new(0)).collect(),
            hasher: RandomState::new(),
            contents: AtomicU64::new(0),
            listening: AtomicU32::new(0),
            heard: Mutex::new((0, None)),
        }))
    }

    /// Before a session is read with its content.
    pub fn before_reading(&self, session: &SessionKey) -> Reading {
        Reading {
            listening: self.0.listening.load(SeqCst),
            session: self.counted(self.of_session(session)),
            contents: self.0.contents.load(SeqCst),
        }
    }

    /// After it was read; [`Stamp::NONE`] where content changed meanwhile, so that it is read again the next time.
    pub fn after_reading(&self, reading: Reading, content: &ContentKey) -> Stamp {
        let (session, content) = (reading.session, self.counted(self.of_content(content)));
        let stamp = Stamp {
            listening: reading.listening,
            counters: [session.counter, content.counter],
            counts: [session.count, content.count],
        };
        if self.0.contents.load(SeqCst) == reading.contents {
            stamp
        } else {
            Stamp::NONE
        }
    }

    /// Whether what was read under a stamp is still so.
    pub fn hold(&self, stamp: Stamp) -> bool {
        stamp.listening != 0
            && stamp.listening == self.0.listening.load(SeqCst)
            && self.is_unchanged(stamp)
    }

    /// Until when what was read under a stamp was known to be still so, where that is known.
    pub fn held_until(&self, stamp: Stamp) -> Option<Instant> {
        let (times, heard) = *self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.filter(|_| {
            stamp.listening != 0 && stamp.listening == times && self.is_unchanged(stamp)
        })
    }

    fn is_unchanged(&self, stamp: Stamp) -> bool {
        stamp.counters.map(|counter| self.counted(counter).count) == stamp.counts
    }

    fn counted(&self, counter: u16) -> Counted {
        Counted {
            counter,
            count: self.0.counters[usize::from(counter)].load(SeqCst),
        }
    }

    fn count(&self, counter: u16) {
        self.0.counters[usize::from(counter)].fetch_add(1, SeqCst);
    }

    /// A session changed, or somebody finished it.
    pub(super) fn session_changed(&self, key: &SessionKey) {
        self.count(self.of_session(key));
    }

    /// Content changed.
    pub(super) fn content_changed(&self, key: &ContentKey) {
        // In this order: see `after_reading`.
        self.0.contents.fetch_add(1, SeqCst);
        self.count(self.of_content(key));
    }

    fn of_session(&self, key: &SessionKey) -> u16 {
        self.counter((
            "s",
            key.platform.as_str(),
            key.signature.as_str(),
            key.id.get(),
        ))
    }

    fn of_content(&self, key: &ContentKey) -> u16 {
        self.counter((
            "c",
            key.platform.as_str(),
            key.signature.as_str(),
            key.id.get(),
        ))
    }

    fn counter(&self, of: (&str, &str, &str, i64)) -> u16 {
        let hash = self.0.hasher.hash_one(of);
        u16::try_from(hash % u64::from(COUNTERS))
            .expect("there are fewer counters than a u16 tells")
    }

    /// What PostgreSQL told: `s` or `c`, platform, tool and number.
    fn told(&self, what: &str) {
        if self.read(what).is_none() {
            tracing::error!(
                what,
                "the database told of a change that nobody understands"
            );
            self.begin_again();
        }
    }

    fn read(&self, what: &str) -> Option<()> {
        let mut words = what.split(' ');
        let mut next = || words.next();
        let (kind, platform, signature, id) = (next()?, next()?, next()?, next()?);
        let (platform, signature) = (platform.parse().ok()?, signature.parse().ok()?);
        let id: i64 = id.parse().ok()?;
        match kind {
            "s" => self.session_changed(&SessionKey {
                platform,
                signature,
                id: ToolSessionId::from_number(id).ok()?,
            }),
            "c" => self.content_changed(&ContentKey {
                platform,
                signature,
                id: ToolContentId::from_number(id).ok()?,
            }),
            _ => return None,
        }
        Some(())
    }

    /// Nothing that was read before is believed any more.
    fn begin_again(&self) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.0 += 1;
        if self.0.listening.load(SeqCst) != 0 {
            self.0.listening.store(heard.0, SeqCst);
        }
    }

    fn pulse_heard(&self) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.1 = Some(Instant::now());
        self.0.listening.store(heard.0, SeqCst);
    }

    /// Counts as deaf where no pulse was heard for too long, until one is.
    fn check_pulse(&self) {
        let heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.1.is_none_or(|at| at.elapsed() > DEAF) {
            self.0.listening.store(0, SeqCst);
        }
    }

    /// Whether no pulse was heard for so long that none will be.
    fn is_lost(&self) -> bool {
        let heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.1.is_none_or(|at| at.elapsed() > LOST)
    }

    /// It does not listen any more.
    fn gone_deaf(&self) {
        let _heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.listening.store(0, SeqCst);
    }
}

impl Store {
    /// Listens to what other instances change; never ends. While it cannot, what is in memory of sessions is not
    /// used.
    pub async fn hear_changes(&self) {
        let mut told = false;
        loop {
            let begun = Instant::now();
            let outcome = match (&self.read, &self.write) {
                (Db::Postgres(read, _), Db::Postgres(write, _)) => {
                    listen(&self.changes, &read.connect_options(), write).await
                }
                (Db::Sqlite(read, _), Db::Sqlite(write, _)) => {
                    look(&self.changes, read, write).await
                }
                _ => unreachable!("a store reads from the database that it writes to"),
            };
            let reason = match outcome {
                Ok(()) => "what it tells itself does not come back".to_owned(),
                Err(error) => error.to_string(),
            };
            self.changes.gone_deaf();
            // Said once, and again when it had listened for a while.
            if !told || begun.elapsed() > LOST * 2 {
                tracing::warn!(
                    reason,
                    "the database tells nothing of changes: each launch asks it for itself until it does"
                );
            }
            told = true;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Looks what an embedded database was told, until that fails.
async fn look(changes: &Changes, read: &SqlitePool, write: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut last: i64 = sqlx::query_scalar(NEWEST).fetch_one(read).await?;
    let mut forgotten = last - KEPT;
    changes.begin_again();
    loop {
        let told: Vec<(i64, String)> = sqlx::query_as(TOLD).bind(last).fetch_all(read).await?;
        for (id, what) in told {
            if id != last + 1 {
                // It was forgotten before it was read here.
                changes.begin_again();
            }
            changes.told(&what);
            last = id;
        }
        changes.pulse_heard();
        if last - forgotten >= 2 * KEPT {
            forgotten = last - KEPT;
            let forget = sqlx::query(FORGET).bind(forgotten);
            let write = write.clone();
            // Beside: it waits for its turn, and this must not. What it misses the next one forgets.
            tokio::spawn(async move { forget.execute(&write).await.map(drop) });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Listens until the connection is lost, or nothing is heard any more.
async fn listen(
    changes: &Changes,
    options: &PgConnectOptions,
    write: &PgPool,
) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(DEAF)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    let own = format!("toolgate_pulse_{}", uuid::Uuid::new_v4().simple());
    listener.listen_all([CHANNEL, &own]).await?;
    changes.begin_again();
    let hear = async {
        while let Some(told) = listener.try_recv().await? {
            if told.channel() == own {
                changes.pulse_heard();
            } else {
                changes.told(told.payload());
            }
        }
        Err(sqlx::Error::PoolClosed)
    };
    let outcome = tokio::select! {
        lost = hear => lost,
        () = keep_pulse(changes, write, &own) => Ok(()),
    };
    // Its connection may hang: nobody waits for it.
    tokio::spawn(async move {
        drop(listener);
        let _ = tokio::time::timeout(DEAF, pool.close()).await;
    });
    outcome
}

/// Tells itself something again and again; ends when that does not come back.
async fn keep_pulse(changes: &Changes, write: &PgPool, own: &str) {
    let begun = Instant::now();
    loop {
        let told = sqlx::query(TELL).bind(own).execute(write);
        let told = tokio::time::timeout(DEAF, told).await;
        if let Ok(Err(error)) = &told {
            tracing::debug!(%error, "a pulse is not sent");
        }
        tokio::time::sleep(PULSE).await;
        changes.check_pulse();
        if changes.is_lost() && begun.elapsed() > LOST {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: i64) -> SessionKey {
        SessionKey {
            platform: "lams".parse().unwrap(),
            signature: "mdquiz10".parse().unwrap(),
            id: ToolSessionId::from_number(id).unwrap(),
        }
    }

    fn content(id: i64) -> ContentKey {
        ContentKey {
            platform: "lams".parse().unwrap(),
            signature: "mdquiz10".parse().unwrap(),
            id: ToolContentId::from_number(id).unwrap(),
        }
    }

    fn hearing() -> Changes {
        let changes = Changes::deaf();
        changes.begin_again();
        changes.pulse_heard();
        changes
    }

    fn read(changes: &Changes) -> Stamp {
        let reading = changes.before_reading(&session(7));
        changes.after_reading(reading, &content(5))
    }

    #[test]
    fn what_was_read_holds_until_it_changes() {
        let changes = hearing();
        let holds = |stamp| changes.hold(stamp);
        let stamp = read(&changes);
        assert!(holds(stamp));
        changes.session_changed(&session(7));
        assert!(!holds(stamp));
        let stamp = read(&changes);
        assert!(holds(stamp));
        changes.content_changed(&content(5));
        assert!(!holds(stamp));
    }

    #[test]
    fn what_changes_while_it_is_read_does_not_hold() {
        let changes = hearing();
        let reading = changes.before_reading(&session(7));
        changes.content_changed(&content(5));
        assert_eq!(changes.after_reading(reading, &content(5)), Stamp::NONE);
        let reading = changes.before_reading(&session(7));
        changes.session_changed(&session(7));
        let stamp = changes.after_reading(reading, &content(5));
        assert!(!changes.hold(stamp));
    }

    #[test]
    fn the_deaf_believe_nothing_and_know_until_when_they_heard() {
        let changes = Changes::deaf();
        let holds = |stamp| changes.hold(stamp);
        let until = |stamp| changes.held_until(stamp);
        assert!(!holds(read(&changes)));
        changes.begin_again();
        assert!(!holds(read(&changes)), "it has not heard anything yet");
        changes.pulse_heard();
        let stamp = read(&changes);
        assert!(holds(stamp));
        changes.gone_deaf();
        assert!(!holds(stamp));
        assert!(until(stamp).is_some());
        // A pulse that comes late came behind all that was told before.
        changes.pulse_heard();
        assert!(holds(stamp));
        changes.gone_deaf();
        // What it missed meanwhile it does not know.
        changes.begin_again();
        changes.pulse_heard();
        assert!(!holds(stamp));
        assert_eq!(until(stamp), None);
    }

    #[test]
    fn what_the_database_tells_is_understood_or_nothing_is_believed() {
        let changes = hearing();
        let holds = |stamp| changes.hold(stamp);
        for told in [
            "s lams mdquiz10 7",
            "c lams mdquiz10 5",
            "x lams mdquiz10 5",
            "s lams",
            "",
        ] {
            let stamp = read(&changes);
            changes.told(told);
            assert!(!holds(stamp), "{told}");
        }
        let stamp = read(&changes);
        // One of these may share a counter, not both of both.
        let other = [("s", 8), ("c", 6)].map(|(kind, id)| {
            let before = (read(&changes), format!("{kind} other mdquiz10 {id}"));
            changes.told(&before.1);
            holds(before.0)
        });
        assert!(other.contains(&true) || !holds(stamp));
    }
}
