//! What comes from an external server in bulk: exports, which are kept until they are whole, and
//! portfolios, which are handed on as they come.

use std::io::Read;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use reqwest::header::CONTENT_TYPE;

use super::lane::Turn;
use super::request::{Page, Patience, Reply};
use super::retry::Effect;
use super::spool::Spool;
use super::{Failure, Outbound, OutboundError};
use crate::domain::id::ExtId;

/// So much of a portfolio is read before its first byte is handed on: most end before, and then it is
/// certain that they are whole.
const HELD_BACK: usize = 256 * 1024;

/// Whether an export begins as a web page does: a login page in its place, for instance.
fn is_web_page(spool: &Spool) -> bool {
    let mut beginning = [0; 64];
    let read = spool.reader().read(&mut beginning).unwrap_or_default();
    let text = String::from_utf8_lossy(&beginning[..read]).to_ascii_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

/// A portfolio as it comes.
pub struct Portfolio {
    /// The server's word for what it is, where it gave one.
    pub content_type: Option<String>,
    /// How many bytes it has, where it is here already.
    pub length: Option<usize>,
    held_back: Bytes,
    rest: Option<(Turn, Reply)>,
    left: u64,
}

impl Outbound {
    /// What a server exports of content, whole. Protocol 5.2, `method=export`.
    pub async fn export(&self, page: Page<'_>, content: &ExtId) -> Result<Spool, OutboundError> {
        let place = page.tool.adapter_page.export_place(page.place);
        let page = Page {
            place: &place,
            ..page
        };
        let parameters = [("method", "export"), ("extToolContentID", content.as_str())];
        self.in_turn(page, "export", Effect::Reads, |way| async move {
            let mut reply = page
                .get(&way, &parameters, None, self.long_patience())
                .await?;
            let spool = reply.spooled(self.limits.archive).await?;
            match (reply.status(), spool.is_empty()) {
                (200, false) if is_web_page(&spool) => {
                    Err(page.unexpected(200, "export", b"a web page"))
                }
                (200, false) => Ok(spool),
                (status, _) => Err(page.unexpected(status, "export", b"")),
            }
        })
        .await
    }

    /// What a server shows of a learner's work, in the name of the place's user; nothing where it has
    /// nothing. Protocol 5.2, `method=export_portfolio`.
    pub async fn portfolio(
        &self,
        page: Page<'_>,
        session: &ExtId,
    ) -> Result<Option<Portfolio>, OutboundError> {
        let parameters = [
            ("method", "export_portfolio"),
            ("extToolContentID", session.as_str()),
        ];
        let patience = Patience {
            total: page.server.timeout.unwrap_or(self.limits.transfer),
            ..self.long_patience()
        };
        // In one turn alone, which lasts until the last byte is handed on.
        let turn = self.turn(page, "export_portfolio").await?;
        let beginning = async {
            let mut reply = page.get(&turn.way(), &parameters, None, patience).await?;
            let mut held_back = Vec::new();
            while held_back.len() < HELD_BACK {
                match reply.piece().await? {
                    Some(piece) => held_back.extend_from_slice(&piece),
                    None => return Ok((held_back, reply, true)),
                }
            }
            Ok((held_back, reply, false))
        };
        let (held_back, reply, whole) = match beginning.await {
            Ok(begun) => begun,
            Err(failure) => return turn.end(Err(failure)),
        };
        let mut portfolio = Portfolio {
            content_type: reply.header(CONTENT_TYPE).map(str::to_owned),
            length: whole.then_some(held_back.len()),
            left: self.limits.archive.saturating_sub(held_back.len() as u64),
            held_back: held_back.into(),
            rest: None,
        };
        if !whole {
            portfolio.rest = Some((turn, reply));
            return Ok(Some(portfolio));
        }
        turn.end(Ok(
            Some(portfolio).filter(|portfolio| !portfolio.held_back.is_empty())
        ))
    }
}

impl Portfolio {
    /// Its bytes. Ends with an error, never early, where the server does not give all of them.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, OutboundError>> {
        let begin = (Some(self.held_back), self.rest, self.left);
        stream::unfold(begin, |(held_back, rest, left)| async move {
            if let Some(held_back) = held_back {
                return Some((Ok(held_back), (None, rest, left)));
            }
            let (turn, mut reply) = rest?;
            match reply.piece().await {
                Ok(Some(piece)) if piece.len() as u64 <= left => {
                    let left = left - piece.len() as u64;
                    Some((Ok(piece), (None, Some((turn, reply)), left)))
                }
                Ok(None) => {
                    // Only noted: it was handed on.
                    let _ = turn.end(Ok(()));
                    None
                }
                failed => {
                    let failure = failed.err().unwrap_or(Failure::TooLong(left));
                    let error = turn.end::<Bytes>(Err(failure));
                    Some((error, (None, None, 0)))
                }
            }
        })
    }
}
