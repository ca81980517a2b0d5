//! Bringing the tables up to date at start, under a lock, so that several instances may start at once.

use std::fs::File;
use std::path::{Path, PathBuf};

use sqlx::migrate::Migrator;

use super::{Db, Store, StoreError};
use crate::settings::DatabaseUrl;

static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

impl Store {
    /// Runs the migrations that the database has not seen. PostgreSQL is locked by an advisory lock,
    /// an embedded database by a file beside it.
    pub async fn migrate(&self, database: &DatabaseUrl) -> Result<(), StoreError> {
        match (&self.write, database) {
            (Db::Postgres(pool, _), _) => POSTGRES.run(pool).await?,
            (Db::Sqlite(pool, _), DatabaseUrl::Sqlite(path)) => {
                let _lock = lock_beside(path).await?;
                SQLITE.run(pool).await?;
            }
            (Db::Sqlite(pool, _), DatabaseUrl::Postgres(_)) => SQLITE.run(pool).await?,
        }
        Ok(())
    }
}

/// Waits for the lock of an embedded database; it ends when the file is dropped.
pub(crate) async fn lock_beside(database: &Path) -> Result<File, StoreError> {
    let path = beside(database, "lock");
    let failed = {
        let path = path.display().to_string();
        move |error| StoreError::File { path, error }
    };
    let lock = move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    };
    match tokio::task::spawn_blocking(lock).await {
        Ok(outcome) => outcome.map_err(failed),
        Err(error) => Err(failed(std::io::Error::other(error))),
    }
}

/// A file beside the embedded database, such as `toolgate.db.key`.
pub(crate) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
