//! `toolgate apply`: makes platforms, servers, tools and their mapping match a TOML file, in one
//! transaction. What the file does not name stays; a named object is set whole, but for secrets that
//! it leaves out. On a mistake nothing changes, and line and key are named.

mod check;
mod file;
mod plan;
mod report;
mod secret;
mod told;

pub use file::{FileError, parse};
pub use report::{Outcome, Report};

use chrono::Utc;

use super::configuration::{LoadError, assemble};
use super::random;
use crate::domain::audit::Actor;
use crate::domain::secret_keys::{SecretKeys, Vault};
use crate::store::{Store, StoreError, StoredConfiguration};

/// Why a file was not applied. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says what a file would make where there is no database yet.
pub fn plan_on_nothing(text: &str) -> Result<Report, ApplyError> {
    let file = parse(text)?;
    let vault = SecretKeys::of_one(random::bytes()).vault();
    let nothing = StoredConfiguration::default();
    let plan = plan::Plan::of(&file, &nothing, &vault)?;
    let merged = plan.merged(&nothing);
    check::check(&file, &merged)?;
    assemble(merged, &vault)?;
    Ok(plan.report)
}

/// Applies the text of a file in somebody's name, for the audit; with `dry_run` only says what would
/// change.
pub async fn apply(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    text: &str,
    dry_run: bool,
) -> Result<Report, ApplyError> {
    let file = parse(text)?;
    let change = store.change_configuration().await?;
    let plan = plan::Plan::of(&file, &change.before, vault)?;
    let merged = plan.merged(&change.before);
    check::check(&file, &merged)?;
    // The last word has the code that will load it.
    assemble(merged, vault)?;
    let changes = plan.changes();
    if !dry_run && !changes.is_empty() {
        let now = Utc::now();
        let entries = told::entries(&plan.report, &change.before, &changes, actor, now);
        change.commit(&changes, &entries, now).await?;
    }
    Ok(plan.report)
}
