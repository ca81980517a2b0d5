//! Where a person wanted to go before being asked to sign in. It comes back from the browser, so it is
//! believed only as far as it is a plain path of these pages: never another host, never out of `/admin/`.

/// The longest path and query that is come back to, in bytes.
const LONGEST: usize = 2000;

/// The path and query to go to, if it is one of these pages.
pub(super) fn local(next: &str) -> Option<&str> {
    let (path, query) = next.split_once('?').unwrap_or((next, ""));
    // Nothing that two readers of addresses read differently: no escapes, no backslash, no dots that lead
    // upwards, no slashes that begin a host.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let in_query = |b: u8| plain(b) || b"%=&+:,;@!$'()*?".contains(&b);
    let right = next.len() <= LONGEST
        && path.starts_with("/admin/")
        && path.bytes().all(plain)
        && !path.contains("//")
        && !path
            .split('/')
            .any(|segment| segment == "." || segment == "..")
        && query.bytes().all(in_query);
    right.then_some(next)
}

/// The address of the sign-in page that leads back to a path and query.
pub(super) fn sign_in_and_then(wanted: &str) -> String {
    match local(wanted) {
        Some("/admin/") | None => "/admin/sign-in".to_owned(),
        Some(wanted) => format!("/admin/sign-in?next={}", urlencoding::encode(wanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_sysadmins_are_come_back_to() {
        for right in [
            "/admin/",
            "/admin/account",
            "/admin/servers/moodle.example_1~x/edit",
            "/admin/audit?before=1800000000000000_5f0c-ab",
            "/admin/launches?user=mdl_Bill&q=a%2Fb+c",
        ] {
            assert_eq!(local(right), Some(right));
        }
        assert_eq!(
            sign_in_and_then("/admin/audit?before=1_a"),
            "/admin/sign-in?next=%2Fadmin%2Faudit%3Fbefore%3D1_a"
        );
        assert_eq!(sign_in_and_then("/admin/"), "/admin/sign-in");
    }

    #[test]
    fn nothing_else_is() {
        for wrong in [
            "",
            "/",
            "/admin",
            "/administrator/",
            "admin/",
            "//evil",
            "//evil/admin/",
            "/\\evil",
            "\\\\evil",
            "/admin/\\evil",
            "///admin/",
            "/admin//evil",
            "https://evil/admin/",
            "javascript:alert(1)",
            "/admin/../lams/tool/",
            "/admin/.",
            "/admin/%2e%2e/lams",
            "/admin/%5cevil",
            "%2Fadmin%2F",
            "/%2fevil",
            "/admin/\t//evil",
            "/admin/\r\nSet-Cookie: a=b",
            "/admin/@evil",
            "/admin/ü",
            "/admin/a#b",
            "/admin/?a=\\",
            &format!("/admin/{}", "a".repeat(LONGEST)),
        ] {
            assert_eq!(local(wrong), None, "{wrong:?}");
            assert_eq!(sign_in_and_then(wrong), "/admin/sign-in");
        }
    }
}
