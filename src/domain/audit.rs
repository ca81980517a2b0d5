//! The audit: who changed which setting, what it was before and after. Secrets are masked before
//! anything is written; it never holds what could be used.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::Value;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A sysadmin who is signed in, by name.
    Sysadmin(String),
    /// Somebody with a shell on the gateway's machine.
    CommandLine,
    /// Whoever opened the address of the first start.
    FirstStart,
    /// Somebody who is not signed in.
    Nobody,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No sysadmin's name begins with a bracket.
        f.write_str(match self {
            Actor::Sysadmin(name) => name,
            Actor::CommandLine => "(command line)",
            Actor::FirstStart => "(first start)",
            Actor::Nobody => "(not signed in)",
        })
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// When, to the microsecond: what both databases keep.
    pub at: DateTime<Utc>,
    /// Who, as [`Actor`] is shown.
    pub actor: String,
    /// What was done, such as `sysadmin.added`: the kind of thing, a dot, a verb in the past.
    pub action: String,
    /// To which thing, by its id or name.
    pub subject: String,
    /// What it was before, as JSON; nothing where it was made.
    pub before: Option<String>,
    /// What it is now, as JSON; nothing where it was removed.
    pub after: Option<String>,
}

impl Entry {
    /// A new entry, its secrets masked. `id` must be new.
    pub fn new(
        id: String,
        at: DateTime<Utc>,
        actor: &Actor,
        action: &'static str,
        subject: &str,
        [before, after]: [Option<Value>; 2],
    ) -> Self {
        let text = |value: Option<Value>| value.map(|value| masked(value).to_string());
        Self {
            id,
            at: at.trunc_subsecs(6),
            actor: actor.to_string(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            before: text(before),
            after: text(after),
        }
    }

    /// Where this entry stands in the order of time.
    pub fn place(&self) -> Place {
        Place {
            at: self.at,
            id: self.id.clone(),
        }
    }
}

/// Stands in place of a secret.
pub const MASK: &str = "•••";

/// Fields whose values are secrets, whatever they are in.
const SECRETS: [&str; 8] = [
    "key",
    "server_key",
    "launch_secret",
    "api_token",
    "client_secret",
    "password",
    "password_hash",
    "token",
];

/// The same with every secret masked, at any depth. That there is a secret stays to be seen, and that
/// there is none.
pub fn masked(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::Null => Value::Null,
                    _ if SECRETS.contains(&name.as_str()) => MASK.into(),
                    value => masked(value),
                };
                (name, value)
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(masked).collect(),
        value => value,
    }
}

/// What is looked for in the audit; what is nothing does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who, as [`Actor`] is shown.
    pub actor: Option<String>,
    /// What was done: an action, or what stands before its dot, for all that was done to such things.
    pub action: Option<String>,
    /// To which thing.
    pub subject: Option<String>,
    /// From this moment on.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// A place in the order of time, between two entries: what a page of the audit begins after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The time of the entry before it.
    pub at: DateTime<Utc>,
    /// The id of that entry.
    pub id: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.timestamp_micros(), self.id)
    }
}

/// A text is no place in the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in the audit")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, id) = text.split_once('_').ok_or(NoPlace)?;
        let at = at.parse().ok().and_then(DateTime::from_timestamp_micros);
        let plain = |b: u8| b.is_ascii_hexdigit() || b == b'-';
        if id.len() > 64 || !id.bytes().all(plain) {
            return Err(NoPlace);
        }
        Ok(Self {
            at: at.ok_or(NoPlace)?,
            id: id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let before = json!({"url": "http://h/", "key": "S3cret", "api_token": null,
            "enrollment": [{"client_secret": "x", "client_id": "y"}]});
        assert_eq!(
            masked(before),
            json!({"url": "http://h/", "key": MASK, "api_token": null,
                "enrollment": [{"client_secret": MASK, "client_id": "y"}]})
        );
    }

    #[test]
    fn whoever_acts_is_named_and_no_sysadmin_is_taken_for_the_machine() {
        let named = [
            (Actor::Sysadmin("Ada".into()), "Ada"),
            (Actor::CommandLine, "(command line)"),
            (Actor::FirstStart, "(first start)"),
            (Actor::Nobody, "(not signed in)"),
        ];
        for (actor, name) in named {
            assert_eq!(actor.to_string(), name);
        }
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place {
            at: DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap(),
            id: "5f0c-ab".into(),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        let (longest, longer) = (
            format!("1_{}", "a".repeat(64)),
            format!("1_{}", "a".repeat(65)),
        );
        assert!(longest.parse::<Place>().is_ok());
        for wrong in [
            "",
            "_",
            "x_1",
            "1",
            "1_'",
            "99999999999999999999_a",
            &longer,
        ] {
            assert_eq!(wrong.parse::<Place>(), Err(NoPlace), "{wrong}");
        }
    }
}
