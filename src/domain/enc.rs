//! enc(): form encoding as Java's `URLEncoder` does it, which is what every page of the protocol was
//! written against: `A-Z a-z 0-9 . * - _` stay, a blank is `+`, all else is `%XX` in upper case.

/// What stands for each byte: itself, `+` or an escape, and as the fourth how long that is.
const WRITTEN: [[u8; 4]; 256] = {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    let (mut written, mut at) = ([[0; 4]; 256], 0);
    while at < 256 {
        let byte = at as u8;
        written[at] = match byte {
            b' ' => [b'+', 0, 0, 1],
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => [byte, 0, 0, 1],
            b'.' | b'*' | b'-' | b'_' => [byte, 0, 0, 1],
            _ => [b'%', DIGITS[at >> 4], DIGITS[at & 15], 3],
        };
        at += 1;
    }
    written
};

/// So many bytes are encoded at once.
const PIECE: usize = 128;

/// Appends enc(`value`) to `out`. By hand, since each launch encodes the address that its browser comes back to, and
/// no library's way is as fast where the whole is optimized for size.
pub fn push_enc(out: &mut String, value: &str) {
    out.reserve(value.len());
    for piece in value.as_bytes().chunks(PIECE) {
        // Of what is written for the last byte, all four are.
        let (mut encoded, mut length) = ([0; 3 * PIECE + 1], 0);
        for byte in piece {
            let written = WRITTEN[usize::from(*byte)];
            encoded[length..][..4].copy_from_slice(&written);
            length += usize::from(written[3]);
        }
        out.push_str(str::from_utf8(&encoded[..length]).expect("it is ASCII"));
    }
}

/// Appends enc(enc(`value`)) to `out`: for pages that decode an address once too often.
pub fn push_enc_twice(out: &mut String, value: &str) {
    push_enc(out, &enc(value));
}

/// Appends `value` with each path segment encoded and its slashes kept; a blank is `%20` there.
pub fn push_path(out: &mut String, value: &str) {
    for (i, segment) in value.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        out.push_str(&urlencoding::encode(segment));
    }
}

/// enc(`value`) as a text of its own.
pub fn enc(value: &str) -> String {
    let mut encoded = String::new();
    push_enc(&mut encoded, value);
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded::byte_serialize;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn enc_is_what_a_library_says(value in any::<String>()) {
            let expected: String = byte_serialize(value.as_bytes()).collect();
            prop_assert_eq!(enc(&value), expected);
        }
    }

    #[test]
    fn enc_is_javas_url_encoder() {
        assert_eq!(enc("aZ09.*-_ ~é&=+/%"), "aZ09.*-_+%7E%C3%A9%26%3D%2B%2F%25");
    }

    #[test]
    fn twice_is_enc_of_enc() {
        for value in ["http://h:80/a?b=c d&e=~", "é +%", ""] {
            let mut twice = String::new();
            push_enc_twice(&mut twice, value);
            assert_eq!(twice, enc(&enc(value)));
        }
    }

    #[test]
    fn a_path_keeps_its_slashes_only() {
        let mut path = String::new();
        push_path(&mut path, "mod/a b/ü?#");
        assert_eq!(path, "mod/a%20b/%C3%BC%3F%23");
    }
}
