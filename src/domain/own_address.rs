//! The gateway's own addresses of tools' pages. Some it gives to external servers, each within another: where content is
//! told of, and where learners come back to. Every launch encodes one. What it is made of stays as it is or is known
//! beforehand, but for the public address, so that nothing else is gone through.

use super::enc::push_enc;
use super::id::{PlatformId, Signature};

/// An address of the gateway's own.
#[derive(Debug, Clone, Copy)]
pub struct OwnAddress<'a> {
    /// How browsers reach the gateway, without a slash at the end.
    pub public_url: &'a str,
    /// The platform.
    pub platform: &'a PlatformId,
    /// The tool.
    pub signature: &'a Signature,
    /// Which page.
    pub page: OwnPage<'a>,
    /// The state token, where there is one: base64url, which is not changed by being encoded.
    pub state: Option<&'a str>,
}

/// A page that external servers send browsers to.
#[derive(Debug, Clone, Copy)]
pub enum OwnPage<'a> {
    /// U of the interface, with the content's number where it names one.
    Callback(Option<&'a str>),
    /// R of the interface, with the session's number.
    Return(&'a str),
}

impl OwnAddress<'_> {
    /// As it is.
    pub fn plain(&self) -> String {
        let mut address = self.public_url.to_owned();
        self.each_part(|plain, _| address.push_str(plain));
        address
    }

    /// Appends enc() of it.
    pub fn push_enc(&self, out: &mut String) {
        push_enc(out, self.public_url);
        self.each_part(|_, encoded| out.push_str(encoded));
    }

    /// What is behind the public address, as it is and encoded.
    fn each_part(&self, mut part: impl FnMut(&str, &str)) {
        part("/", "%2F");
        part(self.platform.as_str(), self.platform.as_str());
        part("/tool/", "%2Ftool%2F");
        part(self.signature.as_str(), self.signature.as_str());
        match self.page {
            OwnPage::Callback(id) => {
                part(
                    "/authoring.do?dispatch=updateContent",
                    "%2Fauthoring.do%3Fdispatch%3DupdateContent",
                );
                if let Some(id) = id {
                    part("&toolContentID=", "%26toolContentID%3D");
                    part(id, id);
                }
            }
            OwnPage::Return(id) => {
                part(
                    "/learning.do?toolSessionID=",
                    "%2Flearning.do%3FtoolSessionID%3D",
                );
                part(id, id);
                part("&dispatch=finishActivity", "%26dispatch%3DfinishActivity");
            }
        }
        if let Some(state) = self.state {
            part("&state=", "%26state%3D");
            part(state, state);
        }
    }
}

/// An address of the gateway's own tool pages.
pub fn tool_page(
    public_url: &str,
    platform: &PlatformId,
    signature: &Signature,
    page: &str,
) -> String {
    let mut address = String::with_capacity(256);
    for part in [
        public_url,
        "/",
        platform.as_str(),
        "/tool/",
        signature.as_str(),
        "/",
        page,
    ] {
        address.push_str(part);
    }
    address
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::enc::enc;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn it_is_encoded_as_any_other_text(
            public_url in "https?://[a-z.]{1,20}(:80|/é ?&)?",
            platform in "[a-z0-9-]{1,32}",
            signature in "[A-Za-z0-9_-]{1,32}",
            id in "[0-9]{1,19}",
            (of_content, named) in any::<(bool, bool)>(),
            state in prop::option::of("[A-Za-z0-9_-]{0,90}"),
        ) {
            let Ok(platform) = platform.parse() else { return Ok(()) };
            let address = OwnAddress {
                public_url: &public_url,
                platform: &platform,
                signature: &signature.parse().unwrap(),
                page: match of_content {
                    true => OwnPage::Callback(named.then_some(&id)),
                    false => OwnPage::Return(&id),
                },
                state: state.as_deref(),
            };
            let mut encoded = "x".to_owned();
            address.push_enc(&mut encoded);
            prop_assert_eq!(encoded, "x".to_owned() + &enc(&address.plain()));
        }
    }
}
