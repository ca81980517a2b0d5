//! What happened, for sysadmins: pages of launches, one launch as its story, and how many there were.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Gateway, Refusal, journal};
use crate::domain::address_parts::AddressParts;
use crate::domain::custom_csv::Reading;
use crate::domain::id::{PlatformId, Signature};
use crate::domain::journal::{Entry, EntryKey, Operation};
use crate::domain::launch_record::LaunchOutcome;
use crate::store::{
    LaunchFilter, LaunchHour, Side, StoreError, StoredCall, StoredLaunch, first_id_of,
};

/// So many launches stand on a page.
const ON_A_PAGE: usize = 50;

/// A page of launches.
#[derive(Default)]
pub struct Page {
    /// The newest first.
    pub launches: Vec<StoredLaunch>,
    /// Whether there are newer ones than the first.
    pub has_newer: bool,
    /// Whether there are older ones than the last.
    pub has_older: bool,
    /// How many are stored but cannot be found yet.
    pub unfiled: i64,
}

/// Waits until what was recorded can be found; how many launches cannot, where that takes too long.
async fn unfiled(gateway: &Gateway) -> Result<i64, StoreError> {
    if gateway.recorder().settle().await {
        return Ok(0);
    }
    gateway.store.launches_waiting().await
}

/// The newest launches that a filter lets through; those before or right after a place, where it names one.
pub async fn page(gateway: &Gateway, filter: &LaunchFilter) -> Result<Page, Refusal> {
    let unfiled = unfiled(gateway).await?;
    let most = i64::try_from(ON_A_PAGE + 1).unwrap_or(i64::MAX);
    if filter.after.is_some() && filter.before.is_none() {
        let mut launches = gateway.store.launches_from(filter, most).await?;
        let has_newer = launches.len() > ON_A_PAGE;
        launches.truncate(ON_A_PAGE);
        launches.reverse();
        return Ok(Page {
            launches,
            has_newer,
            has_older: true,
            unfiled,
        });
    }
    let mut launches = gateway.store.launches(filter, most).await?;
    let has_older = launches.len() > ON_A_PAGE;
    launches.truncate(ON_A_PAGE);
    Ok(Page {
        launches,
        has_newer: filter.before.is_some(),
        has_older,
        unfiled,
    })
}

/// Another instance may store what happened up to so long ago after what happened here just now.
const LATE: TimeDelta = TimeDelta::seconds(10);

/// The launches after a place, the newest first, as many as a page has: what somebody who looks on may
/// not have seen, and what happened shortly before the place.
pub async fn newer(
    gateway: &Gateway,
    filter: &LaunchFilter,
    after: i64,
) -> Result<Vec<StoredLaunch>, Refusal> {
    gateway.recorder().settle().await;
    let most = i64::try_from(ON_A_PAGE).unwrap_or(i64::MAX);
    let late = first_id_of(DateTime::UNIX_EPOCH + LATE);
    let filter = LaunchFilter {
        before: None,
        after: Some(after.saturating_sub(late).max(0)),
        ..filter.clone()
    };
    Ok(gateway.store.launches(&filter, most).await?)
}

/// The place after which is what happens from now on.
pub fn place_now(now: DateTime<Utc>) -> i64 {
    first_id_of(now)
}

/// How a launch's customCSV was read.
pub struct Csv {
    /// As it came.
    pub text: String,
    /// As its tool reads it; nothing where the tool is not known any more.
    pub reading: Option<Reading>,
}

/// What happened around a launch.
pub enum Event {
    /// A launch, callback or return; also the launch itself.
    Launch(Box<StoredLaunch>),
    /// A call to an external server.
    Call(StoredCall),
}

impl Event {
    fn at(&self) -> (DateTime<Utc>, i64) {
        match self {
            Event::Launch(launch) => (launch.at, launch.id),
            Event::Call(call) => (call.at, call.id),
        }
    }
}

/// One launch, and all that belongs to it.
pub struct Story {
    /// The launch.
    pub launch: StoredLaunch,
    /// What came in.
    pub came_in: AddressParts,
    /// The customCSV that counted, where there was one: the one remembered of a login, else that of the address.
    pub csv: Option<Csv>,
    /// Where the browser was sent, where it was.
    pub sent_to: Option<AddressParts>,
    /// The launch and what was around it, in the order of time.
    pub timeline: Vec<Event>,
    /// The journal's entries about its session and its content, but those that failed.
    pub entries: Vec<Entry>,
    /// How many launches are stored but cannot be found yet; some may belong here.
    pub unfiled: i64,
}

/// So much is shown of what was before a launch, and of what came after, each of launches and calls.
const AROUND: i64 = 12;

/// One launch's story; `None` where there is no such launch, or none any more.
pub async fn story(gateway: &Gateway, id: i64) -> Result<Option<Story>, Refusal> {
    let unfiled = unfiled(gateway).await?;
    let store = &gateway.store;
    let Some(launch) = store.launch(id).await? else {
        return Ok(None);
    };
    let mut timeline = vec![Event::Launch(Box::new(launch.clone()))];
    for side in [Side::Earlier, Side::Later] {
        let launches = store.launches_near(&launch, side, AROUND).await?;
        let calls = store.calls_near(&launch, side, AROUND).await?;
        timeline.extend(launches.into_iter().map(Box::new).map(Event::Launch));
        timeline.extend(calls.into_iter().map(Event::Call));
    }
    timeline.sort_by_key(Event::at);
    let came_in = AddressParts::of(&launch.came_with);
    let configuration = gateway.configuration();
    let tool = configuration.tool(&launch.signature);
    // One that a launch lacked was remembered from the way in.
    let csv = came_in
        .get("customCSV")
        .or(launch.remembered_csv.as_deref());
    let csv = csv.map(|text| Csv {
        text: text.to_owned(),
        reading: tool.map(|tool| Reading::of(text, &tool.custom_csv)),
    });
    Ok(Some(Story {
        came_in,
        csv,
        sent_to: launch.sent_to.as_deref().map(AddressParts::of),
        timeline,
        entries: entries_about(gateway, &launch).await?,
        unfiled,
        launch,
    }))
}

/// The entries by which a launch's session and content came about, or are to; none that failed.
async fn entries_about(gateway: &Gateway, launch: &StoredLaunch) -> Result<Vec<Entry>, StoreError> {
    let (Ok(platform), Ok(signature)) = (launch.platform_id.parse(), launch.signature.parse())
    else {
        return Ok(Vec::new());
    };
    let numbers = [
        (Operation::Session, launch.tool_session_id),
        (Operation::Copy, launch.tool_content_id),
        (Operation::Import, launch.tool_content_id),
    ];
    let mut entries = Vec::new();
    for (operation, number) in numbers {
        let Some(local_id) = number else { continue };
        let key = EntryKey {
            platform: PlatformId::clone(&platform),
            signature: Signature::clone(&signature),
            operation,
            local_id,
        };
        entries.extend(gateway.store.current_entry(&key).await?);
    }
    Ok(entries)
}

/// How many launches came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The browser was sent on, or got a page.
    pub went_well: i64,
    /// They were refused.
    pub refused: i64,
    /// Something failed.
    pub failed: i64,
}

impl Counts {
    /// All of them.
    pub fn all(self) -> i64 {
        self.went_well + self.refused + self.failed
    }

    fn add(&mut self, row: &LaunchHour) {
        match LaunchOutcome::stored(&row.outcome) {
            Some(LaunchOutcome::Refused) => self.refused += row.launches,
            Some(LaunchOutcome::Failed) => self.failed += row.launches,
            _ => self.went_well += row.launches,
        }
    }
}

/// Launches by time: one for each step from `first` on, also where there were none.
pub struct Chart {
    /// The hours or days since 1970 of the first step.
    pub first: i64,
    /// The steps.
    pub steps: Vec<Counts>,
}

/// What the charts show.
pub struct Charts {
    /// The last 48 hours, by hour.
    pub hours: Chart,
    /// The last 30 days, by day.
    pub days: Chart,
    /// The last 30 days of each server; an empty id is that of launches whose server is not known.
    pub servers: Vec<(String, Chart, Counts)>,
}

/// How many launches there were, by hour, day and server.
pub async fn charts(gateway: &Gateway, now: DateTime<Utc>) -> Result<Charts, Refusal> {
    gateway.recorder().settle().await;
    let hour = now.timestamp().div_euclid(3600);
    let (first_hour, first_day) = (hour - 47, hour.div_euclid(24) - 29);
    let hours = gateway.store.launch_hours(first_hour).await?;
    let days = gateway.store.launch_days(first_day).await?;
    let mut by_server: BTreeMap<&str, Vec<&LaunchHour>> = BTreeMap::new();
    for row in &days {
        by_server.entry(&row.server_id).or_default().push(row);
    }
    let servers = by_server.into_iter().map(|(server, rows)| {
        let mut sum = Counts::default();
        rows.iter().for_each(|row| sum.add(row));
        (server.to_owned(), chart(first_day, 30, rows), sum)
    });
    let mut servers: Vec<_> = servers.collect();
    servers.sort_by_key(|(server, _, sum)| (server.is_empty(), -sum.all()));
    Ok(Charts {
        hours: chart(first_hour, 48, &hours),
        days: chart(first_day, 30, &days),
        servers,
    })
}

fn chart<'r>(first: i64, steps: usize, rows: impl IntoIterator<Item = &'r LaunchHour>) -> Chart {
    let mut counts = vec![Counts::default(); steps];
    for row in rows {
        let step = usize::try_from(row.hour - first).ok();
        if let Some(count) = step.and_then(|step| counts.get_mut(step)) {
            count.add(row);
        }
    }
    Chart {
        first,
        steps: counts,
    }
}

/// How things stand.
pub struct Overview {
    /// When the hour before this one began.
    pub hour_since: DateTime<Utc>,
    /// Launches since then.
    pub hour: Counts,
    /// Launches of the last 24 hours.
    pub day: Counts,
    /// Journal entries that wait for a person.
    pub unsettled: i64,
    /// Servers that are left alone for now, as this instance has seen them.
    pub shut: Vec<String>,
}

/// How things stand now.
pub async fn overview(gateway: &Gateway, now: DateTime<Utc>) -> Result<Overview, Refusal> {
    gateway.recorder().settle().await;
    let this_hour = now.timestamp().div_euclid(3600);
    let (mut hour, mut day) = (Counts::default(), Counts::default());
    for row in gateway.store.launch_hours(this_hour - 23).await? {
        day.add(&row);
        if row.hour >= this_hour - 1 {
            hour.add(&row);
        }
    }
    let breakers = gateway.breakers().into_iter();
    Ok(Overview {
        hour_since: DateTime::from_timestamp((this_hour - 1) * 3600, 0).unwrap_or(now),
        hour,
        day,
        unsettled: journal::unsettled_count(gateway).await?,
        shut: breakers
            .filter(|(_, open)| *open)
            .map(|(id, _)| id)
            .collect(),
    })
}
