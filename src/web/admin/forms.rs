//! Forms: what was sent, and the fields that are shown, again with what was typed where it was a mistake.

use actix_multipart::{Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use askama::Template;
use futures_util::future::LocalBoxFuture;
use futures_util::{TryStreamExt, stream};
use secrecy::SecretString;

use crate::web::problem::Problem;

/// The fields of a form that was sent, with or without files.
#[derive(Default)]
pub(super) struct Fields {
    texts: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

impl Fields {
    /// The first value of a name; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.texts
            .iter()
            .find(|(given, _)| given == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// The same for a password.
    pub(super) fn secret(&self, name: &str) -> SecretString {
        self.get(name).into()
    }

    /// What is in the file of a name, if one was chosen.
    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        // Without a file browsers send an empty one.
        self.files
            .iter()
            .find(|(given, content)| given == name && !content.is_empty())
            .map(|(_, content)| content.as_slice())
    }

    fn of_urlencoded(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            fields.add(name.into_owned(), &value);
        }
        fields
    }

    /// Takes a text. A zero byte, which no database takes, becomes what HTML makes of one.
    fn add(&mut self, name: String, text: &str) {
        self.texts.push((name, text.replace('\0', "\u{fffd}")));
    }

    /// Of a body that is here as a whole: it is not longer than any other form may be.
    async fn of_parts(headers: &HeaderMap, body: web::Bytes) -> Result<Self, MultipartError> {
        let body = stream::iter([Ok::<_, PayloadError>(body)]);
        let mut parts = Multipart::new(headers, body);
        let mut fields = Self::default();
        while let Some(mut part) = parts.try_next().await? {
            let name = part.name().unwrap_or_default().to_owned();
            let disposition = part.content_disposition();
            let is_file = disposition.is_some_and(|said| said.get_filename().is_some());
            let mut content = Vec::new();
            while let Some(piece) = part.try_next().await? {
                content.extend_from_slice(&piece);
            }
            if is_file {
                fields.files.push((name, content));
            } else {
                fields.add(name, &String::from_utf8_lossy(&content));
            }
        }
        Ok(fields)
    }
}

impl FromRequest for Fields {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(request, payload);
        let headers = request.headers().clone();
        let has_parts = request.content_type() == "multipart/form-data";
        Box::pin(async move {
            let body = body
                .await
                .map_err(|error| Problem::of_status(error.as_response_error().status_code()))?;
            if !has_parts {
                return Ok(Self::of_urlencoded(&body));
            }
            let fields = Self::of_parts(&headers, body).await;
            fields.map_err(|_| Problem::NotWellFormed)
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

/// Reads a body of several parts, for `fuzz/`.
#[cfg(fuzzing)]
pub(in crate::web) async fn read_parts(headers: &HeaderMap, body: web::Bytes) {
    let _ = Fields::of_parts(headers, body).await;
}
