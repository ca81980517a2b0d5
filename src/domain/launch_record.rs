//! What is written down of every launch, callback and outgoing call, so that a sysadmin can see what happened:
//! without secrets, and by fixed words that can be searched.
//!
//! Many are packed into one text of bytes by `store/launch_batches.rs`: whoever adds, moves or removes a field or
//! a variant here changes that form, and gives it a new number there.

use std::borrow::Cow;

use chrono::serde::ts_nanoseconds;
use chrono::{DateTime, Utc};
use memchr::memchr2;
use serde::{Deserialize, Serialize};

use super::id::{PlatformId, ServerId, Signature};

/// What a browser request was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LaunchKind {
    /// An author opened an activity.
    Author,
    /// An author came back with an external id: `updateContent`.
    Callback,
    /// A learner opened a session.
    Learner,
    /// An author previewed a session.
    Preview,
    /// A teacher looked at a session.
    Teacher,
    /// Somebody came back from a session: `finishActivity`.
    Return,
    /// A monitor opened an activity.
    Monitor,
    /// An external LMS sent somebody into LAMS: LoginRequest.
    Login,
}

/// What a browser request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LaunchOutcome {
    /// The browser was sent on.
    Redirected,
    /// It got a page.
    Page,
    /// It was refused.
    Refused,
    /// Something failed: the gateway, its database, or an external server.
    Failed,
}

macro_rules! stored_words {
    ($name:ident: $($variant:ident = $word:literal),+) => {
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is stored and searched.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// From how it is stored.
            pub fn stored(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

stored_words!(LaunchKind: Author = "author", Callback = "callback", Learner = "learner", Preview = "preview",
    Teacher = "teacher", Return = "return", Monitor = "monitor", Login = "login");
stored_words!(LaunchOutcome: Redirected = "redirected", Page = "page", Refused = "refused", Failed = "failed");

impl LaunchOutcome {
    /// What a status says.
    pub fn of_status(status: u16) -> Self {
        match status {
            300..400 => LaunchOutcome::Redirected,
            400..500 => LaunchOutcome::Refused,
            500.. => LaunchOutcome::Failed,
            _ => LaunchOutcome::Page,
        }
    }
}

/// What a flow knows of a launch by its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The server.
    pub server: Option<ServerId>,
    /// Who it was, by the name that the request gave.
    pub user: Option<String>,
    /// `toolContentID`.
    pub content: Option<i64>,
    /// `toolSessionID`.
    pub session: Option<i64>,
    /// Why the learner was not enrolled before, where that was to be done and was not. It is written down as the
    /// launch's reason, not here.
    #[serde(skip)]
    pub not_enrolled: Option<NotEnrolled>,
    /// The customCSV that was used in place of one in the address.
    pub remembered: Option<Remembered>,
}

/// Why a learner was not enrolled before a launch, which went on all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotEnrolled {
    /// In words.
    pub words: String,
    /// By a fixed word.
    pub code: &'static str,
}

/// A customCSV that a LoginRequest brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// As it came.
    pub csv: String,
    /// When.
    #[serde(with = "ts_nanoseconds")]
    pub at: DateTime<Utc>,
}

/// One browser request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchRecord {
    /// When it was answered.
    #[serde(with = "ts_nanoseconds")]
    pub at: DateTime<Utc>,
    /// What it was.
    pub kind: LaunchKind,
    /// The request id on its page and in the log.
    pub request_id: String,
    /// The platform in its path.
    pub platform: String,
    /// The tool in its path.
    pub signature: String,
    /// What is known of it.
    pub noted: Noted,
    /// What it came to.
    pub outcome: LaunchOutcome,
    /// The status of the answer.
    pub status: u16,
    /// The milliseconds it took, to a hundredth.
    pub ms: f64,
    /// Path and query as they came, masked.
    pub came_with: String,
    /// Where the browser was sent, masked.
    pub sent_to: Option<String>,
    /// Why it was refused or failed, or why the learner who was sent on was not enrolled before.
    pub reason: Option<String>,
    /// The same by the fixed word of its refusal.
    pub code: Option<Cow<'static, str>>,
}

impl LaunchRecord {
    /// The session that it took somebody to who takes part in it, and who that is: a learner, or an author who
    /// previews.
    pub fn opened(&self) -> Option<(i64, &str)> {
        let takes_part = matches!(self.kind, LaunchKind::Learner | LaunchKind::Preview);
        if !takes_part || self.outcome != LaunchOutcome::Redirected {
            return None;
        }
        Some((self.noted.session?, self.noted.user.as_deref()?))
    }
}

/// What an outgoing call is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The platform.
    pub platform: PlatformId,
    /// The tool.
    pub signature: Signature,
    /// `toolContentID`.
    pub content: Option<i64>,
    /// `toolSessionID`.
    pub session: Option<i64>,
}

/// One call to an external server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// When it ended.
    #[serde(with = "ts_nanoseconds")]
    pub at: DateTime<Utc>,
    /// What it is about.
    pub about: About,
    /// The server.
    pub server: ServerId,
    /// Its method.
    pub method: String,
    /// `ok`, or what failed, by a fixed word.
    pub outcome: Cow<'static, str>,
    /// Why it failed.
    pub reason: Option<String>,
    /// The milliseconds it took.
    pub ms: f64,
}

/// How the sign before a name looks where that ends in a letter or digit: encoded once and twice.
const ENCODED_AND: [&[u8]; 2] = [b"%26", b"%2526"];
/// A text is written down to so many bytes.
const LONGEST: usize = 4096;

/// An address without signatures, states and hashes, however often it is encoded within another, and not too long. What
/// stands for one of them ends where the next parameter begins, which is `&`, or `%26` or `%2526` where it is encoded.
/// Every launch passes through here twice: it goes through the text once, from one sign that may stand before a value
/// to the next. Of those that are encoded it looks for the last byte, which is rarer than their first.
pub fn masked(address: &str) -> String {
    let bytes = address.as_bytes();
    let mut out = String::with_capacity(address.len().min(LONGEST) + '…'.len_utf8());
    // What is before `copied` is done.
    let (mut copied, mut at) = (0, 0);
    while let Some(sign) = memchr2(b'=', b'D', &bytes[at..]) {
        at += sign + 1;
        if before_equals(&bytes[copied..at]).is_some_and(ends_with_secret) {
            out.push_str(&address[copied..at]);
            out.push('…');
            let value = &bytes[at..];
            at += memchr2(b'&', b'%', value).unwrap_or(value.len());
            copied = at;
        }
    }
    out.push_str(&address[copied..]);
    if out.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| out.is_char_boundary(*at));
        out.truncate(end.unwrap_or_default());
        out.push('…');
    }
    out
}

/// What is before the sign between a name and its value, encoded never, once or twice, where a text ends with it.
fn before_equals(text: &[u8]) -> Option<&[u8]> {
    match text {
        [name @ .., b'=']
        | [name @ .., b'%', b'3', b'D']
        | [name @ .., b'%', b'2', b'5', b'3', b'D'] => Some(name),
        _ => None,
    }
}

/// Whether a text ends with a secret's name, as a whole: `sig`, `state`, `hs` or `hash`.
fn ends_with_secret(text: &[u8]) -> bool {
    let ([before @ .., b's', b'i', b'g']
    | [before @ .., b's', b't', b'a', b't', b'e']
    | [before @ .., b'h', b's']
    | [before @ .., b'h', b'a', b's', b'h']) = text
    else {
        return false;
    };
    before.last().is_none_or(|b| !b.is_ascii_alphanumeric())
        || ENCODED_AND.iter().any(|and| before.ends_with(and))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What [`masked`] does, said plainly: the next secret is looked for, name by name, until there is none.
    fn masked_plainly(address: &str) -> String {
        let next_secret = |text: &str| {
            let found = ["sig", "state", "hs", "hash"].iter().filter_map(|name| {
                text.match_indices(name).find_map(|(at, name)| {
                    let begins = at == 0
                        || !text.as_bytes()[at - 1].is_ascii_alphanumeric()
                        || text[..at].ends_with("%26")
                        || text[..at].ends_with("%2526");
                    let equals = ["=", "%3D", "%253D"]
                        .iter()
                        .find(|equals| text[at + name.len()..].starts_with(**equals));
                    Some((at, at + name.len() + equals.filter(|_| begins)?.len()))
                })
            });
            found.min()
        };
        let (mut out, mut rest) = (String::new(), address);
        while let Some((_, value)) = next_secret(rest) {
            out.push_str(&rest[..value]);
            out.push('…');
            rest = rest[value..].trim_start_matches(|c: char| !"&%".contains(c));
        }
        out.push_str(rest);
        if out.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| out.is_char_boundary(*at));
            out.truncate(end.unwrap());
            out.push('…');
        }
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn going_through_a_text_once_masks_what_looking_for_each_name_does(
            parts in prop::collection::vec(prop::sample::select(vec![
                "sig", "state", "hs", "hash", "s", "ha", "e", "=", "%3D", "%253D", "%", "%3", "%26", "%2526",
                "&", "?", "26", "x", "-", "_", "7", "é", "%25", "…", "S", "3D", "/",
            ]), 0..24),
        ) {
            let address = parts.concat();
            prop_assert_eq!(masked(&address), masked_plainly(&address));
        }

    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_long_text_is_cut_between_two_characters(
            before in LONGEST - 40..LONGEST + 4,
            parts in prop::collection::vec(prop::sample::select(vec!["sig=0af3&", "é", "xyz"]), 0..20),
        ) {
            // What is long stands before what is looked at: to look for each name takes long, too.
            let address = "x".repeat(before) + &parts.concat();
            prop_assert_eq!(masked(&address), masked_plainly(&address));
        }
    }

    #[test]
    fn secrets_are_masked_however_often_they_are_encoded() {
        for (address, expected) in [
            ("/a?uid=x&sig=0af3", "/a?uid=x&sig=…"),
            ("/a?state=AbC-_9&id=5", "/a?state=…&id=5"),
            (
                "http://h/a?u=http%3A%2F%2Fg%2Fx%3Fid%3D1%26state%3DAbC&un=b&ts=1&hs=ff",
                "http://h/a?u=http%3A%2F%2Fg%2Fx%3Fid%3D1%26state%3D…&un=b&ts=1&hs=…",
            ),
            (
                "http://h/a?u=x%253Fid%253D1%2526state%253DAbC&dest=y",
                "http://h/a?u=x%253Fid%253D1%2526state%253D…&dest=y",
            ),
            (
                "http://h/a?un=b&ts=1&nonce=0a&sv=2&sig=0af3",
                "http://h/a?un=b&ts=1&nonce=0a&sv=2&sig=…",
            ),
            ("/a?hash=0af3&uid=x", "/a?hash=…&uid=x"),
            ("/a?estate=5&mode=hs", "/a?estate=5&mode=hs"),
            ("/a", "/a"),
        ] {
            assert_eq!(masked(address), expected);
        }
        assert!(masked(&"é".repeat(5000)).len() <= LONGEST + 3);
        let longest = "a".repeat(LONGEST);
        assert_eq!(masked(&longest), longest);
        assert_eq!(masked(&(longest.clone() + "a")), longest + "…");
    }

    #[test]
    fn who_takes_part_and_was_sent_on_has_opened_the_session() {
        let launch = |kind, outcome| LaunchRecord {
            at: DateTime::UNIX_EPOCH,
            kind,
            request_id: String::new(),
            platform: "lams".to_owned(),
            signature: "mdquiz10".to_owned(),
            noted: Noted {
                user: Some("mdl_Anna".to_owned()),
                session: Some(9),
                ..Noted::default()
            },
            outcome,
            status: 302,
            ms: 1.0,
            came_with: String::new(),
            sent_to: None,
            reason: None,
            code: None,
        };
        for kind in LaunchKind::ALL {
            let takes_part = matches!(kind, LaunchKind::Learner | LaunchKind::Preview);
            for outcome in LaunchOutcome::ALL {
                let launch = launch(*kind, *outcome);
                let opens = takes_part && *outcome == LaunchOutcome::Redirected;
                assert_eq!(
                    launch.opened(),
                    opens.then_some((9, "mdl_Anna")),
                    "{launch:?}"
                );
            }
        }
        let mut nobody = launch(LaunchKind::Learner, LaunchOutcome::Redirected);
        nobody.noted.user = None;
        assert_eq!(nobody.opened(), None);
    }

    #[test]
    fn words_are_read_as_they_are_stored() {
        for kind in LaunchKind::ALL {
            assert_eq!(LaunchKind::stored(kind.as_str()), Some(*kind));
        }
        assert_eq!(LaunchOutcome::of_status(302), LaunchOutcome::Redirected);
        assert_eq!(LaunchOutcome::of_status(200), LaunchOutcome::Page);
        assert_eq!(LaunchOutcome::of_status(409), LaunchOutcome::Refused);
        assert_eq!(LaunchOutcome::of_status(504), LaunchOutcome::Failed);
    }
}
