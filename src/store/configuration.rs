//! What is configured, as plain records: secrets sealed, nothing judged. `flows::configuration` makes
//! the snapshot that launches use of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::lms_connections::{self, ConnectionRow, EnrollmentRecord};
use super::{Store, StoreError, Tx, count, read, statements, within};

use crate::domain::audit::Entry;

statements! {
    VERSION = "select version from configuration_version where id = 1";
    /// Also the lock that keeps two changes apart.
    NEXT_VERSION = "update configuration_version set version = version + 1 where id = 1";
    PLATFORMS = "select id, name, url, launch_auth, launch_secret, callback_state, api_token_hash, custom_csv,
            finish_url
        from platforms order by id";
    SERVERS = "select id, name, url, server_key, prefix, enabled, sign_redirects, timeout_ms, private_network,
            login_window_minutes, time_zone, signature
        from servers order by id";
    SERVER_TOOLS = "select server_id, signature from server_tools";
    TOOL_SETTINGS = "select server_id, signature, name, value from tool_settings";
    TOOLS = "select signature, definition from tools order by signature";
    SET_PLATFORM = "insert into platforms (id, name, url, launch_auth, launch_secret, callback_state,
            api_token_hash, custom_csv, finish_url, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        on conflict (id) do update set name = excluded.name, url = excluded.url,
            launch_auth = excluded.launch_auth, launch_secret = excluded.launch_secret,
            callback_state = excluded.callback_state, api_token_hash = excluded.api_token_hash,
            custom_csv = excluded.custom_csv, finish_url = excluded.finish_url, updated_at = excluded.updated_at";
    SET_SERVER = "insert into servers (id, name, url, server_key, prefix, enabled, sign_redirects, timeout_ms,
            private_network, login_window_minutes, time_zone, signature, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
        on conflict (id) do update set name = excluded.name, url = excluded.url,
            server_key = excluded.server_key, prefix = excluded.prefix, enabled = excluded.enabled,
            sign_redirects = excluded.sign_redirects, timeout_ms = excluded.timeout_ms,
            private_network = excluded.private_network,
            login_window_minutes = excluded.login_window_minutes, time_zone = excluded.time_zone,
            signature = excluded.signature, updated_at = excluded.updated_at";
    UNMAP = "delete from server_tools where server_id = $1";
    MAP = "insert into server_tools (server_id, signature) values ($1, $2)";
    UNSET = "delete from tool_settings where server_id = $1";
    SET = "insert into tool_settings (server_id, signature, name, value) values ($1, $2, $3, $4)";
    SET_TOOL = "insert into tools (signature, definition, created_at, updated_at) values ($1, $2, $3, $3)
        on conflict (signature) do update set definition = excluded.definition, updated_at = excluded.updated_at";
    FREE_PREFIX = "update servers set prefix = null where id = $1";
    FREE_TOKEN = "update platforms set api_token_hash = null where id = $1";
}

/// A platform as it is stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(
    missing_docs,
    reason = "the columns of the table, where they are described"
)]
pub struct PlatformRecord {
    pub id: String,
    pub name: String,
    pub url: String,
    pub launch_auth: String,
    pub launch_secret: Option<Vec<u8>>,
    pub callback_state: String,
    pub api_token_hash: Option<Vec<u8>>,
    pub custom_csv: String,
    pub finish_url: Option<String>,
}

/// A server as it is stored, with its mapping and settings.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(
    missing_docs,
    reason = "the columns of the tables, where they are described"
)]
pub struct ServerRecord {
    pub id: String,
    pub name: String,
    pub url: String,
    pub server_key: Option<Vec<u8>>,
    pub prefix: Option<String>,
    pub enabled: bool,
    pub sign_redirects: bool,
    pub timeout_ms: Option<i64>,
    pub private_network: bool,
    pub login_window_minutes: Option<i64>,
    pub time_zone: Option<String>,
    pub signature: i64,
    #[sqlx(skip)]
    pub tools: BTreeSet<String>,
    #[sqlx(skip)]
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
    #[sqlx(skip)]
    pub enrollment: Option<EnrollmentRecord>,
}

/// An own tool as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ToolRecord {
    /// Its id.
    pub signature: String,
    /// The TOML text of its definition.
    pub definition: String,
}

/// All that is stored of the configuration.
#[derive(Clone, Default)]
#[expect(missing_docs, reason = "the tables, where they are described")]
pub struct StoredConfiguration {
    pub platforms: BTreeMap<String, PlatformRecord>,
    pub servers: BTreeMap<String, ServerRecord>,
    pub tools: BTreeMap<String, ToolRecord>,
}

impl StoredConfiguration {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.platforms.is_empty() && self.servers.is_empty() && self.tools.is_empty()
    }
}

/// Reads every part of the configuration; `$run` runs a query on a pool or within a transaction.
macro_rules! load {
    ($run:ident, $from:expr) => {{
        let platforms: Vec<PlatformRecord> = $run!($from, c => sqlx::query_as(PLATFORMS).fetch_all(c))?;
        let servers: Vec<ServerRecord> = $run!($from, c => sqlx::query_as(SERVERS).fetch_all(c))?;
        let tools: Vec<ToolRecord> = $run!($from, c => sqlx::query_as(TOOLS).fetch_all(c))?;
        let mapped: Vec<(String, String)> = $run!($from, c => sqlx::query_as(SERVER_TOOLS).fetch_all(c))?;
        let settings: Vec<(String, String, String, String)> =
            $run!($from, c => sqlx::query_as(TOOL_SETTINGS).fetch_all(c))?;
        let connections: Vec<ConnectionRow> =
            $run!($from, c => sqlx::query_as(lms_connections::ALL).fetch_all(c))?;
        let stored = joined(platforms, servers, tools, mapped, settings);
        connected(stored, connections)
    }};
}

impl Store {
    /// A number that rises with every change of configuration.
    pub async fn configuration_version(&self) -> Result<i64, StoreError> {
        Ok(read!(self, pool => sqlx::query_scalar(VERSION).fetch_one(pool))?)
    }

    /// All that is configured.
    pub async fn configuration(&self) -> Result<StoredConfiguration, StoreError> {
        Ok(load!(read, self))
    }

    /// Begins a change of configuration: no other can begin until it ends.
    pub async fn change_configuration(&self) -> Result<Change, StoreError> {
        let mut tx = self.begin().await?;
        within!(&mut tx, c => sqlx::query(NEXT_VERSION).execute(c).map_ok(count))?;
        let version: i64 = within!(&mut tx, c => sqlx::query_scalar(VERSION).fetch_one(c))?;
        let before = load!(within, &mut tx);
        Ok(Change {
            tx,
            before,
            version: version - 1,
        })
    }
}

/// A change of configuration under way. Dropped without [`Change::commit`], it changes nothing.
pub struct Change {
    pub(super) tx: Tx,
    /// What is configured before it.
    pub before: StoredConfiguration,
    /// The version before it.
    pub version: i64,
}

impl Change {
    /// Makes what is stored match `after`, for the platforms, servers and tools that it names, tells the
    /// audit, and ends.
    pub async fn commit(
        mut self,
        after: &StoredConfiguration,
        told: &[Entry],
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let tx = &mut self.tx;
        // A prefix or token that moves from one row to another is freed first.
        for id in after.servers.keys() {
            within!(&mut *tx, c => sqlx::query(FREE_PREFIX).bind(id).execute(c).map_ok(count))?;
        }
        for id in after.platforms.keys() {
            within!(&mut *tx, c => sqlx::query(FREE_TOKEN).bind(id).execute(c).map_ok(count))?;
        }
        for platform in after.platforms.values() {
            within!(&mut *tx, c => sqlx::query(SET_PLATFORM)
                .bind(&platform.id).bind(&platform.name).bind(&platform.url).bind(&platform.launch_auth)
                .bind(&platform.launch_secret).bind(&platform.callback_state)
                .bind(&platform.api_token_hash).bind(&platform.custom_csv).bind(&platform.finish_url).bind(at)
                .execute(c).map_ok(count))?;
        }
        for server in after.servers.values() {
            set_server(tx, server, at).await?;
        }
        for tool in after.tools.values() {
            within!(&mut *tx, c => sqlx::query(SET_TOOL)
                .bind(&tool.signature).bind(&tool.definition).bind(at)
                .execute(c).map_ok(count))?;
        }
        for entry in told {
            super::audit::record(tx, entry).await?;
        }
        self.tx.commit().await
    }
}

async fn set_server(
    tx: &mut Tx,
    server: &ServerRecord,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(SET_SERVER)
        .bind(&server.id).bind(&server.name).bind(&server.url).bind(&server.server_key)
        .bind(&server.prefix).bind(server.enabled).bind(server.sign_redirects)
        .bind(server.timeout_ms).bind(server.private_network)
        .bind(server.login_window_minutes).bind(&server.time_zone).bind(server.signature).bind(at)
        .execute(c).map_ok(count))?;
    for emptied in [UNMAP, UNSET] {
        within!(&mut *tx, c => sqlx::query(emptied).bind(&server.id).execute(c).map_ok(count))?;
    }
    lms_connections::set(tx, &server.id, server.enrollment.as_ref()).await?;
    for signature in &server.tools {
        within!(&mut *tx, c => sqlx::query(MAP).bind(&server.id).bind(signature)
            .execute(c).map_ok(count))?;
    }
    for (signature, items) in &server.settings {
        for (name, value) in items {
            within!(&mut *tx, c => sqlx::query(SET)
                .bind(&server.id).bind(signature).bind(name).bind(value)
                .execute(c).map_ok(count))?;
        }
    }
    Ok(())
}

fn connected(
    mut stored: StoredConfiguration,
    connections: Vec<ConnectionRow>,
) -> StoredConfiguration {
    for row in connections {
        if let Some(server) = stored.servers.get_mut(&row.server_id) {
            server.enrollment = Some(row.record);
        }
    }
    stored
}

fn joined(
    platforms: Vec<PlatformRecord>,
    servers: Vec<ServerRecord>,
    tools: Vec<ToolRecord>,
    mapped: Vec<(String, String)>,
    settings: Vec<(String, String, String, String)>,
) -> StoredConfiguration {
    let mut servers: BTreeMap<_, _> = servers.into_iter().map(|s| (s.id.clone(), s)).collect();
    for (server, signature) in mapped {
        if let Some(server) = servers.get_mut(&server) {
            server.tools.insert(signature);
        }
    }
    for (server, signature, name, value) in settings {
        if let Some(server) = servers.get_mut(&server) {
            server
                .settings
                .entry(signature)
                .or_default()
                .insert(name, value);
        }
    }
    StoredConfiguration {
        platforms: platforms.into_iter().map(|p| (p.id.clone(), p)).collect(),
        servers,
        tools: tools
            .into_iter()
            .map(|t| (t.signature.clone(), t))
            .collect(),
    }
}
