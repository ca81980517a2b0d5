//! What the audit is told of a change of configuration: each object before and after, in the words of the
//! file, its secrets masked.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::report::{Outcome, Report};
use crate::domain::audit::{Actor, Entry};
use crate::flows::audit::entry;
use crate::store::{
    EnrollmentRecord, PlatformRecord, ServerRecord, StoredConfiguration, ToolRecord,
};

/// An entry for each object that is made or changed.
pub(super) fn entries(
    report: &Report,
    before: &StoredConfiguration,
    after: &StoredConfiguration,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Vec<Entry> {
    let told = report.objects.iter().filter_map(|(kind, id, outcome)| {
        let changed = match outcome {
            Outcome::Created => &[],
            Outcome::Changed(fields) => fields.as_slice(),
            Outcome::Same | Outcome::NotNamed => return None,
        };
        let action = match (*kind, outcome) {
            ("platform", Outcome::Created) => "platform.added",
            ("platform", _) => "platform.changed",
            ("server", Outcome::Created) => "server.added",
            ("server", _) => "server.changed",
            ("tool", Outcome::Created) => "tool.added",
            _ => "tool.changed",
        };
        let mut states = [before, after].map(|stored| match *kind {
            "platform" => stored.platforms.get(id).map(platform),
            "server" => stored.servers.get(id).map(server),
            _ => stored.tools.get(id).map(tool),
        });
        // A secret looks alike before and after.
        if let (Some(after), false) = (&mut states[1], changed.is_empty()) {
            after["changed"] = json!(changed);
        }
        Some(entry(actor, action, id, states, now))
    });
    told.collect()
}

/// A platform, as the audit shows it.
pub(in crate::flows) fn platform(record: &PlatformRecord) -> Value {
    json!({
        "name": record.name,
        "url": record.url,
        "launch_auth": record.launch_auth,
        "launch_secret": record.launch_secret.is_some().then_some(true),
        "callback_state": record.callback_state,
        "api_token": record.api_token_hash.is_some().then_some(true),
        "custom_csv": record.custom_csv,
        "finish_url": record.finish_url,
    })
}

/// A server, as the audit shows it.
pub(in crate::flows) fn server(record: &ServerRecord) -> Value {
    json!({
        "name": record.name,
        "url": record.url,
        "key": record.server_key.is_some().then_some(true),
        "prefix": record.prefix,
        "enabled": record.enabled,
        "sign_redirects": record.sign_redirects,
        "signature": record.signature,
        "timeout_ms": record.timeout_ms,
        "private_network": record.private_network,
        "login_window_minutes": record.login_window_minutes,
        "time_zone": record.time_zone,
        "tools": record.tools,
        "settings": record.settings,
        "enrollment": record.enrollment.as_ref().map(enrollment),
    })
}

fn enrollment(record: &EnrollmentRecord) -> Value {
    // Of what nothing here knows, the names: a value may be a secret.
    let extras: Option<serde_json::Map<String, Value>> = record
        .extras
        .as_deref()
        .and_then(|extras| serde_json::from_str(extras).ok());
    json!({
        "backend": record.backend,
        "base_url": record.base_url,
        "selector_regex": record.selector_regex,
        "course_regex": record.course_regex,
        "api_token": record.api_token.is_some().then_some(true),
        "client_id": record.client_id,
        "client_secret": record.client_secret.is_some().then_some(true),
        "auto_enroll": record.auto_enroll,
        "timeout_ms": record.timeout_ms,
        "role_id": record.role_id,
        "user_auth": record.user_auth,
        "create_users": record.create_users,
        "grades_api": record.grades_api,
        "extras": extras.map(|extras| Vec::from_iter(extras.into_iter().map(|(name, _)| name))),
        "position": record.position,
    })
}

/// A tool, as the audit shows it.
pub(in crate::flows) fn tool(record: &ToolRecord) -> Value {
    json!({ "definition": record.definition })
}
