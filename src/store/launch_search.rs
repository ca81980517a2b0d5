//! Finding launches and calls again: newest first or from a place on, by whatever is known of them. Each way
//! to look has an index that begins with what is looked for and goes on with the id, so that a page costs
//! the rows that it shows.

use chrono::{DateTime, Utc};

use super::{Store, StoreError, read};
use crate::domain::launch_record::LaunchOutcome;

/// Declares searches, each in three directions: down from a place, up from one, and down from the newest to one.
/// `$1` is the place, an id; `$2` the outcome, `$3` how many are wanted at most, `$4` to `$10` what else is
/// known, each null where it does not matter. What a search is named after has to be given, and is said plainly,
/// so that its index is used.
macro_rules! searches {
    (@sql $place:literal, $condition:literal, $order:literal) => {
        concat!(
            "select id, at, kind, request_id, platform_id, signature, server_id, user_name, tool_content_id,
                tool_session_id, outcome, status, ms, came_with, sent_to, reason, code,
                remembered_csv, remembered_at
            from launches where ", $place, " and ", $condition, "
                and (cast($2 as text) is null or outcome = $2)
                and (cast($4 as text) is null or server_id = $4)
                and (cast($5 as text) is null or user_name = $5)
                and (cast($6 as text) is null or signature = $6)
                and (cast($7 as text) is null or platform_id = $7)
                and (cast($8 as bigint) is null or tool_content_id = $8)
                and (cast($9 as bigint) is null or tool_session_id = $9)
                and (cast($10 as text) is null or request_id = $10)
            order by ", $order, " limit $3"
        )
    };
    ({ $($name:ident = $condition:literal;)+ } { $($other:ident = $sql:literal;)+ }) => {
        $(
            const $name: Ways = Ways {
                down: searches!(@sql "id < $1", $condition, "id desc"),
                up: searches!(@sql "id > $1", $condition, "id"),
                newest: searches!(@sql "id > $1", $condition, "id desc"),
            };
        )+
        $(const $other: &str = $sql;)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[
            $(
                (stringify!($name), $name.down),
                (stringify!($name), $name.up),
                (stringify!($name), $name.newest),
            )+
            $((stringify!($other), $other)),+
        ];
    };
}

/// One way to look, in its three directions.
struct Ways {
    down: &'static str,
    up: &'static str,
    newest: &'static str,
}

searches! {{
    ALL = "true";
    PAGES = "outcome in ('page', 'refused', 'failed') and outcome = 'page'";
    REFUSED = "outcome in ('page', 'refused', 'failed') and outcome = 'refused'";
    FAILED = "outcome in ('page', 'refused', 'failed') and outcome = 'failed'";
    PAGES_OF_SERVER = "outcome in ('page', 'refused', 'failed') and outcome = 'page' and server_id = $4";
    REFUSED_OF_SERVER = "outcome in ('page', 'refused', 'failed') and outcome = 'refused' and server_id = $4";
    FAILED_OF_SERVER = "outcome in ('page', 'refused', 'failed') and outcome = 'failed' and server_id = $4";
    OF_SERVER = "server_id = $4";
    OF_TOOL = "signature = $6";
    OF_TOOL_ON_SERVER = "signature = $6 and server_id = $4";
    OF_PLATFORM = "platform_id = $7";
    OF_USER = "user_name = $5";
    OF_REQUEST = "request_id = $10";
    OF_CONTENT = "tool_content_id = $8";
    OF_SESSION = "tool_session_id = $9";
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

/// Which launches are looked for; what is `None` does not matter.
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
    /// The tool's signature.
    pub tool: Option<String>,
    /// The platform's id.
    pub platform: Option<String>,
    /// What they came to.
    pub outcome: Option<LaunchOutcome>,
    /// Only those before this id; it counts before `after`.
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

impl LaunchFilter {
    /// The way to look by what says most.
    fn ways(&self) -> &'static Ways {
        match self {
            Self {
                request: Some(_), ..
            } => &OF_REQUEST,
            Self {
                session: Some(_), ..
            } => &OF_SESSION,
            Self {
                content: Some(_), ..
            } => &OF_CONTENT,
            Self { user: Some(_), .. } => &OF_USER,
            _ => self.coarse_ways(),
        }
    }

    /// The same where only such things are known as many launches have. Each outcome but the usual one has a
    /// statement of its own, so that the database knows how many there are; a tool says more than that
    /// somebody got a page, and less than that something went wrong.
    fn coarse_ways(&self) -> &'static Ways {
        match (self.outcome, &self.server, &self.tool, &self.platform) {
            (Some(LaunchOutcome::Page), None, None, _) => &PAGES,
            (Some(LaunchOutcome::Refused), None, ..) => &REFUSED,
            (Some(LaunchOutcome::Failed), None, ..) => &FAILED,
            (Some(LaunchOutcome::Page), Some(_), None, _) => &PAGES_OF_SERVER,
            (Some(LaunchOutcome::Refused), Some(_), ..) => &REFUSED_OF_SERVER,
            (Some(LaunchOutcome::Failed), Some(_), ..) => &FAILED_OF_SERVER,
            (_, Some(_), Some(_), _) => &OF_TOOL_ON_SERVER,
            (_, None, Some(_), _) => &OF_TOOL,
            (_, Some(_), None, _) => &OF_SERVER,
            (_, None, None, Some(_)) => &OF_PLATFORM,
            (_, None, None, None) => &ALL,
        }
    }
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
        let ways = filter.ways();
        match (filter.before, filter.after) {
            (None, Some(after)) => self.search(ways.newest, after, filter, most).await,
            (before, _) => {
                let before = before.unwrap_or(i64::MAX);
                self.search(ways.down, before, filter, most).await
            }
        }
    }

    /// The oldest launches after a place that a filter lets through, oldest first.
    pub async fn launches_from(
        &self,
        filter: &LaunchFilter,
        most: i64,
    ) -> Result<Vec<StoredLaunch>, StoreError> {
        let after = filter.after.unwrap_or_default();
        self.search(filter.ways().up, after, filter, most).await
    }

    async fn search(
        &self,
        sql: &'static str,
        place: i64,
        filter: &LaunchFilter,
        most: i64,
    ) -> Result<Vec<StoredLaunch>, StoreError> {
        // Planned anew each time, for what is looked for: what is frequent is found on the way through the
        // newest, what is rare by its own index. A plan for both would be wrong for one.
        Ok(
            read!(self, pool => sqlx::query_as::<_, StoredLaunch>(sql).persistent(false)
            .bind(place).bind(filter.outcome.map(LaunchOutcome::as_str)).bind(most)
            .bind(filter.server.as_deref()).bind(filter.user.as_deref())
            .bind(filter.tool.as_deref()).bind(filter.platform.as_deref())
            .bind(filter.content).bind(filter.session).bind(filter.request.as_deref())
            .fetch_all(pool))?,
        )
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
