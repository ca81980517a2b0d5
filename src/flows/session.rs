//! `createToolSession`: the first learner of a group makes LAMS ask for a session, which gets its own
//! copy of the content on the external server, once (protocol 8).

use super::journal::{Wanted, once};
use super::{Gateway, Refusal};
use crate::domain::content::ContentKey;
use crate::domain::id::ToolContentId;
use crate::domain::journal::{EntryKey, Operation, Payload, Request};
use crate::domain::session::{Session, SessionKey};

/// A session that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The session.
    pub session: Session,
    /// Whether it was made now; else it was there already.
    pub made_now: bool,
}

/// Makes a session with a copy of its own, once: the same call again answers the same session.
///
/// Goes on when the caller gives up waiting, so that a copy that was made is not forgotten.
pub async fn create_tool_session(
    gateway: &Gateway,
    key: SessionKey,
    content: ToolContentId,
    name: String,
) -> Result<Created, Refusal> {
    let work = |gateway: Gateway| async move { create(&gateway, key, content, name).await };
    gateway.see_through(work).await
}

/// A session, as the API shows it.
pub async fn get(gateway: &Gateway, key: &SessionKey) -> Result<Session, Refusal> {
    gateway
        .store
        .session(key)
        .await?
        .ok_or(Refusal::UnknownSession)
}

async fn create(
    gateway: &Gateway,
    key: SessionKey,
    content: ToolContentId,
    name: String,
) -> Result<Created, Refusal> {
    if let Some(session) = gateway.store.session(&key).await? {
        return there(session, content, false);
    }
    let content_key = ContentKey {
        platform: key.platform.clone(),
        signature: key.signature.clone(),
        id: content,
    };
    let stored = gateway
        .store
        .content(&content_key)
        .await?
        .ok_or(Refusal::UnknownContent)?;
    let source = stored.ext_id.ok_or(Refusal::NotSavedYet)?;
    let configuration = gateway.configuration();
    let server = configuration.usable_server(stored.place.server.as_str(), &key.signature)?;
    let wanted = Wanted {
        key: EntryKey {
            platform: key.platform.clone(),
            signature: key.signature.clone(),
            operation: Operation::Session,
            local_id: key.id.get(),
        },
        server: server.id.clone(),
        request: Request::Session {
            content: content.get(),
        },
        payload: Payload {
            source: source.to_string(),
            place: stored.place,
            name,
        },
        file: None,
    };
    let made = once(gateway, wanted).await?;
    there(get(gateway, &key).await?, content, made.now)
}

fn there(session: Session, content: ToolContentId, made_now: bool) -> Result<Created, Refusal> {
    if session.content != content {
        return Err(Refusal::ThereAlready);
    }
    Ok(Created { session, made_now })
}
