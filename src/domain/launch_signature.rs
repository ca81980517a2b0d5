//! Signed launches: a platform that signs adds `ts`, `uid` and, last, `sig` to its launch addresses.
//! `sig` is the lower-case hexadecimal HMAC-SHA256, under the platform's launch secret, of path and
//! query exactly as sent, up to but without `&sig=`. Checked before anything else is believed.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::enc::push_enc;
use super::hash::HexDigits;
use super::query::Query;

/// How far `ts` may be from the gateway's clock, either way.
pub const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// So many digits a signature has.
const DIGITS: usize = 64;

/// A platform's launch secret, ready to sign: the key is the UTF-8 bytes of the secret.
#[derive(Clone)]
pub struct LaunchKey(Hmac<Sha256>);

/// Why a launch is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LaunchSignatureError {
    /// `ts`, `uid` or `sig` is absent, or `sig` does not come last.
    #[error("the launch is not signed: it lacks {0}")]
    Missing(&'static str),
    /// The signature is not that of this address.
    #[error("the launch signature is wrong")]
    Wrong,
    /// The signature is right, but its time is not.
    #[error("the launch signature was made at another time: ts is more than five minutes off")]
    Expired,
}

impl LaunchKey {
    /// A key from the platform's `launch_secret`.
    pub fn new(launch_secret: &str) -> Self {
        Self(hmac_of(launch_secret.as_bytes()))
    }

    /// The signature of path and query, as lower-case hexadecimal digits.
    pub fn signature(&self, path_and_query: &str) -> String {
        self.digits(path_and_query).as_str().to_owned()
    }

    fn digits(&self, path_and_query: &str) -> HexDigits<32> {
        let hmac = self.0.clone().chain_update(path_and_query);
        HexDigits::of(hmac.finalize().into_bytes().into())
    }

    /// `path_and_query` with `ts`, `uid` and `sig` added: what a platform does before it sends a
    /// browser here.
    pub fn sign(&self, path_and_query: &str, uid: &str, now: DateTime<Utc>) -> String {
        let mut signed = path_and_query.to_owned();
        signed.push(if signed.contains('?') { '&' } else { '?' });
        signed.push_str("ts=");
        signed.push_str(&now.timestamp_millis().to_string());
        signed.push_str("&uid=");
        push_enc(&mut signed, uid);
        let sig = self.signature(&signed);
        signed.push_str("&sig=");
        signed.push_str(&sig);
        signed
    }

    /// Checks the signature of a launch against the address as it was sent; `query` is that address's
    /// own, parsed. Answers the LAMS login of who is launching.
    pub fn verify<'q>(
        &self,
        path_and_query: &str,
        query: &'q Query<'_>,
        now: DateTime<Utc>,
    ) -> Result<&'q str, LaunchSignatureError> {
        let (signed, sig) =
            split_sig(path_and_query).ok_or(LaunchSignatureError::Missing("sig"))?;
        // Digits are compared, not bytes: digits in upper case would be the same bytes, and let a bit of the
        // address change unnoticed.
        if !is_same(self.digits(signed).as_bytes(), sig.as_bytes()) {
            return Err(LaunchSignatureError::Wrong);
        }
        let ts = query
            .required("ts")
            .map_err(|_| LaunchSignatureError::Missing("ts"))?;
        let uid = query
            .required("uid")
            .map_err(|_| LaunchSignatureError::Missing("uid"))?;
        let at = ts
            .parse()
            .ok()
            .and_then(DateTime::from_timestamp_millis)
            .ok_or(LaunchSignatureError::Expired)?;
        if now.signed_duration_since(at).abs() > TOLERANCE {
            return Err(LaunchSignatureError::Expired);
        }
        Ok(uid)
    }
}

/// Whether digits are those that were sent; that takes as long whichever differ. Eight are compared at once.
fn is_same(digits: &[u8], sent: &[u8]) -> bool {
    let (sent, rest) = sent.as_chunks();
    let (digits, _) = digits.as_chunks();
    let pairs = digits.iter().zip(sent);
    let same = pairs.fold(Choice::from(1), |same, (digits, sent)| {
        same & u64::from_ne_bytes(*digits).ct_eq(&u64::from_ne_bytes(*sent))
    });
    digits.len() == sent.len() && rest.is_empty() && same.into()
}

/// What is signed, and the last `sig` behind it.
fn split_sig(path_and_query: &str) -> Option<(&str, &str)> {
    /// The bytes of a signature and of what is before it.
    const SIG: usize = "&sig=".len() + DIGITS;
    // Where it has to stand it need not be looked for.
    let at = path_and_query.len().checked_sub(SIG);
    let in_place = at.and_then(|at| path_and_query.split_at_checked(at));
    let in_place = in_place.and_then(|(signed, sig)| Some((signed, sig.strip_prefix("&sig=")?)));
    // A signature that holds another name is as wrong as what is behind that name.
    in_place.or_else(|| path_and_query.rsplit_once("&sig="))
}

impl std::fmt::Debug for LaunchKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LaunchKey(…)")
    }
}

/// HMAC-SHA256 under a key of any length.
pub(super) fn hmac_of(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", LaunchKey::new("S3cret")), "LaunchKey(…)");
    }

    const PATH: &str = "/lams/tool/mdquiz10/learning.do?mode=learner&toolSessionID=7";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_262_304_000_000).unwrap()
    }

    fn verify(
        key: &LaunchKey,
        sent: &str,
        at: DateTime<Utc>,
    ) -> Result<String, LaunchSignatureError> {
        let query = Query::parse(sent.split_once('?').map_or("", |(_, q)| q));
        key.verify(sent, &query, at).map(str::to_owned)
    }

    #[test]
    fn a_signed_launch_is_believed_for_five_minutes_either_way() {
        let key = LaunchKey::new("secret");
        let sent = key.sign(PATH, "mdl_Bill é", now());
        assert_eq!(verify(&key, &sent, now()).unwrap(), "mdl_Bill é");
        assert!(verify(&key, &sent, now() + TOLERANCE).is_ok());
        assert!(verify(&key, &sent, now() - TOLERANCE).is_ok());
        let late = now() + TOLERANCE + TimeDelta::milliseconds(1);
        assert_eq!(
            verify(&key, &sent, late),
            Err(LaunchSignatureError::Expired)
        );
        let early = now() - TOLERANCE - TimeDelta::milliseconds(1);
        assert_eq!(
            verify(&key, &sent, early),
            Err(LaunchSignatureError::Expired)
        );
    }

    #[test]
    fn the_signature_is_the_hmac_of_the_address_before_sig() {
        let sent = LaunchKey::new("secret").sign("/lams/x", "a", now());
        let (before, sig) = sent.split_once("&sig=").unwrap();
        assert_eq!(before, "/lams/x?ts=1262304000000&uid=a");
        // printf '%s' '/lams/x?ts=1262304000000&uid=a' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            sig,
            "779b20226ec3dba09f30ce51b71ad56f1f691a3192cbaa51474eba1c422e7499"
        );
    }

    #[test]
    fn any_changed_bit_is_refused() {
        let key = LaunchKey::new("secret");
        let sent = key.sign(PATH, "mdl_Bill", now());
        for at in 0..sent.len() {
            for bit in 0..7 {
                let mut bytes = sent.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else {
                    continue;
                };
                assert!(verify(&key, &changed, now()).is_err(), "{changed}");
            }
        }
        assert_eq!(
            verify(&LaunchKey::new("other"), &sent, now()),
            Err(LaunchSignatureError::Wrong)
        );
    }

    #[test]
    fn a_part_of_the_signature_is_refused_and_so_is_more_than_it() {
        let key = LaunchKey::new("secret");
        let sent = key.sign(PATH, "mdl_Bill", now());
        for digits in 0..DIGITS {
            let cut = &sent[..sent.len() - DIGITS + digits];
            assert!(verify(&key, cut, now()).is_err(), "{cut}");
        }
        for more in ["0", "01234567"] {
            assert!(
                verify(&key, &(sent.clone() + more), now()).is_err(),
                "{more}"
            );
        }
    }

    #[test]
    fn an_unsigned_launch_is_told_what_it_lacks() {
        let key = LaunchKey::new("secret");
        assert_eq!(
            verify(&key, PATH, now()),
            Err(LaunchSignatureError::Missing("sig"))
        );
        let signed = format!("{PATH}&sig={}", key.signature(PATH));
        assert_eq!(
            verify(&key, &signed, now()),
            Err(LaunchSignatureError::Missing("ts"))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_changed_bit_of_any_launch_is_refused(
            path in "/[a-z]{1,8}/tool/[a-z0-9]{1,10}/[a-z.]{1,12}",
            query in proptest::option::of("[a-zA-Z0-9=&%+._~-]{0,60}"),
            uid in "\\PC{0,20}",
            at in any::<prop::sample::Index>(),
            bit in 0..7u8,
        ) {
            let key = LaunchKey::new("secret");
            let query = query.map_or(String::new(), |query| format!("?{query}"));
            let sent = key.sign(&format!("{path}{query}"), &uid, now());
            let mut bytes = sent.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                prop_assert!(verify(&key, &changed, now()).is_err());
            }
        }

        #[test]
        fn what_nobody_signed_is_refused(path in "\\PC{0,60}", sig in "[0-9a-f]{64}|\\PC{0,70}") {
            let sent = format!("{path}?ts=1262304000000&uid=a&sig={sig}");
            prop_assert!(verify(&LaunchKey::new("secret"), &sent, now()).is_err());
        }
    }
}
