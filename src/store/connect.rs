//! Opening the two databases.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};

use super::{Db, Store, StoreError};
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
            read: (16 / workers).clamp(1, 8),
            write: (8 / workers).clamp(1, 4),
        }
    }
}

/// The one writing connection of an embedded database, shared by all stores of a process.
#[derive(Debug, Clone)]
pub struct SqliteWriter(Option<SqlitePool>);

impl SqliteWriter {
    /// The writer of an embedded database; nothing for PostgreSQL.
    pub fn of(database: &DatabaseUrl) -> Self {
        Self(match database {
            DatabaseUrl::Postgres(_) => None,
            DatabaseUrl::Sqlite(path) => Some(
                SqlitePoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(ACQUIRE)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    .connect_lazy_with(sqlite(path).create_if_missing(true)),
            ),
        })
    }
}

/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

impl Store {
    /// Opens a store. Connections are made when they are first needed, on the runtime that needs them;
    /// call it once for each thread that serves, since a query is cheapest on its own thread.
    pub fn open(
        database: &DatabaseUrl,
        writer: &SqliteWriter,
        budget: Budget,
    ) -> Result<Self, StoreError> {
        match (database, &writer.0) {
            (DatabaseUrl::Sqlite(path), Some(writer)) => {
                let read = SqlitePoolOptions::new()
                    .max_connections(budget.read)
                    .acquire_timeout(ACQUIRE)
                    .test_before_acquire(false)
                    .connect_lazy_with(sqlite(path).pragma("query_only", "on"));
                Ok(Self {
                    read: Db::Sqlite(read),
                    write: Db::Sqlite(writer.clone()),
                })
            }
            (DatabaseUrl::Postgres(url), _) => {
                let options = PgConnectOptions::from_str(url)?
                    .application_name("toolgate")
                    .log_statements(tracing::log::LevelFilter::Off)
                    .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
                let pool = |size| {
                    PgPoolOptions::new()
                        .max_connections(size)
                        .acquire_timeout(ACQUIRE)
                };
                let read = pool(budget.read).test_before_acquire(false);
                let write = pool(budget.write);
                Ok(Self {
                    read: Db::Postgres(read.connect_lazy_with(options.clone())),
                    write: Db::Postgres(write.connect_lazy_with(options)),
                })
            }
            (DatabaseUrl::Sqlite(path), None) => Err(StoreError::File {
                path: path.display().to_string(),
                error: std::io::Error::other("it was opened without its writer"),
            }),
        }
    }
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
