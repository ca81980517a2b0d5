//! Servers: the list with their health, one of them, saving, deleting.

use chrono::{DateTime, Utc};

use super::{Deleted, delete, save};
use crate::domain::audit::Actor;
use crate::domain::launch_record::LaunchOutcome;
use crate::flows::apply::{MadeFrom, Report, SaveError, WrittenServer};
use crate::flows::{Gateway, Refusal};
use crate::outbound::Health;
use crate::store::{Connected, InUse, ServerRecord};

/// A server in the list.
pub struct Listed {
    /// It, as it is stored.
    pub record: ServerRecord,
    /// How it does, as this instance has seen it; nothing where it is not served yet.
    pub health: Option<Health>,
    /// When it last answered a call, of whichever instance.
    pub answered: Option<DateTime<Utc>>,
    /// What it had in the last 24 hours.
    pub day: Day,
}

/// How many launches there were in a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Day {
    /// All of them.
    pub launches: i64,
    /// Those that were refused.
    pub refused: i64,
    /// Those that failed.
    pub failed: i64,
}

/// All servers, by id.
pub async fn list(gateway: &Gateway, now: DateTime<Utc>) -> Result<Vec<Listed>, Refusal> {
    let stored = gateway.store.configuration().await?;
    // This hour, as far as it has come, and the 23 before it.
    let since = now.timestamp() / 3600 - 23;
    let hours = gateway.store.launch_hours(since).await?;
    let answers = gateway.store.last_answers().await?;
    let configuration = gateway.configuration();
    let listed = stored.servers.into_values().map(|record| {
        let server = configuration.server(&record.id);
        let mut day = Day::default();
        for hour in hours.iter().filter(|hour| hour.server_id == record.id) {
            day.launches += hour.launches;
            match LaunchOutcome::stored(&hour.outcome) {
                Some(LaunchOutcome::Refused) => day.refused += hour.launches,
                Some(LaunchOutcome::Failed) => day.failed += hour.launches,
                _ => {}
            }
        }
        let health = server.map(|server| gateway.health(server));
        Listed {
            // What this instance has seen may not be written down yet, or is about nothing that is.
            answered: health
                .and_then(|health| health.answered)
                .max(answers.get(&record.id).copied()),
            health,
            record,
            day,
        }
    });
    Ok(listed.collect())
}

/// One server as it is stored.
pub async fn find(gateway: &Gateway, id: &str) -> Result<ServerRecord, Refusal> {
    let mut stored = gateway.store.configuration().await?;
    stored
        .servers
        .remove(id)
        .ok_or(Refusal::NotConfigured("server"))
}

/// Adds a server, or changes the one that the form was made from.
pub async fn set(
    gateway: &Gateway,
    actor: &Actor,
    made_from: &MadeFrom,
    server: WrittenServer,
) -> Result<Report, SaveError> {
    let id = server.id.clone();
    save(gateway, actor, (Connected::Server(&id), made_from), server).await
}

/// What uses a server.
pub async fn in_use(gateway: &Gateway, id: &str) -> Result<InUse, Refusal> {
    Ok(gateway.store.in_use(Connected::Server(id)).await?)
}

/// Deletes a server that nothing uses.
pub async fn remove(gateway: &Gateway, actor: &Actor, id: &str) -> Result<Deleted, Refusal> {
    delete(gateway, actor, Connected::Server(id)).await
}
