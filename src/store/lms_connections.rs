//! LMS connections as they are stored, a row each beside its server's.

use futures_util::TryFutureExt;

use super::{StoreError, Tx, count, statements, within};

statements! {
    CONNECTIONS = "select server_id, position, backend, base_url, selector_regex, course_regex, api_token, client_id,
            client_secret, auto_enroll, timeout_ms, role_id, user_auth, create_users, grades_api, extras
        from lms_connections";
    DISCONNECT = "delete from lms_connections where server_id = $1";
    CONNECT = "insert into lms_connections (server_id, position, backend, base_url, selector_regex, course_regex,
            api_token, client_id, client_secret, auto_enroll, timeout_ms, role_id, user_auth, create_users,
            grades_api, extras)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
}

/// All connections.
pub(super) const ALL: &str = CONNECTIONS;

/// A connection as it is stored.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
#[expect(
    missing_docs,
    reason = "the columns of the table, where they are described"
)]
pub struct EnrollmentRecord {
    pub position: i64,
    pub backend: String,
    pub base_url: String,
    pub selector_regex: String,
    pub course_regex: Option<String>,
    pub api_token: Option<Vec<u8>>,
    pub client_id: Option<String>,
    pub client_secret: Option<Vec<u8>>,
    pub auto_enroll: bool,
    pub timeout_ms: Option<i64>,
    pub role_id: Option<i64>,
    pub user_auth: Option<String>,
    pub create_users: bool,
    pub grades_api: String,
    pub extras: Option<String>,
}

/// A connection, and its server's id.
#[derive(sqlx::FromRow)]
pub(super) struct ConnectionRow {
    pub(super) server_id: String,
    #[sqlx(flatten)]
    pub(super) record: EnrollmentRecord,
}

/// Makes what is stored of a server's connection what it is to be.
pub(super) async fn set(
    tx: &mut Tx,
    server: &str,
    record: Option<&EnrollmentRecord>,
) -> Result<(), StoreError> {
    within!(&mut *tx, c => sqlx::query(DISCONNECT).bind(server).execute(c).map_ok(count))?;
    let Some(record) = record else { return Ok(()) };
    within!(&mut *tx, c => sqlx::query(CONNECT)
        .bind(server).bind(record.position).bind(&record.backend).bind(&record.base_url)
        .bind(&record.selector_regex).bind(&record.course_regex).bind(&record.api_token)
        .bind(&record.client_id).bind(&record.client_secret).bind(record.auto_enroll)
        .bind(record.timeout_ms).bind(record.role_id).bind(&record.user_auth)
        .bind(record.create_users).bind(&record.grades_api).bind(&record.extras)
        .execute(c).map_ok(count))?;
    Ok(())
}
