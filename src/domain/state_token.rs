//! State tokens: what makes a callback or a return believable. The gateway puts one into each address
//! that it gives to an external server; the server hands the address back with the token in it,
//! without knowing it.
//!
//! A token is base64url text (letters, digits, `-`, `_`: it survives being decoded once too often) of
//! version, purpose, expiry, nonce and person, and an HMAC-SHA256 cut to 16 bytes. The HMAC covers
//! platform, tool and content or session too; those stand in the address anyway and are not repeated.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::id::{PlatformId, Signature};
use super::launch_signature::hmac_of;
use super::person::Person;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To store an external id for content: `updateContent`, once.
    Update,
    /// To open content for editing again from the saved page, in place of a launch signature.
    EditAgain,
    /// To mark a learner as finished: `finishActivity`.
    Finish,
    /// To come back from a look at a session, as teachers and monitors do; marks nobody.
    Look,
    /// To be taken to a session as a monitor from the monitor's page, in place of a launch signature.
    Monitor,
}

impl Purpose {
    const ALL: [Purpose; 5] = [
        Purpose::Update,
        Purpose::EditAgain,
        Purpose::Finish,
        Purpose::Look,
        Purpose::Monitor,
    ];

    fn byte(self) -> u8 {
        match self {
            Purpose::Update => 1,
            Purpose::EditAgain => 2,
            Purpose::Finish => 3,
            Purpose::Look => 4,
            Purpose::Monitor => 5,
        }
    }

    /// Whether a token of this purpose speaks of a session, not of content.
    fn of_session(self) -> bool {
        matches!(self, Purpose::Finish | Purpose::Look | Purpose::Monitor)
    }
}

/// What a token is bound to: valid nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The platform whose address it stands in.
    pub platform: &'a PlatformId,
    /// The tool.
    pub signature: &'a Signature,
    /// `toolContentID` for [`Purpose::Update`] and [`Purpose::EditAgain`], else `toolSessionID`.
    pub id: i64,
}

/// A random number that names one token, so that it can be used up.
pub type Nonce = [u8; 12];

/// The content of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// What it allows.
    pub purpose: Purpose,
    /// Until when; whole seconds.
    pub expires_at: DateTime<Utc>,
    /// Which one it is.
    pub nonce: Nonce,
    /// Who was sent out with it, where that was known.
    pub person: Option<Person>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The request carries none.
    #[error("the state is missing")]
    Missing,
    /// It was not made here, or not for this.
    #[error("the state is wrong")]
    Wrong,
    /// It was made here for this, but too long ago.
    #[error("the state has expired")]
    Expired,
}

/// The keys of the state tokens: the first seals, all open.
#[derive(Clone)]
pub struct StateKeys(Vec<Hmac<Sha256>>);

const VERSION: u8 = 1;
const TAG: usize = 16;
const HEAD: usize = 2 + 8 + 12 + 1;
/// Most tokens, with what their tags cover, are no longer than this, in bytes.
const USUAL: usize = 128;

impl StateKeys {
    /// Keys from the gateway's secret keys; each is used through one derived for this purpose alone.
    pub fn derive<'k>(secret_keys: impl IntoIterator<Item = &'k [u8; 32]>) -> Self {
        let derive = |key: &[u8; 32]| {
            let derived = hmac_of(key)
                .chain_update(b"toolgate state token v1")
                .finalize();
            hmac_of(&derived.into_bytes())
        };
        Self(secret_keys.into_iter().map(derive).collect())
    }

    /// Makes the token of `state` for `subject`.
    pub fn seal(&self, state: &State, subject: Subject<'_>) -> String {
        let mut bytes = Vec::with_capacity(USUAL);
        bytes.extend([VERSION, state.purpose.byte()]);
        bytes.extend(state.expires_at.timestamp().to_be_bytes());
        bytes.extend(state.nonce);
        match &state.person {
            None => bytes.push(0),
            Some(Person::Lams(login)) => {
                bytes.push(1);
                bytes.extend(login.as_bytes());
            }
            Some(Person::External(login)) => {
                bytes.push(2);
                bytes.extend(login.as_bytes());
            }
        }
        let key = self.0.first().expect("there is always a key that seals");
        let tag = tag(key, &mut bytes, state.purpose, subject);
        bytes.extend_from_slice(&tag[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens a token that must be for one of `purposes` on `subject` and not expired.
    pub fn open(
        &self,
        token: Option<&str>,
        purposes: &[Purpose],
        subject: Subject<'_>,
        now: DateTime<Utc>,
    ) -> Result<State, StateError> {
        let token = token
            .filter(|text| !text.is_empty())
            .ok_or(StateError::Missing)?;
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| StateError::Wrong)?;
        let (payload, claimed) = bytes.split_last_chunk::<TAG>().ok_or(StateError::Wrong)?;
        let (head, login) = payload
            .split_first_chunk::<HEAD>()
            .ok_or(StateError::Wrong)?;
        let purpose = Purpose::ALL
            .into_iter()
            .find(|purpose| purpose.byte() == head[1] && purposes.contains(purpose))
            .ok_or(StateError::Wrong)?;
        let mut bytes = payload.to_vec();
        let sealed_here = self.0.iter().any(|key| {
            let tag = tag(key, &mut bytes, purpose, subject);
            subtle::ConstantTimeEq::ct_eq(&tag[..TAG], &claimed[..]).into()
        });
        if !sealed_here || head[0] != VERSION {
            return Err(StateError::Wrong);
        }
        let login = || String::from_utf8(login.to_vec()).map_err(|_| StateError::Wrong);
        let person = match head[HEAD - 1] {
            1 => Some(Person::Lams(login()?.into())),
            2 => Some(Person::External(login()?.into())),
            _ => None,
        };
        let mut seconds = [0; 8];
        seconds.copy_from_slice(&head[2..10]);
        let mut nonce = Nonce::default();
        nonce.copy_from_slice(&head[10..22]);
        let expires_at =
            DateTime::from_timestamp(i64::from_be_bytes(seconds), 0).ok_or(StateError::Wrong)?;
        if now >= expires_at {
            return Err(StateError::Expired);
        }
        Ok(State {
            purpose,
            expires_at,
            nonce,
            person,
        })
    }
}

/// Whether a text has the form of a token of one of `purposes`. Says nothing of who made it.
pub fn may_be_state(token: &str, purposes: &[Purpose]) -> bool {
    URL_SAFE_NO_PAD.decode(token).is_ok_and(|bytes| {
        bytes.len() >= HEAD + TAG
            && bytes[0] == VERSION
            && purposes.iter().any(|purpose| purpose.byte() == bytes[1])
    })
}

impl std::fmt::Debug for StateKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StateKeys(…)")
    }
}

/// The tag of a token of these bytes. What else it covers is put behind them meanwhile, so that the hash gets all in one
/// piece.
fn tag(
    key: &Hmac<Sha256>,
    bytes: &mut Vec<u8>,
    purpose: Purpose,
    subject: Subject<'_>,
) -> [u8; 32] {
    let about: &[u8] = if purpose.of_session() {
        b"session"
    } else {
        b"content"
    };
    let length = bytes.len();
    for name in [subject.platform.as_str(), subject.signature.as_str()] {
        bytes.push(0);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(about);
    bytes.extend_from_slice(&subject.id.to_be_bytes());
    let tag = key.clone().chain_update(&*bytes).finalize().into_bytes();
    bytes.truncate(length);
    tag.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_262_304_000, 0).unwrap()
    }

    fn state(purpose: Purpose, person: Option<Person>) -> State {
        State {
            purpose,
            expires_at: now() + TimeDelta::hours(24),
            nonce: [7; 12],
            person,
        }
    }

    fn keys() -> StateKeys {
        StateKeys::derive([&[1; 32]])
    }

    fn with_subject<T>(id: i64, f: impl FnOnce(Subject<'_>) -> T) -> T {
        let (platform, signature) = ("lams".parse().unwrap(), "mdquiz10".parse().unwrap());
        f(Subject {
            platform: &platform,
            signature: &signature,
            id,
        })
    }

    #[test]
    fn what_was_sealed_is_opened() {
        for person in [
            None,
            Some(Person::Lams("mdl_Bill".into())),
            Some(Person::External("é".into())),
        ] {
            let state = state(Purpose::Update, person);
            with_subject(5, |subject| {
                let token = keys().seal(&state, subject);
                assert!(
                    token
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                );
                assert_eq!(
                    keys().open(Some(&token), &[Purpose::Update], subject, now()),
                    Ok(state.clone())
                );
            });
        }
    }

    #[test]
    fn what_may_be_a_token_has_its_form_and_purpose() {
        let token = with_subject(5, |s| keys().seal(&state(Purpose::Finish, None), s));
        assert!(may_be_state(&token, &[Purpose::Look, Purpose::Finish]));
        assert!(!may_be_state(&token, &[Purpose::Update]));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        assert_eq!(bytes.len(), HEAD + TAG);
        assert!(!may_be_state(
            &URL_SAFE_NO_PAD.encode(&bytes[..bytes.len() - 1]),
            &Purpose::ALL
        ));
        let newer = [&[VERSION + 1], &bytes[1..]].concat();
        assert!(!may_be_state(&URL_SAFE_NO_PAD.encode(newer), &Purpose::ALL));
        assert!(!may_be_state("", &Purpose::ALL) && !may_be_state("…", &Purpose::ALL));
        assert_eq!(format!("{:?}", keys()), "StateKeys(…)");
    }

    #[test]
    fn it_is_valid_for_its_subject_and_purpose_alone() {
        let token = with_subject(5, |s| keys().seal(&state(Purpose::Finish, None), s));
        let open =
            |purposes: &[Purpose], s: Subject<'_>| keys().open(Some(&token), purposes, s, now());
        with_subject(5, |s| {
            assert!(open(&[Purpose::Look, Purpose::Finish], s).is_ok())
        });
        with_subject(5, |s| {
            assert_eq!(open(&[Purpose::Look], s), Err(StateError::Wrong))
        });
        with_subject(6, |s| {
            assert_eq!(open(&[Purpose::Finish], s), Err(StateError::Wrong))
        });
        let (other, tool) = ("other".parse().unwrap(), "mdquiz10".parse().unwrap());
        let elsewhere = Subject {
            platform: &other,
            signature: &tool,
            id: 5,
        };
        assert_eq!(open(&[Purpose::Finish], elsewhere), Err(StateError::Wrong));
    }

    #[test]
    fn a_token_of_a_session_is_none_of_content() {
        for purpose in Purpose::ALL {
            let content = matches!(purpose, Purpose::Update | Purpose::EditAgain);
            assert_eq!(purpose.of_session(), !content, "{purpose:?}");
        }
    }

    #[test]
    fn it_ends_and_a_missing_one_is_told_apart() {
        with_subject(5, |s| {
            let state = state(Purpose::Finish, None);
            let token = keys().seal(&state, s);
            let open = |token, at| keys().open(token, &[Purpose::Finish], s, at);
            assert!(
                open(
                    Some(token.as_str()),
                    state.expires_at - TimeDelta::seconds(1)
                )
                .is_ok()
            );
            assert_eq!(
                open(Some(token.as_str()), state.expires_at),
                Err(StateError::Expired)
            );
            assert_eq!(open(None, now()), Err(StateError::Missing));
            assert_eq!(open(Some(""), now()), Err(StateError::Missing));
        });
    }

    #[test]
    fn an_older_key_still_opens_and_another_does_not() {
        with_subject(5, |s| {
            let token = keys().seal(&state(Purpose::Finish, None), s);
            let open = |keys: &StateKeys| keys.open(Some(&token), &[Purpose::Finish], s, now());
            assert!(open(&StateKeys::derive([&[2; 32], &[1; 32]])).is_ok());
            assert_eq!(open(&StateKeys::derive([&[2; 32]])), Err(StateError::Wrong));
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_changed_bit_is_refused(login in "\\PC{0,30}", at in any::<prop::sample::Index>(), bit in 0..8u8) {
            with_subject(5, |s| {
                let token = keys().seal(&state(Purpose::Update, Some(Person::Lams(login.into()))), s);
                let mut bytes = token.into_bytes();
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
                if let Ok(changed) = String::from_utf8(bytes) {
                    let opened = keys().open(Some(&changed), &Purpose::ALL, s, now());
                    prop_assert_eq!(opened, Err(StateError::Wrong));
                }
                Ok(())
            })?;
        }

        #[test]
        fn no_text_makes_it_panic_or_open(text in any::<String>()) {
            with_subject(5, |s| {
                prop_assert!(keys().open(Some(&text), &Purpose::ALL, s, now()).is_err());
                Ok(())
            })?;
        }
    }
}
