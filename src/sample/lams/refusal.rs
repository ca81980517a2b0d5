//! What the sample LAMS does not do, said on a page.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use crate::domain::query::QueryError;
use crate::sample::page;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("There is no page at this address.")]
    NoPage,
    #[error(
        "It is not part of this lesson. The lesson is kept in memory and begins anew when the sample is started."
    )]
    NotInLesson,
    #[error(
        "A button of another site was pressed in your name. Press the one on the lesson's page."
    )]
    ForeignForm,
    #[error("The lesson is full: it is a sample.")]
    Full,
    #[error("Nobody came in yet. Begin in the other LMS, with Open Author.")]
    NobodyCameIn,
    #[error(
        "This LAMS knows no server of this id (sid). Begin in the other LMS, with Open Author."
    )]
    UnknownServer,
    #[error(
        "The hash of this login was not made with this server's id and key. If Open Author in the other LMS leads here again, a sysadmin should compare the server id and key on both sides."
    )]
    WrongHash,
    #[error("Only authors come into this sample: method has to be author.")]
    NotAnAuthor,
    #[error("This login cannot be read: {0}.")]
    Query(#[from] QueryError),
}

#[derive(Template)]
#[template(path = "sample/lams/refusal.html")]
struct RefusalPage<'a> {
    status: u16,
    title: &'a str,
    detail: String,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Refusal::NoPage | Refusal::NotInLesson => StatusCode::NOT_FOUND,
            Refusal::ForeignForm => StatusCode::FORBIDDEN,
            Refusal::NobodyCameIn | Refusal::UnknownServer | Refusal::WrongHash => {
                StatusCode::UNAUTHORIZED
            }
            Refusal::NotAnAuthor | Refusal::Query(_) => StatusCode::BAD_REQUEST,
            Refusal::Full => StatusCode::CONFLICT,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let title = match self {
            Refusal::NoPage => "No such page",
            Refusal::NotInLesson => "No such activity",
            Refusal::ForeignForm => "That was not this page",
            Refusal::Full => "Nothing was added",
            Refusal::NobodyCameIn => "Who are you?",
            Refusal::UnknownServer | Refusal::WrongHash => "This login cannot be trusted",
            Refusal::NotAnAuthor | Refusal::Query(_) => "This login is not right",
        };
        let page = RefusalPage {
            status: self.status_code().as_u16(),
            title,
            detail: self.to_string(),
        };
        page::html(self.status_code(), &page)
    }
}
