//! `copyToolContent`: a lesson starts, or a design is copied, and its activity gets a copy of its own on
//! the external server, once (protocol 8).

use super::author::place_of;
use super::journal::{Wanted, once};
use super::{Gateway, Refusal};
use crate::domain::content::{Content, ContentKey};
use crate::domain::custom_csv::{CustomCsv, NamedServer};
use crate::domain::id::ToolContentId;
use crate::domain::journal::{Entry, EntryKey, EntryState, Operation, Payload, Request};

/// What makes default content, where there is nothing to copy.
const DEFAULT_CONTENT: &str = "0";

/// A copy that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyWanted {
    /// The copy's number.
    pub key: ContentKey,
    /// The content to copy; unknown and unsaved content, and `None`, make default content.
    pub from: Option<ToolContentId>,
    /// Who, which course and section, which server the copy is for.
    pub custom_csv: String,
    /// The server, where the customCSV names none.
    pub ext_lms_id: Option<String>,
}

/// Makes the copy, once: the same call again answers the same content. With it, whether it was made now.
pub async fn copy_tool_content(
    gateway: &Gateway,
    wanted: CopyWanted,
) -> Result<(Content, bool), Refusal> {
    gateway
        .see_through(|gateway| async move { copy(&gateway, wanted).await })
        .await
}

async fn copy(gateway: &Gateway, wanted: CopyWanted) -> Result<(Content, bool), Refusal> {
    let CopyWanted {
        key,
        from,
        custom_csv,
        ext_lms_id,
    } = wanted;
    let configuration = gateway.configuration();
    let tool = configuration
        .tool(key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let csv = CustomCsv::parse(&custom_csv, &tool.custom_csv)?;
    let entry_key = EntryKey {
        platform: key.platform.clone(),
        signature: key.signature.clone(),
        operation: Operation::Copy,
        local_id: key.id.get(),
    };
    let (server, place) = match place_of(&configuration, tool, &csv, ext_lms_id.as_deref()) {
        Ok(found) => found,
        // What was made stays made, also when its server is not used any more.
        Err(refusal) => {
            let entry = gateway.store.current_entry(&entry_key).await?;
            let made = entry.is_some_and(|entry| is_done(&entry, from, &csv));
            return match gateway.store.content(&key).await?.filter(|_| made) {
                Some(content) => Ok((content, false)),
                None => Err(refusal),
            };
        }
    };
    // Content that no copy made is somebody else's.
    if gateway.store.content(&key).await?.is_some()
        && gateway.store.current_entry(&entry_key).await?.is_none()
    {
        return Err(Refusal::ThereAlready);
    }
    let source = match from {
        Some(from) => {
            gateway
                .store
                .content(&ContentKey {
                    id: from,
                    ..key.clone()
                })
                .await?
        }
        None => None,
    };
    let source = source.and_then(|content| content.ext_id);
    let made = once(
        gateway,
        Wanted {
            key: entry_key,
            server: server.id.clone(),
            request: Request::Copy {
                from: from.map(ToolContentId::get),
                place: place.clone(),
            },
            payload: Payload {
                source: source.map_or(DEFAULT_CONTENT.to_owned(), |id| id.to_string()),
                place,
                name: String::new(),
            },
        },
    )
    .await?;
    let content = gateway
        .store
        .content(&key)
        .await?
        .ok_or(Refusal::UnknownContent)?;
    Ok((content, made.now))
}

/// Whether an entry is of the same call, and done.
fn is_done(entry: &Entry, from: Option<ToolContentId>, csv: &CustomCsv) -> bool {
    let Request::Copy {
        from: copied,
        place,
    } = &entry.request
    else {
        return false;
    };
    let server = match &csv.server {
        Some(NamedServer::Id(id)) => *id == place.server,
        Some(NamedServer::Impossible) => false,
        None => true,
    };
    entry.state == EntryState::Done
        && *copied == from.map(ToolContentId::get)
        && server
        && (&place.user, &place.course) == (&csv.user, &csv.course)
        && (&place.section, &place.course_url) == (&csv.section, &csv.course_url)
}
