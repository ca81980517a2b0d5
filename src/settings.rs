//! Settings: from the environment (`TOOLGATE_…`) or a TOML file named by `--config`; the environment
//! wins. Each is read by one line of a table here; an unknown or malformed one stops the start with
//! its name and what was expected.

mod reading;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::TimeDelta;
use ipnet::IpNet;

use crate::domain::base_url::BaseUrl;
use crate::domain::login_request::LONGEST_WINDOW;
use crate::domain::secret_keys::SecretKeys;
pub use reading::SettingsError;
use reading::Values;

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is stored.
    pub database: DatabaseUrl,
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How browsers reach the gateway, without a slash at its end; else the bound address.
    pub public_url: Option<String>,
    /// The secret keys; for SQLite they may be made on first start instead.
    pub secret_keys: Option<SecretKeys>,
    /// Networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The tracing filter, where one is set.
    pub log: Option<String>,
    /// The form of log lines.
    pub log_format: LogFormat,
    /// How long a state token of authoring lives.
    pub state_author: TimeDelta,
    /// How long a state token of a learner lives.
    pub state_learner: TimeDelta,
    /// The most that an exported or imported archive may have, in MiB.
    pub archive_max_mib: u32,
    /// How long launches, outgoing calls and failed journal entries are kept.
    pub launches_kept: TimeDelta,
    /// How long a customCSV that came by a LoginRequest is remembered.
    pub csv_kept: TimeDelta,
    /// By how many minutes the time of a LoginRequest may be off, for servers that say nothing else; 0: any
    /// time counts.
    pub login_window_minutes: i64,
    /// How many calls a platform may make in a minute that have a server asked; 0: any number.
    pub calls_a_minute: u32,
    /// The same of those that move a file.
    pub files_a_minute: u32,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Where everything is stored.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An embedded SQLite file, created when missing.
    Sqlite(PathBuf),
    /// A PostgreSQL database; the address may hold a password.
    Postgres(String),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            DatabaseUrl::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

// What each has to be, in words.
const LISTEN: &str = "an address and port, such as 127.0.0.1:8080";
const PUBLIC_URL: &str =
    "an address that begins with http:// or https://, without user name, query or fragment";
const SECRET_KEY: &str = "32 bytes in base64, or a list id:base64,id:base64,…";
const NETWORKS: &str = "networks separated by commas, such as 10.0.0.0/8,127.0.0.1";
const LOG: &str = "a tracing filter, such as info or toolgate=debug";
const WINDOW: &str = "a number of minutes, 0 to 525600; 0 takes any time";
const A_MINUTE: &str = "a number, 0 or more; 0 is no limit";

impl Settings {
    /// Reads the settings from the process's environment and, if one is named, a file.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        Self::read(Values::load(file, std::env::vars_os())?)
    }

    fn read(mut values: Values) -> Result<Self, SettingsError> {
        let settings = Self {
            database: values
                .get("DATABASE_URL", "sqlite://… or postgres://…", database_url)?
                .unwrap_or_else(|| DatabaseUrl::Sqlite(PathBuf::from("toolgate.db"))),
            listen: values
                .get("LISTEN", LISTEN, |text| text.parse().ok())?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url: values.get("PUBLIC_URL", PUBLIC_URL, public_url)?,
            secret_keys: values.get("SECRET_KEY", SECRET_KEY, |text| {
                SecretKeys::parse(text).ok()
            })?,
            trusted_proxies: values
                .get("TRUSTED_PROXIES", NETWORKS, networks)?
                .unwrap_or_default(),
            log: values.get("LOG", LOG, log_filter)?,
            log_format: values
                .get("LOG_FORMAT", "text or json", log_format)?
                .unwrap_or(LogFormat::Text),
            state_author: values
                .get("STATE_AUTHOR_HOURS", "a number of hours, 1 to 8760", hours)?
                .unwrap_or(TimeDelta::hours(24)),
            state_learner: values
                .get(
                    "STATE_LEARNER_DAYS",
                    "a number of days, 1 to 3650",
                    |text| number(text, 3650).map(TimeDelta::days),
                )?
                .unwrap_or(TimeDelta::days(30)),
            archive_max_mib: values
                .get("ARCHIVE_MAX_MIB", "a number of MiB, 1 to 4096", |text| {
                    number(text, 4096).and_then(|mib| u32::try_from(mib).ok())
                })?
                .unwrap_or(64),
            launches_kept: values
                .get("LAUNCH_DAYS", "a number of days, 1 to 36500", |text| {
                    number(text, 36_500).map(TimeDelta::days)
                })?
                .unwrap_or(TimeDelta::days(30)),
            csv_kept: values
                .get("CSV_HOURS", "a number of hours, 1 to 8760", hours)?
                .unwrap_or(TimeDelta::hours(12)),
            login_window_minutes: values
                .get("LOGIN_WINDOW_MINUTES", WINDOW, |text| {
                    let minutes = text.parse().ok();
                    minutes.filter(|minutes| (0..=LONGEST_WINDOW).contains(minutes))
                })?
                .unwrap_or(0),
            calls_a_minute: values
                .get("CALLS_A_MINUTE", A_MINUTE, |text| text.parse().ok())?
                .unwrap_or(6000),
            files_a_minute: values
                .get("FILES_A_MINUTE", A_MINUTE, |text| text.parse().ok())?
                .unwrap_or(600),
        };
        values.refuse_unknown()?;
        Ok(settings)
    }
}

fn public_url(text: &str) -> Option<String> {
    let base = BaseUrl::parse(text).ok()?;
    Some(base.as_str().trim_end_matches('/').to_owned())
}

fn log_filter(text: &str) -> Option<String> {
    let filter = tracing_subscriber::EnvFilter::try_new(text);
    filter.ok().map(|_| text.to_owned())
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

fn hours(text: &str) -> Option<TimeDelta> {
    number(text, 8760).map(TimeDelta::hours)
}

fn database_url(text: &str) -> Option<DatabaseUrl> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let options = sqlx::postgres::PgConnectOptions::from_str(text);
        return options.ok().map(|_| DatabaseUrl::Postgres(text.to_owned()));
    }
    let path = text.strip_prefix("sqlite://")?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| DatabaseUrl::Sqlite(PathBuf::from(path)))
}

fn networks(text: &str) -> Option<Vec<IpNet>> {
    let network = |text: &str| {
        let text = text.trim();
        text.parse()
            .ok()
            .or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
    };
    text.split(',')
        .filter(|part| !part.trim().is_empty())
        .map(network)
        .collect()
}

fn number(text: &str, most: i64) -> Option<i64> {
    text.parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)], file: &str) -> Result<Settings, SettingsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("toolgate.toml");
        std::fs::write(&path, file).unwrap();
        let environment = environment.iter().map(|(n, v)| (n.into(), v.into()));
        Settings::read(Values::load(Some(&path), environment)?)
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings = read(&[("HOME", "/home/bill")], "").unwrap();
        assert_eq!(settings.database, DatabaseUrl::Sqlite("toolgate.db".into()));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.state_author, TimeDelta::hours(24));
        assert_eq!(settings.state_learner, TimeDelta::days(30));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "listen = \"127.0.0.1:1\"\nstate_author_hours = 2\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]";
        let settings = read(&[("TOOLGATE_LISTEN", "127.0.0.1:2")], file).unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!(settings.state_author, TimeDelta::hours(2));
        assert_eq!(settings.trusted_proxies.len(), 2);
    }

    #[test]
    fn a_file_may_name_settings_as_the_environment_does() {
        let settings = read(&[], "TOOLGATE_LISTEN = \"127.0.0.1:3\"\ncsv_hours = 7").unwrap();
        assert_eq!(settings.listen.port(), 3);
        assert_eq!(settings.csv_kept, TimeDelta::hours(7));
    }

    #[test]
    fn the_slash_at_the_end_of_the_public_url_is_dropped() {
        let public = |url| {
            read(&[("TOOLGATE_PUBLIC_URL", url)], "")
                .unwrap()
                .public_url
                .unwrap()
        };
        assert_eq!(
            public("https://gate.example.org/"),
            "https://gate.example.org"
        );
        assert_eq!(
            public("https://gate.example.org/tools"),
            "https://gate.example.org/tools"
        );
    }

    #[test]
    fn a_mistake_is_named_with_what_was_expected() {
        let refused = |environment: &[(&str, &str)], file: &str| {
            read(environment, file).unwrap_err().to_string()
        };
        insta::assert_snapshot!(refused(&[("TOOLGATE_LISTEN", "8080")], ""),
            @"TOOLGATE_LISTEN: expected an address and port, such as 127.0.0.1:8080");
        insta::assert_snapshot!(refused(&[("TOOLGATE_LISTN", "x")], ""),
            @"TOOLGATE_LISTN: there is no such setting; did you mean TOOLGATE_LISTEN?");
        insta::assert_snapshot!(refused(&[("TOOLGATE_SECRET_KEY", "hunter2")], ""),
            @"TOOLGATE_SECRET_KEY: expected 32 bytes in base64, or a list id:base64,id:base64,…");
        let from_file = refused(&[], "log_format = \"xml\"");
        assert!(
            from_file.starts_with("log_format (toolgate.toml): expected text or json"),
            "{from_file}"
        );
        assert!(
            refused(&[], "colour = 1")
                .starts_with("colour (toolgate.toml): there is no such setting")
        );
        assert!(refused(&[], "a = [").contains("line 1"));
        for (one, other) in [
            ("listen", "LISTEN"),
            ("listen", "TOOLGATE_LISTEN"),
            ("Toolgate_Listen", "LISTEN"),
        ] {
            let file = format!("{one} = \"127.0.0.1:1\"\n{other} = \"nowhere\"");
            let refused = refused(&[], &file);
            let named =
                [one, other].map(|name| refused.contains(&format!("{name} (toolgate.toml)")));
            assert_eq!(named, [true, true], "{refused}");
        }
        for url in [
            "mysql://h/",
            "sqlite://",
            "postgres://h/x?sslmode=sometimes",
        ] {
            let refused = refused(&[("TOOLGATE_DATABASE_URL", url)], "");
            assert!(
                refused.starts_with("TOOLGATE_DATABASE_URL: expected sqlite://"),
                "{refused}"
            );
        }
    }
}
