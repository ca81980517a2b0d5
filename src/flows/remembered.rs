//! The customCSV that a LoginRequest brought, for launches and calls that have none: since its authoring moved
//! from Flash to HTML, LAMS drops it on the way (protocol 7).

use chrono::{DateTime, Utc};

use super::author::is_same_login;
use super::making::Whence;
use super::{Gateway, Refusal};
use crate::domain::configuration::Configuration;
use crate::domain::content::Place;
use crate::domain::custom_csv::{CustomCsv, NamedServer};
use crate::domain::id::PlatformId;
use crate::domain::journal::EntryKey;
use crate::domain::launch_record::Remembered;
use crate::domain::person::Person;
use crate::domain::tool::Tool;
use crate::store::RememberedCsv;

/// A customCSV that is remembered, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// What it says.
    pub csv: CustomCsv,
    /// The server that it came from.
    pub server: String,
    /// As it came, and when.
    pub from: Remembered,
}

/// Whose customCSV is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) platform: &'a PlatformId,
    pub(super) lams_login: &'a str,
    /// The server that it has to come from, where one is named.
    pub(super) server: Option<&'a str>,
}

/// What is remembered of somebody for a tool: of the named server, else of the only server that is mapped to
/// the tool.
pub(super) async fn recall(
    gateway: &Gateway,
    configuration: &Configuration,
    tool: &Tool,
    whose: Whose<'_>,
    now: DateTime<Utc>,
) -> Result<Recalled, Refusal> {
    let all = all_of(gateway, whose, now).await?;
    let usable = |row: &RememberedCsv| {
        let server = row.server_id.as_str();
        whose.server.is_none_or(|named| named == server)
            && configuration.usable_server(server, &tool.signature).is_ok()
    };
    let mut found = all.into_iter().filter(usable);
    let (row, others) = (found.next(), found.count());
    match row {
        Some(_) if others > 0 => Err(Refusal::SeveralRemembered(others + 1)),
        Some(row) => read(row, tool),
        None => Err(Refusal::NothingRemembered),
    }
}

/// Refuses a customCSV that is none of those remembered. Where nothing is remembered any more, there is nothing
/// from which it could differ.
pub(super) async fn is_one_of(
    gateway: &Gateway,
    csv: &CustomCsv,
    tool: &Tool,
    whose: Whose<'_>,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let all = all_of(gateway, whose, now).await?;
    let same = |row: RememberedCsv| read(row, tool).is_ok_and(|recalled| recalled.csv == *csv);
    if all.is_empty() || all.into_iter().any(same) {
        Ok(())
    } else {
        Err(Refusal::NotAsRemembered)
    }
}

/// What a platform's call means that names a user in place of a customCSV. One that makes the same again means what it
/// meant before, whatever is remembered of the user by now.
pub async fn for_call(
    gateway: &Gateway,
    key: &EntryKey,
    user: &str,
    server: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Whence, Refusal> {
    let configuration = gateway.configuration();
    let is_theirs = |place: &Place| {
        server.is_none_or(|server| server == place.server.as_str())
            && is_login_of(&configuration, user, place.server.as_str(), &place.user)
    };
    let before = gateway.store.current_entry(key).await?;
    let before = before.and_then(|entry| entry.request.into_place());
    if let Some(place) = before.filter(is_theirs) {
        return Ok(Whence::Before(place));
    }
    let tool = configuration
        .tool(key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let whose = Whose {
        platform: &key.platform,
        lams_login: user,
        server,
    };
    let recalled = recall(gateway, &configuration, tool, whose, now).await?;
    // No hash covers what a login brought: it may name somebody else.
    if !is_login_of(&configuration, user, &recalled.server, &recalled.csv.user) {
        return Err(Refusal::SomebodyElse);
    }
    Ok(Whence::CustomCsv(recalled.from.csv, Some(recalled.server)))
}

/// Whether somebody whom LAMS knows by one login is known to a server by another.
fn is_login_of(configuration: &Configuration, lams_login: &str, server: &str, login: &str) -> bool {
    let person = Person::Lams(lams_login.into());
    let server = configuration.server(server);
    server.is_some_and(|server| is_same_login(person.external_login(server), login))
}

async fn all_of(
    gateway: &Gateway,
    whose: Whose<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<RememberedCsv>, Refusal> {
    let since = now - gateway.csv_kept();
    let store = &gateway.store;
    Ok(store
        .remembered_csv(whose.platform, whose.lams_login, since)
        .await?)
}

/// Reads it as the tool does. One that names another server than it came from is nobody's word.
fn read(row: RememberedCsv, tool: &Tool) -> Result<Recalled, Refusal> {
    let csv =
        CustomCsv::parse(&row.custom_csv, &tool.custom_csv).map_err(Refusal::RememberedCsv)?;
    let elsewhere = match &csv.server {
        Some(NamedServer::Id(id)) => id.as_str() != row.server_id,
        Some(NamedServer::Impossible) => true,
        None => false,
    };
    if elsewhere {
        return Err(Refusal::RememberedElsewhere(row.server_id));
    }
    Ok(Recalled {
        csv,
        server: row.server_id,
        from: Remembered {
            csv: row.custom_csv,
            at: row.remembered_at,
        },
    })
}
