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
    /// Where it goes.
    pub whence: Whence,
}

/// What says where new content goes: for whom, into which course and section, on which server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whence {
    /// A customCSV, and the server where that names none.
    CustomCsv(String, Option<String>),
    /// What the same call said before, which is remembered otherwise by now, or no more.
    Before(Place),
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
    let read = read(&configuration, new)?;
    let entry_key = EntryKey::of_content(key, making.operation);
    let place = match read.place(&configuration) {
        Ok(place) => place,
        // What was made stays made, also when its server is not used any more.
        Err(refusal) => {
            let entry = gateway.store.current_entry(&entry_key).await?;
            let made = entry.is_some_and(|entry| read.is_made(&entry, &making.request));
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
        server: place.server.clone(),
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

/// What says where new content goes, read as its tool does.
pub(super) struct Read<'c> {
    tool: &'c Tool,
    says: Says,
}

enum Says {
    /// And the server that is named beside it.
    Csv(CustomCsv, Option<String>),
    Place(Place),
}

/// Reads it; whether its server can be used is not looked at.
pub(super) fn read<'c>(
    configuration: &'c Configuration,
    new: &NewContent,
) -> Result<Read<'c>, Refusal> {
    let tool = configuration
        .tool(new.key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let says = match &new.whence {
        Whence::CustomCsv(text, server) => {
            let csv = CustomCsv::parse(text, &tool.custom_csv)?;
            Says::Csv(csv, server.clone())
        }
        Whence::Before(place) => Says::Place(place.clone()),
    };
    Ok(Read { tool, says })
}

impl Read<'_> {
    /// The place, on a server that can be used.
    fn place(&self, configuration: &Configuration) -> Result<Place, Refusal> {
        match &self.says {
            Says::Csv(csv, named) => {
                let (_, place) = place_of(configuration, self.tool, csv, named.as_deref())?;
                Ok(place)
            }
            Says::Place(place) => {
                configuration.usable_server(place.server.as_str(), &self.tool.signature)?;
                Ok(place.clone())
            }
        }
    }

    /// Whether an entry is of the same call, and done. A customCSV without a server means the entry's.
    fn is_made(&self, entry: &Entry, request: impl Fn(Place) -> Request) -> bool {
        let place = match &self.says {
            Says::Place(place) => place.clone(),
            Says::Csv(csv, _) => {
                let server: ServerId = match &csv.server {
                    Some(NamedServer::Id(id)) => id.clone(),
                    Some(NamedServer::Impossible) => return false,
                    None => entry.server.clone(),
                };
                Place {
                    server,
                    user: csv.user.clone(),
                    course: csv.course.clone(),
                    section: csv.section.clone(),
                    course_url: csv.course_url.clone(),
                }
            }
        };
        entry.state == EntryState::Done && entry.request == request(place)
    }
}
