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
    let mut line = without_hashes(&words(&String::from_utf8_lossy(answer)));
    for secret in secrets {
        let plain = words(secret);
        let encoded = urlencoding::encode(secret);
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for written in [plain.as_str(), &encoded, &form] {
            line = without(&line, written);
        }
    }
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("“{}…”", &line[..end]),
        None => format!("“{line}”"),
    }
}

/// A text as one line of words.
fn words(text: &str) -> String {
    let separates = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<_> = text
        .split(separates)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// So many characters of a secret tell nothing yet.
const TELLING: usize = 3;

/// A line without a secret, in whatever case it stands there: what is hashed is in small letters. What an answer ends
/// with may be the beginning of one, since no more of it was read.
fn without(line: &str, secret: &str) -> String {
    let small = |c: char| c.to_lowercase().next().unwrap_or(c);
    let secret: Vec<char> = secret.chars().map(small).collect();
    if secret.is_empty() {
        return line.to_owned();
    }
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(next) = rest.chars().next() {
        let alike = rest.chars().zip(&secret);
        let alike = alike.take_while(|(c, of_secret)| small(*c) == **of_secret);
        let (length, bytes) =
            alike.fold((0, 0), |(n, bytes), (c, _)| (n + 1, bytes + c.len_utf8()));
        let is_cut = bytes == rest.len() && length > TELLING;
        if length == secret.len() || is_cut {
            out.push('…');
            rest = &rest[bytes..];
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out
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

    #[test]
    fn a_secret_is_left_out_however_it_is_written() {
        for (answer, line) in [
            (
                "1262304000000billmoodles3cretkey!",
                "“1262304000000billmoodle…!”",
            ),
            ("S3CRETKEY S3cretKey", "“… …”"),
            ("no S3cretKe", "“no …”"),
            ("not S3c", "“not S3c”"),
            ("S3cret", "“…”"),
        ] {
            assert_eq!(excerpt_without(answer.as_bytes(), &["", "S3cretKey"]), line);
        }
        let odd = "é ä+b/\tc";
        for answer in [
            "É Ä+B/ c",
            "%C3%A9%20%C3%A4%2Bb%2F%09c",
            "%c3%a9+%c3%a4%2Bb%2F%09c",
        ] {
            assert_eq!(
                excerpt_without(format!("={answer}&").as_bytes(), &[odd]),
                "“=…&”"
            );
        }
    }
}
