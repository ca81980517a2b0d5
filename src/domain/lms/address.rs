//! Where an LMS is: the root of an Open edX, the whole end point of a Moodle's web services.

use std::fmt;

use url::Url;

/// An http(s) address without user info, query or fragment. Kept as it was written: a connection is known
/// again by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmsAddress {
    text: String,
    url: Url,
    origin: String,
}

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnLmsAddress {
    /// No http or https address at all.
    #[error("must be an address that begins with http:// or https://")]
    NotHttp,
    /// It holds a part that it must not have.
    #[error("must hold no user name, password, query or fragment")]
    Extra,
}

impl LmsAddress {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Self, NotAnLmsAddress> {
        let url = Url::parse(text).map_err(|_| NotAnLmsAddress::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(NotAnLmsAddress::NotHttp);
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() {
            return Err(NotAnLmsAddress::Extra);
        }
        Ok(Self {
            text: text.to_owned(),
            origin: url.origin().ascii_serialization(),
            url,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As it is called, without slashes at its end.
    pub fn root(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether a link leads to this origin.
    pub fn is_origin_of(&self, link: &str) -> bool {
        Url::parse(link).is_ok_and(|link| link.origin() == self.url.origin())
    }
}

impl fmt::Display for LmsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
