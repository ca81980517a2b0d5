//! `toolgate check`: tries, for each enabled server, what a launch needs of it, and says what to do where
//! something is wrong.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt};

use super::Gateway;
use crate::domain::server::Server;
use crate::domain::tool::Tool;
use crate::outbound::{OutboundError, Probed};

/// So many servers are tried at once.
const AT_ONCE: usize = 8;
/// A clock that is further off is worth a word, in seconds: peers that look at `ts` refuse what is old.
const CLOCK: i64 = 60;

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
    let configuration = gateway.configuration();
    // Several tools may have one page.
    let mut pages: BTreeMap<String, &Tool> = BTreeMap::new();
    for tool in configuration
        .tools()
        .filter(|tool| server.tools.contains(&tool.signature))
    {
        let page = server.adapter_page(tool).map(String::from);
        pages.entry(page.unwrap_or_default()).or_insert(tool);
    }
    let mut worst: Option<Probed> = None;
    for tool in pages.values() {
        match gateway.outbound().probe(tool, server).await {
            Ok(probed) if worst.is_none_or(|worst| worst.elapsed < probed.elapsed) => {
                worst = Some(probed)
            }
            Ok(_) => {}
            Err(error) => return failed(server, tool, &error),
        }
    }
    let id = &server.id;
    let words = match worst {
        None => format!("server {id}: no tool is mapped to it, so nothing was tried"),
        Some(Probed { elapsed, clock }) => {
            let (count, ms) = (pages.len(), elapsed.as_millis());
            let pages = if count == 1 {
                "page answers"
            } else {
                "pages answer"
            };
            let clock = match clock {
                Some(off) if off.abs() > CLOCK => format!(", but its clock is {off} s off"),
                _ => String::new(),
            };
            format!("server {id}: {count} adapter {pages} and took the hash, within {ms} ms{clock}")
        }
    };
    Checked { holds: true, words }
}

fn failed(server: &Server, tool: &Tool, error: &OutboundError) -> Checked {
    let (id, signature) = (&server.id, &tool.signature);
    Checked {
        holds: false,
        words: format!(
            "server {id}: the adapter page of {signature}: {}",
            error.failure
        ),
    }
}
