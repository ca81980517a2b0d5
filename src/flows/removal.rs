//! `removeToolContent`, `removeToolSession` and `leaveToolSession` (protocol 8). What is forgotten here
//! and still stands on an external server is kept in a list for the operator.

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt};

use super::outputs::learner;
use super::{Gateway, Refusal};
use crate::domain::audit;
use crate::domain::configuration::Configuration;
use crate::domain::content::{ContentKey, Place};
use crate::domain::id::ExtId;
use crate::domain::platform::Platform;
use crate::domain::server::Server;
use crate::domain::session::SessionKey;
use crate::domain::tool::{Method, Tool};
use crate::outbound::Page;
use crate::store::{LeftBehind, Removal};

/// So many things are deleted outside at once, of one removal.
const AT_ONCE: usize = 4;

/// Forgets content; its sessions go with it where that is asked for, else they keep it.
pub async fn remove_content(
    gateway: &Gateway,
    key: &ContentKey,
    with_sessions: bool,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    // A session that is made at this very moment goes with the next try.
    for _ in 0..3 {
        match gateway
            .store
            .remove_content(key, with_sessions, now)
            .await?
        {
            Removal::Done(left) => {
                clear(gateway, left).await;
                return Ok(());
            }
            Removal::Unknown => return Err(Refusal::UnknownContent),
            Removal::HasSessions if with_sessions => {}
            Removal::HasSessions => break,
        }
    }
    Err(Refusal::HasSessions)
}

/// Forgets a session.
pub async fn remove_session(
    gateway: &Gateway,
    key: &SessionKey,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    gateway.forget_session(key);
    let left = gateway.store.remove_session(key, now).await?;
    let left = left.ok_or(Refusal::UnknownSession)?;
    clear(gateway, left).await;
    Ok(())
}

/// Deletes outside what was forgotten here, where its tool has a call for that. What cannot be deleted
/// stays in the operator's list.
async fn clear(gateway: &Gateway, left: Vec<LeftBehind>) {
    let one = |left: LeftBehind| async move {
        match delete_outside(gateway, &left, |_| None).await {
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, left_behind = left.ext_id, "it stays listed as left behind")
            }
        }
    };
    stream::iter(left).for_each_concurrent(AT_ONCE, one).await;
}

/// The way to delete one thing that was left behind: its tool and server, the method, and in whose name;
/// `None` where its tool has no call for that, or its server cannot be used.
pub(super) fn way_to_delete<'a>(
    configuration: &'a Configuration,
    left: &'a LeftBehind,
) -> Option<(&'a Tool, &'a Server, &'a Method, &'a Place)> {
    let tool = configuration.tool(&left.signature)?;
    let server = configuration.server(&left.server_id)?;
    let method = tool.adapter_page.delete.as_ref()?;
    server
        .enabled
        .then_some((&**tool, &**server, method, left.place.as_ref()?))
}

/// How something came off the list of what was left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cleared {
    /// It was deleted on its server.
    Deleted,
    /// It is used again, and was not touched.
    UsedAgain,
}

/// Deletes one thing that was left behind, unless it is used again, and strikes it from the list. The audit is told where
/// a person asked for it: `told` says what, by the action's word. `None` where it cannot be deleted from here.
pub(super) async fn delete_outside(
    gateway: &Gateway,
    left: &LeftBehind,
    told: impl Fn(&'static str) -> Option<audit::Entry>,
) -> Result<Option<Cleared>, Refusal> {
    let configuration = gateway.configuration();
    let Some((tool, server, method, place)) = way_to_delete(&configuration, left) else {
        return Ok(None);
    };
    // What nobody uses any more when it is forgotten may be used again by now.
    let (cleared, action) = if gateway.store.is_used(left).await? {
        (Cleared::UsedAgain, "left-behind.struck")
    } else {
        let ext_id = ExtId::stored(left.ext_id.clone());
        let page = Page {
            tool,
            server,
            place,
            about: None,
        };
        gateway.outbound().delete(page, &ext_id, method).await?;
        (Cleared::Deleted, "left-behind.deleted")
    };
    let told = told(action);
    gateway
        .store
        .forget_left_behind(&left.id, told.as_ref())
        .await?;
    Ok(Some(cleared))
}

/// Marks a person as finished with a session, and says where the platform wants its learners to go then.
pub async fn leave_session(
    gateway: &Gateway,
    platform: &Platform,
    key: &SessionKey,
    user: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>, Refusal> {
    let person = learner(user)?;
    if !gateway.store.mark_finished(key, person.name(), now).await? {
        return Err(Refusal::UnknownSession);
    }
    Ok(platform
        .finish_url
        .as_ref()
        .map(|url| url.fill(key.id, person.name())))
}
