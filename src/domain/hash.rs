//! The hash that LAMS and external servers know each other by (protocol 6.1): SHA-1 over timestamp,
//! user, server id and key, without separators. Legacy: it covers neither method nor ids, and SHA-1 is
//! used here only because the protocol demands it.

use sha1::{Digest, Sha1};

/// The hash `hs` for a person sent to a server: 40 lower-case hexadecimal digits.
///
/// `ts` is decimal milliseconds as it stands on the wire. Each part loses what is up to U+0020 at its
/// ends and is lower-cased by Unicode's rules without locale, as Java's `trim` and `toLowerCase` do.
pub fn external_hash(ts: &str, user: &str, server_id: &str, server_key: &str) -> String {
    let hash = hash_of(&[ts, user, server_id, server_key]);
    HexDigits::of(hash).as_str().to_owned()
}

/// Bytes as lower-case hexadecimal digits. By hand, since each launch has a hundred of them, and the library's way is
/// four times as long where the whole is optimized for size.
pub struct HexDigits<const BYTES: usize>([[u8; 2]; BYTES]);

impl<const BYTES: usize> HexDigits<BYTES> {
    /// The digits of these bytes.
    pub fn of(bytes: [u8; BYTES]) -> Self {
        Self(bytes.map(|byte| HEX_DIGITS[usize::from(byte)]))
    }

    /// The digits, two for each byte.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// The same as text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("digits are ASCII")
    }
}

/// The two digits of each byte.
static HEX_DIGITS: [[u8; 2]; 256] = {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let (mut pairs, mut byte) = ([[0; 2]; 256], 0);
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// SHA-1 over parts without separators, each cut and lower-cased.
pub(super) fn hash_of(parts: &[&str]) -> [u8; 20] {
    let mut sha1 = Sha1::new();
    for part in parts {
        let part = java_trim(part);
        // Most parts are in lower case already, and need no copy.
        if part
            .bytes()
            .all(|b| b.is_ascii() && !b.is_ascii_uppercase())
        {
            sha1.update(part);
        } else {
            sha1.update(as_hashed(part));
        }
    }
    sha1.finalize().into()
}

/// A part as it counts in a hash: cut and lower-cased.
pub fn as_hashed(part: &str) -> String {
    java_trim(part).to_lowercase()
}

/// Cuts what is up to U+0020 from both ends, as Java's `String.trim` does.
pub fn java_trim(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn digits_are_what_a_library_says(bytes in any::<[u8; 32]>()) {
            let digits = HexDigits::of(bytes);
            prop_assert_eq!(digits.as_str(), hex::encode(bytes));
        }
    }

    #[test]
    fn blanks_around_and_case_do_not_count() {
        let hash = "e71939e9deea3a58a02ac4c44c89be3b32105cc0";
        assert_eq!(
            external_hash("1262304000000", "Bill", "moodle", "S3cretKey"),
            hash
        );
        assert_eq!(
            external_hash(" 1262304000000\n", "  BILL ", "MOODLE", "s3cretkey"),
            hash
        );
    }

    #[test]
    fn letters_beyond_ascii_are_lower_cased_too() {
        assert_eq!(
            external_hash("1", "ÉMILE", "moodle", "k"),
            external_hash("1", "émile", "moodle", "k")
        );
    }
}
