//! What the sample LMS does not do, said on a page.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::activity::Kind;
use crate::domain::query::QueryError;
use crate::domain::signature2::Signature2Error;
use crate::sample::page;

/// Why a request is refused; its text says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "This address carries no signature, so nobody knows who is asking. Open the activity from LAMS."
    )]
    NotSigned,
    #[error(
        "The legacy signature in this address (hs) was not made with this server's id and key. Open the activity from LAMS; if that leads here again, a sysadmin should compare the server id and key on both sides."
    )]
    WrongHash,
    #[error(
        "The signature 2 of this address does not hold: {0}. Open the activity from LAMS; if that leads here again, a sysadmin should compare the server id, the key and the clocks on both sides, and how the gateway signs."
    )]
    NotSignature2(#[from] Signature2Error),
    #[error("This address was used already, and is good once. Open the activity from LAMS again.")]
    CameBefore,
    #[error(
        "This page was open for too long, or was opened for something else. Open the activity from LAMS again."
    )]
    NoTicket,
    #[error("There is no {} with the id {id} here. It may have been made before this sample server was last started: it keeps everything in memory.", kind.map_or("activity", Kind::word))]
    NoActivity { kind: Option<Kind>, id: String },
    #[error("There is no page at this address.")]
    NoPage,
    #[error("{0}.")]
    Query(#[from] QueryError),
    #[error("This sample knows add=Forum and add=quiz only.")]
    UnknownAdd,
    #[error(
        "The address has neither lamsUpdateURL nor returnUrl, so there would be no way back to LAMS."
    )]
    NoWayBack,
    #[error(
        "The address in {0} does not lead back to the gateway that this server belongs to, so it is not followed."
    )]
    ForeignAddress(&'static str),
    #[error("What was sent is more than 64 kB, or no form.")]
    NoForm,
}

impl Refusal {
    fn title(&self) -> &'static str {
        match self {
            Refusal::NotSigned
            | Refusal::WrongHash
            | Refusal::NotSignature2(_)
            | Refusal::CameBefore => "We do not know who you are",
            Refusal::NoTicket => "Please open this again from LAMS",
            Refusal::NoActivity { .. } => "No such activity",
            Refusal::NoPage => "No such page",
            Refusal::NoForm => "That is too much",
            _ => "This address is not right",
        }
    }
}

#[derive(Template)]
#[template(path = "sample/lms/refusal.html")]
struct RefusalPage<'a> {
    status: u16,
    title: &'a str,
    detail: String,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Refusal::NotSigned
            | Refusal::WrongHash
            | Refusal::NotSignature2(_)
            | Refusal::CameBefore
            | Refusal::NoTicket => StatusCode::UNAUTHORIZED,
            Refusal::NoActivity { .. } | Refusal::NoPage => StatusCode::NOT_FOUND,
            Refusal::NoForm => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let detail = self.to_string();
        let mut letters = detail.chars();
        let first = letters.next().map(|c| c.to_uppercase().to_string());
        let page = RefusalPage {
            status: self.status_code().as_u16(),
            title: self.title(),
            detail: first.unwrap_or_default() + letters.as_str(),
        };
        page::html(self.status_code(), &page)
    }
}
