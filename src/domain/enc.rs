//! enc(): form encoding as Java's `URLEncoder` does it, which is what every page of the protocol was
//! written against: `A-Z a-z 0-9 . * - _` stay, a blank is `+`, all else is `%XX` in upper case.

use url::form_urlencoded::byte_serialize;

/// Appends enc(`value`) to `out`.
pub fn push_enc(out: &mut String, value: &str) {
    out.extend(byte_serialize(value.as_bytes()));
}

/// Appends enc(enc(`value`)) to `out`: for pages that decode an address once too often.
pub fn push_enc_twice(out: &mut String, value: &str) {
    for piece in byte_serialize(value.as_bytes()) {
        out.extend(byte_serialize(piece.as_bytes()));
    }
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
    byte_serialize(value.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
