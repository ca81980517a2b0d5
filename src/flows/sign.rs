//! Signing addresses by hand, for trying: of launches, and of logins.

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::configuration::{LoadError, load, secret_of};
use crate::domain::configuration::Configuration;
use crate::domain::launch_signature::LaunchKey;
use crate::domain::login_request::{Method, login_path};
use crate::domain::query::{Query, split_at_byte};
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
    /// Nobody is named who could be sent there.
    #[error("the user must not be empty")]
    NoUser,
    /// The path has a parameter that signing adds.
    #[error("the path has {0} already, which is added here")]
    Signed(&'static str),
    /// There is no such server.
    #[error("there is no server {0:?}")]
    UnknownServer(String),
    /// The server has no key.
    #[error("the server {0:?} has no key")]
    NoKey(String),
    /// A learner whose lesson is in the hash has to name it.
    #[error("learnerStrictAuth needs a lesson: name one by --lesson")]
    NoLesson,
    /// The secret cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// What signing adds to a path.
const ADDED: [&str; 3] = ["ts", "uid", "sig"];

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
    // Each would make an address that the gateway has to refuse.
    if uid.trim().is_empty() {
        return Err(SignError::NoUser);
    }
    let (_, query) = split_at_byte(path, b'?');
    let query = Query::parse(query.unwrap_or_default());
    if let Some(name) = ADDED.into_iter().find(|name| query.get(name).is_some()) {
        return Err(SignError::Signed(name));
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

/// Path and query of a LoginRequest as a server itself would send its user there, at this moment.
pub async fn sign_login(
    store: &Store,
    vault: &Vault,
    at: (&str, &str),
    who: (&str, Method),
    more: &[(&str, &str)],
) -> Result<String, SignError> {
    let configuration = load(store, vault).await?;
    login_address(&configuration, at, who, more, Utc::now())
}

/// The same at another moment, of what is configured.
pub(super) fn login_address(
    configuration: &Configuration,
    (platform, server): (&str, &str),
    (uid, method): (&str, Method),
    more: &[(&str, &str)],
    now: DateTime<Utc>,
) -> Result<String, SignError> {
    if configuration.platform(platform).is_none() {
        return Err(SignError::UnknownPlatform(platform.to_owned()));
    }
    let found = configuration
        .server(server)
        .ok_or_else(|| SignError::UnknownServer(server.to_owned()))?;
    let has_lesson = more.iter().any(|(name, _)| *name == "lsid");
    if method == Method::LearnerStrictAuth && !has_lesson {
        return Err(SignError::NoLesson);
    }
    let ts = now.timestamp_millis().to_string();
    login_path(platform, found, (&ts, uid, method), more)
        .ok_or_else(|| SignError::NoKey(server.to_owned()))
}
