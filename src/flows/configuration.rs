//! From what is stored to the snapshot that launches use, and keeping that snapshot fresh: a change
//! made by any process is served within two seconds, on either database.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::Gateway;
use super::lms::stored::lms_of;
use crate::domain::base_url::BaseUrl;
use crate::domain::configuration::Configuration;
use crate::domain::launch_signature::LaunchKey;
use crate::domain::platform::{CallbackState, CsvSource, FinishUrl, LaunchAuth, Platform};
use crate::domain::secret_keys::{Drawer, Vault, VaultError};
use crate::domain::server::{Server, Signing};
use crate::domain::tool::Tool;
use crate::store::{PlatformRecord, ServerRecord, Store, StoreError, StoredConfiguration};

/// The word for launches that prove where they come from.
pub const SIGNED: &str = "signed";
/// The word for launches that do not.
pub const OPEN: &str = "open";

/// How often the version of the stored configuration is asked for.
const POLL: Duration = Duration::from_millis(500);

/// Why the configuration cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret does not open.
    #[error("the {column} of {row:?} cannot be read: {error}")]
    Secret {
        /// The row.
        row: String,
        /// The column.
        column: &'static str,
        /// Why.
        error: VaultError,
    },
    /// A value is of no form that can be configured.
    #[error("{0}")]
    Unreadable(String),
}

/// Loads the whole configuration.
pub async fn load(store: &Store, vault: &Vault) -> Result<Configuration, LoadError> {
    assemble(store.configuration().await?, vault)
}

/// Makes the snapshot of what is stored.
pub fn assemble(stored: StoredConfiguration, vault: &Vault) -> Result<Configuration, LoadError> {
    let platforms = stored
        .platforms
        .into_values()
        .map(|record| platform_of(record, vault));
    let servers = stored
        .servers
        .into_values()
        .map(|record| server_of(record, vault));
    let tools = stored.tools.into_values().map(|record| {
        Tool::from_toml(&record.definition)
            .map_err(|error| LoadError::Unreadable(format!("tool {}: {error}", record.signature)))
    });
    Ok(Configuration::new(
        platforms.collect::<Result<_, _>>()?,
        servers.collect::<Result<_, _>>()?,
        tools.collect::<Result<_, _>>()?,
    ))
}

/// Opens a stored secret.
pub(super) fn secret_of(
    vault: &Vault,
    table: &'static str,
    row: &str,
    column: &'static str,
    sealed: Option<&[u8]>,
) -> Result<Option<SecretString>, LoadError> {
    let open = |sealed| vault.open(sealed, Drawer { table, row, column });
    sealed
        .map(open)
        .transpose()
        .map_err(|error| LoadError::Secret {
            row: row.to_owned(),
            column,
            error,
        })
}

fn platform_of(record: PlatformRecord, vault: &Vault) -> Result<Platform, LoadError> {
    let unreadable =
        |what| LoadError::Unreadable(format!("the {what} of platform {:?}", record.id));
    let url = BaseUrl::parse(&record.url).map_err(|_| unreadable("url"))?;
    let secret = secret_of(
        vault,
        "platforms",
        &record.id,
        "launch_secret",
        record.launch_secret.as_deref(),
    )?;
    let finish_url = match &record.finish_url {
        Some(text) => Some(FinishUrl::parse(text, &url).map_err(|_| unreadable("finish_url"))?),
        None => None,
    };
    Ok(Platform {
        launch_auth: match record.launch_auth.as_str() {
            SIGNED => {
                LaunchAuth::Signed(secret.map(|secret| LaunchKey::new(secret.expose_secret())))
            }
            OPEN => LaunchAuth::Open,
            _ => return Err(unreadable("launch_auth")),
        },
        callback_state: match record.callback_state.as_str() {
            "required" => CallbackState::Required,
            "off" => CallbackState::Off,
            _ => return Err(unreadable("callback_state")),
        },
        custom_csv: match record.custom_csv.as_str() {
            "accepted" => CsvSource::Accepted,
            "remembered" => CsvSource::Remembered,
            _ => return Err(unreadable("custom_csv")),
        },
        api_token_hash: match &record.api_token_hash {
            Some(hash) => Some(
                hash.as_slice()
                    .try_into()
                    .map_err(|_| unreadable("api_token"))?,
            ),
            None => None,
        },
        id: record.id.parse().map_err(|_| unreadable("id"))?,
        name: record.name,
        finish_url,
        url,
    })
}

fn server_of(record: ServerRecord, vault: &Vault) -> Result<Server, LoadError> {
    let unreadable = |what| LoadError::Unreadable(format!("the {what} of server {:?}", record.id));
    let key = secret_of(
        vault,
        "servers",
        &record.id,
        "server_key",
        record.server_key.as_deref(),
    )?;
    let timeout = match record.timeout_ms {
        Some(ms) => Some(Duration::from_millis(
            u64::try_from(ms).map_err(|_| unreadable("timeout_ms"))?,
        )),
        None => None,
    };
    let signing = Signing::of_number(record.signature).ok_or_else(|| unreadable("signature"))?;
    let time_zone = match record.time_zone.as_deref() {
        Some(zone) => zone.parse().map_err(|_| unreadable("time_zone"))?,
        None => chrono_tz::Tz::UTC,
    };
    let tools: Result<BTreeSet<_>, _> = record
        .tools
        .iter()
        .map(|signature| signature.parse())
        .collect();
    let settings = record
        .settings
        .iter()
        .map(|(signature, items)| Ok((signature.parse()?, items.clone())));
    Ok(Server {
        lms: lms_of(&record, vault)?,
        url: BaseUrl::parse(&record.url).map_err(|_| unreadable("url"))?,
        tools: tools.map_err(|_| unreadable("tools"))?,
        settings: settings
            .collect::<Result<_, crate::domain::id::InvalidId>>()
            .map_err(|_| unreadable("settings"))?,
        id: record.id.parse().map_err(|_| unreadable("id"))?,
        name: record.name,
        prefix: record.prefix,
        enabled: record.enabled,
        sign_redirects: record.sign_redirects,
        signing,
        private_network: record.private_network,
        login_window_minutes: record.login_window_minutes,
        time_zone,
        key,
        timeout,
    })
}

/// Watches the stored configuration for changes and swaps the snapshot; never ends. What cannot be
/// loaded is said in the log, and the snapshot before it stays.
pub async fn watch(gateway: Gateway, mut version: i64) {
    let mut told = None;
    loop {
        tokio::time::sleep(POLL).await;
        match gateway.store.configuration_version().await {
            Ok(found) if found == version => {}
            Ok(found) => match gateway.reload().await {
                Ok(()) => {
                    tracing::info!(version = found, "the configuration changed");
                    version = found;
                }
                // Once for each change: it is tried again and again.
                Err(_) if told == Some(found) => {}
                Err(error) => {
                    tracing::error!(%error, "the changed configuration cannot be served");
                    told = Some(found);
                }
            },
            Err(error) => tracing::debug!(%error, "the configuration's version cannot be read"),
        }
    }
}
