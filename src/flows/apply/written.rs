//! Platforms and servers in the form of the file, made of what is stored: what a sysadmin's form changes
//! before it is applied, and what the download of the configuration is written from. Secrets are never in
//! it unless somebody puts them there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::store::{EnrollmentRecord, PlatformRecord, ServerRecord, StoredConfiguration};

/// A secret in the form of the file.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum WrittenSecret {
    /// Its text.
    Text(String),
    /// The name of an environment variable that holds it.
    Env {
        /// The name.
        env: String,
    },
}

/// A platform in the form of the file. The order of the fields is that of the file.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the keys of the file, docs/running.md")]
pub struct WrittenPlatform {
    pub id: String,
    pub name: String,
    pub url: String,
    pub launch_auth: String,
    pub launch_secret: Option<WrittenSecret>,
    pub callback_state: String,
    pub api_token: Option<WrittenSecret>,
    pub custom_csv: String,
    pub finish_url: Option<String>,
}

/// A server in the form of the file.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the keys of the file, docs/running.md")]
pub struct WrittenServer {
    pub id: String,
    pub name: String,
    pub url: String,
    pub key: Option<WrittenSecret>,
    pub prefix: Option<String>,
    pub enabled: bool,
    pub sign_redirects: bool,
    pub signature: i64,
    pub timeout_ms: Option<i64>,
    pub private_network: bool,
    pub login_window_minutes: Option<i64>,
    pub time_zone: Option<String>,
    pub tools: BTreeSet<String>,
    pub settings: BTreeMap<String, BTreeMap<String, String>>,
}

impl WrittenPlatform {
    /// A platform as it is stored, without its secrets: applied again, it changes nothing.
    pub fn of(record: &PlatformRecord) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            url: record.url.clone(),
            launch_auth: record.launch_auth.clone(),
            launch_secret: None,
            callback_state: record.callback_state.clone(),
            api_token: None,
            custom_csv: record.custom_csv.clone(),
            finish_url: record.finish_url.clone(),
        }
    }
}

impl WrittenServer {
    /// A server as it is stored, without its key: applied again, it changes nothing.
    pub fn of(record: &ServerRecord) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            url: record.url.clone(),
            key: None,
            prefix: record.prefix.clone(),
            enabled: record.enabled,
            sign_redirects: record.sign_redirects,
            signature: record.signature,
            timeout_ms: record.timeout_ms,
            private_network: record.private_network,
            login_window_minutes: record.login_window_minutes,
            time_zone: record.time_zone.clone(),
            tools: record.tools.clone(),
            settings: record.settings.clone(),
        }
    }
}

/// `[servers.enrollment]` in the form of the file.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the keys of the file, docs/running.md")]
pub struct WrittenEnrollment {
    pub backend: String,
    pub base_url: String,
    pub selector_regex: String,
    pub course_regex: Option<String>,
    pub api_token: Option<WrittenSecret>,
    pub auto_enroll: bool,
    pub timeout_ms: Option<i64>,
    pub role_id: Option<i64>,
    pub user_auth: Option<String>,
    pub create_users: bool,
    pub grades_api: String,
    pub client_id: Option<String>,
    pub client_secret: Option<WrittenSecret>,
    pub extras: Option<String>,
}

impl WrittenEnrollment {
    /// A connection as it is stored, without its secrets: applied again, it changes nothing.
    pub fn of(record: &EnrollmentRecord) -> Self {
        Self {
            backend: record.backend.clone(),
            base_url: record.base_url.clone(),
            selector_regex: record.selector_regex.clone(),
            course_regex: record.course_regex.clone(),
            api_token: None,
            auto_enroll: record.auto_enroll,
            timeout_ms: record.timeout_ms,
            role_id: record.role_id,
            user_auth: record.user_auth.clone(),
            create_users: record.create_users,
            grades_api: record.grades_api.clone(),
            client_id: record.client_id.clone(),
            client_secret: None,
            extras: record.extras.clone(),
        }
    }
}

/// A server, and its connection, which forms of servers do not show.
#[derive(Clone, Serialize)]
pub struct WholeServer {
    #[serde(flatten)]
    pub(super) server: WrittenServer,
    enrollment: Option<WrittenEnrollment>,
    /// Whether the connection is to stay as it is stored.
    #[serde(skip)]
    keeps_enrollment: bool,
}

impl WholeServer {
    /// All of a server as it is stored, without its secrets.
    pub(super) fn of(record: &ServerRecord) -> Self {
        let enrollment = record.enrollment.as_ref().map(WrittenEnrollment::of);
        Self::with(record, enrollment)
    }

    /// A server as it is stored, without its secrets, but for another connection, or none.
    pub fn with(record: &ServerRecord, enrollment: Option<WrittenEnrollment>) -> Self {
        Self {
            server: WrittenServer::of(record),
            enrollment,
            keeps_enrollment: false,
        }
    }
}

/// A file of one object.
#[derive(Default, Serialize)]
pub struct WrittenFile {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) platforms: Vec<WrittenPlatform>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) servers: Vec<WholeServer>,
}

impl From<WrittenPlatform> for WrittenFile {
    fn from(platform: WrittenPlatform) -> Self {
        Self {
            platforms: vec![platform],
            ..Self::default()
        }
    }
}

impl From<WrittenServer> for WrittenFile {
    fn from(server: WrittenServer) -> Self {
        Self {
            servers: vec![WholeServer {
                server,
                enrollment: None,
                keeps_enrollment: true,
            }],
            ..Self::default()
        }
    }
}

impl From<Vec<WholeServer>> for WrittenFile {
    fn from(servers: Vec<WholeServer>) -> Self {
        Self {
            servers,
            ..Self::default()
        }
    }
}

impl WrittenFile {
    /// What a form does not show stays as it is stored.
    pub(super) fn keep_unshown(&mut self, stored: &StoredConfiguration) {
        for whole in self
            .servers
            .iter_mut()
            .filter(|whole| whole.keeps_enrollment)
        {
            let record = stored.servers.get(&whole.server.id);
            let connection = record.and_then(|record| record.enrollment.as_ref());
            whole.enrollment = connection.map(WrittenEnrollment::of);
        }
    }
}
