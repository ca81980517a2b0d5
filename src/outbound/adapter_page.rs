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
    /// copy's id. Protocol 5.2, `method=clone`.
    pub async fn clone_content(
        &self,
        tool: &Tool,
        server: &Server,
        place: &Place,
        source: &ExtId,
    ) -> Result<ExtId, OutboundError> {
        let outcome = async {
            let parameters = [("method", "clone"), ("extToolContentID", source.as_str())];
            let answer = self.get(tool, server, place, &parameters).await?;
            let copy = id_of(tool, &answer).map_err(Failure::NotAnId)?;
            if copy == *source {
                return Err(Failure::SameId(copy.to_string()));
            }
            Ok(copy)
        };
        outcome.await.map_err(|failure| OutboundError {
            server: server.id.clone(),
            failure: failure.masked(server),
        })
    }

    /// Sends one GET to the adapter page and reads the beginning of its answer.
    async fn get(
        &self,
        tool: &Tool,
        server: &Server,
        place: &Place,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<u8>, Failure> {
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
        let status = response.status();
        let mut answer = Vec::new();
        while answer.len() < EXCERPT {
            let Some(chunk) = response.chunk().await.map_err(failed)? else {
                break;
            };
            answer.extend_from_slice(&chunk[..chunk.len().min(EXCERPT - answer.len())]);
        }
        match status.as_u16() {
            200 => Ok(answer),
            401 => Err(Failure::HashRefused),
            status => Err(Failure::Status {
                status,
                answer: excerpt(&answer),
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
fn id_of(tool: &Tool, answer: &[u8]) -> Result<ExtId, String> {
    let wrong = || {
        if answer.is_empty() {
            "an empty answer".to_owned()
        } else {
            excerpt(answer)
        }
    };
    let line = answer
        .split(|b| *b == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let text = std::str::from_utf8(line).map_err(|_| wrong())?;
    if text.len() > LONGEST_ID {
        return Err(wrong());
    }
    tool.id_form.parse(text).map_err(|_| wrong())
}

/// The beginning of an answer as one readable line.
fn excerpt(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(160) {
        Some((end, _)) => format!("“{}…”", &line[..end]),
        None => format!("“{line}”"),
    }
}

fn failure_of(error: reqwest::Error, limit: std::time::Duration) -> Failure {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words = cause.to_string();
        source = cause.source();
    }
    if error.is_connect() {
        Failure::NotSent(words)
    } else if error.is_timeout() {
        Failure::TimedOut(limit)
    } else {
        Failure::Broken(words)
    }
}

impl Failure {
    /// Without the server's key, should its answer have held it.
    fn masked(self, server: &Server) -> Self {
        let Some(key) = &server.key else { return self };
        let mask = |text: String| text.replace(key.expose_secret(), "…");
        match self {
            Failure::Status { status, answer } => Failure::Status {
                status,
                answer: mask(answer),
            },
            Failure::NotAnId(answer) => Failure::NotAnId(mask(answer)),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tool::builtin_tools;

    #[test]
    fn an_id_is_a_positive_number_alone_on_the_first_line() {
        let tool = builtin_tools().next().unwrap();
        assert_eq!(id_of(&tool, b"57").unwrap().as_str(), "57");
        assert_eq!(id_of(&tool, b"57\r\nmore").unwrap().as_str(), "57");
        for wrong in ["", "0", "-1", "+5", "<html>", "\u{feff}57", "57 58", "\n57"] {
            assert!(id_of(&tool, wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert_eq!(
            id_of(&tool, b"<html>\n <b>Log in</b>").unwrap_err(),
            "“<html> <b>Log in</b>”"
        );
    }

    #[test]
    fn an_excerpt_is_one_line_and_short() {
        let long = excerpt("é".repeat(1000).as_bytes());
        assert_eq!(long.chars().count(), 163);
        assert_eq!(excerpt(b"a\0b\n\n  c\xff"), "“a b c\u{fffd}”");
    }
}
