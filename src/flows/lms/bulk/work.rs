//! Working through a list: a few rows at once, each tried again while that may help, results written down some at
//! a time.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use futures_util::stream::{self, StreamExt};

use super::{Asked, Outcome};
use crate::domain::person::login_key;
use crate::flows::journal::is_gone;
use crate::flows::lms::selecting::found;
use crate::flows::{Gateway, Refusal};
use crate::outbound::{LmsCode, LmsFailure, Outbound, Planned, Set, Wanted};
use crate::store::{BulkRecord, BulkRow, StoreError};

/// How often it is looked for lists, and said that this process is at some.
const PULSE: Duration = Duration::from_secs(1);
/// So many rows of a list are under way at once: what an LMS gets at once.
const AT_ONCE: usize = 8;
/// So many rows are read at once.
const READ: i64 = 400;
/// Results are written down after so many, or so long.
const WRITTEN: (usize, Duration) = (100, Duration::from_millis(500));
/// A row that fails in a way that may pass is tried so often.
const TRIES: i64 = 5;
/// That an LMS asked to wait is no try of the row's; so often.
const WAITS: u32 = 200;
/// Nor is that it is left alone, since it failed; so often, which is ten minutes.
const OUTAGES: u32 = 20;
/// What waits looks so often whether the process is to stop.
const STEP: Duration = Duration::from_millis(200);
/// The states of a row that is settled.
const DONE: &str = "done";
const FAILED: &str = "failed";
/// The longest wait between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Works through lists that nobody is at; never ends.
pub async fn keep(gateway: Gateway) {
    let at = At::default();
    loop {
        if !gateway.is_stopping()
            && let Err(error) = look(&gateway, &at).await
        {
            tracing::debug!(%error, "lists of enrollments cannot be looked for");
        }
        tokio::time::sleep(PULSE).await;
    }
}

/// The lists that this process is at.
#[derive(Debug, Clone, Default)]
struct At(Arc<Mutex<HashSet<String>>>);

impl At {
    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, id: String) -> AtOne {
        self.ids().insert(id.clone());
        AtOne(self.clone(), id)
    }
}

/// Work on a list; over when this is dropped, however the work ends.
struct AtOne(At, String);

impl Drop for AtOne {
    fn drop(&mut self) {
        self.0.ids().remove(&self.1);
    }
}

async fn look(gateway: &Gateway, at: &At) -> Result<(), StoreError> {
    for (id, owner, _) in gateway.store.open_bulks().await? {
        if at.ids().contains(&id) {
            continue;
        }
        let now = Utc::now();
        let gone = owner
            .as_deref()
            .filter(|owner| is_gone(owner))
            .unwrap_or_default();
        let lease = gateway.lease(now);
        if !gateway.store.take_bulk(&id, lease, gone, now).await? {
            continue;
        }
        let begun = at.begin(id.clone());
        gateway.see_through_later(move |gateway| async move {
            let _begun = begun;
            if let Err(error) = work_through(&gateway, &id, &|_| {}).await {
                tracing::warn!(bulk = id, %error, "a list of enrollments is left for later");
            }
        });
    }
    Ok(())
}

/// Works through a list that this process has taken, and says how many rows are settled each time some are. Ends
/// when all are, when the process is to stop, or when the list was taken by another.
pub async fn work_through(
    gateway: &Gateway,
    id: &str,
    settled: &(dyn Fn(&[BulkRow]) + Send + Sync),
) -> Result<(), StoreError> {
    let Some(bulk) = gateway.store.bulk(id).await? else {
        return Ok(());
    };
    let now = Utc::now();
    gateway
        .store
        .take_bulk(id, gateway.lease(now), "", now)
        .await?;
    let work = rows(gateway, &bulk, settled);
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = keep_lease(gateway, id) => return Ok(()),
    };
    outcome?;
    if gateway.is_stopping() {
        return gateway.store.leave_bulk(id, gateway.instance()).await;
    }
    gateway
        .store
        .end_bulk(id, gateway.instance(), Utc::now())
        .await
}

/// Says again and again that this process is at a list; ends when it is not any more.
async fn keep_lease(gateway: &Gateway, id: &str) {
    loop {
        tokio::time::sleep(PULSE).await;
        match gateway
            .store
            .extend_bulk(id, gateway.lease(Utc::now()))
            .await
        {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::debug!(%error, "a list of enrollments cannot be kept"),
        }
    }
}

async fn rows(
    gateway: &Gateway,
    bulk: &BulkRecord,
    settled: &(dyn Fn(&[BulkRow]) + Send + Sync),
) -> Result<(), StoreError> {
    let outbound = gateway.outbound().in_background();
    let mut last = 0;
    loop {
        let waiting = gateway.store.waiting_rows(&bulk.id, last, READ).await?;
        let Some(end) = waiting.last().map(|row| row.number) else {
            return Ok(());
        };
        last = end;
        let outbound = &outbound;
        // Rows of one person in one course one after the other, so that the last of them is what it comes to.
        let in_order = |rows| {
            let rows = stream::iter(rows);
            Box::pin(rows.then(move |row| one(gateway, outbound, bulk.dry_run, row)))
        };
        let mut work = stream::iter(together(gateway, waiting))
            .map(in_order)
            .flatten_unordered(AT_ONCE);
        let (mut ready, mut since) = (Vec::new(), Instant::now());
        while let Some(row) = work.next().await {
            // Nothing where the process is to stop.
            ready.extend(row);
            if ready.len() >= WRITTEN.0 || since.elapsed() >= WRITTEN.1 {
                write(gateway, bulk, &mut ready, settled).await?;
                since = Instant::now();
            }
        }
        write(gateway, bulk, &mut ready, settled).await?;
        if gateway.is_stopping() {
            return Ok(());
        }
    }
}

/// Rows, those together that are about the same person in the same course.
fn together(gateway: &Gateway, rows: Vec<BulkRow>) -> Vec<Vec<BulkRow>> {
    let configuration = gateway.configuration();
    let about = |row: &BulkRow| {
        let asked: Asked = serde_json::from_str(&row.request).ok()?;
        let (lms, course) = found(&configuration, &asked.link).ok()?;
        Some((lms.server.clone(), course, login_key(&asked.username)))
    };
    let mut all: Vec<Vec<BulkRow>> = Vec::new();
    let mut places = HashMap::new();
    for row in rows {
        let place = about(&row).map(|about| *places.entry(about).or_insert(all.len()));
        match place.and_then(|place| all.get_mut(place)) {
            Some(before) => before.push(row),
            None => all.push(vec![row]),
        }
    }
    all
}

/// Writes results down; tried again while the database is away.
async fn write(
    gateway: &Gateway,
    bulk: &BulkRecord,
    ready: &mut Vec<BulkRow>,
    settled: &(dyn Fn(&[BulkRow]) + Send + Sync),
) -> Result<(), StoreError> {
    if ready.is_empty() {
        return Ok(());
    }
    loop {
        match gateway.store.settle_rows(&bulk.id, ready).await {
            Ok(()) => break,
            Err(StoreError::Unavailable(_)) if !gateway.is_stopping() => {
                tokio::time::sleep(PULSE).await;
            }
            Err(error) => return Err(error),
        }
    }
    settled(ready);
    ready.clear();
    Ok(())
}

/// Settles one row; nothing where the process is to stop first.
async fn one(
    gateway: &Gateway,
    outbound: &Outbound,
    dry_run: bool,
    mut row: BulkRow,
) -> Option<BulkRow> {
    let asked: Option<Asked> = serde_json::from_str(&row.request).ok();
    let (mut waits, mut outages) = (0, 0);
    let (state, outcome) = loop {
        let Some(asked) = &asked else {
            let detail = Some("the row cannot be read".to_owned());
            break (
                FAILED,
                Outcome {
                    detail,
                    ..Outcome::default()
                },
            );
        };
        if dry_run {
            break planned(gateway, asked);
        }
        if !may_go_on(gateway, outbound, asked).await {
            return None;
        }
        let failure = match tried(gateway, outbound, asked).await {
            Ok(set) => {
                row.tries += 1;
                break (DONE, of_set(set));
            }
            Err(Refusal::Lms(error)) => error.failure,
            Err(refusal) => break (FAILED, of_refusal(&refusal)),
        };
        match failure.code {
            LmsCode::Throttled if waits < WAITS => waits += 1,
            LmsCode::Down if outages < OUTAGES => outages += 1,
            _ => row.tries += 1,
        }
        if !failure.retryable || row.tries >= TRIES {
            break (FAILED, of_failure(&failure));
        }
        pause(gateway, failure.retry_after, row.tries).await;
    };
    row.state = state.to_owned();
    row.result = serde_json::to_string(&outcome).ok();
    Some(row)
}

/// Waits while the LMS of a row wants to be left alone; whether the process goes on.
async fn may_go_on(gateway: &Gateway, outbound: &Outbound, asked: &Asked) -> bool {
    let configuration = gateway.configuration();
    if let Ok((lms, _)) = found(&configuration, &asked.link) {
        while let Some(left) = outbound
            .left_alone_for(lms)
            .filter(|_| !gateway.is_stopping())
        {
            tokio::time::sleep(left.min(STEP)).await;
        }
    }
    !gateway.is_stopping()
}

/// Waits before a row is tried again; not longer than the process lives.
async fn pause(gateway: &Gateway, after: Option<Duration>, tries: i64) {
    let doubled = Duration::from_millis(500 << tries.clamp(0, 7));
    let end = Instant::now() + after.unwrap_or_else(|| doubled.min(LONGEST_PAUSE));
    while Instant::now() < end && !gateway.is_stopping() {
        let left = end.saturating_duration_since(Instant::now());
        tokio::time::sleep(left.min(STEP)).await;
    }
}

async fn tried(gateway: &Gateway, outbound: &Outbound, asked: &Asked) -> Result<Set, Refusal> {
    let configuration = gateway.configuration();
    let (lms, course) = found(&configuration, &asked.link)?;
    let account = asked.account();
    let set = outbound
        .set_enrollment(lms, wanted(asked, &course, account.as_ref()))
        .await?;
    gateway
        .enrolled()
        .note(lms, &course, &asked.username, set.is_enrolled);
    Ok(set)
}

fn wanted<'a>(
    asked: &'a Asked,
    course: &'a str,
    account: Option<&'a crate::outbound::Account>,
) -> Wanted<'a> {
    Wanted {
        username: &asked.username,
        course,
        active: asked.active,
        mode: asked.mode.as_deref(),
        account,
    }
}

/// What would be called.
fn planned(gateway: &Gateway, asked: &Asked) -> (&'static str, Outcome) {
    let configuration = gateway.configuration();
    let (lms, course) = match found(&configuration, &asked.link) {
        Ok(found) => found,
        Err(refusal) => return (FAILED, of_refusal(&refusal)),
    };
    let account = asked.account();
    match Planned::of(lms, wanted(asked, &course, account.as_ref())) {
        Err(failure) => (FAILED, of_failure(&failure)),
        Ok(calls) => {
            let outcome = Outcome {
                detail: Some(format!("the LMS of {}, course {course}", lms.server)),
                calls: calls.iter().map(ToString::to_string).collect(),
                ..Outcome::default()
            };
            (DONE, outcome)
        }
    }
}

fn of_set(set: Set) -> Outcome {
    let status = if set.is_enrolled {
        "enrolled"
    } else {
        "not_enrolled"
    };
    Outcome {
        status: Some(status.to_owned()),
        changed: Some(set.changed),
        warning: set.warning.map(str::to_owned),
        ..Outcome::default()
    }
}

fn of_failure(failure: &LmsFailure) -> Outcome {
    Outcome {
        code: Some(failure.code.as_str().to_owned()),
        detail: Some(failure.detail.clone()),
        retryable: Some(failure.retryable),
        lms_message: failure.said.clone(),
        lms_code: failure.lms_code.clone(),
        ..Outcome::default()
    }
}

fn of_refusal(refusal: &Refusal) -> Outcome {
    let code = match refusal {
        Refusal::NoLms => "no-lms",
        Refusal::NoCourseId(_) => "no-course-id",
        _ => "refused",
    };
    Outcome {
        code: Some(code.to_owned()),
        detail: Some(refusal.to_string()),
        retryable: Some(false),
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_whose_work_panicked_is_taken_up_again() {
        let at = At::default();
        let begun = at.begin("one".to_owned());
        assert!(at.ids().contains("one"));
        let work = tokio::spawn(async move {
            let _begun = begun;
            panic!("a defect");
        });
        assert!(work.await.is_err());
        assert!(at.ids().is_empty());
    }
}
