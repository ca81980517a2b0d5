//! Who opened and who finished a session, and which content is in use.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Store, StoreError, count, on, read, statements, within};
use crate::domain::content::ContentKey;
use crate::domain::id::ToolSessionId;
use crate::domain::launch_record::{CallRecord, LaunchRecord};
use crate::domain::session::{Attendance, SessionKey};

statements! {
    /// Nothing is written where the session was removed in the meantime.
    OPENED = "insert into session_users (platform_id, signature, tool_session_id, name, opened_at)
        select platform_id, signature, tool_session_id, $4, $5 from sessions
        where platform_id = $1 and signature = $2 and tool_session_id = $3
        on conflict (platform_id, signature, tool_session_id, name)
        do update set opened_at = coalesce(session_users.opened_at, excluded.opened_at)";
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

#[derive(Debug, sqlx::FromRow)]
struct AttendanceRow {
    tool_session_id: i64,
    name: String,
    opened_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

/// A batch of what happened, written behind the answers.
#[derive(Debug, Default)]
pub struct Happened {
    /// Who opened which session first, and when.
    pub opened: Vec<(SessionKey, String, DateTime<Utc>)>,
    /// Contents of which a session was opened.
    pub in_use: Vec<ContentKey>,
    /// Launches.
    pub launches: Vec<LaunchRecord>,
    /// Outgoing calls.
    pub calls: Vec<CallRecord>,
}

impl Happened {
    /// How many things.
    pub fn len(&self) -> usize {
        self.opened.len() + self.in_use.len() + self.launches.len() + self.calls.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store {
    /// Stores a batch of what happened in one transaction.
    pub async fn store_happened(&self, happened: &Happened) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for (session, name, at) in &happened.opened {
            within!(&mut tx, c => sqlx::query(OPENED)
                .bind(session.platform.as_str()).bind(session.signature.as_str()).bind(session.id.get())
                .bind(name).bind(at)
                .execute(c).map_ok(count))?;
        }
        for content in &happened.in_use {
            within!(&mut tx, c => sqlx::query(IN_USE)
                .bind(content.platform.as_str()).bind(content.signature.as_str()).bind(content.id.get())
                .execute(c).map_ok(count))?;
        }
        Self::insert_launches(&mut tx, &happened.launches, &happened.calls).await?;
        tx.commit().await
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
