//! Forms: what was sent, and the fields that are shown, again with what was typed where it was a mistake.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use askama::Template;
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;

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

impl FromRequest for Fields {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
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
