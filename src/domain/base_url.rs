//! Configured base addresses: the only origins a browser is ever sent to.

use std::fmt;
use url::Url;

/// An http(s) address that ends in a slash and has no user info, query or fragment. Parsed once, when
/// it is configured.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl {
    url: Url,
    origin: String,
}

/// Why an address cannot be a base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// No http or https address at all.
    #[error("must be an address that begins with http:// or https://")]
    NotHttp,
    /// It holds a part that a base must not have.
    #[error("must hold no user name, password, query or fragment")]
    Extra,
}

impl BaseUrl {
    /// Parses a base address; a slash is added at its end when missing.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let text = text.trim();
        if !names_its_host(text) {
            return Err(BaseUrlError::NotHttp);
        }
        let mut url = Url::parse(text).map_err(|_| BaseUrlError::NotHttp)?;
        if url.host_str().is_none() {
            return Err(BaseUrlError::NotHttp);
        }
        let user = !url.username().is_empty() || url.password().is_some();
        if user || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Extra);
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let origin = url.origin().ascii_serialization();
        Ok(Self { url, origin })
    }

    /// The address, with its slash at the end.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Scheme, host and port, such as `https://moodle.example.org`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// An address that is absolute, or relative to this one. What only some readers take for absolute, such as
    /// `http:host`, is neither.
    pub fn join(&self, address: &str) -> Result<Url, BaseUrlError> {
        let first = address.split(['/', '\\', '?', '#']).next();
        if first.is_some_and(|first| first.contains(':')) && !names_its_host(address) {
            return Err(BaseUrlError::NotHttp);
        }
        let url = self.url.join(address).map_err(|_| BaseUrlError::NotHttp)?;
        if matches!(url.scheme(), "http" | "https") {
            Ok(url)
        } else {
            Err(BaseUrlError::NotHttp)
        }
    }
}

/// Whether a text begins with a scheme of ours, two slashes and a host, for every reader: some skip line ends, take
/// a backslash for a slash, or any number of slashes for two.
fn names_its_host(text: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let (begin, rest) = text.split_at_checked(scheme.len())?;
        begin.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let is_plain =
        |text: &str| !text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control());
    rest.is_some_and(|rest| !rest.starts_with('/') && is_plain(rest))
}

impl TryFrom<String> for BaseUrl {
    type Error = BaseUrlError;
    fn try_from(text: String) -> Result<Self, BaseUrlError> {
        Self::parse(&text)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `address` may stand in a browser's address as given: absolute http(s), no query, fragment or
/// user info, no slash at its end, and no character that two readers of addresses read differently
/// (blanks, backslashes, control characters, anything beyond ASCII).
pub fn is_plain_address(address: &str) -> bool {
    let authority = ["http://", "https://"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    // A third slash would be skipped by browsers.
    let Some(rest) = authority.filter(|rest| !rest.starts_with('/')) else {
        return false;
    };
    let user = rest
        .split('/')
        .next()
        .is_some_and(|authority| authority.contains('@'));
    if user || address.ends_with('/') {
        return false;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/%!$&'()*+,;=[]@".contains(&b);
    address.bytes().all(plain) && Url::parse(address).is_ok()
}

/// Whether a plain address lies within `origin`.
pub fn is_within(address: &str, origin: &str) -> bool {
    Url::parse(address).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_is_added_where_it_is_missing() {
        assert_eq!(
            BaseUrl::parse("http://h/moodle").unwrap().as_str(),
            "http://h/moodle/"
        );
        assert_eq!(BaseUrl::parse("https://h").unwrap().as_str(), "https://h/");
        assert_eq!(
            BaseUrl::parse("https://h/x").unwrap().to_string(),
            "https://h/x/"
        );
    }

    #[test]
    fn only_http_addresses_without_extras_are_bases() {
        for wrong in [
            "",
            "moodle",
            "ftp://h/",
            "javascript:alert(1)",
            "//h/",
            "file:///etc",
            "http://",
            "http:h",
            "http:/h",
            "http:///h",
            "http:\\\\h",
            "http://h\\.evil.example",
            "http://h /",
            "http://h/a b",
            "http://h/a\u{1}b",
            "ht\ntp://h/",
            "http://h\t.evil.example/",
        ] {
            assert_eq!(BaseUrl::parse(wrong), Err(BaseUrlError::NotHttp), "{wrong}");
        }
        for wrong in ["http://u@h/", "http://u:p@h/", "http://h/?a", "http://h/#a"] {
            assert_eq!(BaseUrl::parse(wrong), Err(BaseUrlError::Extra), "{wrong}");
        }
    }

    #[test]
    fn what_is_joined_is_absolute_or_relative_for_every_reader() {
        let base = BaseUrl::parse("http://h/a/").unwrap();
        for (address, joined) in [
            ("x.php?u=http://b", "http://h/a/x.php?u=http://b"),
            ("/x:y", "http://h/x:y"),
            ("HTTPS://b/c", "https://b/c"),
        ] {
            assert_eq!(base.join(address).unwrap().as_str(), joined);
        }
        for wrong in [
            "http:x",
            "https:/x",
            "http:///x",
            "javascript:x",
            "x:y",
            "http://b\\c",
        ] {
            assert!(base.join(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_from_a_request_stays_within_its_servers_origin() {
        let origin = "http://lrn.example.org";
        for right in [
            "http://lrn.example.org/dotlrn/clubs/lams",
            "http://lrn.example.org:80/a",
            "http://lrn.example.org",
        ] {
            assert!(
                is_plain_address(right) && is_within(right, origin),
                "{right}"
            );
        }
        for wrong in [
            "http://lrn.example.org/",
            "http://lrn.example.org.evil.example/a",
            "http://lrn.example.org@evil.example/a",
            "http://@lrn.example.org/a",
            "http://evil.example\\@lrn.example.org/a",
            "http://lrn.example.org\\.evil.example/a",
            "http:\\\\lrn.example.org/a",
            "https://lrn.example.org/a",
            "http://lrn.example.org:81/a",
            "http://lrn.example.org/a?b",
            "http://lrn.example.org/a#b",
            "http://lrn.example.org/a\t",
            "http://lrn.example.org/a\r\nSet-Cookie: a",
            " http://lrn.example.org/a",
            "http:lrn.example.org/a",
            "http:lrn.example.org/x://y",
            "http:/lrn.example.org/a",
            "http:///lrn.example.org/a",
            "//lrn.example.org/a",
            "/a",
            "javascript:alert(1)",
            "http://lrn.example.org/ü",
        ] {
            assert!(
                !(is_plain_address(wrong) && is_within(wrong, origin)),
                "{wrong}"
            );
        }
    }
}
