//! Sysadmins: their names, what a password must be, how guessing is slowed down, how long a session
//! lives. Rules alone; who is known and what was tried is in the database.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

/// The name that a sysadmin signs in with. Case does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SysadminName(String);

/// A text is no name of a sysadmin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has 1 to 64 characters, begins with a letter or digit, and holds no control characters"
)]
pub struct InvalidName;

const LONGEST_NAME: usize = 64;

impl SysadminName {
    /// Reads a name; blanks around it do not count. It begins with a letter or digit, so that none looks
    /// like what stands in the audit for something that is no sysadmin.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let name = text.trim();
        let begins = name.chars().next().is_some_and(char::is_alphanumeric);
        let right =
            begins && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
        if right {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidName)
        }
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two names have in common that differ in case alone.
    pub fn key(&self) -> String {
        name_key(&self.0)
    }
}

impl std::fmt::Display for SysadminName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What two texts have in common that name the same sysadmin, also where a text is no name at all.
pub fn name_key(text: &str) -> String {
    text.trim().to_lowercase()
}

/// A password that may be set.
#[derive(Debug, Clone)]
pub struct NewPassword(SecretString);

/// Why a password may not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than ten characters.
    #[error("a password has at least {SHORTEST_PASSWORD} characters; a few words make a good one")]
    Short,
    /// More than 1024 bytes.
    #[error("a password has at most {LONGEST_PASSWORD} bytes")]
    Long,
    /// It is the name.
    #[error("the name itself is no password")]
    Name,
    /// It is among those that are tried first, or much like one.
    #[error(
        "this is one of the first passwords that anybody would try; a few words make a good one"
    )]
    Common,
}

/// A password that is found within so many guesses, by lists of what people use and what they do to it, is none.
const GUESSES: u64 = 1_000_000;
/// What anybody would try here.
const OF_THIS_PLACE: [&str; 4] = ["toolgate", "lams", "sysadmin", "moodle"];

/// In characters.
pub const SHORTEST_PASSWORD: usize = 10;
/// In bytes.
pub const LONGEST_PASSWORD: usize = 1024;

impl NewPassword {
    /// Checks a password for the sysadmin of a name. No rules of which characters it must have: what makes a
    /// password hard to guess is its length, and that nobody else has it.
    pub fn parse(password: SecretString, name: &SysadminName) -> Result<Self, WeakPassword> {
        let text = password.expose_secret();
        if text.chars().count() < SHORTEST_PASSWORD {
            Err(WeakPassword::Short)
        } else if text.len() > LONGEST_PASSWORD {
            Err(WeakPassword::Long)
        } else if name_key(text) == name.key() {
            Err(WeakPassword::Name)
        } else if guesses(text, name) < GUESSES {
            Err(WeakPassword::Common)
        } else {
            Ok(Self(password))
        }
    }

    /// The password itself.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// How many guesses a password stands.
fn guesses(password: &str, name: &SysadminName) -> u64 {
    let known: Vec<&str> = OF_THIS_PLACE.into_iter().chain([name.as_str()]).collect();
    zxcvbn::zxcvbn(password, &known).guesses()
}

/// So many failed tries in a row cost no wait.
pub const FREE_TRIES: i64 = 5;

/// The longest wait between two tries.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(900);

/// How long to wait after so many failed tries in a row: nothing for the first ones, then 1, 2, 4 … 900
/// seconds. Never longer: whoever knows the password gets in, however many others guess.
pub fn wait_after(failures: i64) -> Option<TimeDelta> {
    let beyond = failures - FREE_TRIES;
    if beyond < 0 {
        return None;
    }
    let doubled = u32::try_from(beyond)
        .ok()
        .and_then(|n| 1_i64.checked_shl(n));
    let wait = doubled.filter(|s| (1..900).contains(s));
    Some(wait.map_or(LONGEST_WAIT, TimeDelta::seconds))
}

/// A session in which nothing happens ends after so long.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// A session ends after so long, whatever happens in it.
pub const LONGEST: TimeDelta = TimeDelta::hours(12);
/// That a session was seen is stored at most once in so long.
pub const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);
/// The address for the first sysadmin is good for so long.
pub const FIRST_START: TimeDelta = TimeDelta::hours(24);
/// A browser that signed in is known again for so long after.
pub const DEVICE: TimeDelta = TimeDelta::days(365);
/// Failed tries are forgotten after so long without another.
pub const TRIES_KEPT: TimeDelta = TimeDelta::days(1);

/// By so much may the clocks of two instances differ.
pub const CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// Whether a session that began and was last seen then is still one. One of a time to come is none: a clock was ahead
/// when it was written, and it would live until that time has come.
pub fn is_alive(
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> bool {
    let is_past = |at: DateTime<Utc>| at <= now + CLOCKS;
    let is_over = now >= created_at + LONGEST || now >= last_seen_at + IDLE;
    is_past(created_at) && is_past(last_seen_at) && !is_over
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SysadminName {
        SysadminName::parse(text).unwrap()
    }

    #[test]
    fn names_that_differ_in_case_are_one() {
        assert_eq!(name(" Zoë ").as_str(), "Zoë");
        assert_eq!(name(" Zoë ").to_string(), "Zoë");
        assert_eq!(name("ZOË").key(), name("zoë").key());
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for wrong in ["", "  ", "(command line)", "a\nb", "-a", &"a".repeat(65)] {
            assert_eq!(SysadminName::parse(wrong), Err(InvalidName), "{wrong:?}");
        }
    }

    #[test]
    fn a_password_has_ten_characters_and_is_not_the_name() {
        let weak = |password: &str, of: &str| NewPassword::parse(password.into(), &name(of)).err();
        assert_eq!(weak("ten letter", "ada"), None);
        assert_eq!(weak("äüöß und z", "ada"), None);
        assert_eq!(weak("äääääääää", "ada"), Some(WeakPassword::Short));
        assert_eq!(weak(&"a long one ".repeat(93), "ada"), None);
        let long = "a long one ".repeat(94);
        assert_eq!(weak(&long[..1024], "ada"), None);
        assert_eq!(weak(&long[..1025], "ada"), Some(WeakPassword::Long));
        let taken = NewPassword::parse("ten letter".into(), &name("ada")).unwrap();
        assert_eq!(taken.secret().expose_secret(), "ten letter");
        assert_eq!(
            weak("ADA LOVELACE", "Ada Lovelace"),
            Some(WeakPassword::Name)
        );
    }

    #[test]
    fn what_anybody_would_try_is_no_password() {
        for common in [
            "password123",
            "Password123!",
            "1234567890",
            "qwertyuiop",
            "iloveyou123",
            "aaaaaaaaaaaa",
            "abcdefghij",
            "toolgate2026",
            "lamssysadmin",
            "AdaLovelace1",
        ] {
            let weak = NewPassword::parse(common.into(), &name("adalovelace")).err();
            assert_eq!(weak, Some(WeakPassword::Common), "{common}");
        }
        for good in ["a few good words", "some other words", "kX9#mm2!pQ"] {
            assert!(
                NewPassword::parse(good.into(), &name("adalovelace")).is_ok(),
                "{good}"
            );
        }
    }

    #[test]
    fn waits_double_from_the_fifth_failure_on_and_end_at_a_quarter_of_an_hour() {
        let waits: Vec<_> = (0..=17)
            .map(|n| wait_after(n).map_or(0, |wait| wait.num_seconds()))
            .collect();
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900
            ]
        );
        for many in [60, 68, 69, 1000, i64::MAX] {
            assert_eq!(wait_after(many), Some(TimeDelta::seconds(900)), "{many}");
        }
    }

    #[test]
    fn a_session_ends_when_idle_and_at_the_end_of_a_day_of_work() {
        let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let after = |minutes| begin + TimeDelta::minutes(minutes);
        assert!(is_alive(begin, begin, after(29)));
        assert!(!is_alive(begin, begin, after(30)));
        assert!(is_alive(begin, after(719), after(719)));
        assert!(!is_alive(begin, after(719), after(720)));
    }

    #[test]
    fn a_session_of_a_clock_that_was_ahead_is_none() {
        let begin = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let after = |minutes| begin + TimeDelta::minutes(minutes);
        assert!(is_alive(after(5), after(5), begin));
        assert!(!is_alive(after(6), after(6), begin));
        assert!(!is_alive(begin, after(6), begin));
    }
}
