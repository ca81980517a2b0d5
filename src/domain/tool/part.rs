//! An address in the making: one text for a browser, or its parts for people who ask why it is so. Both are
//! written by the same code, so that what is explained is what is sent.

use std::borrow::Cow;

use super::{Encoding, Value};
use crate::domain::own_address::OwnAddress;

/// Where a part of an address comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Literal text of the definition.
    Definition,
    /// A value that fills a place of the definition.
    Value(Value, Encoding),
    /// What the gateway appends for a server whose redirects are signed.
    Signature(Signed),
}

/// A part of the signature of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// `un`, who is sent.
    Login,
    /// `ts`, when.
    Time,
    /// `hs`, the legacy hash.
    Hash,
    /// `nonce` of signature 2, which names this address.
    Nonce,
    /// `sv` of signature 2.
    Version,
    /// `sig`, signature 2 itself.
    Signature2,
}

/// A part of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it comes from.
    pub source: Source,
    /// Its value before it was encoded.
    pub plain: String,
    /// As it stands in the address.
    pub text: String,
}

/// What an address is written to.
pub trait Out {
    /// Appends one part: `write` appends `plain`, encoded, to a text.
    fn put(
        &mut self,
        source: impl FnOnce() -> Source,
        plain: &str,
        write: impl FnOnce(&mut String, &str),
    );

    /// Appends an address of the gateway's own, encoded.
    fn put_own(&mut self, source: impl FnOnce() -> Source, own: &OwnAddress<'_>);

    /// Whether a query has begun.
    fn has_query(&self) -> bool;

    /// All of it so far.
    fn text(&self) -> Cow<'_, str>;
}

impl Out for String {
    fn put(
        &mut self,
        _: impl FnOnce() -> Source,
        plain: &str,
        write: impl FnOnce(&mut String, &str),
    ) {
        write(self, plain);
    }

    fn put_own(&mut self, _: impl FnOnce() -> Source, own: &OwnAddress<'_>) {
        own.push_enc(self);
    }

    fn has_query(&self) -> bool {
        self.contains('?')
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Out for Vec<Part> {
    fn put(
        &mut self,
        source: impl FnOnce() -> Source,
        plain: &str,
        write: impl FnOnce(&mut String, &str),
    ) {
        let mut text = String::new();
        write(&mut text, plain);
        self.push(Part {
            source: source(),
            plain: plain.to_owned(),
            text,
        });
    }

    fn put_own(&mut self, source: impl FnOnce() -> Source, own: &OwnAddress<'_>) {
        self.put(source, &own.plain(), |text, _| own.push_enc(text));
    }

    fn has_query(&self) -> bool {
        self.iter().any(|part| part.text.contains('?'))
    }

    fn text(&self) -> Cow<'_, str> {
        self.iter().map(|part| part.text.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_and_its_parts_are_the_same() {
        fn written(out: &mut impl Out) -> [bool; 2] {
            let push = |to: &mut String, plain: &str| to.push_str(plain);
            out.put(|| Source::Definition, "http://h/x", push);
            let before = out.has_query();
            out.put(|| Source::Definition, "?a=", push);
            out.put(
                || Source::Signature(Signed::Login),
                "b c",
                |to, _| to.push_str("b+c"),
            );
            [before, out.has_query()]
        }
        let (mut text, mut parts) = (String::new(), Vec::new());
        assert_eq!(written(&mut text), [false, true]);
        assert_eq!(written(&mut parts), [false, true]);
        assert_eq!(Out::text(&text), Out::text(&parts));
        assert_eq!(parts[2].plain, "b c");
        assert_eq!(parts[2].source, Source::Signature(Signed::Login));
    }
}
