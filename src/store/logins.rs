//! Who came into a platform by a checked LoginRequest, from which server and course, and the customCSV that
//! is remembered of it.

use chrono::{DateTime, Utc};
use futures_util::TryFutureExt;

use super::{Store, StoreError, Tx, count, on, read, statements, within};
use crate::domain::id::{PlatformId, ServerId};
use crate::domain::person::login_key;

statements! {
    USER = "insert into login_users (platform_id, server_id, ext_login_key, ext_login, lams_login_key, lams_login,
            first_seen_at, last_seen_at, last_method, last_course, last_carried)
        values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10)
        on conflict (platform_id, server_id, ext_login_key) do update set ext_login = excluded.ext_login,
            lams_login_key = excluded.lams_login_key, lams_login = excluded.lams_login,
            last_seen_at = excluded.last_seen_at, last_method = excluded.last_method,
            last_course = excluded.last_course, last_carried = excluded.last_carried";
    COURSE = "insert into login_courses (platform_id, server_id, course, name, first_seen_at, last_seen_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (platform_id, server_id, course) do update set
            name = coalesce(excluded.name, login_courses.name), last_seen_at = excluded.last_seen_at";
    REMEMBER = "insert into remembered_csv (platform_id, lams_login_key, server_id, custom_csv, remembered_at)
        values ($1, $2, $3, $4, $5)
        on conflict (platform_id, lams_login_key, server_id) do update set custom_csv = excluded.custom_csv,
            remembered_at = excluded.remembered_at";
    REMEMBERED = "select server_id, custom_csv, remembered_at from remembered_csv
        where platform_id = $1 and lams_login_key = $2 and remembered_at >= $3 order by remembered_at desc";
    LAST_SERVER = "select server_id from login_users
        where platform_id = $1 and lams_login_key = $2 order by last_seen_at desc limit 1";
    USERS = "select platform_id, server_id, ext_login, lams_login, first_seen_at, last_seen_at, last_method,
            last_course, last_carried
        from login_users
        where ($1 = '' or server_id = $1)
            and ($2 = '' or ext_login_key like $2 escape '!' or lams_login_key like $2 escape '!')
        order by last_seen_at desc, ext_login_key limit $3 offset $4";
    USER_OF = "select platform_id, server_id, ext_login, lams_login, first_seen_at, last_seen_at, last_method,
            last_course, last_carried
        from login_users where platform_id = $1 and server_id = $2 and ext_login_key = $3";
    COURSES = "select platform_id, server_id, course, name, first_seen_at, last_seen_at from login_courses
        where ($1 = '' or server_id = $1)
            and ($2 = '' or lower(course) like $2 escape '!' or lower(name) like $2 escape '!')
        order by last_seen_at desc, course limit $3 offset $4";
    CLEAN_REMEMBERED = "delete from remembered_csv where remembered_at < $1";
    SERVER_USERS = "delete from login_users where server_id = $1";
    SERVER_COURSES = "delete from login_courses where server_id = $1";
    SERVER_REMEMBERED = "delete from remembered_csv where server_id = $1";
    PLATFORM_USERS = "delete from login_users where platform_id = $1";
    PLATFORM_COURSES = "delete from login_courses where platform_id = $1";
    PLATFORM_REMEMBERED = "delete from remembered_csv where platform_id = $1";
}

/// A login that was checked.
#[derive(Debug, Clone)]
pub struct Login {
    /// Into which platform.
    pub platform: PlatformId,
    /// From which server.
    pub server: ServerId,
    /// The login there.
    pub ext_login: String,
    /// The login in LAMS.
    pub lams_login: String,
    /// What for.
    pub method: &'static str,
    /// The course there, and its name.
    pub course: Option<(String, Option<String>)>,
    /// The query, without its hash.
    pub carried: String,
    /// The customCSV to remember.
    pub custom_csv: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// A customCSV that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RememberedCsv {
    /// The server that its LoginRequest came from.
    pub server_id: String,
    /// As it came.
    pub custom_csv: String,
    /// When.
    pub remembered_at: DateTime<Utc>,
}

/// Somebody who came in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(
    missing_docs,
    reason = "the columns of the table, where they are described"
)]
pub struct LoginUser {
    pub platform_id: String,
    pub server_id: String,
    pub ext_login: String,
    pub lams_login: String,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub last_method: String,
    pub last_course: Option<String>,
    pub last_carried: String,
}

/// A course that somebody came from.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(
    missing_docs,
    reason = "the columns of the table, where they are described"
)]
pub struct LoginCourse {
    pub platform_id: String,
    pub server_id: String,
    pub course: String,
    pub name: Option<String>,
    pub first_seen_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
}

/// Which logins are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginFilter {
    /// Those of one server; empty for all.
    pub server: String,
    /// Those whose names hold this, whatever its case; empty for all.
    pub search: String,
    /// So many at most,
    pub most: i64,
    /// after so many.
    pub after: i64,
}

impl LoginFilter {
    /// A pattern that finds the text anywhere; empty where there is nothing to find.
    fn pattern(&self) -> String {
        let text = self.search.trim().to_lowercase();
        if text.is_empty() {
            return text;
        }
        let mut pattern = String::from("%");
        for c in text.chars() {
            if matches!(c, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }
}

impl Store {
    /// Stores a login: who, from which course, and the customCSV, all or nothing.
    pub async fn store_login(&self, login: &Login) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let (platform, server) = (login.platform.as_str(), login.server.as_str());
        let key = login_key(&login.lams_login);
        let course = login.course.as_ref().map(|(course, _)| course);
        within!(&mut tx, c => sqlx::query(USER)
            .bind(platform).bind(server).bind(login_key(&login.ext_login)).bind(&login.ext_login)
            .bind(&key).bind(&login.lams_login).bind(login.at)
            .bind(login.method).bind(course).bind(&login.carried)
            .execute(c).map_ok(count))?;
        if let Some((course, name)) = &login.course {
            within!(&mut tx, c => sqlx::query(COURSE)
                .bind(platform).bind(server).bind(course).bind(name).bind(login.at)
                .execute(c).map_ok(count))?;
        }
        if let Some(csv) = &login.custom_csv {
            within!(&mut tx, c => sqlx::query(REMEMBER)
                .bind(platform).bind(&key).bind(server).bind(csv).bind(login.at)
                .execute(c).map_ok(count))?;
        }
        tx.commit().await
    }

    /// What is remembered of somebody since a moment, the newest first.
    pub async fn remembered_csv(
        &self,
        platform: &PlatformId,
        lams_login: &str,
        since: DateTime<Utc>,
    ) -> Result<Vec<RememberedCsv>, StoreError> {
        let key = login_key(lams_login);
        Ok(read!(self, pool => sqlx::query_as(REMEMBERED)
            .bind(platform.as_str()).bind(&key).bind(since).fetch_all(pool))?)
    }

    /// The server that somebody last came from.
    pub async fn last_server_of(
        &self,
        platform: &PlatformId,
        lams_login: &str,
    ) -> Result<Option<String>, StoreError> {
        let key = login_key(lams_login);
        Ok(read!(self, pool => sqlx::query_scalar(LAST_SERVER)
            .bind(platform.as_str()).bind(&key).fetch_optional(pool))?)
    }

    /// Who came in, those who came last first.
    pub async fn login_users(&self, filter: &LoginFilter) -> Result<Vec<LoginUser>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(USERS)
            .bind(&filter.server).bind(filter.pattern()).bind(filter.most).bind(filter.after)
            .fetch_all(pool))?)
    }

    /// Somebody who came in, by their login on a server.
    pub async fn login_user(
        &self,
        platform: &str,
        server: &str,
        ext_login: &str,
    ) -> Result<Option<LoginUser>, StoreError> {
        let key = login_key(ext_login);
        Ok(read!(self, pool => sqlx::query_as(USER_OF)
            .bind(platform).bind(server).bind(&key).fetch_optional(pool))?)
    }

    /// The courses that they came from, in the same order.
    pub async fn login_courses(
        &self,
        filter: &LoginFilter,
    ) -> Result<Vec<LoginCourse>, StoreError> {
        Ok(read!(self, pool => sqlx::query_as(COURSES)
            .bind(&filter.server).bind(filter.pattern()).bind(filter.most).bind(filter.after)
            .fetch_all(pool))?)
    }

    /// Forgets what was remembered before a moment.
    pub async fn clean_remembered(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        on!(&self.write, pool => sqlx::query(CLEAN_REMEMBERED).bind(before).execute(pool).map_ok(count))?;
        Ok(())
    }
}

/// Forgets what is known of a server or platform that goes.
pub(super) async fn forget(tx: &mut Tx, connected: super::Connected<'_>) -> Result<(), StoreError> {
    let (all, id) = match connected {
        super::Connected::Server(id) => ([SERVER_USERS, SERVER_COURSES, SERVER_REMEMBERED], id),
        super::Connected::Platform(id) => {
            ([PLATFORM_USERS, PLATFORM_COURSES, PLATFORM_REMEMBERED], id)
        }
        // Logins are of servers and platforms.
        super::Connected::Tool(_) => return Ok(()),
    };
    for sql in all {
        within!(&mut *tx, c => sqlx::query(sql).bind(id).execute(c).map_ok(count))?;
    }
    Ok(())
}
