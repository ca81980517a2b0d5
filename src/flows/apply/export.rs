//! The configuration as a file: what `toolgate apply` makes of an empty database, and what changes nothing where
//! it comes from. In the order of ids, but for servers with an LMS connection: theirs is the order in which links
//! are tried.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use serde::Serialize;

use super::written::{WrittenEnrollment, WrittenPlatform, WrittenSecret, WrittenServer};
use crate::store::{EnrollmentRecord, ServerRecord, StoreError, StoredConfiguration, ToolRecord};

/// What stands in the file for secrets, which are never in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// A comment: what is stored stays.
    LeftOut,
    /// `{ env = "NAME" }`: what the environment of `toolgate apply` holds.
    FromEnvironment,
}

const HEAD: &str = "\
# The configuration of a Toolgate, in the form of `toolgate apply FILE`.
# Applied where it comes from, it changes nothing. What it does not name stays.
";

const LEFT_OUT: &str =
    "# Secrets are not in it: those that are stored stay. On another gateway, add them.\n";

const REFERENCES: &str = "\
# Secrets are taken from the environment in which `toolgate apply` runs. Set every name below first:
# a secret that is not what is stored replaces it.
";

/// Writes the file. Refused where a tool is stored in a form that cannot be read.
pub fn export(stored: &StoredConfiguration, secrets: Secrets) -> Result<String, StoreError> {
    let tools: Result<Vec<toml::Table>, _> = stored.tools.values().map(definition).collect();
    let mut file = Exported {
        text: HEAD.to_owned(),
        secrets,
        names: BTreeSet::new(),
    };
    file.text.push_str(match secrets {
        Secrets::LeftOut => LEFT_OUT,
        Secrets::FromEnvironment => REFERENCES,
    });
    let written = file.platforms(stored).and(file.servers(stored));
    written
        .and(file.tools(tools?))
        .expect("a text can always be written to");
    Ok(file.text)
}

fn definition(record: &ToolRecord) -> Result<toml::Table, StoreError> {
    let signature = &record.signature;
    toml::from_str(&record.definition)
        .map_err(|_| StoreError::Unreadable(format!("the tool {signature}")))
}

struct Exported {
    text: String,
    secrets: Secrets,
    /// The names of variables that are taken.
    names: BTreeSet<String>,
}

impl Exported {
    fn platforms(&mut self, stored: &StoredConfiguration) -> fmt::Result {
        self.heading(
            stored.platforms.is_empty(),
            "LAMS instances, which send browsers and calls here",
        )?;
        for record in stored.platforms.values() {
            let platform = WrittenPlatform::of(record);
            self.text.push_str("\n[[platforms]]\n");
            self.line("id", &platform.id, "")?;
            self.line("name", &platform.name, "")?;
            self.line("url", &platform.url, "")?;
            self.line(
                "launch_auth",
                &platform.launch_auth,
                "\"signed\" or \"open\"",
            )?;
            let secret = record.launch_secret.is_some();
            self.secret("launch_secret", &platform.id, secret)?;
            self.line(
                "callback_state",
                &platform.callback_state,
                "\"required\" or \"off\"",
            )?;
            self.secret("api_token", &platform.id, record.api_token_hash.is_some())?;
            self.line(
                "custom_csv",
                &platform.custom_csv,
                "\"accepted\" or \"remembered\"",
            )?;
            self.optional("finish_url", platform.finish_url.as_ref())?;
        }
        Ok(())
    }

    fn servers(&mut self, stored: &StoredConfiguration) -> fmt::Result {
        self.heading(
            stored.servers.is_empty(),
            "integrated external LMSs, each known by its ext_lms_id",
        )?;
        let place = |server: &&ServerRecord| {
            let connection = server.enrollment.as_ref();
            connection.map_or(i64::MAX, |connection| connection.position)
        };
        let mut servers: Vec<&ServerRecord> = stored.servers.values().collect();
        servers.sort_by_key(place);
        for record in servers {
            let server = WrittenServer::of(record);
            self.text.push_str("\n[[servers]]\n");
            self.line("id", &server.id, "")?;
            self.line("name", &server.name, "")?;
            self.line("url", &server.url, "")?;
            self.secret("key", &server.id, record.server_key.is_some())?;
            self.optional("prefix", server.prefix.as_ref())?;
            self.line("enabled", server.enabled, "")?;
            self.line("sign_redirects", server.sign_redirects, "")?;
            self.line(
                "signature",
                server.signature,
                "1: SHA-1, legacy; 2: HMAC-SHA-256",
            )?;
            self.optional("timeout_ms", server.timeout_ms)?;
            self.line("private_network", server.private_network, "")?;
            self.optional("login_window_minutes", server.login_window_minutes)?;
            self.optional("time_zone", server.time_zone.as_ref())?;
            self.line("tools", &server.tools, "")?;
            for (signature, items) in &server.settings {
                writeln!(self.text, "\n[servers.settings.{signature}]")?;
                for (name, value) in items {
                    self.line(name, value, "")?;
                }
            }
            if let Some(connection) = &record.enrollment {
                self.enrollment(&record.id, connection)?;
            }
        }
        Ok(())
    }

    fn enrollment(&mut self, id: &str, record: &EnrollmentRecord) -> fmt::Result {
        let written = WrittenEnrollment::of(record);
        self.text.push_str("\n[servers.enrollment]\n");
        self.line("backend", &written.backend, "")?;
        self.line("base_url", &written.base_url, "")?;
        self.line("selector_regex", &written.selector_regex, "")?;
        self.optional("course_regex", written.course_regex.as_ref())?;
        self.secret("api_token", id, record.api_token.is_some())?;
        self.line("auto_enroll", written.auto_enroll, "")?;
        self.optional("timeout_ms", written.timeout_ms)?;
        self.optional("role_id", written.role_id)?;
        self.optional("user_auth", written.user_auth.as_ref())?;
        self.line("create_users", written.create_users, "")?;
        self.line("grades_api", &written.grades_api, "\"fun\" or \"core\"")?;
        self.optional("client_id", written.client_id.as_ref())?;
        self.secret("client_secret", id, record.client_secret.is_some())?;
        self.optional("extras", written.extras.as_ref())
    }

    fn tools(&mut self, tools: Vec<toml::Table>) -> fmt::Result {
        self.heading(tools.is_empty(), "tools beyond the ten built in")?;
        for table in tools {
            let file = ToolsOnly { tools: [table] };
            let text = toml::to_string(&file).map_err(|_| fmt::Error)?;
            write!(self.text, "\n{text}")?;
        }
        Ok(())
    }

    fn heading(&mut self, empty: bool, words: &str) -> fmt::Result {
        if empty {
            return Ok(());
        }
        writeln!(self.text, "\n# ---- {words} ----")
    }

    /// A key and its value; keys are plain names, values are written by the library.
    fn line(&mut self, key: &str, value: impl Serialize, comment: &str) -> fmt::Result {
        let value = toml::Value::try_from(value).map_err(|_| fmt::Error)?;
        write!(self.text, "{key} = {value}")?;
        if !comment.is_empty() {
            write!(self.text, "    # {comment}")?;
        }
        writeln!(self.text)
    }

    fn optional(&mut self, key: &str, value: Option<impl Serialize>) -> fmt::Result {
        match value {
            Some(value) => self.line(key, value, ""),
            None => Ok(()),
        }
    }

    fn secret(&mut self, key: &str, id: &str, is_set: bool) -> fmt::Result {
        match (is_set, self.secrets) {
            (false, _) => Ok(()),
            (true, Secrets::LeftOut) => {
                writeln!(self.text, "# {key}: left out; what is stored stays")
            }
            (true, Secrets::FromEnvironment) => {
                let env = self.variable(id, key);
                self.line(key, WrittenSecret::Env { env }, "")
            }
        }
    }

    /// The name of a variable that no other secret has.
    fn variable(&mut self, id: &str, key: &str) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let name: String = format!("{id}_{key}").chars().map(plain).collect();
        let digit = name.starts_with(|c: char| c.is_ascii_digit());
        let name = if digit { format!("_{name}") } else { name };
        let mut found = name.clone();
        let mut number = 2;
        while !self.names.insert(found.clone()) {
            found = format!("{name}_{number}");
            number += 1;
        }
        found
    }
}

#[derive(Serialize)]
struct ToolsOnly {
    tools: [toml::Table; 1],
}
