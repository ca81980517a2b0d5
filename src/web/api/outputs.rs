//! `GET /api/v1/tools/{signature}/contents/{toolContentID}/output-definitions`, and of a session `…/outputs`
//! and `…/portfolio`

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::caller::Caller;
use super::{contents, sessions};
use crate::domain::query::Query;
use crate::domain::tool::OutputValue;
use crate::flows::outputs::{self, Column, NamedValue, OptionOutput};
use crate::flows::{Gateway, Refusal, portfolio};
use crate::web::problem::Problem;

/// The outputs that content has.
#[derive(Serialize)]
struct Definitions {
    definitions: Vec<DefinitionAnswer>,
}

/// An output, as the API shows it.
#[derive(Serialize)]
struct DefinitionAnswer {
    name: String,
    #[serde(rename = "type")]
    kind: OutputType,
    /// The least value, where it is a number.
    start: Option<i64>,
    /// The greatest value, where there is one.
    end: Option<i64>,
    /// Conditions to offer, in this order.
    conditions: Vec<Condition>,
}

/// What the value of an output is, in LAMS's words.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OutputType {
    /// A whole number.
    Long,
    /// True or false, for each of several conditions.
    SetBoolean,
    /// True or false.
    Boolean,
}

/// A condition that a design may ask for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    name: String,
    display_name: String,
    #[serde(rename = "type")]
    kind: OutputType,
}

/// The outputs of a learner.
#[derive(Serialize)]
struct Outputs {
    outputs: Vec<OutputAnswer>,
}

/// An output with its value.
#[derive(Serialize)]
struct OutputAnswer {
    name: String,
    #[serde(rename = "type")]
    kind: OutputType,
    value: OutputValue,
}

/// getToolOutputDefinitions
pub(super) async fn definitions(
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let key = contents::key(&caller, &path)?;
    let definitions = outputs::definitions(&gateway, &key).await?;
    let definitions = definitions.into_iter().map(DefinitionAnswer::of).collect();
    super::json(HttpResponse::Ok(), &Definitions { definitions })
}

/// getToolOutput: the one that `name` names, or all.
pub(super) async fn values(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let key = sessions::key(&caller, &path)?;
    let query = Query::parse(request.query_string());
    let user = user(&query)?;
    let outputs = outputs::values(&gateway, &key, user, query.get("name")).await?;
    let outputs = outputs.into_iter().map(OutputAnswer::of).collect();
    super::json(HttpResponse::Ok(), &Outputs { outputs })
}

/// Export portfolio: what the external server shows of a learner, never to be opened as a page of ours.
pub(super) async fn portfolio(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    caller: Caller,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let key = sessions::key(&caller, &path)?;
    let query = Query::parse(request.query_string());
    let user = user(&query)?;
    let (portfolio, login) = portfolio::open(&gateway, &key, user).await?;
    let kind = portfolio.content_type.as_deref().and_then(plain_type);
    let ending = match kind {
        Some("text/html") => ".html",
        Some("application/pdf") => ".pdf",
        Some("application/zip") => ".zip",
        Some("text/plain") => ".txt",
        _ => "",
    };
    let name = format!("{}-{}-{}{ending}", key.signature, key.id, safe(&login));
    let mut response = HttpResponse::Ok();
    response
        .content_type(kind.unwrap_or("application/octet-stream"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(length) = portfolio.length {
        response.no_chunking(length as u64);
    }
    Ok(response.streaming(portfolio.stream()))
}

/// The learner that a query names.
fn user<'q>(query: &'q Query<'_>) -> Result<&'q str, Refusal> {
    query.check()?;
    Ok(query.required("user")?)
}

/// A media type without its parameters, if it is of the form of one.
fn plain_type(content_type: &str) -> Option<&str> {
    let kind = content_type.split(';').next()?.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/.+-".contains(&b);
    let right = kind.len() <= 100 && kind.bytes().all(plain) && kind.matches('/').count() == 1;
    right.then_some(kind)
}

/// A login as a part of a file's name: letters, digits, `-` and `_` alone, and not too many.
fn safe(login: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let name: String = login
        .chars()
        .take(64)
        .map(plain)
        .filter(char::is_ascii)
        .collect();
    if name.is_empty() {
        "learner".to_owned()
    } else {
        name
    }
}

impl DefinitionAnswer {
    fn of(definition: Column) -> Self {
        let condition = |option: OptionOutput| Condition {
            name: option.name,
            display_name: option.text,
            kind: OutputType::Boolean,
        };
        match definition.options {
            None => Self {
                name: definition.name,
                kind: OutputType::Long,
                start: Some(0),
                end: None,
                conditions: Vec::new(),
            },
            Some(options) => Self {
                name: definition.name,
                kind: OutputType::SetBoolean,
                start: None,
                end: None,
                conditions: options.into_iter().map(condition).collect(),
            },
        }
    }
}

impl OutputAnswer {
    fn of(output: NamedValue) -> Self {
        Self {
            name: output.name,
            kind: match output.value {
                OutputValue::Long(_) => OutputType::Long,
                OutputValue::Boolean(_) => OutputType::Boolean,
            },
            value: output.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_safe_whoever_it_is_for() {
        assert_eq!(safe("../../etc/pass wd\r\n\""), "______etc_pass_wd___");
        assert_eq!(safe("Ænna-1"), "nna-1");
        assert_eq!(safe("界"), "learner");
        assert_eq!(safe(&"a".repeat(300)).len(), 64);
    }

    #[test]
    fn a_media_type_is_taken_without_its_parameters() {
        assert_eq!(plain_type("text/html; charset=utf-8"), Some("text/html"));
        for wrong in ["", "text", "a/b/c", "text/ht\tml", "a b/c"] {
            assert_eq!(plain_type(wrong), None, "{wrong}");
        }
    }
}
