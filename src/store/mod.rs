//! Every SQL statement. One text for both databases: PostgreSQL, which people run, and SQLite, which is
//! embedded and needs nothing. One file for each thing that is stored; each declares its statements
//! with [`statements!`], so that a test can prepare all of them on both.
//!
//! Called by flows; answers domain types or plain records, and never decides anything.

mod audit;
mod bulk;
mod changes;
mod configuration;
mod connect;
mod contents;
mod disconnect;
mod disk;
mod journal;
mod launch_batches;
mod launch_search;
mod launches;
mod lms_connections;
mod logins;
mod migrate;
mod presence;
mod removal;
mod rows;
mod sessions;
mod sign_in;
mod sysadmins;
mod users;

pub use bulk::{BulkRecord, BulkRow, OpenBulk};
pub use changes::{Changes, Stamp};
pub use configuration::{Change, PlatformRecord, ServerRecord, StoredConfiguration, ToolRecord};
pub use connect::{Budget, Common};
pub use contents::{Callback, Stored};
pub use disconnect::{Connected, InUse, UsedBy};
pub(crate) use disk::Disk;
pub use journal::Lease;
pub use launch_batches::{FiledBatch, LaunchRecords};
pub use launch_search::{LaunchFilter, Side, StoredCall, StoredLaunch};
pub use launches::{LaunchHour, ToolLaunches, first_id_of, place_after_all};
pub use lms_connections::EnrollmentRecord;
pub use logins::{Login, LoginCourse, LoginFilter, LoginUser, RememberedCsv};
pub(crate) use migrate::{beside, lock_beside};
pub use presence::Presence;
pub use removal::{LeftBehind, Removal};
pub use sessions::Opening;
pub use sign_in::{NewSession, OwnSession, SessionRecord, Stale, Tried};
pub use sysadmins::{Credentials, NewSysadmin, PasswordChange, Removed, SysadminRecord};
pub use users::Happened;

use sqlx::{PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

/// What went wrong while storing or reading.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, or all its connections are busy; later may be better.
    #[error("the database is not reachable: {0}")]
    Unavailable(sqlx::Error),
    /// A value that another row must not share.
    #[error("the database refused a duplicate ({0})")]
    Duplicate(String),
    /// What a row refers to is not there, or is still referred to.
    #[error("the database refused a row whose partner is missing or still there ({0})")]
    Partner(String),
    /// Anything else: a defect.
    #[error("the database refused a statement: {0}")]
    Failed(sqlx::Error),
    /// What was stored is not of the form in which it is always stored.
    #[error("{0} is stored in a form that this version cannot read")]
    Unreadable(String),
    /// The tables could not be brought up to date.
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The embedded database's own files.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl StoreError {
    /// The database did not answer in the time that its caller had.
    pub fn late() -> Self {
        StoreError::Unavailable(sqlx::Error::PoolTimedOut)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) {
            return StoreError::Unavailable(error);
        }
        match error.as_database_error() {
            Some(refused) if refused.is_unique_violation() => {
                StoreError::Duplicate(refused.constraint().unwrap_or(refused.message()).to_owned())
            }
            Some(refused) if refused.is_foreign_key_violation() => {
                StoreError::Partner(refused.constraint().unwrap_or(refused.message()).to_owned())
            }
            _ => StoreError::Failed(error),
        }
    }
}

/// Whether an error says that the database is away, not that a statement was wrong.
fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error;
    match error {
        Error::Io(_)
        | Error::Tls(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed => true,
        Error::Protocol(_) => true,
        // Class 57: the operator is stopping it. 53: it has no room. 08: the connection broke. 55, 28, 3D:
        // it takes no connections, not from us, or is not there. 25006: it is a standby.
        Error::Database(refused) => refused.code().is_some_and(|code| {
            ["57", "53", "08", "55", "28", "3D", "25006"]
                .iter()
                .any(|class| code.len() == 5 && code.starts_with(class))
                || is_away_sqlite(&code)
        }),
        _ => false,
    }
}

/// SQLite's codes have what exactly it was above their first eight bits. 5 busy, 10 disk, 13 full, 14 cannot
/// open.
fn is_away_sqlite(code: &str) -> bool {
    let code: Option<u32> = code.parse().ok().filter(|_| code.len() < 5);
    matches!(code.map(|code| code & 0xFF), Some(5 | 10 | 13 | 14))
}

/// One of the two databases.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    Postgres(PgPool, Presence),
    /// With its disk, as far as it is written to.
    Sqlite(SqlitePool, Disk),
}

/// A transaction on one of the two.
#[derive(Debug)]
pub(crate) enum Tx {
    Postgres(Transaction<'static, Postgres>, Presence),
    Sqlite(Transaction<'static, Sqlite>, Disk),
}

/// Runs one statement on whichever database a pool is of.
macro_rules! on {
    ($db:expr, $pool:ident => $run:expr) => {
        match $db {
            $crate::store::Db::Postgres($pool, presence) => presence.while_there($run).await,
            $crate::store::Db::Sqlite($pool, disk) => disk.noted($run.await),
        }
    };
}

/// Runs one statement within a transaction.
macro_rules! within {
    ($tx:expr, $connection:ident => $run:expr) => {
        match $tx {
            $crate::store::Tx::Postgres(tx, presence) => {
                let $connection = &mut **tx;
                presence.while_there($run).await
            }
            $crate::store::Tx::Sqlite(tx, disk) => {
                let $connection = &mut **tx;
                disk.noted($run.await)
            }
        }
    };
}

/// Runs one reading statement; again where the pool handed out a connection that had died in the
/// meantime (reading connections are not tried out before they are used).
macro_rules! read {
    ($store:expr, $pool:ident => $run:expr) => {{
        let mut left = $crate::store::READ_TRIES;
        loop {
            left -= 1;
            match $crate::store::on!(&$store.read, $pool => $run) {
                Err(error) if left > 0 && $crate::store::is_dead_connection(&error) => continue,
                outcome => break outcome,
            }
        }
    }};
}

/// Declares a file's statements, each by name, and all of them together as `STATEMENTS`.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* const $name: &str = $sql;)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

/// A row of parameters, fifty times: for statements on SQLite that write as many rows at once. Each statement there is a
/// way to the thread of its connection and back, which takes as long as to write a row.
macro_rules! fifty {
    ($row:literal) => {
        concat!(fifty!(ten $row), ",", fifty!(ten $row), ",", fifty!(ten $row), ",", fifty!(ten $row), ",", fifty!(ten $row))
    };
    (ten $row:literal) => {
        concat!($row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row)
    };
}

/// A statement on SQLite to which something is bound.
pub(crate) type OnSqlite<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

/// Writes rows on SQLite by two statements: one for a row, and one that takes [`fifty!`] of them.
pub(crate) async fn write_rows<'q, T>(
    sqlite: &mut SqliteConnection,
    (one, fifty): (&'static str, &'static str),
    rows: &'q [T],
    bound: impl Fn(OnSqlite<'q>, &'q T) -> OnSqlite<'q>,
) -> Result<(), sqlx::Error> {
    let (fifties, rest) = rows.as_chunks::<50>();
    for rows in fifties {
        let query = rows.iter().fold(sqlx::query(fifty), &bound);
        query.execute(&mut *sqlite).await?;
    }
    for row in rest {
        bound(sqlx::query(one), row).execute(&mut *sqlite).await?;
    }
    Ok(())
}

pub(crate) use {fifty, on, read, statements, within};

/// How many rows a statement wrote, on either database.
pub(crate) trait Counted {
    fn rows(self) -> u64;
}

impl Counted for sqlx::postgres::PgQueryResult {
    fn rows(self) -> u64 {
        self.rows_affected()
    }
}

impl Counted for sqlx::sqlite::SqliteQueryResult {
    fn rows(self) -> u64 {
        self.rows_affected()
    }
}

/// See [`Counted`].
pub(crate) fn count(result: impl Counted) -> u64 {
    result.rows()
}

/// How often a read is tried when connections turn out to be dead; enough to go once through a pool.
const READ_TRIES: usize = 6;

fn is_dead_connection(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
        || error
            .as_database_error()
            .and_then(|e| e.code())
            .is_some_and(|code| code == "57P01")
}

/// The database: one pool to read from and one to write to. On PostgreSQL the two differ in that a
/// writing connection is tried out before it is used, unless it was used a moment ago; on SQLite in that there is one
/// writer.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) read: Db,
    pub(crate) write: Db,
    changes: Changes,
}

impl Store {
    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match &self.write {
            Db::Postgres(pool, presence) => {
                let tx = presence.while_there(pool.begin()).await?;
                Tx::Postgres(tx, presence.clone())
            }
            Db::Sqlite(pool, disk) => {
                let tx = disk.noted(pool.begin_with("begin immediate").await)?;
                Tx::Sqlite(tx, disk.clone())
            }
        })
    }

    /// Whether the database answers, and takes changes. Of PostgreSQL it is known, where [`Store::keep_presence`] runs;
    /// an embedded one is written to where that failed before.
    pub async fn ping(&self) -> Result<(), StoreError> {
        if let Db::Postgres(_, presence) = &self.read
            && presence.is_away()
        {
            return Err(presence::is_away().into());
        }
        read!(self, pool => sqlx::query_scalar::<_, i64>(PING).fetch_one(pool))?;
        if let Db::Sqlite(pool, disk) = &self.write {
            disk.try_out(pool).await?;
        }
        Ok(())
    }

    /// Finds out again and again whether PostgreSQL is there, for all stores of the process; never ends. An
    /// embedded database always is.
    pub async fn keep_presence(&self) {
        match &self.read {
            Db::Postgres(pool, presence) => {
                presence::keep(presence, &pool.connect_options()).await;
            }
            Db::Sqlite(..) => std::future::pending().await,
        }
    }

    /// Closes both pools; what is under way ends first.
    pub async fn close(&self) {
        for db in [&self.read, &self.write] {
            match db {
                Db::Postgres(pool, _) => pool.close().await,
                Db::Sqlite(pool, _) => pool.close().await,
            }
        }
    }
}

impl Tx {
    /// Undoes it, and waits until that is done: what is dropped is undone a little later.
    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Tx::Postgres(tx, presence) => presence.while_there(tx.rollback()).await?,
            Tx::Sqlite(tx, _) => tx.rollback().await?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Tx::Postgres(tx, presence) => presence.while_there(tx.commit()).await?,
            Tx::Sqlite(tx, disk) => disk.noted(tx.commit().await)?,
        }
        Ok(())
    }
}

statements! {
    PING = "select version from configuration_version where id = 1";
}

#[cfg(test)]
pub(crate) mod tests;
