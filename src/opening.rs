//! From settings to an open database with up-to-date tables, and the secret keys.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::domain::secret_keys::SecretKeys;
use crate::settings::{DatabaseUrl, Settings};
use crate::store::{Budget, Common, Store, StoreError, beside, lock_beside};

/// What a command works with.
pub struct Opened {
    /// The database.
    pub store: Store,
    /// What more stores on the same share with it.
    pub common: Common,
    /// The secret keys.
    pub secret_keys: SecretKeys,
}

/// Why database or keys cannot be opened.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error(
        "TOOLGATE_SECRET_KEY is required with PostgreSQL: 32 bytes in base64, the same on every instance"
    )]
    SecretKeyRequired,
    #[error("the secret key in {path}: expected 32 bytes in base64")]
    SecretKeyFile { path: String },
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the database for one short command, brings its tables up to date, and finds the keys.
pub async fn open(settings: &Settings) -> Result<Opened, OpenError> {
    open_with(settings, Budget::COMMAND).await
}

/// The same with a budget of connections.
pub async fn open_with(settings: &Settings, budget: Budget) -> Result<Opened, OpenError> {
    let secret_keys = match (&settings.secret_keys, &settings.database) {
        (Some(keys), _) => keys.clone(),
        (None, DatabaseUrl::Sqlite(path)) => {
            let _lock = lock_beside(path).await?;
            key_beside(path)?
        }
        (None, DatabaseUrl::Postgres(_)) => return Err(OpenError::SecretKeyRequired),
    };
    if let DatabaseUrl::Sqlite(path) = &settings.database {
        make_private(path).map_err(|error| OpenError::File {
            path: path.display().to_string(),
            error,
        })?;
    }
    let common = Common::of(&settings.database);
    let store = Store::open(&settings.database, &common, budget)?;
    store.migrate(&settings.database).await?;
    Ok(Opened {
        store,
        common,
        secret_keys,
    })
}

/// The key in the file beside an embedded database, made the first time.
fn key_beside(database: &Path) -> Result<SecretKeys, OpenError> {
    let path = beside(database, "key");
    let shown = || path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write_key(&path).map_err(|error| OpenError::File {
                path: shown(),
                error,
            })?
        }
        Err(error) => {
            return Err(OpenError::File {
                path: shown(),
                error,
            });
        }
    };
    SecretKeys::parse(&text).map_err(|_| OpenError::SecretKeyFile { path: shown() })
}

/// Makes an embedded database that is not there yet, empty, for its owner alone: it holds people's names.
fn make_private(path: &Path) -> std::io::Result<()> {
    match private().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Writes a new key, whole or not at all.
fn write_key(path: &Path) -> std::io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let text = SecretKeys::written(random);
    let unfinished = path.with_extension("key.new");
    // What a start that failed half-way left behind.
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().create_new(true).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    Ok(text)
}

/// For files that their owner alone may read.
fn private() -> std::fs::OpenOptions {
    let mut options = std::fs::File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
