//! Identifiers, each a type of its own and made only by parsing, so that a session's id can never
//! stand where a content's is meant.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text is no identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} must be {expected}")]
pub struct InvalidId {
    /// What the identifier is called on the wire, such as `toolContentID`.
    pub name: &'static str,
    /// The form it must have, in words.
    pub expected: &'static str,
}

/// Identifiers of text are shared, not copied: a launch clones several.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $called:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { name: $called, expected: $expected })
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// A LAMS instance, and the first path segment of its launch addresses.
    PlatformId,
    "platform id",
    "1 to 32 of a-z, 0-9 and -, and none of: api, admin, static, healthz, readyz, metrics",
    |text| made_of(text, 32, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !matches!(text, "api" | "admin" | "static" | "healthz" | "readyz" | "metrics")
);

text_id!(
    /// An integrated external LMS: `ext_lms_id` in LAMS, the fourth field of customCSV. Case counts.
    ServerId,
    "server id",
    "1 to 64 letters, digits, '.', '-' or '_'",
    |text| made_of(text, 64, |b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
);

text_id!(
    /// A tool adapter, by LAMS's word for its id: the context path of its pages.
    Signature,
    "tool signature",
    "1 to 32 letters, digits, '-' or '_'",
    |text| made_of(text, 32, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
);

/// Content or session as the external LMS knows it; opaque to the gateway beyond its form, which the
/// tool's definition declares ([`crate::domain::tool::IdForm`]).
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
pub struct ExtId(String);

impl ExtId {
    /// An id known to be of its tool's form: checked now, or read back from where it was stored.
    pub(super) fn checked(text: String) -> Self {
        Self(text)
    }

    /// An id as it was stored, where only checked ones are.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExtId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $called:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        pub struct $name(i64);

        impl $name {
            /// The number, 1 to 2^63-1.
            pub fn get(self) -> i64 {
                self.0
            }

            /// From a number, as JSON and the database hold it.
            pub fn from_number(number: i64) -> Result<Self, InvalidId> {
                if number >= 1 {
                    Ok(Self(number))
                } else {
                    Err(InvalidId { name: $called, expected: POSITIVE })
                }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            /// Decimal digits; blanks around them do not count, as in LAMS.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                positive_number(text.trim())
                    .map(Self)
                    .ok_or(InvalidId { name: $called, expected: POSITIVE })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// What an author saved, as LAMS numbers it: `toolContentID`.
    ToolContentId,
    "toolContentID"
);

number_id!(
    /// The run-time copy for one group, as LAMS numbers it: `toolSessionID`.
    ToolSessionId,
    "toolSessionID"
);

const POSITIVE: &str = "decimal digits, from 1 to 9223372036854775807";

/// Reads decimal digits as a number from 1 to 2^63-1; no sign, no blanks.
pub(super) fn positive_number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 64 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>().ok().filter(|number| *number >= 1)
}

fn made_of(text: &str, most: usize, allowed: fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_from_one_to_two_to_the_sixty_three_less_one() {
        assert_eq!(
            "9223372036854775807"
                .parse::<ToolContentId>()
                .unwrap()
                .get(),
            i64::MAX
        );
        assert_eq!(" 7 ".parse::<ToolContentId>().unwrap().get(), 7);
        let zeros = |length: usize| format!("{:0>length$}", 7).parse::<ToolContentId>();
        assert_eq!(zeros(64).unwrap().get(), 7);
        assert!(zeros(65).is_err());
        for wrong in [
            "",
            "0",
            "-1",
            "+5",
            "9223372036854775808",
            "1e3",
            "0x1",
            "٣",
            "1 2",
        ] {
            assert!(wrong.parse::<ToolContentId>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn platform_ids_leave_the_gateways_own_addresses_alone() {
        assert!("lams-2".parse::<PlatformId>().is_ok());
        for wrong in [
            "api", "admin", "static", "healthz", "readyz", "metrics", "", "Lams", "a/b",
        ] {
            assert!(wrong.parse::<PlatformId>().is_err(), "{wrong:?}");
        }
        assert!("a".repeat(33).parse::<PlatformId>().is_err());
    }

    #[test]
    fn server_ids_keep_their_case() {
        assert_eq!("dotLRN".parse::<ServerId>().unwrap().as_str(), "dotLRN");
        for wrong in ["", "a b", "a,b", "ü", &"a".repeat(65)] {
            assert!(wrong.parse::<ServerId>().is_err(), "{wrong:?}");
        }
    }
}
