//! What comes from an external server in bulk: exports and portfolios. Both are kept, in a file, until they are
//! whole: what is handed on is never shorter than it looks, and whoever reads it slowly holds up no call.

use reqwest::header::CONTENT_TYPE;

use super::excerpt::is_web_page;
use super::request::{Page, Patience};
use super::retry::Effect;
use super::spool::Spool;
use super::{Outbound, OutboundError};
use crate::domain::id::ExtId;

/// A portfolio.
#[derive(Debug, Clone)]
pub struct Portfolio {
    /// The server's word for what it is, where it gave one.
    pub content_type: Option<String>,
    /// Its bytes.
    pub bytes: Spool,
}

impl Outbound {
    /// What a server exports of content. Protocol 5.2, `method=export`.
    pub async fn export(&self, page: Page<'_>, content: &ExtId) -> Result<Spool, OutboundError> {
        let place = page.tool.adapter_page.export_place(page.place);
        let page = Page {
            place: &place,
            ..page
        };
        let parameters = [("method", "export"), ("extToolContentID", content.as_str())];
        self.in_turn(page, "export", Effect::Repeatable, |way| async move {
            let mut reply = page
                .get(&way, &parameters, None, self.long_patience())
                .await?;
            let is_page = reply
                .header(CONTENT_TYPE)
                .is_some_and(|kind| kind.trim_start().starts_with("text/html"));
            let spool = reply.spooled(self.limits.archive).await?;
            let beginning = spool.beginning();
            match beginning.trim_ascii() {
                b"" | b"0" | b"-1" => {}
                _ if reply.status() != 200 || is_page || is_web_page(&beginning) => {}
                _ => return Ok(spool),
            }
            Err(page.unexpected(reply.status(), "export", &beginning))
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
        self.in_turn(
            page,
            "export_portfolio",
            Effect::Repeatable,
            |way| async move {
                let mut reply = page.get(&way, &parameters, None, patience).await?;
                let content_type = reply.header(CONTENT_TYPE).map(str::to_owned);
                let bytes = reply.spooled(self.limits.archive).await?;
                Ok(Some(Portfolio {
                    content_type,
                    bytes,
                })
                .filter(|portfolio| !portfolio.bytes.is_empty()))
            },
        )
        .await
    }
}
