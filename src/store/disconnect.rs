//! Deleting a server, a platform or a tool of one's own, and what stands in the way of it.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Change, Store, StoreError, Tx, count, read, statements, within};
use crate::domain::audit::Entry;

statements! {
    OF_SERVER = "select platform_id, signature, tool_content_id, updated_at from contents
        where server_id = $1 order by updated_at desc, tool_content_id limit 10";
    OF_PLATFORM = "select platform_id, signature, tool_content_id, updated_at from contents
        where platform_id = $1 order by updated_at desc, tool_content_id limit 10";
    OF_TOOL = "select platform_id, signature, tool_content_id, updated_at from contents
        where signature = $1 order by updated_at desc, tool_content_id limit 10";
    COUNT_OF_SERVER = "select count(*) from contents where server_id = $1";
    COUNT_OF_PLATFORM = "select count(*) from contents where platform_id = $1";
    COUNT_OF_TOOL = "select count(*) from contents where signature = $1";
    OPEN_OF_SERVER = "select count(*) from journal where state in ('calling', 'unsettled') and server_id = $1";
    OPEN_OF_PLATFORM = "select count(*) from journal where state in ('calling', 'unsettled') and platform_id = $1";
    OPEN_OF_TOOL = "select count(*) from journal where state in ('calling', 'unsettled') and signature = $1";
    /// Only a tool can be mapped, and is known by nobody else.
    MAPPED = "select servers.name from servers join server_tools on server_tools.server_id = servers.id
        where server_tools.signature = $1 order by servers.name";
    DELETE_SERVER = "delete from servers where id = $1";
    DELETE_PLATFORM = "delete from platforms where id = $1";
    DELETE_TOOL = "delete from tools where signature = $1";
    UNSET_TOOL = "delete from tool_settings where signature = $1";
}

/// What can be deleted here, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected<'a> {
    /// A server.
    Server(&'a str),
    /// A platform.
    Platform(&'a str),
    /// A tool of one's own.
    Tool(&'a str),
}

/// What uses a server, platform or tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    /// How many contents.
    pub contents: i64,
    /// Ten of them at most, those that were used last first.
    pub first: Vec<UsedBy>,
    /// How many calls are under way or unsettled.
    pub calls: i64,
    /// The names of the servers that a tool is mapped to.
    pub servers: Vec<String>,
}

impl InUse {
    /// Whether nothing uses it.
    pub fn is_free(&self) -> bool {
        self.contents == 0 && self.calls == 0 && self.servers.is_empty()
    }
}

/// Content that uses it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UsedBy {
    /// Its platform.
    pub platform_id: String,
    /// Its tool.
    pub signature: String,
    /// Its `toolContentID`.
    pub tool_content_id: i64,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Asks for all of an [`InUse`]; `$run` runs a query on a pool or within a transaction.
macro_rules! in_use {
    ($run:ident, $from:expr, $connected:expr) => {{
        let (first, contents, calls, id) = match $connected {
            Connected::Server(id) => (OF_SERVER, COUNT_OF_SERVER, OPEN_OF_SERVER, id),
            Connected::Platform(id) => (OF_PLATFORM, COUNT_OF_PLATFORM, OPEN_OF_PLATFORM, id),
            Connected::Tool(id) => (OF_TOOL, COUNT_OF_TOOL, OPEN_OF_TOOL, id),
        };
        let mapped = matches!($connected, Connected::Tool(_));
        InUse {
            first: $run!($from, c => sqlx::query_as(first).bind(id).fetch_all(c))?,
            contents: $run!($from, c => sqlx::query_scalar(contents).bind(id).fetch_one(c))?,
            calls: $run!($from, c => sqlx::query_scalar(calls).bind(id).fetch_one(c))?,
            servers: if mapped {
                $run!($from, c => sqlx::query_scalar(MAPPED).bind(id).fetch_all(c))?
            } else {
                Vec::new()
            },
        }
    }};
}

impl Store {
    /// What uses a server, platform or tool now.
    pub async fn in_use(&self, connected: Connected<'_>) -> Result<InUse, StoreError> {
        Ok(in_use!(read, self, connected))
    }
}

impl Change {
    /// Deletes a server, platform or tool that nothing uses, tells the audit, and ends. Else it changes nothing
    /// and answers what uses it.
    pub async fn delete(
        mut self,
        connected: Connected<'_>,
        told: &Entry,
    ) -> Result<Option<InUse>, StoreError> {
        let used = in_use!(within, &mut self.tx, connected);
        if !used.is_free() {
            return Ok(Some(used));
        }
        match delete(&mut self.tx, connected).await {
            // Content was made in this very moment; the transaction is lost, and nothing is deleted.
            Err(StoreError::Partner(_)) => {
                return Ok(Some(InUse {
                    contents: 1,
                    ..used
                }));
            }
            outcome => outcome?,
        }
        super::audit::record(&mut self.tx, told).await?;
        self.tx.commit().await?;
        Ok(None)
    }
}

async fn delete(tx: &mut Tx, connected: Connected<'_>) -> Result<(), StoreError> {
    let (sql, id) = match connected {
        Connected::Server(id) => (DELETE_SERVER, id),
        Connected::Platform(id) => (DELETE_PLATFORM, id),
        Connected::Tool(id) => {
            within!(&mut *tx, c => sqlx::query(UNSET_TOOL).bind(id).execute(c).map_ok(count))?;
            (DELETE_TOOL, id)
        }
    };
    super::logins::forget(tx, connected).await?;
    within!(tx, c => sqlx::query(sql).bind(id).execute(c).map_ok(count))?;
    Ok(())
}
