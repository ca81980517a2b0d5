//! Launches, outgoing calls, and how many there were each hour: written many at once, counted, forgotten.
//! How they are found again is in `launch_search.rs`.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{
    OnSqlite, Store, StoreError, Tx, count, fifty, on, read, statements, within, write_rows,
};
use crate::domain::launch_record::{CallRecord, LaunchRecord};

/// The columns of a launch, in the order in which they are bound.
macro_rules! columns {
    () => {
        "id, at, kind, request_id, platform_id, signature, server_id, user_name, tool_content_id, tool_session_id,
        outcome, status, ms, came_with, sent_to, reason, code, remembered_csv, remembered_at"
    };
}

statements! {
    INSERT = concat!("insert into launches (", columns!(), ")
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)");
    INSERT_CALL = "insert into outgoing_calls (id, at, platform_id, signature, tool_content_id, tool_session_id,
            server_id, method, outcome, reason, ms)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    COUNT_HOUR = "insert into launch_hours (hour, server_id, outcome, launches) values ($1, $2, $3, $4)
        on conflict (hour, server_id, outcome) do update set launches = launch_hours.launches + excluded.launches";
    HOURS = "select hour, server_id, outcome, launches from launch_hours where hour >= $1 order by hour, server_id";
    DAYS = "select hour / 24 as hour, server_id, outcome, cast(sum(launches) as bigint) as launches
        from launch_hours where hour >= $1 group by hour / 24, server_id, outcome order by hour / 24, server_id";
    /// When each server last answered; by the index of answers.
    LAST_ANSWERS = "select s.id, (select c.at from outgoing_calls c
            where c.server_id = s.id and c.outcome = 'ok' order by c.id desc limit 1) as at
        from servers s";
    COUNT_TOOL = "insert into launch_tools (hour, signature, outcome, launches) values ($1, $2, $3, $4)
        on conflict (hour, signature, outcome) do update set launches = launch_tools.launches + excluded.launches";
    /// The sum of each tool and outcome.
    TOOLS = "select signature, outcome, cast(sum(launches) as bigint) as launches
        from launch_tools where hour >= $1 group by signature, outcome";
    CLEAN = "delete from launches where id in (select id from launches where id < $1 order by id limit 5000)";
    CLEAN_CALLS = "delete from outgoing_calls
        where id in (select id from outgoing_calls where id < $1 order by id limit 5000)";
    CLEAN_HOURS = "delete from launch_hours where hour < $1";
    CLEAN_TOOLS = "delete from launch_tools where hour < $1";
}

/// Many launches in one statement, on PostgreSQL alone: each statement there costs a way to the server and back, which
/// at ten thousand launches a second is most of the work.
const INSERT_MANY: &str = concat!("insert into launches (", columns!(), ")
    select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::double precision[], $14::text[],
        $15::text[], $16::text[], $17::text[], $18::text[], $19::timestamptz[])");
/// Fifty, on SQLite alone.
const INSERT_FIFTY: &str = concat!(
    "insert into launches (",
    columns!(),
    ") values ",
    fifty!("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
);

/// The statements that only one database knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] = &[("INSERT_MANY", INSERT_MANY)];
#[cfg(test)]
pub(super) const SQLITE_STATEMENTS: &[(&str, &str)] = &[("INSERT_FIFTY", INSERT_FIFTY)];

/// How many launches of one outcome a server had in an hour.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct LaunchHour {
    /// Hours since 1970.
    pub hour: i64,
    /// The server; empty where none is known.
    pub server_id: String,
    /// See [`LaunchOutcome`].
    pub outcome: String,
    /// How many.
    pub launches: i64,
}

/// How many launches of one outcome a tool had.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ToolLaunches {
    /// The tool.
    pub signature: String,
    /// See [`LaunchOutcome`].
    pub outcome: String,
    /// How many.
    pub launches: i64,
}

/// The ids of many records, from the first on.
fn ids_from(first: i64, many: usize) -> impl Iterator<Item = i64> {
    (0..).take(many).map(move |n: i64| first + n * STEP)
}

/// An id and the next differ by so much: by a microsecond.
const STEP: i64 = 1024;

/// The first of so many ids of one process, each greater than the last: microseconds since 1970, times 1024, plus a
/// number that another instance has by chance only.
pub(super) fn reserve_ids(many: usize) -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    static TAG: std::sync::LazyLock<i64> =
        std::sync::LazyLock::new(|| i64::from(getrandom::u32().unwrap_or_default() % 1024));
    let many = i64::try_from(many).unwrap_or(i64::MAX).max(1);
    let now = first_id_of(Utc::now()) + *TAG;
    let before = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
        Some(now.max(last + STEP) + (many - 1) * STEP)
    });
    now.max(before.unwrap_or_default() + STEP)
}

/// An id that is greater than all that this process has given before.
pub fn place_after_all() -> i64 {
    reserve_ids(1)
}

/// The least id of a moment.
pub fn first_id_of(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros().saturating_mul(1024)
}

impl Store {
    /// Stores launches and calls, and counts them, within one transaction. They get ids from `first` on, or new
    /// ones.
    pub(super) async fn insert_launches(
        tx: &mut Tx,
        launches: &[LaunchRecord],
        calls: &[CallRecord],
        first: Option<i64>,
    ) -> Result<(), StoreError> {
        let many = launches.len() + calls.len();
        let first = first.unwrap_or_else(|| reserve_ids(many));
        let ids: Vec<i64> = ids_from(first, many).collect();
        let (ids, ids_of_calls) = ids.split_at(launches.len());
        match tx {
            Tx::Postgres(_, _) if launches.is_empty() => {}
            Tx::Postgres(postgres, presence) => {
                let texts = |text: fn(&LaunchRecord) -> &str| -> Vec<&str> {
                    launches.iter().map(text).collect()
                };
                let maybe = |text: fn(&LaunchRecord) -> Option<&str>| -> Vec<Option<&str>> {
                    launches.iter().map(text).collect()
                };
                let numbers = |number: fn(&LaunchRecord) -> Option<i64>| -> Vec<Option<i64>> {
                    launches.iter().map(number).collect()
                };
                let at: Vec<_> = launches.iter().map(|launch| launch.at).collect();
                let remembered_at: Vec<_> = launches
                    .iter()
                    .map(|launch| launch.noted.remembered.as_ref().map(|r| r.at))
                    .collect();
                let ms: Vec<_> = launches.iter().map(|launch| launch.ms).collect();
                let status: Vec<_> = launches
                    .iter()
                    .map(|launch| i64::from(launch.status))
                    .collect();
                let query = sqlx::query(INSERT_MANY)
                    .bind(ids)
                    .bind(at)
                    .bind(texts(|launch| launch.kind.as_str()))
                    .bind(texts(|launch| &launch.request_id))
                    .bind(texts(|launch| &launch.platform))
                    .bind(texts(|launch| &launch.signature))
                    .bind(maybe(|launch| {
                        launch.noted.server.as_ref().map(|id| id.as_str())
                    }))
                    .bind(maybe(|launch| launch.noted.user.as_deref()))
                    .bind(numbers(|launch| launch.noted.content))
                    .bind(numbers(|launch| launch.noted.session))
                    .bind(texts(|launch| launch.outcome.as_str()))
                    .bind(status)
                    .bind(ms)
                    .bind(texts(|launch| &launch.came_with))
                    .bind(maybe(|launch| launch.sent_to.as_deref()))
                    .bind(maybe(|launch| launch.reason.as_deref()))
                    .bind(maybe(|launch| launch.code.as_deref()))
                    .bind(maybe(|launch| {
                        let remembered = launch.noted.remembered.as_ref();
                        remembered.map(|remembered| remembered.csv.as_str())
                    }))
                    .bind(remembered_at);
                presence.while_there(query.execute(&mut **postgres)).await?;
            }
            Tx::Sqlite(sqlite, disk) => {
                let rows: Vec<_> = ids.iter().zip(launches).collect();
                let written = write_rows(sqlite, (INSERT, INSERT_FIFTY), &rows, bound).await;
                disk.noted(written)?;
            }
        }
        for (id, call) in ids_of_calls.iter().zip(calls) {
            within!(&mut *tx, c => sqlx::query(INSERT_CALL)
                .bind(id).bind(call.at).bind(call.about.platform.as_str()).bind(call.about.signature.as_str())
                .bind(call.about.content).bind(call.about.session).bind(call.server.as_str())
                .bind(&call.method).bind(call.outcome.as_ref()).bind(&call.reason).bind(call.ms)
                .execute(c).map_ok(count))?;
        }
        count_hours(tx, launches).await?;
        count_tools(tx, launches).await
    }

    /// When each server last answered a call, as far as that is kept.
    pub async fn last_answers(&self) -> Result<BTreeMap<String, DateTime<Utc>>, StoreError> {
        let rows: Vec<(String, Option<DateTime<Utc>>)> =
            read!(self, pool => sqlx::query_as(LAST_ANSWERS).fetch_all(pool))?;
        let answered = rows.into_iter().filter_map(|(id, at)| Some((id, at?)));
        Ok(answered.collect())
    }

    /// How many launches there were since an hour, by hour, server and outcome.
    pub async fn launch_hours(&self, since: i64) -> Result<Vec<LaunchHour>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as::<_, LaunchHour>(HOURS).bind(since).fetch_all(pool))?)
    }

    /// How many launches each tool had since an hour.
    pub async fn launches_by_tool(&self, since: i64) -> Result<Vec<ToolLaunches>, StoreError> {
        Ok(
            read!(self, pool => sqlx::query_as::<_, ToolLaunches>(TOOLS).bind(since).fetch_all(pool))?,
        )
    }

    /// Those of [`Store::launch_hours`] by day: days since 1970 where an hour would stand.
    pub async fn launch_days(&self, since: i64) -> Result<Vec<LaunchHour>, StoreError> {
        Ok(
            read!(self, pool => sqlx::query_as::<_, LaunchHour>(DAYS).bind(since * 24).fetch_all(pool))?,
        )
    }

    /// Forgets launches and calls of before a moment, some thousand at once, so that nobody waits for it;
    /// whether there may be more.
    pub async fn clean_launches(&self, before: DateTime<Utc>) -> Result<bool, StoreError> {
        let id = first_id_of(before);
        let mut more = 0;
        for sql in [CLEAN, CLEAN_CALLS] {
            more +=
                on!(&self.write, pool => sqlx::query(sql).bind(id).execute(pool).map_ok(count))?;
        }
        for sql in [CLEAN_HOURS, CLEAN_TOOLS] {
            on!(&self.write, pool => sqlx::query(sql).bind(hour_of(before)).execute(pool).map_ok(count))?;
        }
        Ok(more > 0)
    }
}

/// Binds a launch, with its id, to a statement on SQLite.
fn bound<'q>(query: OnSqlite<'q>, (id, launch): &(&'q i64, &'q LaunchRecord)) -> OnSqlite<'q> {
    let noted = &launch.noted;
    query
        .bind(*id)
        .bind(launch.at)
        .bind(launch.kind.as_str())
        .bind(&launch.request_id)
        .bind(&launch.platform)
        .bind(&launch.signature)
        .bind(noted.server.as_ref().map(|id| id.as_str()))
        .bind(&noted.user)
        .bind(noted.content)
        .bind(noted.session)
        .bind(launch.outcome.as_str())
        .bind(i64::from(launch.status))
        .bind(launch.ms)
        .bind(&launch.came_with)
        .bind(&launch.sent_to)
        .bind(&launch.reason)
        .bind(launch.code.as_deref())
        .bind(noted.remembered.as_ref().map(|r| &r.csv))
        .bind(noted.remembered.as_ref().map(|r| r.at))
}

async fn count_hours(tx: &mut Tx, launches: &[LaunchRecord]) -> Result<(), StoreError> {
    let mut hours: HashMap<(i64, &str, &str), i64> = HashMap::new();
    for launch in launches {
        let server = launch.noted.server.as_ref().map_or("", |id| id.as_str());
        let key = (hour_of(launch.at), server, launch.outcome.as_str());
        *hours.entry(key).or_default() += 1;
    }
    // In one order everywhere, so that two instances never wait for each other's rows.
    let mut hours: Vec<_> = hours.into_iter().collect();
    hours.sort_unstable();
    for ((hour, server, outcome), launches) in hours {
        within!(&mut *tx, c => sqlx::query(COUNT_HOUR)
            .bind(hour).bind(server).bind(outcome).bind(launches)
            .execute(c).map_ok(count))?;
    }
    Ok(())
}

async fn count_tools(tx: &mut Tx, launches: &[LaunchRecord]) -> Result<(), StoreError> {
    let mut tools: BTreeMap<(i64, &str, &str), i64> = BTreeMap::new();
    for launch in launches {
        let key = (
            hour_of(launch.at),
            launch.signature.as_str(),
            launch.outcome.as_str(),
        );
        *tools.entry(key).or_default() += 1;
    }
    for ((hour, signature, outcome), launches) in tools {
        within!(&mut *tx, c => sqlx::query(COUNT_TOOL)
            .bind(hour).bind(signature).bind(outcome).bind(launches)
            .execute(c).map_ok(count))?;
    }
    Ok(())
}

fn hour_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_and_tell_their_time() {
        let thousand = || ids_from(reserve_ids(1000), 1000);
        let ids: Vec<_> = thousand().chain(thousand()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        let now = Utc::now().timestamp_micros();
        assert!(
            (ids[0] / 1024 - now).abs() < 60_000_000,
            "{} is not about {now}",
            ids[0] / 1024
        );
    }
}
