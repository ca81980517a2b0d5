//! The adapter page of an external server: the script there that clone, import, export and output are
//! sent to (protocol 5). Each call is sent once; LAMS sent it twice, and every clone left an orphan.

use chrono::Utc;

use super::network::literal_may_be_called;
use super::{Failure, Outbound, OutboundError, TOTAL};
use crate::domain::content::Place;
use crate::domain::id::ExtId;
use crate::domain::server::Server;
use crate::domain::tool::{Tool, Value};
use secrecy::ExposeSecret;

/// An id is read from at most so many bytes.
const LONGEST_ID: usize = 64;
/// So much of an answer is read to say what it was.
const EXCERPT: usize = 2048;

impl Outbound {
    /// Asks a server for a copy of `source` at `place`, in the name of the place's user. Answers the
    /// copy's id. `source` is `0` for default content; `rid` is the same on every try of one call, for
    /// servers that can answer twice with one id. Protocol 5.2, `method=clone`.
    pub async fn clone_content(
        &self,
        tool: &Tool,
        server: &Server,
        place: &Place,
        source: &str,
        rid: &str,
    ) -> Result<ExtId, OutboundError> {
        let outcome = async {
            let parameters = [
                ("method", "clone"),
                ("extToolContentID", source),
                ("rid", rid),
            ];
            let (status, answer) = self.get(tool, server, place, &parameters).await?;
            let copy = id_of(tool, &answer).ok_or_else(|| match status {
                200 => Failure::NotAnId(excerpt(&answer, server)),
                status => Failure::Status {
                    status,
                    answer: excerpt(&answer, server),
                },
            })?;
            if copy.as_str() == source {
                return Err(Failure::SameId(copy.to_string()));
            }
            Ok(copy)
        };
        outcome.await.map_err(|failure| OutboundError {
            server: server.id.clone(),
            failure,
        })
    }

    /// Sends one GET to the adapter page. Answers a status of success, and the beginning of the answer.
    async fn get(
        &self,
        tool: &Tool,
        server: &Server,
        place: &Place,
        parameters: &[(&str, &str)],
    ) -> Result<(u16, Vec<u8>), Failure> {
        let mut url = server
            .adapter_page(tool)
            .map_err(|error| Failure::NotCallable(format!("the adapter page {error}")))?;
        if !literal_may_be_called(&url, server.private_network) {
            return Err(Failure::NotCallable(
                "its address is one that must not be called".to_owned(),
            ));
        }
        let query = signed_query(tool, server, place, parameters)
            .ok_or_else(|| Failure::NotCallable("the server has no key".to_owned()))?;
        let query = match url.query() {
            Some(own) if !own.is_empty() => format!("{own}&{query}"),
            _ => query,
        };
        url.set_query(Some(&query));
        let client = if server.private_network {
            &self.anywhere
        } else {
            &self.public_only
        };
        let limit = server.timeout.unwrap_or(TOTAL);
        let failed = |error: reqwest::Error| failure_of(error, limit);
        let mut response = client
            .get(url)
            .timeout(limit)
            .send()
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        while answer.len() < EXCERPT {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    answer.extend_from_slice(&chunk[..chunk.len().min(EXCERPT - answer.len())]);
                }
                // What refuses has refused, however it goes on.
                Err(error) if (200..300).contains(&status) => return Err(failed(error)),
                Ok(None) | Err(_) => break,
            }
        }
        match status {
            200..300 => Ok((status, answer)),
            401 => Err(Failure::HashRefused),
            status => Err(Failure::Status {
                status,
                answer: excerpt(&answer, server),
            }),
        }
    }
}

/// The parameters of a call, with `un`, `cs` and what else the tool sends, `ts` and `hs` (6.1).
fn signed_query(
    tool: &Tool,
    server: &Server,
    place: &Place,
    parameters: &[(&str, &str)],
) -> Option<String> {
    let ts = Utc::now().timestamp_millis().to_string();
    let hs = server.hash(&ts, &place.user)?;
    let mut query = String::with_capacity(256);
    tool.adapter_parameters
        .push(&mut query, |value| match value {
            Value::User => &place.user,
            Value::Course => &place.course,
            Value::Section => place.section.as_deref().unwrap_or_default(),
            Value::Config(name) => server.item(tool, name),
            _ => "",
        });
    for (name, value) in [("ts", ts.as_str()), ("hs", &hs)].iter().chain(parameters) {
        query.push('&');
        query.push_str(name);
        query.push('=');
        crate::domain::enc::push_enc(&mut query, value);
    }
    Some(query)
}

/// Reads the first line of an answer as an id of the tool's form.
fn id_of(tool: &Tool, answer: &[u8]) -> Option<ExtId> {
    let line = answer
        .split(|b| *b == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let text = std::str::from_utf8(line)
        .ok()
        .filter(|text| text.len() <= LONGEST_ID)?;
    tool.id_form.parse(text).ok()
}

/// The beginning of an answer as one readable line, without the server's key and without hashes, should
/// the server have echoed what it was sent.
fn excerpt(answer: &[u8], server: &Server) -> String {
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
    if let Some(key) = &server.key {
        line = line.replace(key.expose_secret(), "…");
    }
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("“{}…”", &line[..end]),
        None => format!("“{line}”"),
    }
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

fn failure_of(error: reqwest::Error, limit: std::time::Duration) -> Failure {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    if error.is_connect() && error.is_timeout() {
        Failure::NoConnectionInTime
    } else if error.is_connect() {
        Failure::NotSent(words)
    } else if error.is_timeout() {
        Failure::TimedOut(limit)
    } else {
        Failure::Broken(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base_url::BaseUrl;
    use crate::domain::tool::builtin_tools;

    fn server() -> Server {
        Server {
            id: "moodle".parse().unwrap(),
            name: "Moodle".into(),
            url: BaseUrl::parse("http://moodle.example.org/").unwrap(),
            key: Some("S3cretKey".to_owned().into()),
            prefix: None,
            enabled: true,
            sign_redirects: true,
            timeout: None,
            private_network: true,
            tools: Default::default(),
            settings: Default::default(),
        }
    }

    #[test]
    fn an_id_is_a_positive_number_alone_on_the_first_line() {
        let tool = builtin_tools().next().unwrap();
        assert_eq!(id_of(&tool, b"57").unwrap().as_str(), "57");
        assert_eq!(id_of(&tool, b"57\r\nmore").unwrap().as_str(), "57");
        for wrong in ["", "0", "-1", "+5", "<html>", "\u{feff}57", "57 58", "\n57"] {
            assert!(id_of(&tool, wrong.as_bytes()).is_none(), "{wrong:?}");
        }
    }

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
