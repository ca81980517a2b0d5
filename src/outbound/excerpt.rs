//! What a server answered, as one line for people: short, and without secrets that it may have echoed.

use secrecy::ExposeSecret;

use crate::domain::server::Server;

/// The beginning of an answer as one readable line, without the server's key and without hashes, should
/// the server have echoed what it was sent.
pub(super) fn excerpt(answer: &[u8], server: &Server) -> String {
    let key = server.key.as_ref().map(|key| key.expose_secret());
    excerpt_without(answer, key.as_slice())
}

/// The same of whoever was sent these secrets.
pub(super) fn excerpt_without(answer: &[u8], secrets: &[&str]) -> String {
    if answer.is_empty() {
        return "an empty answer".to_owned();
    }
    let text = String::from_utf8_lossy(answer);
    let separates = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<_> = text
        .split(separates)
        .filter(|word| !word.is_empty())
        .collect();
    let mut line = without_hashes(&words.join(" "));
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        line = line.replace(*secret, "…");
    }
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("“{}…”", &line[..end]),
        None => format!("“{line}”"),
    }
}

/// Whether an answer begins as a web page does, or as a page's language complains: a login page in place of
/// what was asked for, for instance.
pub(super) fn is_web_page(answer: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(&answer[..answer.len().min(256)]).to_ascii_lowercase();
    let text = beginning.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    ["<!doctype html", "<html", "<head", "<br", "<b>"]
        .iter()
        .any(|mark| text.starts_with(mark))
}

/// Every run of forty or more hexadecimal digits left out: SHA-1 has forty.
fn without_hashes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let length = rest[begin..]
            .bytes()
            .take_while(u8::is_ascii_hexdigit)
            .count();
        out.push_str(&rest[..begin]);
        out.push_str(if length >= 40 {
            "…"
        } else {
            &rest[begin..begin + length]
        });
        rest = &rest[begin + length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::tests::server;

    #[test]
    fn an_excerpt_is_one_line_and_short_and_holds_no_secret() {
        let excerpt = |answer: &[u8]| excerpt(answer, &server());
        assert_eq!(excerpt("é".repeat(1000).as_bytes()).chars().count(), 163);
        assert_eq!(excerpt(b"a\0b\n\n  c\xff"), "“a b c\u{fffd}”");
        let hash = crate::domain::hash::external_hash("1", "bill", "moodle", "S3cretKey");
        let echo = format!("no such page: ?un=bill&ts=1262304000000&hs={hash}&key=S3cretKey");
        assert_eq!(
            excerpt(echo.as_bytes()),
            "“no such page: ?un=bill&ts=1262304000000&hs=…&key=…”"
        );
    }
}
