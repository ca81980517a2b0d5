//! `copyToolContent`: a lesson starts, or a design is copied, and its activity gets a copy of its own on
//! the external server, once (protocol 8).

use super::making::{Making, NewContent, make_content, read};
use super::{Gateway, Refusal};
use crate::domain::content::{Content, ContentKey};
use crate::domain::id::ToolContentId;
use crate::domain::journal::{Operation, Request};

/// What makes default content, where there is nothing to copy.
pub(super) const DEFAULT_CONTENT: &str = "0";

/// Makes a copy of content, once: the same call again answers the same content. Unknown and unsaved
/// content, and `None`, make default content. Answers the copy, and whether it was made now.
pub async fn copy_tool_content(
    gateway: &Gateway,
    from: Option<ToolContentId>,
    new: NewContent,
) -> Result<(Content, bool), Refusal> {
    gateway
        .see_through(move |gateway| async move { copy(&gateway, from, new).await })
        .await
}

async fn copy(
    gateway: &Gateway,
    from: Option<ToolContentId>,
    new: NewContent,
) -> Result<(Content, bool), Refusal> {
    read(&gateway.configuration(), &new)?;
    let source = match from {
        Some(from) => {
            let key = ContentKey {
                id: from,
                ..new.key.clone()
            };
            gateway.store.content(&key).await?
        }
        None => None,
    };
    let source = source.and_then(|content| content.ext_id);
    let making = Making {
        operation: Operation::Copy,
        request: |place| Request::Copy {
            from: from.map(ToolContentId::get),
            place,
        },
        source: source.map_or(DEFAULT_CONTENT.to_owned(), |id| id.to_string()),
        file: None,
    };
    make_content(gateway, &new, making).await
}
