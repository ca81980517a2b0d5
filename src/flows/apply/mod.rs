//! `toolgate apply`: makes platforms, servers, tools and their mapping match a TOML file, in one
//! transaction. What the file does not name stays; a named object is set whole, but for secrets that
//! it leaves out. On a mistake nothing changes, and line and key are named.

mod check;
mod enrollment;
mod export;
mod file;
mod joanie;
mod mapping;
mod order;
mod plan;
mod report;
mod save;
mod secret;
pub(super) mod told;
mod written;

pub use enrollment::second_looks;
pub use export::{Secrets, export};
pub use file::{File, FileError, parse};
pub use joanie::{JoanieSettings, apply_joanie, plan_joanie_on_nothing};
pub(super) use mapping::save_mapping;
pub use mapping::{MappingError, obstacle};
pub use order::connected;
pub use report::{Outcome, Report};
pub use save::{MadeFrom, SaveError};
pub(super) use save::{save, save_definition, save_order};
pub use written::{
    WholeServer, WrittenEnrollment, WrittenFile, WrittenPlatform, WrittenSecret, WrittenServer,
};

use chrono::Utc;

use super::configuration::{LoadError, assemble};
use super::random;
use crate::domain::audit::Actor;
use crate::domain::lms::{JoanieError, overlaps};
use crate::domain::secret_keys::{SecretKeys, Vault};
use crate::store::{Change, Store, StoreError, StoredConfiguration};

/// Why a file was not applied. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A list of Joanie's form is wrong.
    #[error(transparent)]
    Joanie(#[from] JoanieError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a file may take its secrets from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// Also from the environment and from files of the machine: for whoever has a shell there.
    Machine,
    /// From its own text alone: a sysadmin in a browser has no business in the machine's files, and could
    /// have them sent to a server of their choice.
    TextOnly,
}

/// Says what a file would make where there is no database yet.
pub fn plan_on_nothing(text: &str) -> Result<Report, ApplyError> {
    let file = parse(text)?;
    let vault = SecretKeys::of_one(random::bytes()).vault();
    let nothing = StoredConfiguration::default();
    Ok(plan_on(&nothing, &vault, &file, Sources::Machine)?.report)
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
    if dry_run {
        return Ok(plan_on(&change.before, vault, &file, Sources::Machine)?.report);
    }
    apply_to(change, vault, actor, &file, Sources::Machine).await
}

/// What a file would change, and the version of the configuration for which that is so.
pub(super) async fn plan(
    store: &Store,
    vault: &Vault,
    text: &str,
) -> Result<(Report, i64), ApplyError> {
    let file = parse(text)?;
    let change = store.change_configuration().await?;
    let plan = plan_on(&change.before, vault, &file, Sources::TextOnly)?;
    Ok((plan.report, change.version))
}

/// Applies a file if the configuration still has the version for which it was planned; else nothing
/// changes, and it answers nothing.
pub(super) async fn apply_planned(
    store: &Store,
    vault: &Vault,
    actor: &Actor,
    (text, version): (&str, i64),
) -> Result<Option<Report>, ApplyError> {
    let file = parse(text)?;
    let change = store.change_configuration().await?;
    if change.version != version {
        return Ok(None);
    }
    let report = apply_to(change, vault, actor, &file, Sources::TextOnly).await?;
    Ok(Some(report))
}

async fn apply_to(
    change: Change,
    vault: &Vault,
    actor: &Actor,
    file: &file::File,
    sources: Sources,
) -> Result<Report, ApplyError> {
    let plan = plan_on(&change.before, vault, file, sources)?;
    finish(change, plan, actor).await
}

/// Writes what a plan changes, and tells the audit.
async fn finish(change: Change, plan: plan::Plan, actor: &Actor) -> Result<Report, ApplyError> {
    let changes = plan.changes();
    if !changes.is_empty() {
        let now = Utc::now();
        let entries = told::entries(&plan.report, &change.before, &changes, actor, now);
        change.commit(&changes, &entries, now).await?;
    }
    Ok(plan.report)
}

fn plan_on(
    before: &StoredConfiguration,
    vault: &Vault,
    file: &file::File,
    sources: Sources,
) -> Result<plan::Plan, ApplyError> {
    let mut plan = plan::Plan::of(file, before, vault, sources)?;
    let merged = plan.merged(before);
    check::check(file, &merged)?;
    // The last word has the code that will load it.
    let overlaps = overlap_warnings(merged, vault)?;
    if file
        .servers
        .iter()
        .any(|server| server.enrollment.is_some())
    {
        plan.report.warnings.extend(overlaps);
    }
    Ok(plan)
}

/// What overlaps among the LMS connections of what would be stored, which has to load.
fn overlap_warnings(merged: StoredConfiguration, vault: &Vault) -> Result<Vec<String>, LoadError> {
    let configuration = assemble(merged, vault)?;
    Ok(overlaps(&configuration.connections()))
}
