//! `createToolSession`: the first learner of a group makes LAMS ask for a session, which gets its own
//! copy of the content on the external server (protocol 8).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;

use super::{Gateway, Refusal};
use crate::domain::content::ContentKey;
use crate::domain::id::ToolContentId;
use crate::domain::session::{Session, SessionKey};
use crate::store::Made;

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
    let work = |gateway: Gateway| async move {
        let _turn = gateway.turns().take(&key).await;
        create(&gateway, key, content, name).await
    };
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
        return there_already(session, content);
    }
    let configuration = gateway.configuration();
    let tool = configuration
        .tool(key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
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
    let server = configuration.usable_server(stored.place.server.as_str(), &key.signature)?;
    let source = stored.ext_id.as_ref().ok_or(Refusal::NotSavedYet)?;

    let ext_id = gateway
        .outbound()
        .clone_content(tool, server, &stored.place, source)
        .await?;
    let session = Session {
        key,
        content,
        name,
        ext_id,
        created_at: Utc::now(),
    };
    match gateway.store.insert_session(&session).await? {
        Made::Now => Ok(Created {
            session,
            made_now: true,
        }),
        Made::Before => {
            tracing::warn!(
                session = %session.key.id, left_behind = %session.ext_id, server = %server.id,
                "another instance made this session at the same time; a copy is left behind"
            );
            let session = gateway
                .store
                .session(&session.key)
                .await?
                .ok_or(Refusal::UnknownSession)?;
            there_already(session, content)
        }
    }
}

fn there_already(session: Session, content: ToolContentId) -> Result<Created, Refusal> {
    if session.content != content {
        return Err(Refusal::SessionOfAnotherContent);
    }
    Ok(Created {
        session,
        made_now: false,
    })
}

/// Lets one caller at a time make a session of one key.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<SessionKey, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn take(&self, key: &SessionKey) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds or waits for are dropped whenever a new one is asked for.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry(key.clone()).or_default().clone()
        };
        lock.lock_owned().await
    }
}
