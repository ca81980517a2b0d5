//! What an operator does with the journal: look, send again, adopt an id, give up.

use chrono::Utc;
use serde_json::{Value, json};

use super::keeper::lose;
use super::send;
use crate::domain::audit::{self, Actor};
use crate::domain::content::ContentKey;
use crate::domain::id::{ExtId, ToolContentId, ToolSessionId};
use crate::domain::journal::{Entry, EntryKey, EntryState, Request};
use crate::domain::session::SessionKey;
use crate::flows::audit::entry as audit_entry;
use crate::flows::copy::DEFAULT_CONTENT;
use crate::flows::removal::Cleared;
use crate::flows::{Gateway, Refusal, removal};
use crate::outbound::{Spool, SpoolError, SpoolWriter};
use crate::store::{LeftBehind, StoreError};

/// Why an entry cannot be settled so.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none of this id.
    #[error("there is no entry {0}")]
    Unknown(String),
    /// It is not unsettled.
    #[error("the entry {0} is {1}, not unsettled")]
    NotUnsettled(String, &'static str),
    /// The id to adopt is none of the tool's form, and what that form is.
    #[error("{0:?} cannot be an external id of {1}")]
    NotAnExtId(String, String),
    /// What it sends is not kept any more.
    #[error(
        "the file that {0} sends is not kept any more: adopt an id, or drop it and import again"
    )]
    NoFile(String),
    /// What stands on a server cannot be deleted from here.
    #[error(
        "{0} cannot be deleted from here: its tool has no call for that, or its server cannot be used; delete it there, then drop it"
    )]
    NotDeletable(String),
    /// What was made could not be stored.
    #[error("the id could not be stored: {0}")]
    NotStored(StoreError),
    /// The call was sent again, and refused or lost again.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The entries that are under way or unsettled, oldest first.
pub async fn list(gateway: &Gateway) -> Result<Vec<Entry>, JournalError> {
    lose(gateway).await?;
    Ok(gateway.store.open_entries().await?)
}

/// How many unsettled entries and things left behind there are beyond those of lists that begin with the oldest.
pub async fn beyond(
    gateway: &Gateway,
    open: &[Entry],
    left: &[LeftBehind],
) -> Result<(i64, i64), JournalError> {
    let listed = open
        .iter()
        .filter(|entry| entry.state == EntryState::Unsettled);
    let rest = |all: i64, listed: usize| (all - i64::try_from(listed).unwrap_or(all)).max(0);
    let unsettled = gateway.store.unsettled_entries().await?;
    let all_left = gateway.store.left_behind_count().await?;
    Ok((rest(unsettled, listed.count()), rest(all_left, left.len())))
}

/// So many failed entries stand on a page.
const ON_A_PAGE: usize = 50;

/// A page of the entries that failed or were given up.
pub struct FailedPage {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins, if there is one.
    pub older: Option<audit::Place>,
}

/// The entries that failed or were given up, as long as they are kept, the newest first; those before a
/// place, where one is given.
pub async fn failed(
    gateway: &Gateway,
    before: Option<&audit::Place>,
) -> Result<FailedPage, JournalError> {
    let most = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    let mut entries = gateway.store.failed_entries(before, most).await?;
    let more = entries.len() > ON_A_PAGE;
    entries.truncate(ON_A_PAGE);
    let place = |entry: &Entry| audit::Place {
        at: entry.updated_at,
        id: entry.id.clone(),
    };
    let older = entries.last().filter(|_| more).map(place);
    Ok(FailedPage { entries, older })
}

/// One entry.
pub async fn find(gateway: &Gateway, id: &str) -> Result<Option<Entry>, JournalError> {
    lose(gateway).await?;
    Ok(gateway.store.entry(id).await?)
}

/// One thing that still stands on an external server.
pub async fn find_left_behind(
    gateway: &Gateway,
    id: &str,
) -> Result<Option<LeftBehind>, JournalError> {
    Ok(gateway.store.one_left_behind(id).await?)
}

/// Whether something that was left behind can be deleted from here.
pub fn is_deletable(gateway: &Gateway, left: &LeftBehind) -> bool {
    removal::way_to_delete(&gateway.configuration(), left).is_some()
}

/// How many entries are unsettled.
pub async fn unsettled_count(gateway: &Gateway) -> Result<i64, StoreError> {
    gateway.store.unsettled_entries().await
}

/// What still stands on external servers though it is forgotten here, oldest first.
pub async fn left_behind(gateway: &Gateway) -> Result<Vec<LeftBehind>, JournalError> {
    Ok(gateway.store.left_behind().await?)
}

/// What came of an operator's retry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// The call made this.
    Made(ExtId),
    /// The content is stored; it is on this side alone.
    Stored,
    /// What was left behind is deleted there now.
    Deleted(String),
    /// What was left behind is used again: it is struck from the list, and was not touched there.
    UsedAgain(String),
}

/// Sends an unsettled entry's call again, under the same `rid`. Answers the id that it made. Whatever goes
/// wrong, the entry stays unsettled: of the tries before nothing more is known than before. Of something
/// left behind the call that deletes it is sent, where its tool has one.
pub async fn retry(gateway: &Gateway, actor: &Actor, id: &str) -> Result<Retried, JournalError> {
    if let Some(left) = gateway.store.one_left_behind(id).await? {
        let ext_id = left.ext_id.clone();
        let told = |action| Some(told_of_left_behind(actor, action, &left));
        return match removal::delete_outside(gateway, &left, told).await? {
            Some(Cleared::Deleted) => Ok(Retried::Deleted(ext_id)),
            Some(Cleared::UsedAgain) => Ok(Retried::UsedAgain(ext_id)),
            None => Err(JournalError::NotDeletable(ext_id)),
        };
    }
    let entry = unsettled(gateway, id).await?;
    callable(gateway, &entry).await?;
    let file = match &entry.request {
        Request::Import {
            sha256: Some(_), ..
        } => Some(kept_file(gateway, id).await?),
        _ => None,
    };
    let guard = gateway.begin_call(&entry.id);
    let now = Utc::now();
    if !gateway
        .store
        .retry_entry(
            id,
            gateway.lease(now),
            &told(
                actor,
                "journal.sent-again",
                &entry,
                json!({"sent": entry.tries + 1}),
            ),
            now,
        )
        .await?
    {
        return Err(JournalError::NotUnsettled(
            id.to_owned(),
            "taken up by somebody else",
        ));
    }
    let entry = Entry {
        tries: entry.tries + 1,
        ..entry
    };
    let work = |gateway: Gateway| async move {
        let _guard = guard;
        send(&gateway, &entry, file.as_ref()).await
    };
    let made = gateway.see_through(work).await?;
    Ok(made.map_or(Retried::Stored, Retried::Made))
}

/// The file that an entry's call sends.
async fn kept_file(gateway: &Gateway, id: &str) -> Result<Spool, JournalError> {
    let failed = |error: SpoolError| JournalError::Refused(Refusal::Spool(error));
    let mut writer = SpoolWriter::new(u64::MAX).map_err(failed)?;
    for part in 0.. {
        match gateway.store.entry_file_part(id, part).await? {
            Some(bytes) => writer.push(&bytes).map_err(failed)?,
            None if part == 0 => return Err(JournalError::NoFile(id.to_owned())),
            None => break,
        }
    }
    Ok(writer.done())
}

/// Refuses to send a call that cannot succeed: its tool or server cannot be used, or what it was for is
/// no more.
pub(super) async fn callable(gateway: &Gateway, entry: &Entry) -> Result<(), Refusal> {
    let (configuration, key) = (gateway.configuration(), &entry.key);
    configuration
        .tool(key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    configuration.usable_server(entry.server.as_str(), &key.signature)?;
    let content = |id| {
        Ok::<_, Refusal>(ContentKey {
            platform: key.platform.clone(),
            signature: key.signature.clone(),
            id: ToolContentId::from_number(id)?,
        })
    };
    // What would be made must have a place here, and what is copied must still be there.
    let taken = match entry.request {
        Request::Session { .. } => {
            let session = SessionKey {
                platform: key.platform.clone(),
                signature: key.signature.clone(),
                id: ToolSessionId::from_number(key.local_id)?,
            };
            gateway.store.session(&session).await?.is_some()
        }
        Request::Copy { .. } | Request::Import { .. } => {
            let made = content(key.local_id)?;
            gateway.store.content(&made).await?.is_some()
        }
    };
    if taken {
        return Err(Refusal::ThereAlready);
    }
    let (source, copied) = match &entry.request {
        Request::Session { content } => (Some(*content), true),
        Request::Copy { from, .. } => (*from, entry.payload.source != DEFAULT_CONTENT),
        Request::Import { .. } => (None, false),
    };
    if let Some(source) = source.filter(|_| copied) {
        let stored = gateway.store.content(&content(source)?).await?;
        let ext_id = stored.and_then(|stored| stored.ext_id);
        if ext_id.is_none_or(|ext_id| ext_id.as_str() != entry.payload.source) {
            return Err(Refusal::UnknownContent);
        }
    }
    Ok(())
}

/// Stores an id that an operator found on the external server as what the call made.
pub async fn adopt(
    gateway: &Gateway,
    actor: &Actor,
    id: &str,
    ext_id: &str,
) -> Result<ExtId, JournalError> {
    let entry = unsettled(gateway, id).await?;
    let signature = &entry.key.signature;
    let configuration = gateway.configuration();
    let tool = configuration
        .tool(signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let wrong = |why: &dyn std::fmt::Display| {
        JournalError::NotAnExtId(ext_id.to_owned(), format!("{signature}: {why}"))
    };
    let ext_id = tool.id_form.parse(ext_id).map_err(|why| wrong(&why))?;
    // Learners would work in the author's own.
    if ext_id.as_str() == entry.payload.source {
        return Err(wrong(&"this is the one that was to be copied"));
    }
    let told = told(
        actor,
        "journal.adopted",
        &entry,
        json!({"state": "done", "ext_id": ext_id.as_str()}),
    );
    match gateway
        .store
        .adopt_entry(&entry, &ext_id, &told, Utc::now())
        .await
    {
        Ok(true) => Ok(ext_id),
        Ok(false) => Err(JournalError::NotUnsettled(
            id.to_owned(),
            "settled by somebody else",
        )),
        Err(error) => Err(JournalError::NotStored(error)),
    }
}

/// Gives an unsettled entry up: the next same call is sent anew. Something left behind is struck from the
/// list.
pub async fn drop_entry(gateway: &Gateway, actor: &Actor, id: &str) -> Result<(), JournalError> {
    if let Some(left) = gateway.store.one_left_behind(id).await? {
        let told = told_of_left_behind(actor, "left-behind.struck", &left);
        return match gateway.store.forget_left_behind(id, Some(&told)).await? {
            true => Ok(()),
            false => Err(JournalError::Unknown(id.to_owned())),
        };
    }
    let entry = unsettled(gateway, id).await?;
    let told = told(
        actor,
        "journal.given-up",
        &entry,
        json!({"state": "failed"}),
    );
    let before = entry.error.unwrap_or_default();
    let words = format!("given up by an operator; before: {before}");
    if gateway
        .store
        .give_up_entry(id, &words, &told, Utc::now())
        .await?
    {
        return Ok(());
    }
    Err(JournalError::NotUnsettled(
        id.to_owned(),
        "settled by somebody else",
    ))
}

/// What the audit is told of an entry.
fn told(actor: &Actor, action: &'static str, entry: &Entry, after: Value) -> audit::Entry {
    let EntryKey {
        platform,
        signature,
        operation,
        local_id,
    } = &entry.key;
    let subject = format!("{} {platform}/{signature}/{local_id}", operation.as_str());
    let before = json!({"state": entry.state.as_str(), "sent": entry.tries, "entry": entry.id});
    // What is not said stays.
    let mut now = before.clone();
    if let (Some(now), Value::Object(after)) = (now.as_object_mut(), after) {
        now.extend(after);
    }
    audit_entry(
        actor,
        action,
        &subject,
        [Some(before), Some(now)],
        Utc::now(),
    )
}

/// What the audit is told of something that is no longer listed as left behind.
fn told_of_left_behind(actor: &Actor, action: &'static str, left: &LeftBehind) -> audit::Entry {
    let subject = format!("{} {} on {}", left.signature, left.ext_id, left.server_id);
    audit_entry(
        actor,
        action,
        &subject,
        [Some(json!({"why": left.why})), None],
        Utc::now(),
    )
}

async fn unsettled(gateway: &Gateway, id: &str) -> Result<Entry, JournalError> {
    lose(gateway).await?;
    let entry = gateway.store.entry(id).await?;
    let entry = entry.ok_or_else(|| JournalError::Unknown(id.to_owned()))?;
    match entry.state {
        EntryState::Unsettled => Ok(entry),
        state => Err(JournalError::NotUnsettled(id.to_owned(), state.as_str())),
    }
}
