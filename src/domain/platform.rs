//! A platform: a LAMS instance that sends browsers and calls here.

use super::base_url::BaseUrl;
use super::enc::push_enc;
use super::id::{PlatformId, ToolSessionId};
use super::launch_signature::LaunchKey;

/// A platform as it is configured, ready to serve.
#[derive(Debug, Clone)]
pub struct Platform {
    /// Its id, the first path segment of its launch addresses.
    pub id: PlatformId,
    /// Its name for people.
    pub name: String,
    /// Its address.
    pub url: BaseUrl,
    /// How its launches prove where they come from.
    pub launch_auth: LaunchAuth,
    /// Whether callbacks must carry a state token.
    pub callback_state: CallbackState,
    /// Which customCSV counts.
    pub custom_csv: CsvSource,
    /// Where a finished learner goes.
    pub finish_url: Option<FinishUrl>,
    /// SHA-256 of the token that its server-to-server calls carry.
    pub api_token_hash: Option<[u8; 32]>,
}

/// How a platform's launches prove where they come from.
#[derive(Debug, Clone)]
pub enum LaunchAuth {
    /// By `ts`, `uid` and `sig` under this key. Without a key no launch can be right.
    Signed(Option<LaunchKey>),
    /// Not at all.
    Open,
}

/// Whether callbacks must carry a state token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallbackState {
    /// They must.
    #[default]
    Required,
    /// Legacy callbacks without a token are taken; a token that is given is checked all the same.
    Off,
}

/// Which customCSV of a platform counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CsvSource {
    /// One in the browser's request, else the one remembered.
    #[default]
    Accepted,
    /// Only one that came by a checked LoginRequest.
    Remembered,
}

impl CsvSource {
    /// As it is written and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            CsvSource::Accepted => "accepted",
            CsvSource::Remembered => "remembered",
        }
    }
}

/// A template of the address where a finished learner goes. May hold `{toolSessionID}` and `{uid}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishUrl(String);

/// A text that cannot be a `finish_url`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an http(s) address, or one relative to the platform's url; {{toolSessionID}} and {{uid}} may stand after its host"
)]
pub struct InvalidFinishUrl;

impl FinishUrl {
    /// Reads a template, absolute or relative to the platform's address. Filled with whatever values,
    /// it leads to one origin.
    pub fn parse(text: &str, platform: &BaseUrl) -> Result<Self, InvalidFinishUrl> {
        // Both places are tried with two values: an origin that depends on them is no fixed target.
        let origin_with = |value: &str| {
            let filled = text
                .replace("{toolSessionID}", value)
                .replace("{uid}", value);
            platform
                .join(&filled)
                .ok()
                .map(|url| url.origin().ascii_serialization())
        };
        let origin = origin_with("1").ok_or(InvalidFinishUrl)?;
        let names_a_host = text.starts_with("//");
        let plain = text.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        if names_a_host || !plain || origin_with("x").as_ref() != Some(&origin) {
            return Err(InvalidFinishUrl);
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self(text.to_owned()));
        }
        // Relative: resolved once, with places that no URL parser changes.
        let marked = text
            .replace("{toolSessionID}", "__toolSessionID__")
            .replace("{uid}", "__uid__");
        let absolute = platform.join(&marked).map_err(|_| InvalidFinishUrl)?;
        let template = absolute
            .as_str()
            .replace("__toolSessionID__", "{toolSessionID}");
        Ok(Self(template.replace("__uid__", "{uid}")))
    }

    /// The address for one learner and session, values enc()'d; `uid` is empty where nobody is known.
    pub fn fill(&self, session: ToolSessionId, uid: &str) -> String {
        let mut address = String::with_capacity(self.0.len() + 32);
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            address.push_str(before);
            if let Some(next) = after.strip_prefix("toolSessionID}") {
                address.push_str(&session.to_string());
                rest = next;
            } else if let Some(next) = after.strip_prefix("uid}") {
                push_enc(&mut address, uid);
                rest = next;
            } else {
                address.push('{');
                rest = after;
            }
        }
        address.push_str(rest);
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str) -> Result<String, InvalidFinishUrl> {
        let base = BaseUrl::parse("http://lams.example/lams/").unwrap();
        let session = "7".parse().unwrap();
        FinishUrl::parse(text, &base).map(|template| template.fill(session, "mdl_Bill & {uid}"))
    }

    #[test]
    fn it_is_absolute_or_relative_and_its_values_are_escaped() {
        assert_eq!(
            fill("https://other.example/done?s={toolSessionID}&u={uid}").unwrap(),
            "https://other.example/done?s=7&u=mdl_Bill+%26+%7Buid%7D"
        );
        assert_eq!(
            fill("learner.do?s={toolSessionID}").unwrap(),
            "http://lams.example/lams/learner.do?s=7"
        );
        assert_eq!(fill("/done").unwrap(), "http://lams.example/done");
        // An absolute one stays as it is written.
        let absolute = "https://other.example:443/done";
        assert_eq!(fill(absolute).unwrap(), absolute);
    }

    #[test]
    fn it_always_leads_to_one_origin() {
        for wrong in [
            "http://{uid}/a",
            "//{uid}",
            "//evil.example/{uid}",
            "{uid}:alert(1)",
            "javascript:alert(1)",
            "http://h/\\a b",
            "http://h/a b",
            "http://h/a\\b",
            "done\u{e9}",
            "http://h{toolSessionID}.example/",
        ] {
            assert!(fill(wrong).is_err(), "{wrong}");
        }
    }
}
