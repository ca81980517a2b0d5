//! Finding launches and calls again: newest first or from a place on, by whatever is known of them. Each way
//! to look has an index that begins with what is looked for and goes on with the id, so that a page costs
//! the rows that it shows.

use chrono::{DateTime, Utc};

use super::{Store, StoreError, read};
use crate::domain::launch_record::LaunchOutcome;

/// Declares searches, each in both directions. `$1` and `$2` are the ids between which is looked, `$3` the
/// outcome where it matters, `$4` how many are wanted at most.
macro_rules! searches {
    ({ $($down:ident, $up:ident = $condition:literal;)+ } { $($name:ident = $sql:literal;)+ }) => {
        $(
            const $down: &str = concat!(
                "select id, at, kind, request_id, platform_id, signature, server_id, user_name, tool_content_id,
                    tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
                from launches where id < $1 and id > $2 and ", $condition, " order by id desc limit $4");
            const $up: &str = concat!(
                "select id, at, kind, request_id, platform_id, signature, server_id, user_name, tool_content_id,
                    tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
                from launches where id < $1 and id > $2 and ", $condition, " order by id limit $4");
        )+
        $(const $name: &str = $sql;)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[
            $((stringify!($down), $down), (stringify!($up), $up),)+
            $((stringify!($name), $name)),+
        ];
    };
}

searches! {{
    ALL, ALL_UP = "(cast($3 as text) is null or outcome = $3)";
    NOT_REDIRECTED, NOT_REDIRECTED_UP = "outcome in ('page', 'refused', 'failed') and outcome = $3";
    NOT_REDIRECTED_OF_SERVER, NOT_REDIRECTED_OF_SERVER_UP =
        "outcome in ('page', 'refused', 'failed') and outcome = $3 and server_id = $5";
    OF_SERVER, OF_SERVER_UP = "(cast($3 as text) is null or outcome = $3) and server_id = $5";
    OF_USER, OF_USER_UP = "(cast($3 as text) is null or outcome = $3) and user_name = $5
        and (cast($6 as text) is null or server_id = $6)";
    OF_REQUEST, OF_REQUEST_UP = "(cast($3 as text) is null or outcome = $3) and request_id = $5
        and (cast($6 as text) is null or server_id = $6)";
    OF_CONTENT, OF_CONTENT_UP = "(cast($3 as text) is null or outcome = $3) and tool_content_id = $5
        and (cast($6 as text) is null or server_id = $6) and (cast($7 as text) is null or user_name = $7)";
    OF_SESSION, OF_SESSION_UP = "(cast($3 as text) is null or outcome = $3) and tool_session_id = $5
        and (cast($6 as text) is null or server_id = $6) and (cast($7 as text) is null or user_name = $7)";
} {
    FIND = "select id, at, kind, request_id, platform_id, signature, server_id, user_name, tool_content_id,
            tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
        from launches where id = $1";
    EARLIER_IN_CONTENT = "select id, at, kind, request_id, platform_id, signature, server_id, user_name,
            tool_content_id, tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
        from launches
        where tool_content_id = $1 and tool_session_id is null and platform_id = $2 and signature = $3
            and id < $4 and (cast($5 as text) is null or user_name = $5)
        order by id desc limit $6";
    LATER_IN_CONTENT = "select id, at, kind, request_id, platform_id, signature, server_id, user_name,
            tool_content_id, tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
        from launches
        where tool_content_id = $1 and tool_session_id is null and platform_id = $2 and signature = $3
            and id > $4 and (cast($5 as text) is null or user_name = $5)
        order by id limit $6";
    EARLIER_IN_SESSION = "select id, at, kind, request_id, platform_id, signature, server_id, user_name,
            tool_content_id, tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
        from launches
        where tool_session_id = $1 and platform_id = $2 and signature = $3
            and id < $4 and (cast($5 as text) is null or user_name = $5)
        order by id desc limit $6";
    LATER_IN_SESSION = "select id, at, kind, request_id, platform_id, signature, server_id, user_name,
            tool_content_id, tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
            remembered_csv, remembered_at
        from launches
        where tool_session_id = $1 and platform_id = $2 and signature = $3
            and id > $4 and (cast($5 as text) is null or user_name = $5)
        order by id limit $6";
    EARLIER_CALLS_OF_CONTENT = "select id, at, server_id, method, outcome, reason, ms from outgoing_calls
        where tool_content_id = $1 and platform_id = $2 and signature = $3 and id < $4
        order by id desc limit $5";
    LATER_CALLS_OF_CONTENT = "select id, at, server_id, method, outcome, reason, ms from outgoing_calls
        where tool_content_id = $1 and platform_id = $2 and signature = $3 and id > $4
        order by id limit $5";
    EARLIER_CALLS_OF_SESSION = "select id, at, server_id, method, outcome, reason, ms from outgoing_calls
        where tool_session_id = $1 and platform_id = $2 and signature = $3 and id < $4
        order by id desc limit $5";
    LATER_CALLS_OF_SESSION = "select id, at, server_id, method, outcome, reason, ms from outgoing_calls
        where tool_session_id = $1 and platform_id = $2 and signature = $3 and id > $4
        order by id limit $5";
}}

/// A launch as it is stored, with its id.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "see LaunchRecord")]
pub struct StoredLaunch {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub request_id: String,
    pub platform_id: String,
    pub signature: String,
    pub server_id: Option<String>,
    pub user_name: Option<String>,
    pub tool_content_id: Option<i64>,
    pub tool_session_id: Option<i64>,
    pub outcome: String,
    pub status: i64,
    pub ms: f64,
    pub came_with: String,
    pub sent_to: Option<String>,
    pub reason: Option<String>,
    pub code: Option<String>,
    pub remembered_csv: Option<String>,
    pub remembered_at: Option<DateTime<Utc>>,
}

/// An outgoing call as it is stored.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
#[expect(missing_docs, reason = "see CallRecord")]
pub struct StoredCall {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub server_id: String,
    pub method: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub ms: f64,
}

/// Which launches are looked for; what is `None` does not matter. A request id says most, then a session,
/// then content: beside one of them the lesser ones are not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaunchFilter {
    /// By the request id on its page.
    pub request: Option<String>,
    /// By the name that the request gave.
    pub user: Option<String>,
    /// `toolContentID`
    pub content: Option<i64>,
    /// `toolSessionID`
    pub session: Option<i64>,
    /// The server's id.
    pub server: Option<String>,
    /// What they came to.
    pub outcome: Option<LaunchOutcome>,
    /// Only those before this id.
    pub before: Option<i64>,
    /// Only those after this id.
    pub after: Option<i64>,
}

/// On which side of a place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before it, the nearest first.
    Earlier,
    /// After it, the nearest first.
    Later,
}

impl Store {
    /// One launch.
    pub async fn launch(&self, id: i64) -> Result<Option<StoredLaunch>, StoreError> {
        Ok(
            read!(self, pool => sqlx::query_as::<_, StoredLaunch>(FIND).bind(id).fetch_optional(pool))?,
        )
    }

    /// The newest launches that a filter lets through, newest first.
    pub async fn launches(
        &self,
        filter: &LaunchFilter,
        most: i64,
    ) -> Result<Vec<StoredLaunch>, StoreError> {
        self.search(filter, Side::Earlier, most).await
    }

    /// The oldest launches that a filter lets through, oldest first: those right after a place.
    pub async fn launches_from(
        &self,
        filter: &LaunchFilter,
        most: i64,
    ) -> Result<Vec<StoredLaunch>, StoreError> {
        self.search(filter, Side::Later, most).await
    }

    async fn search(
        &self,
        filter: &LaunchFilter,
        side: Side,
        most: i64,
    ) -> Result<Vec<StoredLaunch>, StoreError> {
        let (before, after) = (filter.before.unwrap_or(i64::MAX), filter.after.unwrap_or(0));
        let outcome = filter.outcome.map(LaunchOutcome::as_str);
        let (user, server) = (filter.user.as_deref(), filter.server.as_deref());
        let of = |down, up| match side {
            Side::Earlier => down,
            Side::Later => up,
        };
        let text = match (filter.request.as_deref(), filter.session, filter.content) {
            (Some(request), ..) => Some((of(OF_REQUEST, OF_REQUEST_UP), request)),
            (None, None, None) => user.map(|user| (of(OF_USER, OF_USER_UP), user)),
            _ => None,
        };
        if let Some((sql, text)) = text {
            return Ok(read!(self, pool => sqlx::query_as::<_, StoredLaunch>(sql)
                .bind(before).bind(after).bind(outcome).bind(most).bind(text).bind(server)
                .fetch_all(pool))?);
        }
        let number = match (filter.session, filter.content) {
            (Some(session), _) => Some((of(OF_SESSION, OF_SESSION_UP), session)),
            (None, content) => content.map(|content| (of(OF_CONTENT, OF_CONTENT_UP), content)),
        };
        if let Some((sql, number)) = number {
            return Ok(read!(self, pool => sqlx::query_as::<_, StoredLaunch>(sql)
                .bind(before).bind(after).bind(outcome).bind(most).bind(number).bind(server).bind(user)
                .fetch_all(pool))?);
        }
        let is_redirected = outcome.is_none() || filter.outcome == Some(LaunchOutcome::Redirected);
        if let Some(server) = server {
            let sql = match is_redirected {
                true => of(OF_SERVER, OF_SERVER_UP),
                false => of(NOT_REDIRECTED_OF_SERVER, NOT_REDIRECTED_OF_SERVER_UP),
            };
            return Ok(read!(self, pool => sqlx::query_as::<_, StoredLaunch>(sql)
                .bind(before).bind(after).bind(outcome).bind(most).bind(server)
                .fetch_all(pool))?);
        }
        let sql = match is_redirected {
            true => of(ALL, ALL_UP),
            false => of(NOT_REDIRECTED, NOT_REDIRECTED_UP),
        };
        Ok(read!(self, pool => sqlx::query_as::<_, StoredLaunch>(sql)
            .bind(before).bind(after).bind(outcome).bind(most)
            .fetch_all(pool))?)
    }

    /// Other launches of the same person in the same session, or, where a launch was of none, in the same
    /// content; of anybody where nobody is named. The nearest first.
    pub async fn launches_near(
        &self,
        launch: &StoredLaunch,
        side: Side,
        most: i64,
    ) -> Result<Vec<StoredLaunch>, StoreError> {
        let found = match (launch.tool_session_id, launch.tool_content_id, side) {
            (Some(id), _, Side::Earlier) => (EARLIER_IN_SESSION, id),
            (Some(id), _, Side::Later) => (LATER_IN_SESSION, id),
            (None, Some(id), Side::Earlier) => (EARLIER_IN_CONTENT, id),
            (None, Some(id), Side::Later) => (LATER_IN_CONTENT, id),
            (None, None, _) => return Ok(Vec::new()),
        };
        let (sql, number) = found;
        Ok(read!(self, pool => sqlx::query_as::<_, StoredLaunch>(sql)
            .bind(number).bind(&launch.platform_id).bind(&launch.signature).bind(launch.id)
            .bind(&launch.user_name).bind(most)
            .fetch_all(pool))?)
    }

    /// The calls about a launch's session, or, where it was of none, its content. The nearest first.
    pub async fn calls_near(
        &self,
        launch: &StoredLaunch,
        side: Side,
        most: i64,
    ) -> Result<Vec<StoredCall>, StoreError> {
        let found = match (launch.tool_session_id, launch.tool_content_id, side) {
            (Some(id), _, Side::Earlier) => (EARLIER_CALLS_OF_SESSION, id),
            (Some(id), _, Side::Later) => (LATER_CALLS_OF_SESSION, id),
            (None, Some(id), Side::Earlier) => (EARLIER_CALLS_OF_CONTENT, id),
            (None, Some(id), Side::Later) => (LATER_CALLS_OF_CONTENT, id),
            (None, None, _) => return Ok(Vec::new()),
        };
        let (sql, number) = found;
        Ok(read!(self, pool => sqlx::query_as::<_, StoredCall>(sql)
            .bind(number).bind(&launch.platform_id).bind(&launch.signature).bind(launch.id).bind(most)
            .fetch_all(pool))?)
    }
}
