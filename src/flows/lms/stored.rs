//! From what is stored of a connection to what is used of it.

use std::time::Duration;

use crate::domain::lms::{
    Backend, Client, GradesApi, LAUNCH_TIMEOUT, Lms, LmsAddress, Pattern, STUDENT_ROLE, USER_AUTH,
};
use crate::domain::secret_keys::Vault;
use crate::flows::configuration::{LoadError, secret_of};
use crate::store::ServerRecord;

/// Where the secrets of connections are.
pub(in crate::flows) const TABLE: &str = "lms_connections";

/// The connection of a server, where it has one.
pub(in crate::flows) fn lms_of(
    server: &ServerRecord,
    vault: &Vault,
) -> Result<Option<Lms>, LoadError> {
    let Some(record) = &server.enrollment else {
        return Ok(None);
    };
    let id = &server.id;
    let unreadable =
        |what| LoadError::Unreadable(format!("the {what} of the LMS connection of server {id:?}"));
    let pattern = |text: &str, what| Pattern::parse(text).map_err(|_| unreadable(what));
    let secret =
        |column, sealed: &Option<Vec<u8>>| secret_of(vault, TABLE, id, column, sealed.as_deref());
    let client_secret = secret("client_secret", &record.client_secret)?;
    let launch_timeout = match record.timeout_ms {
        None => LAUNCH_TIMEOUT,
        Some(ms) => Duration::from_millis(u64::try_from(ms).map_err(|_| unreadable("timeout_ms"))?),
    };
    Ok(Some(Lms {
        server: id.parse().map_err(|_| unreadable("id"))?,
        backend: Backend::named(&record.backend).ok_or_else(|| unreadable("backend"))?,
        address: LmsAddress::parse(&record.base_url).map_err(|_| unreadable("base_url"))?,
        selector: pattern(&record.selector_regex, "selector_regex")?,
        course: match &record.course_regex {
            Some(text) => Some(pattern(text, "course_regex")?),
            None => None,
        },
        api_token: secret("api_token", &record.api_token)?,
        client: record
            .client_id
            .clone()
            .zip(client_secret)
            .map(|(id, secret)| Client { id, secret }),
        auto_enroll: record.auto_enroll,
        launch_timeout,
        role_id: record.role_id.unwrap_or(STUDENT_ROLE),
        user_auth: record
            .user_auth
            .clone()
            .unwrap_or_else(|| USER_AUTH.to_owned()),
        create_users: record.create_users,
        grades_api: GradesApi::named(&record.grades_api).ok_or_else(|| unreadable("grades_api"))?,
        private_network: server.private_network,
        timeout: match server.timeout_ms {
            Some(ms) => Some(Duration::from_millis(
                u64::try_from(ms).map_err(|_| unreadable("timeout_ms"))?,
            )),
            None => None,
        },
        position: record.position,
    }))
}
