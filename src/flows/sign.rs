//! Signing a launch address by hand, for trying.

use chrono::Utc;
use secrecy::ExposeSecret;

use super::configuration::{LoadError, secret_of};
use crate::domain::launch_signature::LaunchKey;
use crate::domain::secret_keys::Vault;
use crate::store::Store;

/// Why an address cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// There is no such platform.
    #[error("there is no platform {0:?}")]
    UnknownPlatform(String),
    /// The platform has no launch secret.
    #[error("the platform {0:?} has no launch_secret")]
    NoSecret(String),
    /// The path is not one of the platform's.
    #[error("the path must begin with /{0}/")]
    ForeignPath(String),
    /// The secret cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// `path` with `ts`, `uid` and `sig` added, as the platform itself would send a browser there.
pub async fn sign(
    store: &Store,
    vault: &Vault,
    platform: &str,
    uid: &str,
    path: &str,
) -> Result<String, SignError> {
    let stored = store.configuration().await.map_err(LoadError::from)?;
    let record = stored
        .platforms
        .get(platform)
        .ok_or_else(|| SignError::UnknownPlatform(platform.to_owned()))?;
    if !path.starts_with(&format!("/{platform}/")) || path.contains(char::is_whitespace) {
        return Err(SignError::ForeignPath(platform.to_owned()));
    }
    let secret = secret_of(
        vault,
        "platforms",
        platform,
        "launch_secret",
        record.launch_secret.as_deref(),
    )?;
    let secret = secret.ok_or_else(|| SignError::NoSecret(platform.to_owned()))?;
    Ok(LaunchKey::new(secret.expose_secret()).sign(path, uid, Utc::now()))
}
