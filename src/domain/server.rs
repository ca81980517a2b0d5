//! A server: an integrated external LMS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::base_url::BaseUrl;
use super::hash::external_hash;
use super::id::{ServerId, Signature};
use super::lms::Lms;
use super::signature2;
use super::tool::{ADAPTER_PAGE, ItemValues, Tool};

/// How requests to a server are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Signature 1: `hs`, the SHA-1 that LAMS's protocol demands.
    Legacy,
    /// Signature 2: an HMAC-SHA-256 of all of the request.
    Two,
}

impl Signing {
    /// Its number in the configuration.
    pub fn number(self) -> i64 {
        match self {
            Signing::Legacy => 1,
            Signing::Two => 2,
        }
    }

    /// The one of a number.
    pub fn of_number(number: i64) -> Option<Self> {
        [Signing::Legacy, Signing::Two]
            .into_iter()
            .find(|signing| signing.number() == number)
    }
}

/// A server as it is configured, ready to serve.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its id: `ext_lms_id`.
    pub id: ServerId,
    /// Its name for people.
    pub name: String,
    /// Its address.
    pub url: BaseUrl,
    /// The secret that it shares with LAMS: signatures are made with it.
    pub key: Option<SecretString>,
    /// LAMS login = prefix + `_` + external login.
    pub prefix: Option<String>,
    /// Whether it is used at all.
    pub enabled: bool,
    /// Whether browser redirects are signed.
    pub sign_redirects: bool,
    /// How they, and all calls, are signed.
    pub signing: Signing,
    /// The total time of a call to its adapter page, where a sysadmin set one.
    pub timeout: Option<Duration>,
    /// Whether its address may be private or loopback.
    pub private_network: bool,
    /// By how many minutes the time of a LoginRequest may be off, either way; 0: any time counts. Where a sysadmin
    /// set none, that of the settings holds.
    pub login_window_minutes: Option<i64>,
    /// The time zone in which it writes times without one.
    pub time_zone: Tz,
    /// The tools that it is shown for.
    pub tools: BTreeSet<Signature>,
    /// The tools' own configuration on this server.
    pub settings: BTreeMap<Signature, ItemValues>,
    /// How enrollments there are reached.
    pub lms: Option<Lms>,
}

impl Server {
    /// A LAMS login without this server's prefix and underscore; unchanged where it has none.
    pub fn without_prefix<'a>(&self, lams_login: &'a str) -> &'a str {
        self.prefix
            .as_deref()
            .and_then(|prefix| lams_login.strip_prefix(prefix)?.strip_prefix('_'))
            .filter(|login| !login.is_empty())
            .unwrap_or(lams_login)
    }

    /// The legacy hash `hs` of protocol 6.1 for `user` at `ts`; `None` where the server has no key.
    pub fn hash(&self, ts: &str, user: &str) -> Option<String> {
        let key = self.key.as_ref()?;
        Some(external_hash(
            ts,
            user,
            self.id.as_str(),
            key.expose_secret(),
        ))
    }

    /// Signature 2 of a request; `None` where the server has no key.
    pub fn signature2(&self, request: signature2::Request<'_>) -> Option<String> {
        let key = self.key.as_ref()?.expose_secret();
        Some(signature2::signature(key, self.id.as_str(), request))
    }

    /// The value of a tool's configuration item here, or its default, or nothing.
    pub fn item<'a>(&'a self, tool: &'a Tool, name: &str) -> &'a str {
        let set = self
            .settings
            .get(&tool.signature)
            .and_then(|items| items.get(name));
        let default = || {
            tool.config
                .iter()
                .find(|item| item.name == name)?
                .default
                .as_ref()
        };
        set.or_else(default).map_or("", String::as_str)
    }

    /// Where the adapter page of a tool is on this server.
    pub fn adapter_page(&self, tool: &Tool) -> Result<Url, super::base_url::BaseUrlError> {
        let set = self
            .settings
            .get(&tool.signature)
            .and_then(|items| items.get(ADAPTER_PAGE));
        self.url.join(set.unwrap_or(&tool.adapter_page.address))
    }
}

#[cfg(test)]
impl Server {
    /// A Moodle with everything on and no tool, for tests.
    pub(crate) fn sample() -> Self {
        Self {
            id: "moodle".parse().unwrap(),
            name: "Moodle".to_owned(),
            url: BaseUrl::parse("http://moodle.example.org/moodle/").unwrap(),
            key: Some("S3cretKey".into()),
            prefix: Some("mdl".to_owned()),
            enabled: true,
            sign_redirects: true,
            signing: Signing::Legacy,
            timeout: None,
            private_network: true,
            login_window_minutes: None,
            time_zone: Tz::UTC,
            tools: BTreeSet::new(),
            settings: BTreeMap::new(),
            lms: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tool::builtin_tools;

    #[test]
    fn a_login_loses_the_prefix_and_its_underscore_and_nothing_else() {
        let server = Server::sample();
        for (login, without) in [
            ("mdl_Bill", "Bill"),
            ("mdl__x", "_x"),
            ("mdl_", "mdl_"),
            ("mdlBill", "mdlBill"),
            ("lrn_Bill", "lrn_Bill"),
            ("", ""),
        ] {
            assert_eq!(server.without_prefix(login), without);
        }
        let without = Server {
            prefix: None,
            ..Server::sample()
        };
        assert_eq!(without.without_prefix("mdl_Bill"), "mdl_Bill");
    }

    #[test]
    fn a_signature_is_known_by_its_number() {
        for (number, signing) in [
            (1, Some(Signing::Legacy)),
            (2, Some(Signing::Two)),
            (0, None),
        ] {
            assert_eq!(Signing::of_number(number), signing);
            assert!(signing.is_none_or(|signing| signing.number() == number));
        }
    }

    #[test]
    fn nothing_is_signed_without_a_key() {
        let request = signature2::Request {
            method: "GET",
            path: "/",
            query: "",
            body: signature2::NO_BODY,
        };
        let server = Server::sample();
        assert!(
            server
                .hash("1", "Bill")
                .is_some_and(|hash| hash.len() == 40)
        );
        assert!(
            server
                .signature2(request)
                .is_some_and(|sig| sig.len() == 64)
        );
        let keyless = Server {
            key: None,
            ..server
        };
        assert_eq!(keyless.hash("1", "Bill"), None);
        assert_eq!(keyless.signature2(request), None);
    }

    #[test]
    fn what_is_set_here_comes_before_a_tools_default() {
        let mut tool = builtin_tools().next().unwrap();
        let item = |name: &str, default: Option<&str>| crate::domain::tool::ConfigItem {
            name: name.to_owned(),
            label: String::new(),
            default: default.map(str::to_owned),
            required: false,
        };
        tool.config = vec![item("a", Some("default")), item("b", None)];
        let mut server = Server::sample();
        assert_eq!(server.item(&tool, "a"), "default");
        assert_eq!((server.item(&tool, "b"), server.item(&tool, "c")), ("", ""));
        let usual = server.adapter_page(&tool).unwrap();
        assert!(
            usual
                .as_str()
                .starts_with("http://moodle.example.org/moodle/")
        );
        let set = [("a", "set"), (ADAPTER_PAGE, "own.php")];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
        server.settings.insert(tool.signature.clone(), set.into());
        assert_eq!(server.item(&tool, "a"), "set");
        let own = "http://moodle.example.org/moodle/own.php";
        assert_eq!(server.adapter_page(&tool).unwrap().as_str(), own);
    }
}
