//! The parameters of a query string, read strictly: every name and value must be well-formed
//! percent-encoded UTF-8, and a parameter given twice with different values is refused, because two
//! readers of such a query may believe different halves of it.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Why a query or one of its parameters is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A name or value is no percent-encoded UTF-8. Holds the name alone: a value may be a secret.
    #[error("the address is not well-formed: the parameter {0:?} is no percent-encoded UTF-8 text")]
    Malformed(String),
    /// One name with two different values.
    #[error("the parameter {0} is given twice with different values")]
    Doubled(String),
    /// More parameters than any honest request has.
    #[error("there are more than {MOST} parameters")]
    TooMany,
    /// A required parameter is absent or blank.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A flag is neither true nor false.
    #[error("the parameter {0} must be true or false")]
    Flag(&'static str),
}

/// A query has at most so many parameters. Each is compared with all others, so that a form full of them would keep
/// a thread busy for long.
const MOST: usize = 100;

/// A parsed query string, or the fields of a form.
#[derive(Debug, Default)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    malformed: Option<&'a str>,
    too_many: bool,
}

impl<'a> Query<'a> {
    /// Reads `raw`, the text after `?`. What is malformed is set aside for [`Query::check`], so that a
    /// request can be told that its signature is wrong before it is told that its form is. Of too many parameters
    /// the first are read.
    pub fn parse(raw: &'a str) -> Self {
        let mut query = Query {
            // As many as a launch has, and some more.
            pairs: Vec::with_capacity(raw.len().min(8)),
            malformed: None,
            too_many: false,
        };
        // Most launches hold nothing that is to be decoded.
        let is_plain = memchr2(b'%', b'+', raw.as_bytes()).is_none();
        let decoded: fn(&str) -> Option<Cow<'_, str>> = match is_plain {
            true => |text| Some(Cow::Borrowed(text)),
            false => decode,
        };
        let mut rest = Some(raw);
        while let Some(here) = rest {
            let (pair, after) = split_at_byte(here, b'&');
            rest = after;
            if pair.is_empty() {
                continue;
            }
            if query.pairs.len() == MOST {
                query.too_many = true;
                break;
            }
            let (name, value) = split_at_byte(pair, b'=');
            match (decoded(name), decoded(value.unwrap_or(""))) {
                (Some(name), Some(value)) => query.pairs.push((name, value)),
                _ => query.malformed = query.malformed.or(Some(name)),
            }
        }
        query
    }

    /// The fields of a form that needs no decoding, such as multipart/form-data.
    pub fn of_fields(fields: Vec<(String, String)>) -> Self {
        let owned = |(name, value)| (Cow::Owned(name), Cow::Owned(value));
        Self {
            too_many: fields.len() > MOST,
            pairs: fields.into_iter().take(MOST).map(owned).collect(),
            malformed: None,
        }
    }

    /// Refuses too many parameters: what is asked first, since some were not read.
    pub fn check_count(&self) -> Result<(), QueryError> {
        match self.too_many {
            true => Err(QueryError::TooMany),
            false => Ok(()),
        }
    }

    /// Refuses what is too much, malformed or doubled. `dispatch` may be doubled: some external pages append it
    /// to a callback address that holds it already.
    pub fn check(&self) -> Result<(), QueryError> {
        self.check_count()?;
        if let Some(name) = self.malformed {
            return Err(QueryError::Malformed(name.chars().take(40).collect()));
        }
        for (i, (name, value)) in self.pairs.iter().enumerate() {
            let doubled = self.pairs[..i].iter().any(|(n, v)| n == name && v != value);
            if doubled && name != "dispatch" {
                return Err(QueryError::Doubled(name.chars().take(40).collect()));
            }
        }
        Ok(())
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_ref())
    }

    /// The first value of a parameter that must be there and not blank.
    pub fn required(&self, name: &'static str) -> Result<&str, QueryError> {
        self.get(name)
            .filter(|value| !value.trim().is_empty())
            .ok_or(QueryError::Missing(name))
    }

    /// A flag: `true`, `false`, or left out, which is false.
    pub fn flag(&self, name: &'static str) -> Result<bool, QueryError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(QueryError::Flag(name)),
        }
    }
}

/// What is before the first of an ASCII character, and what is behind it where there is one.
pub(crate) fn split_at_byte(text: &str, byte: u8) -> (&str, Option<&str>) {
    match memchr(byte, text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Undoes form encoding; `None` where an escape is broken or the bytes are no UTF-8.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|b| matches!(b, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let well_formed = bytes
        .iter()
        .enumerate()
        .all(|(i, b)| *b != b'%' || (hex(i + 1) && hex(i + 2)));
    if !well_formed {
        return None;
    }
    let blanks = text.replace('+', " ");
    String::from_utf8(urlencoding::decode_binary(blanks.as_bytes()).into_owned())
        .ok()
        .map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_decoded_and_the_first_counts() {
        let query = Query::parse("a=1&b=x+y%26z&&c&a=1");
        assert_eq!(query.get("a"), Some("1"));
        assert_eq!(query.get("b"), Some("x y&z"));
        assert_eq!(query.get("c"), Some(""));
        assert_eq!(query.check(), Ok(()));
        assert_eq!(query.required("c"), Err(QueryError::Missing("c")));
        let flags = Query::parse("yes=true&no=false&perhaps=1");
        assert_eq!(flags.flag("yes"), Ok(true));
        assert_eq!(
            (flags.flag("no"), flags.flag("absent")),
            (Ok(false), Ok(false))
        );
        assert_eq!(flags.flag("perhaps"), Err(QueryError::Flag("perhaps")));
    }

    #[test]
    fn a_parameter_with_two_values_is_refused_but_dispatch_is_not() {
        assert!(matches!(
            Query::parse("a=1&a=2").check(),
            Err(QueryError::Doubled(_))
        ));
        assert!(Query::parse("dispatch=a&dispatch=b").check().is_ok());
    }

    #[test]
    fn a_hundred_parameters_are_taken_and_no_more() {
        let most = ["a"; MOST].join("&");
        assert_eq!(Query::parse(&most).check(), Ok(()));
        let more = format!("&{most}&&b=1");
        let query = Query::parse(&more);
        assert_eq!(query.check_count(), Err(QueryError::TooMany));
        assert_eq!(query.check(), Err(QueryError::TooMany));
        assert_eq!(query.get("b"), None, "what is looked up is bounded, too");
        let fields = vec![("a".to_owned(), String::new()); MOST + 1];
        assert_eq!(Query::of_fields(fields).check(), Err(QueryError::TooMany));
    }

    #[test]
    fn broken_escapes_and_broken_utf8_are_refused() {
        for raw in ["a=%", "a=%4", "a=%zz", "a=%FF", "%C3=1", "a=%c3%28"] {
            assert!(
                matches!(Query::parse(raw).check(), Err(QueryError::Malformed(_))),
                "{raw}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn what_enc_wrote_is_read_back(value in any::<String>()) {
            let raw = format!("v={}", crate::domain::enc::enc(&value));
            let query = Query::parse(&raw);
            prop_assert!(query.check().is_ok());
            prop_assert_eq!(query.get("v"), Some(value.as_str()));
        }

        #[test]
        fn no_query_makes_it_panic(raw in any::<String>()) {
            let _ = Query::parse(&raw).check();
        }
    }
}
