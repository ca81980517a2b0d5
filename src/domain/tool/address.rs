//! Address templates of tool definitions, such as
//! `{server}course/lamsframes.php?&id={ext_session_id}&returnUrl={return_url}`.
//!
//! Read once when a definition is loaded; filled without searching on every launch. A value is enc()'d
//! unless its place says otherwise: `{update_url|twice}` for pages that decode once too often,
//! `{config.forum|path}` where slashes stay. Literal text goes into the address as it is.

use std::fmt;
use std::str::FromStr;

use super::part::{Out, Source};
use crate::domain::enc::{push_enc, push_enc_twice, push_path};
use crate::domain::own_address::OwnAddress;

/// A value that an address may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The server's base address, which ends in a slash; only at the beginning, as it is.
    Server,
    /// The course address of customCSV, which ends in none; only at the beginning, as it is.
    CourseUrl,
    /// The callback address, U of the interface.
    UpdateUrl,
    /// The return address, R of the interface.
    ReturnUrl,
    /// `toolContentID`.
    ToolContentId,
    /// `toolSessionID`.
    ToolSessionId,
    /// The content's id on the server.
    ExtToolContentId,
    /// The session's id on the server.
    ExtSessionId,
    /// The external login: of customCSV, or of the learner an output is read for.
    User,
    /// The course.
    Course,
    /// The section.
    Section,
    /// `true` or `false`: whether the person has finished the session.
    IsFinished,
    /// The server's id.
    ExtLmsId,
    /// The id of one option of content that has options.
    Option,
    /// An item of the tool's configuration on the server.
    Config(String),
}

/// How a value is written into an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A base address, as it is.
    AsIs,
    /// enc()'d.
    Once,
    /// enc()'d twice.
    Twice,
    /// Each path segment encoded, slashes kept.
    Path,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Place(Value, Encoding),
}

/// What fills a place.
#[derive(Debug, Clone, Copy)]
pub enum Fill<'a> {
    /// A text.
    Text(&'a str),
    /// An address of the gateway's own.
    Own(&'a OwnAddress<'a>),
}

impl<'a> From<&'a str> for Fill<'a> {
    fn from(text: &'a str) -> Self {
        Fill::Text(text)
    }
}

/// A template, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Vec<Piece>);

/// Why a text is no address template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A brace is not closed, or closed without having been opened.
    #[error("a brace has no partner")]
    Brace,
    /// A place names a value that there is none of.
    #[error("there is no value {{{0}}}")]
    UnknownValue(String),
    /// A place names an encoding that there is none of.
    #[error("there is no encoding |{0}; known are |twice and |path")]
    UnknownEncoding(String),
    /// A base address with an encoding would be a base no longer.
    #[error("{{server}} and {{course_url}} stand as they are, without an encoding")]
    BaseEncoded,
    /// Literal text holds a character that cannot stand in an address.
    #[error("the character {0:?} cannot stand in an address as it is")]
    Character(char),
    /// It does not begin with a configured origin.
    #[error("it must begin with {{server}} or with {{course_url}}/")]
    Beginning,
    /// A base address stands elsewhere than at the beginning.
    #[error("{{server}} and {{course_url}} can stand at the beginning only")]
    BaseWithin,
    /// A value that this tool or this kind of address has not.
    #[error("{{{0}}} has no value in {1}")]
    NotHere(String, &'static str),
}

impl AddressError {
    /// What of the template it is about, as it stands there.
    pub(super) fn about(&self) -> Option<String> {
        match self {
            AddressError::UnknownValue(name) | AddressError::NotHere(name, _) => {
                Some(format!("{{{name}"))
            }
            AddressError::UnknownEncoding(name) => Some(format!("|{name}")),
            AddressError::Character(character) => Some(character.to_string()),
            _ => None,
        }
    }
}

impl Address {
    /// A template of a whole address: it begins with a configured base and nothing but a path follows
    /// that, so whatever fills it, the browser goes to that base's origin.
    pub fn whole(text: &str) -> Result<Self, AddressError> {
        let address = Self::pieces(text)?;
        let rooted = match address.0.as_slice() {
            [Piece::Place(Value::Server, _), ..] => true,
            [Piece::Place(Value::CourseUrl, _), Piece::Literal(text), ..] => text.starts_with('/'),
            _ => false,
        };
        if !rooted {
            return Err(AddressError::Beginning);
        }
        let base_within =
            |piece: &Piece| matches!(piece, Piece::Place(Value::Server | Value::CourseUrl, _));
        if address.0[1..].iter().any(base_within) {
            return Err(AddressError::BaseWithin);
        }
        Ok(address)
    }

    /// A template of parameters alone, such as `un={user}&cs={course}`.
    pub fn parameters(text: &str) -> Result<Self, AddressError> {
        let address = Self::pieces(text)?;
        let base = |value: &Value| matches!(value, Value::Server | Value::CourseUrl);
        if address.values().any(base) {
            return Err(AddressError::BaseWithin);
        }
        Ok(address)
    }

    fn pieces(text: &str) -> Result<Self, AddressError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, after) = match rest.split_once('{') {
                Some((literal, after)) => (literal, Some(after)),
                None => (rest, None),
            };
            if !literal.is_empty() {
                pieces.push(Piece::Literal(check_literal(literal)?.to_owned()));
            }
            let Some(after) = after else { break };
            let (place, next) = after.split_once('}').ok_or(AddressError::Brace)?;
            pieces.push(read_place(place)?);
            rest = next;
        }
        Ok(Self(pieces))
    }

    /// The values it holds, in order.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place(value, _) => Some(value),
            Piece::Literal(_) => None,
        })
    }

    /// Appends the address to `out`, each place filled with what `fill` answers, encoded.
    pub fn push<'v, F: Into<Fill<'v>>>(&self, out: &mut impl Out, fill: impl Fn(&Value) -> F) {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => out.put(|| Source::Definition, text, String::push_str),
                Piece::Place(value, encoding) => {
                    let write = match encoding {
                        Encoding::AsIs => String::push_str,
                        Encoding::Once => push_enc,
                        Encoding::Twice => push_enc_twice,
                        Encoding::Path => push_path,
                    };
                    let source = || Source::Value(value.clone(), *encoding);
                    match (fill(value).into(), encoding) {
                        (Fill::Text(text), _) => out.put(source, text, write),
                        (Fill::Own(own), Encoding::Once) => out.put_own(source, own),
                        (Fill::Own(own), _) => out.put(source, &own.plain(), write),
                    }
                }
            }
        }
    }
}

impl fmt::Display for Address {
    /// The template, as it is read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => f.write_str(text)?,
                Piece::Place(value, Encoding::AsIs | Encoding::Once) => write!(f, "{{{value}}}")?,
                Piece::Place(value, Encoding::Twice) => write!(f, "{{{value}|twice}}")?,
                Piece::Place(value, Encoding::Path) => write!(f, "{{{value}|path}}")?,
            }
        }
        Ok(())
    }
}

fn check_literal(text: &str) -> Result<&str, AddressError> {
    if text.contains('}') {
        return Err(AddressError::Brace);
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(*c);
    match text.chars().find(|c| !fits(c)) {
        Some(character) => Err(AddressError::Character(character)),
        None => Ok(text),
    }
}

fn read_place(place: &str) -> Result<Piece, AddressError> {
    let (name, encoding) = match place.split_once('|') {
        Some((name, encoding)) => (name.trim(), Some(encoding.trim())),
        None => (place.trim(), None),
    };
    let value: Value = name.parse()?;
    let encoding = match (encoding, &value) {
        (None, Value::Server | Value::CourseUrl) => Encoding::AsIs,
        (Some(_), Value::Server | Value::CourseUrl) => return Err(AddressError::BaseEncoded),
        (None, _) => Encoding::Once,
        (Some("twice"), _) => Encoding::Twice,
        (Some("path"), _) => Encoding::Path,
        (Some(other), _) => return Err(AddressError::UnknownEncoding(other.to_owned())),
    };
    Ok(Piece::Place(value, encoding))
}

/// Every value by the name that templates know it by, but configuration items.
const NAMES: [(&str, Value); 14] = [
    ("server", Value::Server),
    ("course_url", Value::CourseUrl),
    ("update_url", Value::UpdateUrl),
    ("return_url", Value::ReturnUrl),
    ("tool_content_id", Value::ToolContentId),
    ("tool_session_id", Value::ToolSessionId),
    ("ext_tool_content_id", Value::ExtToolContentId),
    ("ext_session_id", Value::ExtSessionId),
    ("user", Value::User),
    ("course", Value::Course),
    ("section", Value::Section),
    ("is_finished", Value::IsFinished),
    ("ext_lms_id", Value::ExtLmsId),
    ("option", Value::Option),
];

impl FromStr for Value {
    type Err = AddressError;
    fn from_str(name: &str) -> Result<Self, AddressError> {
        if let Some(item) = name.strip_prefix("config.") {
            return Ok(Value::Config(item.to_owned()));
        }
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known
            .map(|(_, value)| value.clone())
            .ok_or_else(|| AddressError::UnknownValue(name.to_owned()))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Value::Config(item) = self {
            return write!(f, "config.{item}");
        }
        let known = NAMES.iter().find(|(_, value)| value == self);
        f.write_str(known.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let mut out = String::new();
        Address::whole(text)
            .unwrap()
            .push(&mut out, |value| match value {
                Value::Server => "http://h/",
                Value::CourseUrl => "http://h/c",
                Value::UpdateUrl => "http://g/a?b=c d",
                Value::Config(_) => "mod/my forum",
                _ => "x&y",
            });
        out
    }

    #[test]
    fn places_are_filled_and_encoded() {
        assert_eq!(
            filled("{server}a?u={update_url}"),
            "http://h/a?u=http%3A%2F%2Fg%2Fa%3Fb%3Dc+d"
        );
        assert_eq!(
            filled("{server}a?u={update_url|twice}"),
            "http://h/a?u=http%253A%252F%252Fg%252Fa%253Fb%253Dc%2Bd"
        );
        assert_eq!(
            filled("{server}mod/{config.forum|path}"),
            "http://h/mod/mod/my%20forum"
        );
        assert_eq!(filled("{course_url}/f?s={section}"), "http://h/c/f?s=x%26y");
    }

    #[test]
    fn an_address_begins_with_a_configured_origin() {
        for wrong in [
            "",
            "http://h/a",
            "/a",
            "a{server}",
            "{user}",
            "{course_url}",
            "{course_url}.evil",
            "{course_url}{user}",
        ] {
            assert_eq!(
                Address::whole(wrong),
                Err(AddressError::Beginning),
                "{wrong}"
            );
        }
        assert_eq!(
            Address::whole("{server}a?b={course_url}"),
            Err(AddressError::BaseWithin)
        );
        assert_eq!(
            Address::whole("{server|twice}a"),
            Err(AddressError::BaseEncoded)
        );
        assert_eq!(
            Address::parameters("a={server}"),
            Err(AddressError::BaseWithin)
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(
            Address::whole("{server}a?b={c}"),
            Err(AddressError::UnknownValue("c".into()))
        );
        assert_eq!(
            Address::whole("{server}a?b={user|x}"),
            Err(AddressError::UnknownEncoding("x".into()))
        );
        assert_eq!(
            Address::whole("{server}a?b={user"),
            Err(AddressError::Brace)
        );
        assert_eq!(
            Address::whole("{server}a?b=user}"),
            Err(AddressError::Brace)
        );
        assert_eq!(
            Address::whole("{server}a b"),
            Err(AddressError::Character(' '))
        );
        assert_eq!(
            Address::whole("{server}a#b"),
            Err(AddressError::Character('#'))
        );
    }

    #[test]
    fn every_value_is_written_as_it_is_read() {
        for (name, value) in NAMES {
            assert_eq!(value.to_string(), name);
        }
    }
}
