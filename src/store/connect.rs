//! Opening the two databases.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::changes::Changes;
use super::presence::Presence;
use super::{Db, Disk, Store, StoreError};
use crate::settings::DatabaseUrl;

/// How many connections one store may open.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// For reading.
    pub read: u32,
    /// For writing; SQLite has one writer whatever this says.
    pub write: u32,
}

impl Budget {
    /// For one short command.
    pub const COMMAND: Budget = Budget { read: 2, write: 2 };
    /// For what an instance does beside its requests, and for what it sees through: several large imports
    /// must not keep sessions from being made.
    pub const INSTANCE: Budget = Budget { read: 4, write: 8 };

    /// For each of `workers` threads, so that an instance opens about twenty-four in all.
    pub fn per_worker(workers: usize) -> Self {
        let workers = u32::try_from(workers).unwrap_or(u32::MAX).max(1);
        Budget {
            read: (8 / workers).clamp(1, 4),
            write: (16 / workers).clamp(1, 8),
        }
    }
}

/// What all stores of a process share.
#[derive(Debug, Clone)]
pub struct Common {
    shared: Shared,
    changes: Changes,
}

#[derive(Debug, Clone)]
enum Shared {
    /// The one writing connection of an embedded database, and the disk that it writes to.
    Writer(SqlitePool, Disk),
    /// Whether PostgreSQL is there.
    Presence(Presence),
}

impl Common {
    /// That of a database.
    pub fn of(database: &DatabaseUrl) -> Self {
        match database {
            DatabaseUrl::Postgres(_) => Self {
                shared: Shared::Presence(Presence::default()),
                changes: Changes::deaf(),
            },
            DatabaseUrl::Sqlite(path) => Self {
                shared: Shared::Writer(
                    SqlitePoolOptions::new()
                        .max_connections(1)
                        .acquire_timeout(ACQUIRE)
                        .idle_timeout(None)
                        .max_lifetime(None)
                        .after_release(|connection, _| Box::pin(is_at_rest(connection)))
                        .connect_lazy_with(sqlite(path).create_if_missing(true)),
                    Disk::default(),
                ),
                changes: Changes::deaf(),
            },
        }
    }
}

/// So many connections read an embedded database for one store. Each has a thread of its own; more than the processors
/// are at work on at once only take memory.
const READERS: u32 = 2;
/// A reading connection of an embedded database keeps so many KiB of it: what it reads it seldom reads again. The system
/// keeps the file in memory for all of them.
const READER_KIB: u32 = 256;
/// A connection that was used so short a time ago is used again without being tried out: a way to the database less for
/// each change while many come, and next to no time in which it can have died unnoticed.
const JUST_USED: Duration = Duration::from_millis(20);
/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

impl Store {
    /// Opens a store. Connections are made when they are first needed, on the runtime that needs them;
    /// call it once for each thread that serves, since a query is cheapest on its own thread.
    pub fn open(
        database: &DatabaseUrl,
        common: &Common,
        budget: Budget,
    ) -> Result<Self, StoreError> {
        let changes = common.changes.clone();
        match (database, &common.shared) {
            (DatabaseUrl::Sqlite(path), Shared::Writer(writer, disk)) => {
                let read = SqlitePoolOptions::new()
                    .max_connections(budget.read.min(READERS))
                    .acquire_timeout(ACQUIRE)
                    .test_before_acquire(false)
                    .connect_lazy_with(
                        sqlite(path)
                            .pragma("query_only", "on")
                            .pragma("cache_size", format!("-{READER_KIB}")),
                    );
                Ok(Self {
                    // What readers meet says nothing of whether it can be written to.
                    read: Db::Sqlite(read, Disk::default()),
                    write: Db::Sqlite(writer.clone(), disk.clone()),
                    changes,
                })
            }
            (DatabaseUrl::Postgres(url), Shared::Presence(presence)) => {
                let options = PgConnectOptions::from_str(url)?
                    .application_name("toolgate")
                    .log_statements(tracing::log::LevelFilter::Off)
                    .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
                let read = postgres(budget.read, presence, false);
                let write = postgres(budget.write, presence, true);
                let db = |pool: PgPoolOptions, options| {
                    Db::Postgres(pool.connect_lazy_with(options), presence.clone())
                };
                Ok(Self {
                    read: db(read, options.clone()),
                    write: db(write, options),
                    changes,
                })
            }
            _ => Err(StoreError::File {
                path: format!("{database:?}"),
                error: std::io::Error::other(
                    "it was opened with what another database's stores share",
                ),
            }),
        }
    }
}

/// A pool that uses no connection from before the database was away, and, where that is asked for, none that
/// was neither tried out nor used a moment ago.
fn postgres(size: u32, presence: &Presence, tried_out: bool) -> PgPoolOptions {
    let (before, after) = (presence.clone(), presence.clone());
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(move |connection, known| {
            let trusted = before.trusts(known.age);
            Box::pin(async move {
                if trusted && tried_out && known.idle_for > JUST_USED {
                    connection.ping().await?;
                }
                Ok(trusted)
            })
        })
        // Else the pool would wait for an answer on a connection that was given up.
        .after_release(move |_, known| {
            let trusted = after.trusts(known.age);
            Box::pin(async move { Ok(trusted) })
        })
}

/// Whether a writing connection is out of its transaction, once what it was told is done. Where the disk is full
/// SQLite may end a transaction by itself; to roll that back then fails, and the connection takes no other.
async fn is_at_rest(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// WAL, so that readers and the writer do not wait for each other; foreign keys are checked; a lock
/// held by another process is waited for.
fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .log_statements(tracing::log::LevelFilter::Off)
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1))
}
