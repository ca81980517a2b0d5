//! The addresses that lead back to LAMS: whether they may be followed, and how the id of what was saved
//! is added to one.

use url::Url;

use super::refusal::Refusal;

/// The address after saving: `lamsUpdateURL` decoded once more than the query was, as Moodle's
/// `lamsbuttons.php` does it. Some adapters encode twice for its sake; an address that was encoded once
/// comes through unharmed as long as it holds no literal `%` or `+` (protocol 12).
pub(super) fn update_address(given: &str, base: Option<&str>) -> Result<String, Refusal> {
    let decoded = urlencoding::decode_binary(given.replace('+', " ").as_bytes()).into_owned();
    String::from_utf8(decoded)
        .ok()
        .filter(|address| may_be_followed(address, base))
        .ok_or(Refusal::ForeignAddress("lamsUpdateURL"))
}

/// The address of "Next activity", as given.
pub(super) fn return_address(given: &str, base: Option<&str>) -> Result<String, Refusal> {
    may_be_followed(given, base)
        .then(|| given.to_owned())
        .ok_or(Refusal::ForeignAddress("returnUrl"))
}

/// Appends the id of what was saved.
pub(super) fn with_id(update_address: &str, id: u64) -> String {
    format!("{update_address}&extToolContentID={id}")
}

/// Whether an address is http(s), within `base` if there is one, and of characters that every reader
/// reads alike.
fn may_be_followed(address: &str, base: Option<&str>) -> bool {
    let plain = address
        .bytes()
        .all(|b| b.is_ascii_graphic() && !br##"\#"<>"##.contains(&b));
    let is_http = Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && address.contains("://"));
    let within = base.is_none_or(|base| {
        address
            .strip_prefix(base.trim_end_matches('/'))
            .is_some_and(|rest| rest.starts_with('/'))
    });
    plain && is_http && within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::enc::enc;

    const U: &str = "http://gate.example.org//lams//authoring.do?dispatch=updateContent&toolContentID=5&state=aZ-_09";

    #[test]
    fn an_update_address_comes_through_decoded_already_or_not() {
        assert_eq!(update_address(U, None).unwrap(), U);
        assert_eq!(update_address(&enc(U), None).unwrap(), U);
    }

    #[test]
    fn only_addresses_within_the_gateway_are_followed() {
        let base = Some("http://gate.example.org:8080/");
        assert!(return_address("http://gate.example.org:8080/lams/x?a=b", base).is_ok());
        for wrong in [
            "http://gate.example.org:80801/lams",
            "http://gate.example.org:8080@evil.example/",
            "http://gate.example.org:8080.evil.example/",
            "http://evil.example/?http://gate.example.org:8080/",
            "https://gate.example.org:8080/",
            "javascript:alert(1)",
            "//gate.example.org:8080/",
            "",
        ] {
            assert!(return_address(wrong, base).is_err(), "{wrong}");
            assert!(update_address(&enc(wrong), base).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_a_base_any_http_address_is_followed_and_nothing_else() {
        assert!(return_address("https://anywhere.example/x", None).is_ok());
        for wrong in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://h/\r\nSet-Cookie: a",
            "http://h/\\x",
            "http:h",
            "/x",
        ] {
            assert!(return_address(wrong, None).is_err(), "{wrong}");
        }
    }
}
