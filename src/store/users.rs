//! Who opened and who finished a session, and which content is in use.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::launch_batches::LaunchRecords;
use super::{OnSqlite, Store, StoreError, Tx, count, fifty, on, read, statements, write_rows};
use crate::domain::content::ContentKey;
use crate::domain::id::ToolSessionId;
use crate::domain::launch_record::{CallRecord, LaunchRecord};
use crate::domain::session::{Attendance, SessionKey};

statements! {
    /// Nothing is written where the session was removed in the meantime, or where it is known that somebody opened
    /// it no later.
    OPENED = "insert into session_users (platform_id, signature, tool_session_id, name, opened_at)
        select platform_id, signature, tool_session_id, $4, $5 from sessions
        where platform_id = $1 and signature = $2 and tool_session_id = $3
        on conflict (platform_id, signature, tool_session_id, name)
        do update set opened_at = excluded.opened_at
        where session_users.opened_at is null or session_users.opened_at > excluded.opened_at";
    FINISHED = "insert into session_users (platform_id, signature, tool_session_id, name, finished_at)
        select platform_id, signature, tool_session_id, $4, $5 from sessions
        where platform_id = $1 and signature = $2 and tool_session_id = $3
        on conflict (platform_id, signature, tool_session_id, name)
        do update set finished_at = coalesce(session_users.finished_at, excluded.finished_at)";
    IN_USE = "update contents set content_in_use = true
        where platform_id = $1 and signature = $2 and tool_content_id = $3 and not content_in_use";
    OF_CONTENT = "select u.tool_session_id, u.name, u.opened_at, u.finished_at
        from sessions s
        join session_users u on u.platform_id = s.platform_id and u.signature = s.signature
            and u.tool_session_id = s.tool_session_id
        where s.platform_id = $1 and s.signature = $2 and s.tool_content_id = $3
        order by u.tool_session_id, u.name";
}

/// Many of [`OPENED`] in one statement; on PostgreSQL alone, as in `launches.rs`. In one order everywhere, so that
/// two instances never wait for each other's rows.
const OPENED_MANY: &str = "insert into session_users (platform_id, signature, tool_session_id, name, opened_at)
    select s.platform_id, s.signature, s.tool_session_id, o.name, o.at
    from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[])
        as o (platform_id, signature, tool_session_id, name, at)
    join sessions s on s.platform_id = o.platform_id and s.signature = o.signature
        and s.tool_session_id = o.tool_session_id
    where not exists (select 1 from session_users known
        where known.platform_id = o.platform_id and known.signature = o.signature
            and known.tool_session_id = o.tool_session_id and known.name = o.name and known.opened_at <= o.at)
    order by s.platform_id, s.signature, s.tool_session_id, o.name
    on conflict (platform_id, signature, tool_session_id, name)
    do update set opened_at = excluded.opened_at
    where session_users.opened_at is null or session_users.opened_at > excluded.opened_at";
/// Many of [`IN_USE`], in one order as well.
const IN_USE_MANY: &str = "with opened as (
        select c.platform_id, c.signature, c.tool_content_id
        from unnest($1::text[], $2::text[], $3::bigint[]) as o (platform_id, signature, tool_content_id)
        join contents c on c.platform_id = o.platform_id and c.signature = o.signature
            and c.tool_content_id = o.tool_content_id
        where not c.content_in_use
        order by c.platform_id, c.signature, c.tool_content_id
        for update of c
    )
    update contents c set content_in_use = true from opened o
    where c.platform_id = o.platform_id and c.signature = o.signature and c.tool_content_id = o.tool_content_id";

/// Fifty of [`OPENED`] and [`IN_USE`], on SQLite alone. It takes the tables in the order in which they stand.
const OPENED_FIFTY: &str = concat!("insert into session_users (platform_id, signature, tool_session_id, name, opened_at)
    select s.platform_id, s.signature, s.tool_session_id, o.column4, o.column5
    from (values ", fifty!("(?, ?, ?, ?, ?)"), ") as o
    cross join sessions s on s.platform_id = o.column1 and s.signature = o.column2 and s.tool_session_id = o.column3
    where true
    on conflict (platform_id, signature, tool_session_id, name)
    do update set opened_at = excluded.opened_at
    where session_users.opened_at is null or session_users.opened_at > excluded.opened_at");
const IN_USE_FIFTY: &str = concat!(
    "update contents set content_in_use = true
    where not content_in_use and rowid in (
        select c.rowid from (values ",
    fifty!("(?, ?, ?)"),
    ") as o
        cross join contents c on c.platform_id = o.column1 and c.signature = o.column2
            and c.tool_content_id = o.column3)"
);

/// The statements that only one database knows.
#[cfg(test)]
pub(super) const POSTGRES_STATEMENTS: &[(&str, &str)] =
    &[("OPENED_MANY", OPENED_MANY), ("IN_USE_MANY", IN_USE_MANY)];
#[cfg(test)]
pub(super) const SQLITE_STATEMENTS: &[(&str, &str)] = &[
    ("OPENED_FIFTY", OPENED_FIFTY),
    ("IN_USE_FIFTY", IN_USE_FIFTY),
];

#[derive(Debug, sqlx::FromRow)]
struct AttendanceRow {
    tool_session_id: i64,
    name: String,
    opened_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

/// A batch of what happened, written behind the answers. Who opened which session is told by the launches.
#[derive(Debug, Default)]
pub struct Happened {
    /// Contents of which a session was opened.
    pub in_use: BTreeSet<ContentKey>,
    /// Launches.
    pub launches: LaunchRecords,
    /// Outgoing calls.
    pub calls: Vec<CallRecord>,
}

impl Happened {
    /// How many things.
    pub fn len(&self) -> usize {
        self.in_use.len() + self.launches.len() + self.calls.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same without what happened, in the same memory.
    pub fn emptied(mut self) -> Self {
        self.in_use.clear();
        self.launches.clear();
        self.calls.clear();
        self
    }
}

/// Who opened which session first, and when.
fn opened(launches: &[LaunchRecord]) -> BTreeMap<(&str, &str, i64, &str), DateTime<Utc>> {
    let mut opened = BTreeMap::new();
    for launch in launches {
        if let Some((session, name)) = launch.opened() {
            let key = (
                launch.platform.as_str(),
                launch.signature.as_str(),
                session,
                name,
            );
            let first = opened.entry(key).or_insert(launch.at);
            *first = launch.at.min(*first);
        }
    }
    opened
}

impl Store {
    /// Stores what happened in one transaction, launches in the order of their time.
    pub async fn store_happened(&self, happened: &[Happened]) -> Result<(), StoreError> {
        let mut launches = Vec::new();
        for one in happened {
            one.launches.unpack(&mut launches)?;
        }
        launches.sort_by_key(|launch| launch.at);
        let calls = happened.iter().flat_map(|one| &one.calls);
        let calls: Vec<CallRecord> = calls.cloned().collect();
        let mut tx = self.begin().await?;
        mark_in_use(&mut tx, happened).await?;
        Self::insert_records(&mut tx, &launches, &calls, None).await?;
        tx.commit().await
    }

    /// Launches and who opened which session by them, and calls, within a transaction; they get ids from `first` on,
    /// or new ones.
    pub(super) async fn insert_records(
        tx: &mut Tx,
        launches: &[LaunchRecord],
        calls: &[CallRecord],
        first: Option<i64>,
    ) -> Result<(), StoreError> {
        insert_opened(tx, &opened(launches)).await?;
        Self::insert_launches(tx, launches, calls, first).await
    }

    /// Marks a person as finished with a session; the first time counts. `false` where there is no such
    /// session.
    pub async fn mark_finished(
        &self,
        session: &SessionKey,
        name: &str,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let written = on!(&self.write, pool => sqlx::query(FINISHED)
            .bind(session.platform.as_str()).bind(session.signature.as_str()).bind(session.id.get())
            .bind(name).bind(at)
            .execute(pool).map_ok(count));
        self.changes.session_changed(session);
        Ok(written? > 0)
    }

    /// Who opened or finished the sessions of content.
    pub async fn attendance(
        &self,
        content: &ContentKey,
    ) -> Result<Vec<(ToolSessionId, Attendance)>, StoreError> {
        let rows = read!(self, pool => sqlx::query_as::<_, AttendanceRow>(OF_CONTENT)
            .bind(content.platform.as_str()).bind(content.signature.as_str()).bind(content.id.get())
            .fetch_all(pool))?;
        let session = |number| {
            ToolSessionId::from_number(number)
                .map_err(|_| StoreError::Unreadable("a session id".to_owned()))
        };
        rows.into_iter()
            .map(|row| {
                let attendance = Attendance {
                    name: row.name,
                    opened_at: row.opened_at,
                    finished_at: row.finished_at,
                };
                Ok((session(row.tool_session_id)?, attendance))
            })
            .collect()
    }
}

/// Who opened which session first: platform, tool, session, name.
type Opener<'a> = (&'a str, &'a str, i64, &'a str);

async fn insert_opened(
    tx: &mut Tx,
    opened: &BTreeMap<Opener<'_>, DateTime<Utc>>,
) -> Result<(), StoreError> {
    if opened.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(postgres, presence) => {
            let platforms: Vec<&str> = opened.keys().map(|key| key.0).collect();
            let signatures: Vec<&str> = opened.keys().map(|key| key.1).collect();
            let sessions: Vec<i64> = opened.keys().map(|key| key.2).collect();
            let names: Vec<&str> = opened.keys().map(|key| key.3).collect();
            let at: Vec<DateTime<Utc>> = opened.values().copied().collect();
            let query = sqlx::query(OPENED_MANY).bind(platforms).bind(signatures);
            let query = query.bind(sessions).bind(names).bind(at);
            presence.while_there(query.execute(&mut **postgres)).await?;
        }
        Tx::Sqlite(sqlite, disk) => {
            let opened: Vec<_> = opened.iter().collect();
            disk.noted(write_rows(sqlite, (OPENED, OPENED_FIFTY), &opened, opener).await)?;
        }
    }
    Ok(())
}

fn opener<'q>(query: OnSqlite<'q>, (key, at): &(&Opener<'q>, &DateTime<Utc>)) -> OnSqlite<'q> {
    let (platform, signature, session, name) = **key;
    let query = query.bind(platform).bind(signature).bind(session);
    query.bind(name).bind(**at)
}

fn used<'q>(query: OnSqlite<'q>, content: &&'q ContentKey) -> OnSqlite<'q> {
    let query = query.bind(content.platform.as_str());
    query
        .bind(content.signature.as_str())
        .bind(content.id.get())
}

/// Notes that a session of each content was opened.
pub(super) async fn mark_in_use(tx: &mut Tx, happened: &[Happened]) -> Result<(), StoreError> {
    let in_use: BTreeSet<_> = happened.iter().flat_map(|one| &one.in_use).collect();
    if in_use.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(postgres, presence) => {
            let platforms: Vec<&str> = in_use.iter().map(|key| key.platform.as_str()).collect();
            let signatures: Vec<&str> = in_use.iter().map(|key| key.signature.as_str()).collect();
            let contents: Vec<i64> = in_use.iter().map(|key| key.id.get()).collect();
            let query = sqlx::query(IN_USE_MANY).bind(platforms).bind(signatures);
            let query = query.bind(contents);
            presence.while_there(query.execute(&mut **postgres)).await?;
        }
        Tx::Sqlite(sqlite, disk) => {
            let in_use: Vec<_> = in_use.into_iter().collect();
            disk.noted(write_rows(sqlite, (IN_USE, IN_USE_FIFTY), &in_use, used).await)?;
        }
    }
    Ok(())
}
