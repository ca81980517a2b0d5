//! The test of a server's connection: every step that a launch or a copy needs, one row each, with the time it
//! took and what to do where it fails. `/admin/servers/{id}/test` shows the rows; `toolgate check` makes one
//! line of them. It makes nothing on the server, stores nothing, and works while the breaker is open.

mod judge;
mod rows;

use std::collections::BTreeMap;
use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use url::Url;

pub use rows::{Row, Verdict};

use super::Gateway;
use crate::domain::lms::Lms;
use crate::domain::server::Server;
use crate::domain::tool::Tool;
use crate::outbound::{Failure, Outbound, Trial};

/// So many adapter pages are tried at once.
const AT_ONCE: usize = 4;

/// An adapter page, and the tools that have it there.
struct Page<'a> {
    address: String,
    tool: &'a Tool,
    tools: Vec<&'a str>,
}

/// Makes the calls that launches and copies need of a server.
pub async fn run(gateway: &Gateway, server: &Server) -> Vec<Row> {
    test(gateway, server, true).await
}

/// The same, but for what browsers alone call.
pub(super) async fn calls(gateway: &Gateway, server: &Server) -> Vec<Row> {
    test(gateway, server, false).await
}

async fn test(gateway: &Gateway, server: &Server, with_front_page: bool) -> Vec<Row> {
    let configuration = gateway.configuration();
    let mapped = configuration
        .tools()
        .filter(|tool| server.tools.contains(&tool.signature));
    let pages = pages(server, mapped.map(|tool| tool.as_ref()));
    let way = gateway.outbound();
    let mut rows = Vec::new();
    let mut reached = BTreeMap::new();
    for (origin, called) in origins(server, &pages, with_front_page) {
        let begun = rows.len();
        let there = reach(way, server, &origin, &mut rows).await;
        if !called {
            rows[begun..].iter_mut().for_each(judge::browsers_alone);
        }
        reached.insert(origin.origin().ascii_serialization(), there);
    }
    let there = |address: &str| {
        let origin = Url::parse(address).map(|url| url.origin().ascii_serialization());
        origin.is_ok_and(|origin| reached.get(&origin).copied().unwrap_or(false))
    };
    let mut clock = None;
    if with_front_page {
        rows.push(front_page(way, server, there(server.url.as_str()), &mut clock).await);
    }
    try_pages(way, server, &pages, &there, &mut rows, &mut clock).await;
    rows.push(judge::clock(clock));
    if let Some(lms) = &server.lms {
        rows.push(try_lms(way, lms, there(lms.address.as_str())).await);
    }
    rows
}

/// The distinct adapter pages of a server's tools.
fn pages<'a>(server: &Server, tools: impl Iterator<Item = &'a Tool>) -> Vec<Page<'a>> {
    let mut pages: BTreeMap<String, Page<'a>> = BTreeMap::new();
    for tool in tools {
        let address = server.adapter_page(tool).map(String::from);
        let address = address.unwrap_or_default();
        let page = pages.entry(address.clone()).or_insert_with(|| Page {
            address,
            tool,
            tools: Vec::new(),
        });
        page.tools.push(tool.signature.as_str());
    }
    pages.into_values().collect()
}

/// The distinct origins that are tried, and whether the gateway itself calls each: adapter pages may be
/// elsewhere than where browsers go.
fn origins(server: &Server, pages: &[Page<'_>], with_front_page: bool) -> Vec<(Url, bool)> {
    let mut origins: Vec<(Url, bool)> = Vec::new();
    let called = pages.iter().map(|page| (page.address.as_str(), true));
    // With no page to call, what browsers need is all there is.
    let front = (server.url.as_str(), pages.is_empty());
    let lms = server.lms.iter().filter(|lms| lms.backend.is_called());
    let called = called.chain(lms.map(|lms| (lms.address.as_str(), true)));
    for (address, called) in with_front_page.then_some(front).into_iter().chain(called) {
        let Ok(url) = Url::parse(address) else {
            continue;
        };
        let same = |other: &&mut (Url, bool)| other.0.origin() == url.origin();
        match origins.iter_mut().find(same) {
            Some(known) => known.1 |= called,
            None => origins.push((url, called)),
        }
    }
    origins
}

/// Address, name, connection and TLS of one origin; whether all of them hold.
async fn reach(way: &Outbound, server: &Server, url: &Url, rows: &mut Vec<Row>) -> bool {
    let origin = url.origin().ascii_serialization();
    rows.push(judge::address(url, &origin));
    let begun = Instant::now();
    let found = way.resolve(url, server).await;
    rows.push(judge::name(&found, server, &origin).took(begun));
    let found = found.unwrap_or_default();
    if !found.iter().any(|found| found.allowed) {
        for code in ["tcp", "tls"] {
            rows.push(Row::skipped(
                code,
                &origin,
                "There is no address to connect to.",
            ));
        }
        return false;
    }
    let begun = Instant::now();
    let connection = way.connect(url, &found).await;
    rows.push(judge::tcp(connection.as_ref().err(), url, &origin).took(begun));
    let Ok(connection) = connection else {
        rows.push(Row::skipped("tls", &origin, "There is no connection."));
        return false;
    };
    if url.scheme() != "https" {
        let words =
            "The address begins with http://: nothing is encrypted, and nobody proves who answers.";
        rows.push(Row::skipped("tls", &origin, words));
        return true;
    }
    let begun = Instant::now();
    let secured = way.secure(url, connection).await;
    rows.push(judge::tls(secured.as_ref().err(), url, &origin).took(begun));
    secured.is_ok()
}

async fn front_page(way: &Outbound, server: &Server, there: bool, clock: &mut Option<i64>) -> Row {
    let subject = server.url.as_str();
    if !there {
        return Row::skipped("server-page", subject, "The server was not reached.");
    }
    let begun = Instant::now();
    let answered = way.front_page(server).await;
    if let Ok(answered) = &answered {
        *clock = answered.clock;
    }
    judge::server_page(&answered, subject).took(begun)
}

/// What enrollments need.
async fn try_lms(way: &Outbound, lms: &Lms, there: bool) -> Row {
    let subject = lms.address.as_str();
    if lms.backend.is_called() && !there {
        return Row::skipped("enrollment", subject, "Its LMS was not reached.");
    }
    let begun = Instant::now();
    let tried = way.try_lms(lms).await;
    judge::enrollment(&tried, lms).took(begun)
}

/// Each adapter page as calls are made and, where that is taken, in ways that it has to refuse.
async fn try_pages(
    way: &Outbound,
    server: &Server,
    pages: &[Page<'_>],
    there: impl Fn(&str) -> bool,
    rows: &mut Vec<Row>,
    clock: &mut Option<i64>,
) {
    let code = judge::signature_code(server);
    let to_be_refused = judge::to_be_refused(server);
    if pages.is_empty() {
        let words = "No tool is mapped to this server.";
        rows.extend(["adapter-page", code].map(|code| Row::skipped(code, "", words)));
        rows.extend(to_be_refused.map(|(_, code)| Row::skipped(code, "", words)));
        return;
    }
    if server.key.is_none() {
        let words =
            "The server has no key, so no call can be made. Set the key that it shares with LAMS.";
        let skipped = |code| Row::skipped(code, "", "Without a key no page is called.");
        rows.push(skipped("adapter-page"));
        rows.push(Row::new(code, "", Verdict::Failed, words));
        rows.extend(to_be_refused.map(|(_, code)| skipped(code)));
        return;
    }
    let tried = stream::iter(pages).map(|page| {
        let there = there(&page.address);
        async move {
            if !there {
                return (page, None, Vec::new());
            }
            let begun = Instant::now();
            let right = way.try_page(page.tool, server, Trial::Right).await;
            let ended = begun.elapsed();
            let mut others = Vec::new();
            if right.is_ok() {
                for (trial, _) in judge::to_be_refused(server) {
                    others.push((trial, way.try_page(page.tool, server, trial).await));
                }
            }
            (page, Some((right, ended)), others)
        }
    });
    let tried: Vec<_> = tried.buffered(AT_ONCE).collect().await;
    let mut signed: Vec<(&str, Result<(), &Failure>)> = Vec::new();
    for (page, right, _) in &tried {
        let subject = page.tools.join(", ");
        match right {
            None => rows.push(Row::skipped(
                "adapter-page",
                &subject,
                "Its server was not reached.",
            )),
            Some((outcome, elapsed)) => {
                let row = judge::adapter_page(outcome, &page.address, &subject);
                rows.push(Row {
                    elapsed: Some(*elapsed),
                    ..row
                });
                signed.push((page.tools[0], outcome.as_ref().map(|_| ())));
                if let Ok(found) = outcome {
                    *clock = clock.or(*found);
                }
            }
        }
    }
    rows.push(judge::signature(server, &signed));
    for (trial, code) in to_be_refused {
        let outcomes = tried.iter().flat_map(|(page, _, others)| {
            let others = others.iter().filter(|(of, _)| *of == trial);
            others.map(|(_, outcome)| (page.tools[0], outcome))
        });
        rows.push(judge::refused(trial, code, &Vec::from_iter(outcomes)));
    }
}
