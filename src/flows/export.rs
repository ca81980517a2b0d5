//! `exportToolContent` (protocol 8): an archive of content. What the external server exports is fetched whole
//! before a byte is answered: a failed export is an error, never a shorter file.

use chrono::{DateTime, SecondsFormat, Utc};

use super::contents::about_content;
use super::{Gateway, Refusal, archive, contents};
use crate::domain::content::ContentKey;
use crate::domain::manifest::{Manifest, Payload};
use crate::outbound::{Page, Spool};

/// Makes the archive of content.
pub async fn export_tool_content(
    gateway: &Gateway,
    key: &ContentKey,
    now: DateTime<Utc>,
) -> Result<Spool, Refusal> {
    let content = contents::get(gateway, key).await?;
    let configuration = gateway.configuration();
    let tool = configuration
        .tool(key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let payload = match &content.ext_id {
        None => None,
        Some(ext_id) => {
            let server =
                configuration.usable_server(content.place.server.as_str(), &key.signature)?;
            let about = about_content(key);
            let page = Page {
                tool,
                server,
                place: &content.place,
                about: Some(&about),
            };
            Some(gateway.outbound().export(page, ext_id).await?)
        }
    };
    let said = payload.as_ref().map(|payload| Payload {
        bytes: payload.len(),
        sha256: payload.sha256(),
    });
    let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    archive::pack(Manifest::of(&content, tool, said, at), payload).await
}
