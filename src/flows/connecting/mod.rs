//! What sysadmins connect by pages: servers, platforms, tools, the configuration as a file. Every change goes
//! through what `toolgate apply` does, in the sysadmin's name, and is served by this instance at once.

pub mod configuration;
pub mod connections;
pub mod platforms;
pub mod servers;
pub mod tools;

use chrono::Utc;
use serde_json::Value;

use super::apply::{self, MadeFrom, SaveError};
use super::audit::entry;
use super::configuration::LoadError;
use super::{Gateway, Refusal};
use crate::domain::audit::Actor;
use crate::store::{Connected, InUse, StoreError};

/// What came of the wish to delete something.
#[derive(Debug)]
pub enum Deleted {
    /// It is gone.
    Gone,
    /// It stays, since this uses it.
    InUse(InUse),
}

/// Deletes a server, platform or tool that nothing uses.
async fn delete(
    gateway: &Gateway,
    actor: &Actor,
    connected: Connected<'_>,
) -> Result<Deleted, Refusal> {
    let change = gateway.store.change_configuration().await?;
    let (action, id, before): (_, _, Option<Value>) = match connected {
        Connected::Server(id) => {
            let record = change.before.servers.get(id);
            ("server.deleted", id, record.map(apply::told::server))
        }
        Connected::Platform(id) => {
            let record = change.before.platforms.get(id);
            ("platform.deleted", id, record.map(apply::told::platform))
        }
        Connected::Tool(id) => {
            let record = change.before.tools.get(id);
            ("tool.deleted", id, record.map(apply::told::tool))
        }
    };
    let before = before.ok_or(Refusal::NotConfigured(called(connected)))?;
    let told = entry(actor, action, id, [Some(before), None], Utc::now());
    match change.delete(connected, &told).await? {
        Some(used) => Ok(Deleted::InUse(used)),
        None => {
            serve(gateway).await;
            Ok(Deleted::Gone)
        }
    }
}

fn called(connected: Connected<'_>) -> &'static str {
    match connected {
        Connected::Server(_) => "server",
        Connected::Platform(_) => "platform",
        Connected::Tool(_) => "tool",
    }
}

/// Saves one object from a form.
async fn save(
    gateway: &Gateway,
    actor: &Actor,
    object: (Connected<'_>, &MadeFrom),
    file: impl Into<apply::WrittenFile>,
) -> Result<apply::Report, SaveError> {
    let report = apply::save(&gateway.store, gateway.vault(), actor, object, file.into()).await?;
    serve(gateway).await;
    Ok(report)
}

/// Serves what was changed, from now on here; other instances notice within two seconds. Should it fail,
/// this instance notices like the others.
async fn serve(gateway: &Gateway) {
    if let Err(error) = gateway.reload().await {
        tracing::warn!(%error, "the changed configuration is not served yet");
    }
}

/// What stands behind a stored configuration that cannot be loaded.
fn refused(error: LoadError) -> Refusal {
    match error {
        LoadError::Store(error) => error.into(),
        other => StoreError::Unreadable(other.to_string()).into(),
    }
}
