//! Making something on an external server exactly once, as far as that can be had: the intent is written
//! down before the call is sent, and settled after. Whoever asks for the same again waits for the first
//! one's outcome, or gets it; an outcome that nobody knows is kept for a person to settle.

mod keeper;
mod operator;
mod owner;

pub use keeper::{keep, keep_leases};
pub use operator::{
    FailedPage, JournalError, Retried, adopt, beyond, drop_entry, failed, find, find_left_behind,
    is_deletable, left_behind, list, retry, unsettled_count,
};
pub(super) use owner::is_gone;
pub(super) use owner::this_process;

use std::io::Read;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use self::operator::callable;
use super::gateway::WhyFailed;
use super::{Gateway, Refusal};
use crate::domain::id::{ExtId, ServerId};
use crate::domain::journal::{Entry, EntryKey, EntryState, Payload, Request};
use crate::domain::launch_record::About;
use crate::outbound::{Aftermath, Page, Spool};
use crate::store::{Lease, StoreError};

/// What is to be made.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) key: EntryKey,
    pub(super) server: ServerId,
    pub(super) request: Request,
    pub(super) payload: Payload,
    /// What is sent, where the call sends a file.
    pub(super) file: Option<Spool>,
}

/// An entry whose call made what it was to make.
#[derive(Debug)]
pub(super) struct Made {
    /// Whether that was now; else the same call had made it before.
    pub(super) now: bool,
}

/// A caller waits this long for another's outcome; the interface promises an answer within 20 s.
const PATIENCE: Duration = Duration::from_secs(18);
/// So long after it came a caller may still send a call of its own, which has fifteen seconds.
const TRY_WITHIN: Duration = Duration::from_secs(4);
/// How often a waiting caller looks.
const LOOK: Duration = Duration::from_millis(50);
/// An instance on another machine that has not said for so long that it is at its calls counts as gone, so that
/// what it was at is taken over within half a minute. The clocks of the instances must agree better than that.
const LEASE: TimeDelta = TimeDelta::seconds(25);
/// How long the outcome of a call is tried to be stored while the database is away: a failover by hand takes
/// minutes.
const STORE_PATIENCE: Duration = Duration::from_secs(600);

/// Another's call of the same, which a caller waits for.
struct First {
    entry: String,
    why_failed: Option<WhyFailed>,
}

/// Makes what is wanted, unless the same call has or does already: then its outcome is this one's, too.
pub(super) async fn once(gateway: &Gateway, wanted: Wanted) -> Result<Made, Refusal> {
    let begun = Instant::now();
    let now = Utc::now();
    let entry = Entry {
        id: uuid::Uuid::new_v4().to_string(),
        key: wanted.key,
        server: wanted.server,
        request: wanted.request,
        payload: wanted.payload,
        state: EntryState::Calling,
        tries: 1,
        ext_id: None,
        error: None,
        created_at: now,
        updated_at: now,
    };
    let mut first: Option<First> = None;
    loop {
        let Some(current) = gateway.store.current_entry(&entry.key).await? else {
            if let Some(first) = &first {
                after(gateway, first, &entry, begun).await?;
            }
            check_open(gateway, &entry)?;
            let _guard = gateway.begin_call(&entry.id);
            let lease = gateway.lease(Utc::now());
            let mut reader = wanted.file.as_ref().map(Spool::reader);
            let file = reader
                .as_mut()
                .map(|reader| reader as &mut (dyn Read + Send));
            match gateway.store.begin_entry(&entry, lease, file).await {
                Ok(true) => {
                    send(gateway, &entry, wanted.file.as_ref()).await?;
                    return Ok(Made { now: true });
                }
                Ok(false) => continue,
                Err(error) => return Err(take_back(gateway, entry, error)),
            }
        };
        if current.request != entry.request {
            return Err(Refusal::ThereAlready);
        }
        match current.state {
            EntryState::Done => return Ok(Made { now: false }),
            EntryState::Unsettled => return Err(Refusal::Unsettled(current.id)),
            EntryState::Calling if begun.elapsed() > PATIENCE => {
                return Err(Refusal::UnderWay(current.id));
            }
            EntryState::Calling | EntryState::Failed => {
                if first.as_ref().is_none_or(|first| first.entry != current.id) {
                    let why_failed = gateway.why_failed(&current.id);
                    let entry = current.id;
                    first = Some(First { entry, why_failed });
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// What a caller gets whose first made nothing: why its call failed. Where that is not known, since another instance was at
/// it or it was not the call that failed, this one may call, unless what it is for is no more or too little time is left.
async fn after(
    gateway: &Gateway,
    first: &First,
    entry: &Entry,
    begun: Instant,
) -> Result<(), Refusal> {
    if let Some(error) = first.why_failed.as_ref().and_then(|why| why.get()) {
        return Err(error.clone().into());
    }
    callable(gateway, entry).await?;
    if begun.elapsed() > TRY_WITHIN {
        return Err(Refusal::UnderWay(first.entry.clone()));
    }
    Ok(())
}

/// Ends an entry that could not be written down: the reply to its commit may have been lost, and nothing was sent.
/// Goes on behind the answer.
fn take_back(gateway: &Gateway, entry: Entry, error: StoreError) -> Refusal {
    let refusal = Refusal::from(error);
    if matches!(refusal, Refusal::Store(StoreError::Unavailable(_))) {
        gateway.see_through_later(move |gateway| async move {
            end(&gateway, &entry, &StoreError::late().into()).await;
        });
    }
    refusal
}

/// Refuses a call at once where its server is left alone for now, before anything is written down.
fn check_open(gateway: &Gateway, entry: &Entry) -> Result<(), Refusal> {
    if matches!(entry.request, Request::Import { sha256: None, .. }) {
        return Ok(());
    }
    let configuration = gateway.configuration();
    if let Some(server) = configuration.server(entry.server.as_str()) {
        gateway.outbound().check_open(server)?;
    }
    Ok(())
}

/// Sends an entry's call, and stores what came of it: the id of what was made, where the call makes
/// something outside.
async fn send(
    gateway: &Gateway,
    entry: &Entry,
    file: Option<&Spool>,
) -> Result<Option<ExtId>, Refusal> {
    match call(gateway, entry, file).await {
        Ok(ext_id) => {
            settle(gateway, entry, ext_id.as_ref()).await?;
            Ok(ext_id)
        }
        Err(refusal) => {
            if let (Refusal::Outbound(error), Some(why)) = (&refusal, gateway.why_failed(&entry.id))
            {
                // Before it ends: who waits for it looks then.
                why.get_or_init(|| error.clone());
            }
            end(gateway, entry, &refusal).await;
            Err(refusal)
        }
    }
}

/// Notes a call that brought no id: as failed where it certainly made nothing, in this try and before.
async fn end(gateway: &Gateway, entry: &Entry, refusal: &Refusal) {
    let unknown = match refusal {
        Refusal::Outbound(error) => error.failure.aftermath() == Aftermath::Unknown,
        _ => false,
    };
    let (state, words) = match (&entry.error, entry.tries) {
        (_, 1) if !unknown => (EntryState::Failed, refusal.to_string()),
        (Some(before), _) => (
            EntryState::Unsettled,
            format!("{refusal}; before: {before}"),
        ),
        (None, _) => (EntryState::Unsettled, refusal.to_string()),
    };
    let (begun, owner) = (Instant::now(), gateway.instance());
    loop {
        match gateway
            .store
            .end_entry(entry, owner, state, &words, Utc::now())
            .await
        {
            Ok(true) if state == EntryState::Unsettled => {
                tracing::error!(entry = entry.id, server = %entry.server, reason = words, "a call is unsettled");
                return;
            }
            Ok(_) => return,
            Err(error) if begun.elapsed() > STORE_PATIENCE => {
                // Nobody says any more that it is under way, so it is unsettled soon.
                tracing::error!(entry = entry.id, %error, reason = words, "the end of a call cannot be noted");
                return;
            }
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// The call itself.
async fn call(
    gateway: &Gateway,
    entry: &Entry,
    file: Option<&Spool>,
) -> Result<Option<ExtId>, Refusal> {
    let configuration = gateway.configuration();
    let signature = &entry.key.signature;
    let tool = configuration
        .tool(signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let server = configuration.usable_server(entry.server.as_str(), signature)?;
    let about = about(entry);
    let (outbound, page) = (
        gateway.outbound(),
        Page {
            tool,
            server,
            place: &entry.payload.place,
            about: Some(&about),
        },
    );
    let made = match (&entry.request, file) {
        (Request::Session { .. } | Request::Copy { .. }, _) => {
            let source = &entry.payload.source;
            outbound.clone_content(page, source, &entry.id).await?
        }
        (Request::Import { .. }, Some(file)) => outbound.import(page, file, &entry.id).await?,
        (Request::Import { sha256: None, .. }, None) => return Ok(None),
        (Request::Import { .. }, None) => return Err(Refusal::NoFile),
    };
    Ok(Some(made))
}

fn about(entry: &Entry) -> About {
    let local_id = entry.key.local_id;
    let (content, session) = match entry.request {
        Request::Session { content } => (Some(content), Some(local_id)),
        Request::Copy { .. } | Request::Import { .. } => (Some(local_id), None),
    };
    About {
        platform: entry.key.platform.clone(),
        signature: entry.key.signature.clone(),
        content,
        session,
    }
}

/// Stores what a call made; tries for a while where that fails, since nobody else knows the id. An id that
/// has no place here any more is listed as left behind.
async fn settle(gateway: &Gateway, entry: &Entry, ext_id: Option<&ExtId>) -> Result<(), Refusal> {
    let (begun, owner) = (Instant::now(), gateway.instance());
    let mut told = false;
    let problem = loop {
        let late = begun.elapsed() > STORE_PATIENCE;
        match gateway
            .store
            .settle_entry(entry, owner, ext_id, Utc::now())
            .await
        {
            Ok(true) => return Ok(()),
            // The reply to a commit may have been lost: then it is done, and with this id.
            Ok(false) => match gateway.store.entry(&entry.id).await {
                Ok(Some(now)) if now.state == EntryState::Done && now.ext_id.as_ref() == ext_id => {
                    return Ok(());
                }
                Ok(_) => break Refusal::Unsettled(entry.id.clone()),
                Err(error) if late => break error.into(),
                Err(_) => {}
            },
            Err(StoreError::Duplicate(_)) => break Refusal::ThereAlready,
            Err(StoreError::Partner(_)) => break Refusal::UnknownContent,
            Err(error) if late => break error.into(),
            Err(error) if !told => {
                tracing::error!(entry = entry.id, made = ?ext_id, %error, "what a call made waits to be stored");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    };
    let Some(ext_id) = ext_id else {
        end(gateway, entry, &problem).await;
        return Err(problem);
    };
    let EntryKey {
        platform,
        signature,
        operation,
        local_id,
    } = &entry.key;
    let why = format!(
        "made for {} {platform}/{signature}/{local_id}: {problem}",
        operation.as_str()
    );
    tracing::error!(entry = entry.id, left_behind = %ext_id, why, "a copy is left behind");
    let listed = gateway
        .store
        .abandon_entry(entry, owner, ext_id, &why, Utc::now())
        .await;
    if let Err(error) = listed {
        tracing::error!(entry = entry.id, left_behind = %ext_id, %error, "what is left behind cannot be listed");
    }
    Err(problem)
}

impl Gateway {
    pub(super) fn lease(&self, now: DateTime<Utc>) -> Lease<'_> {
        Lease {
            owner: self.instance(),
            until: now + LEASE,
        }
    }
}
