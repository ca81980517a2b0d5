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
    format!("“{}”", line_without(answer, secrets, 160))
}

/// The beginning of an answer as one line of words, at most so many characters, without these secrets.
pub(super) fn line_without(answer: &[u8], secrets: &[&str], longest: usize) -> String {
    let (text, is_cut) = beginning(answer);
    let mut line = without_hashes(&words(&String::from_utf8_lossy(text)), is_cut);
    for secret in secrets {
        let plain = words(secret);
        let encoded = urlencoding::encode(secret);
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for written in [plain.as_str(), &encoded, &form] {
            line = without(&line, written);
        }
    }
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if is_cut && !line.ends_with('…') => line + "…",
        None => line,
    }
}

/// So many bytes of an answer are looked through: it may have megabytes, and what is shown of it is a line.
const LOOKED_THROUGH: usize = 2048;

/// The beginning of an answer, which ends with a whole character, and whether there is more of it.
fn beginning(answer: &[u8]) -> (&[u8], bool) {
    let answer = answer.trim_ascii_start();
    if answer.len() <= LOOKED_THROUGH {
        return (answer, false);
    }
    // In UTF-8 the second and further bytes of a character begin with the bits 10.
    let is_begin = |at: &usize| answer[*at] & 0b1100_0000 != 0b1000_0000;
    let end = (0..=LOOKED_THROUGH).rev().find(is_begin);
    (&answer[..end.unwrap_or(LOOKED_THROUGH)], true)
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

/// Every run of forty or more hexadecimal digits left out: SHA-1 has forty. So is a run at the end of a line that is
/// cut, which may be the beginning of one.
fn without_hashes(line: &str, is_cut: bool) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let length = rest[begin..]
            .bytes()
            .take_while(u8::is_ascii_hexdigit)
            .count();
        let at_cut = is_cut && begin + length == rest.len() && length > TELLING;
        out.push_str(&rest[..begin]);
        out.push_str(if length >= 40 || at_cut {
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
    fn a_long_answer_is_looked_through_at_its_beginning_alone() {
        let blanks = " ".repeat(LOOKED_THROUGH);
        let secrets = ["S3cretKeyOfThis", "äöüßéèà"];
        let shown = |answer: String| excerpt_without(answer.as_bytes(), &secrets);
        assert_eq!(shown(format!("{blanks}begin{blanks}end")), "“begin…”");
        // What is cut there is not half shown, whatever it is.
        let encoded = urlencoding::encode(secrets[1]);
        let hash = crate::domain::hash::external_hash("1", "bill", "moodle", "S3cretKey");
        for secret in [secrets[0], secrets[1], &encoded, &hash] {
            for shown_bytes in 9..14 {
                let before = &blanks[shown_bytes + 1..];
                let answer = format!(".{before}{secret}!");
                assert_eq!(shown(answer), "“. …”", "{secret} {shown_bytes}");
            }
        }
        assert_eq!(shown(format!(".{}é", &blanks[2..])), "“.…”");
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
