//! What `copyToolContent` and `importToolContent` have in common: content that a call makes, once, at the
//! place that the call's customCSV says.

use super::author::place_of;
use super::journal::{Wanted, once};
use super::{Gateway, Refusal};
use crate::domain::configuration::Configuration;
use crate::domain::content::{Content, ContentKey, Place};
use crate::domain::custom_csv::{CustomCsv, NamedServer};
use crate::domain::id::ServerId;
use crate::domain::journal::{Entry, EntryKey, EntryState, Operation, Payload, Request};
use crate::domain::tool::Tool;
use crate::outbound::Spool;

/// Content that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContent {
    /// Its number.
    pub key: ContentKey,
    /// Who, which course and section, which server it is for.
    pub custom_csv: String,
    /// The server, where the customCSV names none.
    pub ext_lms_id: Option<String>,
}

/// How it is made.
pub(super) struct Making<R> {
    pub(super) operation: Operation,
    /// What makes two calls the same, for content at a place.
    pub(super) request: R,
    /// The id to copy; empty for an import.
    pub(super) source: String,
    /// What the server is sent, where it is sent a file.
    pub(super) file: Option<Spool>,
}

/// Makes content, once. Answers it, and whether it was made now.
pub(super) async fn make_content<R: Fn(Place) -> Request>(
    gateway: &Gateway,
    new: &NewContent,
    making: Making<R>,
) -> Result<(Content, bool), Refusal> {
    let configuration = gateway.configuration();
    let key = &new.key;
    let (tool, csv) = csv_of(&configuration, new)?;
    let entry_key = EntryKey {
        platform: key.platform.clone(),
        signature: key.signature.clone(),
        operation: making.operation,
        local_id: key.id.get(),
    };
    let named = new.ext_lms_id.as_deref();
    let (server, place) = match place_of(&configuration, tool, &csv, named) {
        Ok(found) => found,
        // What was made stays made, also when its server is not used any more.
        Err(refusal) => {
            let entry = gateway.store.current_entry(&entry_key).await?;
            let made = entry.is_some_and(|entry| is_made(&entry, &csv, &making.request));
            return match gateway.store.content(key).await?.filter(|_| made) {
                Some(content) => Ok((content, false)),
                None => Err(refusal),
            };
        }
    };
    // Content that no such call made is somebody else's.
    if gateway.store.content(key).await?.is_some()
        && gateway.store.current_entry(&entry_key).await?.is_none()
    {
        return Err(Refusal::ThereAlready);
    }
    let wanted = Wanted {
        key: entry_key,
        server: server.id.clone(),
        request: (making.request)(place.clone()),
        payload: Payload {
            source: making.source,
            place,
            name: String::new(),
        },
        file: making.file,
    };
    let made = once(gateway, wanted).await?;
    let content = gateway.store.content(key).await?;
    Ok((content.ok_or(Refusal::UnknownContent)?, made.now))
}

/// The tool, and what customCSV says.
pub(super) fn csv_of<'c>(
    configuration: &'c Configuration,
    new: &NewContent,
) -> Result<(&'c Tool, CustomCsv), Refusal> {
    let tool = configuration
        .tool(new.key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    Ok((tool, CustomCsv::parse(&new.custom_csv, &tool.custom_csv)?))
}

/// Whether an entry is of the same call, and done. A customCSV without a server means the entry's.
fn is_made(entry: &Entry, csv: &CustomCsv, request: impl Fn(Place) -> Request) -> bool {
    let server: ServerId = match &csv.server {
        Some(NamedServer::Id(id)) => id.clone(),
        Some(NamedServer::Impossible) => return false,
        None => entry.server.clone(),
    };
    let place = Place {
        server,
        user: csv.user.clone(),
        course: csv.course.clone(),
        section: csv.section.clone(),
        course_url: csv.course_url.clone(),
    };
    entry.state == EntryState::Done && entry.request == request(place)
}
