//! Forms: what was sent, and the fields that are shown, again with what was typed where it was a mistake.

use std::time::Duration;

use actix_multipart::{Field as Part, Multipart};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use askama::Template;
use futures_util::TryStreamExt;
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;

use crate::web::LONGEST_BODY;
use crate::web::problem::Problem;

/// The fields of a form that was sent.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first value of a name; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// The same for a password.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.get(name).into()
    }
}

/// What the head of a part counts for, in bytes: without it, empty parts could go on for ever.
const PART: usize = 64;
/// A form with a file has this long to come in.
const PATIENCE: Duration = Duration::from_secs(60);

impl Fields {
    /// The fields of a form with a file, which is a text as the others are: what of it is no UTF-8 becomes
    /// U+FFFD.
    async fn of_parts(mut form: Multipart) -> Result<Self, Problem> {
        let mut left = LONGEST_BODY;
        let mut fields = Vec::new();
        while let Some(part) = form.try_next().await.map_err(|_| Problem::NotWellFormed)? {
            let name = part.name().unwrap_or_default().to_owned();
            left = left
                .checked_sub(name.len() + PART)
                .ok_or(Problem::BodyTooLong)?;
            let value = text_of(part, &mut left).await?;
            fields.push((name, value));
        }
        Ok(Self(fields))
    }
}

async fn text_of(mut part: Part, left: &mut usize) -> Result<String, Problem> {
    let mut text = Vec::new();
    while let Some(piece) = part.try_next().await.map_err(|_| Problem::NotWellFormed)? {
        *left = left.checked_sub(piece.len()).ok_or(Problem::BodyTooLong)?;
        text.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

impl FromRequest for Fields {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data")) {
            let form = Multipart::new(request.headers(), payload.take());
            return Box::pin(async move {
                let read = tokio::time::timeout(PATIENCE, Self::of_parts(form)).await;
                read.map_err(|_| Problem::BodyTooSlow)?
            });
        }
        let body = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            let body = body
                .await
                .map_err(|error| Problem::of_status(error.as_response_error().status_code()))?;
            let fields = url::form_urlencoded::parse(&body).into_owned();
            Ok(Self(fields.collect()))
        })
    }
}

/// One field as it is shown: label, hint, box, and what is wrong, each linked to the box for those who do
/// not see. In a template: `{{ field|safe }}`.
#[derive(Template)]
#[template(path = "admin/field.html")]
pub(super) struct Field {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    hint: &'static str,
    autocomplete: &'static str,
    value: String,
    error: Option<String>,
    autofocus: bool,
}

impl Field {
    /// A line of text.
    pub(super) fn text(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            hint: "",
            autocomplete: "off",
            value: String::new(),
            error: None,
            autofocus: false,
        }
    }

    /// A password; it is never shown again.
    pub(super) fn password(name: &'static str, label: &'static str) -> Self {
        Self {
            kind: "password",
            ..Self::text(name, label)
        }
    }

    /// What a browser may fill in, in HTML's words.
    pub(super) fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self {
            autocomplete,
            ..self
        }
    }

    /// What helps to fill it in.
    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// What was typed.
    pub(super) fn value(self, value: &str) -> Self {
        Self {
            value: value.to_owned(),
            ..self
        }
    }

    /// Where a person begins to type.
    pub(super) fn autofocus(self, autofocus: bool) -> Self {
        Self { autofocus, ..self }
    }

    /// What is wrong with it, where `mistake` is about it; the person begins to type there.
    pub(super) fn mistake(self, mistake: Option<&Mistake>) -> Self {
        match mistake.filter(|mistake| mistake.field == self.name) {
            None => self,
            Some(mistake) => Self {
                error: Some(mistake.words.clone()),
                autofocus: true,
                ..self
            },
        }
    }
}

/// What is wrong with a form, and in which field.
pub(super) struct Mistake {
    /// The field's name.
    pub(super) field: &'static str,
    /// What is wrong, as a sentence.
    pub(super) words: String,
}
