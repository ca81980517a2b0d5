//! `toolgate check`: tries, for each enabled server, what a launch needs of it, and says what to do where
//! something is wrong.

use futures_util::stream::{self, StreamExt};

use super::Gateway;
use super::connection_test::{self, Row, Verdict};
use crate::domain::server::{Server, Signing};

/// So many servers are tried at once.
const AT_ONCE: usize = 8;

/// What came of trying one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Whether it holds.
    pub holds: bool,
    /// What was tried, and what came of it.
    pub words: String,
}

impl std::fmt::Display for Checked {
    /// One line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let holds = if self.holds { "ok    " } else { "FAILED" };
        write!(f, "{holds} {}", self.words)
    }
}

/// Tries every enabled server, by id.
pub async fn servers(gateway: &Gateway) -> Vec<Checked> {
    let configuration = gateway.configuration();
    let enabled = configuration
        .servers()
        .filter(|server| server.enabled)
        .cloned();
    let enabled: Vec<_> = enabled.collect();
    stream::iter(enabled)
        .map(|server| async move { check_server(gateway, &server).await })
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn check_server(gateway: &Gateway, server: &Server) -> Checked {
    let id = &server.id;
    if server.tools.is_empty() && server.lms.is_none() {
        return Checked {
            holds: true,
            words: format!("server {id}: no tool is mapped to it, so nothing was tried"),
        };
    }
    let rows = connection_test::calls(gateway, server).await;
    if let Some(row) = rows.iter().find(|row| row.verdict == Verdict::Failed) {
        return Checked {
            holds: false,
            words: format!("server {id}: {}", line(row)),
        };
    }
    let mut parts = Vec::new();
    let pages = || rows.iter().filter(|row| row.code == "adapter-page");
    let slowest = pages().filter_map(|row| row.elapsed).max();
    let ms = slowest.unwrap_or_default().as_millis();
    let signature = match server.signing {
        Signing::Legacy => "the hash",
        Signing::Two => "signature 2",
    };
    match pages().count() {
        _ if server.tools.is_empty() => parts.push("no tool is mapped to it".to_owned()),
        1 => parts.push(format!(
            "1 adapter page answers and took {signature}, within {ms} ms"
        )),
        count => parts.push(format!(
            "{count} adapter pages answer and took {signature}, within {ms} ms"
        )),
    }
    let lms = rows
        .iter()
        .find(|row| row.code == "enrollment" && row.verdict == Verdict::Ok);
    if let Some(elapsed) = lms.and_then(|row| row.elapsed) {
        let ms = elapsed.as_millis();
        parts.push(format!(
            "its LMS took the call of an enrollment, within {ms} ms"
        ));
    }
    let warnings: String = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Warning)
        .map(|row| format!("; but {}", line(row)))
        .collect();
    Checked {
        holds: true,
        words: format!("server {id}: {}{warnings}", parts.join("; ")),
    }
}

/// A row within a line.
fn line(row: &Row) -> String {
    let subject = match row.subject.as_str() {
        "" => String::new(),
        subject => format!(" of {subject}"),
    };
    let title = row.title().to_lowercase();
    format!("{title}{subject}: {}", row.words.trim_end_matches('.'))
}
