//! The whole configuration as a file: downloaded, planned, applied.

use super::serve;
use crate::domain::audit::Actor;
use crate::flows::apply::{self, ApplyError, Report, Secrets};
use crate::flows::{Gateway, Refusal};

/// What a file would change, and of which version of the configuration that is said.
pub struct Planned {
    /// What would happen to each object.
    pub report: Report,
    /// The version.
    pub version: i64,
}

/// Everything that is configured, as a file.
pub async fn export(gateway: &Gateway, secrets: Secrets) -> Result<String, Refusal> {
    let stored = gateway.store.configuration().await?;
    Ok(apply::export(&stored, secrets)?)
}

/// What a file would change now.
pub async fn plan(gateway: &Gateway, text: &str) -> Result<Planned, ApplyError> {
    let (report, version) = apply::plan(&gateway.store, gateway.vault(), text).await?;
    Ok(Planned { report, version })
}

/// Applies a file as it was planned; nothing where the configuration has changed since.
pub async fn apply_planned(
    gateway: &Gateway,
    actor: &Actor,
    text: &str,
    version: i64,
) -> Result<Option<Report>, ApplyError> {
    let vault = gateway.vault();
    let report = apply::apply_planned(&gateway.store, vault, actor, (text, version)).await?;
    serve(gateway).await;
    Ok(report)
}

/// What stands behind a file that was not applied though nothing is wrong with it.
pub fn refused(error: ApplyError) -> Result<apply::FileError, Refusal> {
    match error {
        ApplyError::File(error) => Ok(error),
        ApplyError::Joanie(error) => Ok(apply::FileError {
            line: 1,
            key: String::new(),
            about: String::new(),
            message: error.to_string(),
        }),
        ApplyError::Load(error) => Err(super::refused(error)),
        ApplyError::Store(error) => Err(error.into()),
    }
}
