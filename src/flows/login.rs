//! An external LMS sends its user into LAMS: `LoginRequest` (protocol 6.6). The gateway stands at the entrance,
//! checks it, remembers who came and with which customCSV, and passes it on as it came.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Gateway, Refusal};
use crate::domain::configuration::ServerChoiceError;
use crate::domain::launch_record::{Noted, masked};
use crate::domain::login_request::{LoginRequest, window};
use crate::domain::platform::Platform;
use crate::domain::query::Query;
use crate::domain::server::Server;
use crate::store::Login;

/// The platform of an address.
pub fn platform_of(gateway: &Gateway, id: &str) -> Result<Arc<Platform>, Refusal> {
    let configuration = gateway.configuration();
    let platform = configuration.platform(id);
    Ok(platform.ok_or(Refusal::UnknownPlatform)?.clone())
}

/// By how many minutes the time of a server's logins may be off; 0: any time counts.
pub(super) fn window_minutes(gateway: &Gateway, server: &Server) -> i64 {
    let own = server.login_window_minutes;
    own.unwrap_or(gateway.login_window_minutes())
}

/// Checks a login and stores what it says. `carried` is its query, or form, as it came.
///
/// What is known of it goes to `noted`, also where it is refused.
pub async fn enter(
    gateway: &Gateway,
    platform: &Platform,
    query: &Query<'_>,
    carried: &str,
    now: DateTime<Utc>,
    noted: &mut Noted,
) -> Result<LoginRequest, Refusal> {
    let configuration = gateway.configuration();
    noted.user = query.get("uid").map(|uid| uid.chars().take(255).collect());
    let sid = query.required("sid")?;
    let server = configuration
        .server(sid)
        .ok_or(ServerChoiceError::Unknown)?;
    noted.server = Some(server.id.clone());
    let minutes = window_minutes(gateway, server);
    let login = LoginRequest::check(query, server, window(minutes), &platform.url, now)?;
    let lams_login = login.lams_login(server);
    noted.user = Some(lams_login.clone());
    if !server.enabled {
        return Err(ServerChoiceError::Disabled(server.id.clone()).into());
    }
    let stored = Login {
        platform: platform.id.clone(),
        server: server.id.clone(),
        ext_login: login.uid.clone(),
        lams_login,
        method: login.method.as_str(),
        course: login
            .course
            .clone()
            .map(|course| (course, login.course_name.clone())),
        carried: masked(carried),
        custom_csv: login.authors_csv().map(str::to_owned),
        at: now,
    };
    gateway.store.store_login(&stored).await?;
    Ok(login)
}
