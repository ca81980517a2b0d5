//! Platforms: the list, one of them, saving, deleting, their secrets, and an example of a launch.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Deleted, delete, save};
use crate::domain::audit::Actor;
use crate::domain::configuration::Configuration;
use crate::domain::custom_csv::Field;
use crate::domain::enc::push_enc;
use crate::domain::server::Server;
use crate::domain::tool::Tool;
use crate::flows::apply::{MadeFrom, Report, SaveError, WrittenPlatform};
use crate::flows::{Gateway, Refusal, random};
use crate::store::{Connected, InUse, PlatformRecord};

/// All platforms, by id.
pub async fn list(gateway: &Gateway) -> Result<Vec<PlatformRecord>, Refusal> {
    let stored = gateway.store.configuration().await?;
    Ok(stored.platforms.into_values().collect())
}

/// One platform as it is stored.
pub async fn find(gateway: &Gateway, id: &str) -> Result<PlatformRecord, Refusal> {
    let mut stored = gateway.store.configuration().await?;
    stored
        .platforms
        .remove(id)
        .ok_or(Refusal::NotConfigured("platform"))
}

/// Adds a platform, or changes the one that the form was made from.
pub async fn set(
    gateway: &Gateway,
    actor: &Actor,
    made_from: &MadeFrom,
    platform: WrittenPlatform,
) -> Result<Report, SaveError> {
    let id = platform.id.clone();
    let object = (Connected::Platform(id.as_str()), made_from);
    save(gateway, actor, object, platform).await
}

/// What uses a platform.
pub async fn in_use(gateway: &Gateway, id: &str) -> Result<InUse, Refusal> {
    Ok(gateway.store.in_use(Connected::Platform(id)).await?)
}

/// Deletes a platform that nothing uses.
pub async fn remove(gateway: &Gateway, actor: &Actor, id: &str) -> Result<Deleted, Refusal> {
    delete(gateway, actor, Connected::Platform(id)).await
}

/// A new secret: 32 random bytes in base64url, which needs no escapes anywhere.
pub fn generate_secret() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<32>())
}

/// A launch to try: who, and which path and query, values escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// A LAMS login.
    pub uid: String,
    /// Path and query, unsigned.
    pub path: String,
    /// Whether it leads to a server that is connected; else its names are made up.
    pub is_real: bool,
}

/// An author's launch of the first tool that an enabled server has.
pub fn example(configuration: &Configuration, platform: &str) -> Example {
    let pair = configuration
        .servers()
        .filter(|server| server.enabled)
        .find_map(|server| {
            let tool = configuration
                .tools()
                .find(|tool| server.tools.contains(&tool.signature))?;
            Some((server, tool))
        });
    let (signature, csv, prefix) = match pair {
        Some((server, tool)) => (
            tool.signature.as_str(),
            example_csv(server, tool),
            server.prefix.as_deref().unwrap_or("mdl"),
        ),
        None => ("mdquiz10", "bill,7,3,moodle".to_owned(), "mdl"),
    };
    let mut path = format!(
        "/{platform}/tool/{signature}/authoring.do?toolContentID=1&contentFolderID=f1&customCSV="
    );
    push_enc(&mut path, &csv);
    if let Some((server, tool)) = pair
        && !tool.custom_csv.fields.contains(&Field::ExtLmsId)
    {
        path.push_str("&extLmsId=");
        push_enc(&mut path, server.id.as_str());
    }
    Example {
        uid: format!("{prefix}_bill"),
        path,
        is_real: pair.is_some(),
    }
}

/// A customCSV of the form that a tool takes, with made-up names.
pub(in crate::flows) fn example_csv(server: &Server, tool: &Tool) -> String {
    let value = |field: &Field| match field {
        Field::User => "bill".to_owned(),
        Field::Course => "7".to_owned(),
        Field::Section => "3".to_owned(),
        Field::CourseUrl => format!("{}courses/7", server.url),
        Field::ExtLmsId => server.id.to_string(),
    };
    let fields: Vec<String> = tool.custom_csv.fields.iter().map(value).collect();
    fields.join(",")
}
