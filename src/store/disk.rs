//! Whether the disk of an embedded database takes what is written. To read goes on while it is full, so that nobody who
//! only reads would know. Where a write has failed for that reason, it is tried out before it is said that all is well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::SqlitePool;

/// Writes the first page as it is, and changes nothing: nobody uses this number. It has to be committed: until then
/// nothing goes to the disk.
const TRY: &str = "pragma user_version = 0";
#[cfg(test)]
pub(super) const SQLITE_STATEMENTS: &[(&str, &str)] = &[("TRY", TRY)];

/// What is known of it, for all stores of a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<AtomicBool>);

impl Disk {
    /// Notes what came of a statement that writes. That it succeeded says nothing: it may have found nothing to write.
    pub(crate) fn noted<T>(&self, outcome: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if outcome.as_ref().is_err_and(takes_nothing) {
            self.0.store(true, Ordering::Relaxed);
        }
        outcome
    }

    /// Tries it out, if it took nothing when it was last written to.
    pub(super) async fn try_out(&self, write: &SqlitePool) -> Result<(), sqlx::Error> {
        if self.0.load(Ordering::Relaxed) {
            sqlx::query(TRY).execute(write).await?;
            self.0.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// SQLite's codes have what exactly it was above their first eight bits. 8 read-only, 10 disk, 13 full, 14 cannot open.
fn takes_nothing(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refused| refused.code());
    let code: Option<u32> = code.and_then(|code| code.parse().ok());
    matches!(code.map(|code| code & 0xFF), Some(8 | 10 | 13 | 14))
}
