//! `importToolContent`: content from an archive that a gateway or an old LAMS exported, made on the external
//! server, once (protocol 8). What LAMS forgot is stored: server, user, course and section.

use super::archive::Archive;
use super::making::{Making, NewContent, make_content, read};
use super::{Gateway, Refusal};
use crate::domain::content::Content;
use crate::domain::journal::{Operation, Request};
use crate::outbound::Spool;

/// Makes content of an archive, once: the same call with the same file answers the same content. Answers
/// the content, and whether it was made now.
pub async fn import_tool_content(
    gateway: &Gateway,
    new: NewContent,
    file: Spool,
) -> Result<(Content, bool), Refusal> {
    gateway
        .see_through(move |gateway| async move { import(&gateway, new, file).await })
        .await
}

async fn import(
    gateway: &Gateway,
    new: NewContent,
    file: Spool,
) -> Result<(Content, bool), Refusal> {
    read(&gateway.configuration(), &new)?;
    let longest = gateway.outbound().longest_archive();
    let tool = new.key.signature.clone();
    let Archive { flags, payload } = gateway.archives().open(file, tool, longest).await?;
    let sha256 = payload.as_ref().map(Spool::sha256);
    let making = Making {
        operation: Operation::Import,
        request: |place| Request::Import {
            place,
            sha256: sha256.clone(),
            define_later: flags.define_later,
            run_offline: flags.run_offline,
        },
        source: String::new(),
        file: payload,
    };
    make_content(gateway, &new, making).await
}
