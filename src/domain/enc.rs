//! enc(): form encoding as Java's `URLEncoder` does it, which is what every page of the protocol was
//! written against: `A-Z a-z 0-9 . * - _` stay, a blank is `+`, all else is `%XX` in upper case.

/// The bytes that stay as they are.
const STAYS: [bool; 256] = {
    let mut stays = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        stays[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'.' | b'*' | b'-' | b'_');
        byte += 1;
    }
    stays
};

/// All bytes in hexadecimal digits, each behind a percent sign, one after the other.
const ESCAPES: &str = {
    const BYTES: [u8; 3 * 256] = {
        const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
        let (mut escapes, mut byte) = ([b'%'; 3 * 256], 0);
        while byte < 256 {
            escapes[3 * byte + 1] = DIGITS[byte >> 4];
            escapes[3 * byte + 2] = DIGITS[byte & 15];
            byte += 1;
        }
        escapes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(escapes) => escapes,
        Err(_) => unreachable!(),
    }
};

/// Appends enc(`value`) to `out`. By hand, since each launch encodes the address that its browser comes back to, and
/// no library's way is as fast where the whole is optimized for size.
pub fn push_enc(out: &mut String, value: &str) {
    out.reserve(value.len());
    let (bytes, mut begin) = (value.as_bytes(), 0);
    while let Some(many) = bytes[begin..].iter().position(|b| !STAYS[usize::from(*b)]) {
        let at = begin + many;
        // What stays is ASCII, so that it begins and ends where characters do.
        if begin < at {
            out.push_str(&value[begin..at]);
        }
        out.push_str(match usize::from(bytes[at]) {
            0x20 => "+",
            byte => &ESCAPES[3 * byte..][..3],
        });
        begin = at + 1;
    }
    if begin < bytes.len() {
        out.push_str(&value[begin..]);
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
