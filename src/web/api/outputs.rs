//! `GET /api/v1/tools/{signature}/contents/{toolContentID}/output-definitions`, and of a session `…/outputs`
//! and `…/portfolio`

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::TryStreamExt;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};

use super::caller::Caller;
use super::paths::{ContentPath, SessionPath};
use super::refusals::{OfContent, OfPortfolio, OfSession, OfTool, OnItsServer, Outgoing, Refused};
use crate::domain::query::Query;
use crate::domain::tool::OutputValue;
use crate::flows::outputs::{self, Column, NamedValue, OptionOutput};
use crate::flows::{Gateway, Refusal, portfolio};
use crate::web::limits::Limits;
use crate::web::problem::Problem;

/// The outputs that content has.
#[derive(Serialize, ToSchema)]
#[schema(as = OutputDefinitions, examples(
    json!({"definitions": [{
        "name": "learner.percentage.grade",
        "type": "LONG",
        "start": 0,
        "end": null,
        "conditions": [],
    }]}),
    json!({"definitions": [{
        "name": "learner.choice.output",
        "type": "SET_BOOLEAN",
        "start": null,
        "end": null,
        "conditions": [
            {"name": "learner.choice.output#17", "displayName": "Tea", "type": "BOOLEAN"},
            {"name": "learner.choice.output#18", "displayName": "Coffee", "type": "BOOLEAN"},
        ],
    }]}),
))]
struct Definitions {
    /// One for each output.
    definitions: Vec<DefinitionAnswer>,
}

/// An output that content has.
#[derive(Serialize, ToSchema)]
#[schema(as = OutputDefinition)]
struct DefinitionAnswer {
    /// What its value is asked for by, where it is a number.
    name: String,
    /// What its value is.
    #[serde(rename = "type")]
    kind: OutputType,
    /// The least value, where it is a number.
    #[schema(required)]
    start: Option<i64>,
    /// The greatest value, where there is one.
    #[schema(required)]
    end: Option<i64>,
    /// Conditions to offer, in this order.
    conditions: Vec<Condition>,
}

/// What a value is, in LAMS's words: a whole number; true or false for each of several conditions; true or
/// false.
#[derive(Serialize, Clone, Copy, ToSchema)]
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
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Condition {
    /// What its value is asked for by.
    name: String,
    /// What people read.
    display_name: String,
    /// What its value is.
    #[serde(rename = "type")]
    kind: OutputType,
}

/// The outputs of a learner.
#[derive(Serialize, ToSchema)]
#[schema(examples(
    json!({"outputs": [{"name": "learner.percentage.grade", "type": "LONG", "value": 85}]}),
    json!({"outputs": [{"name": "learner.choice.output#17", "type": "BOOLEAN", "value": true}]}),
))]
struct Outputs {
    /// All that there are, or the one that was asked for.
    outputs: Vec<OutputAnswer>,
}

/// An output with its value.
#[derive(Serialize, ToSchema)]
#[schema(as = Output)]
struct OutputAnswer {
    /// The name that it was asked for by.
    name: String,
    /// What its value is.
    #[serde(rename = "type")]
    kind: OutputType,
    /// The value.
    #[schema(schema_with = number_or_boolean)]
    value: OutputValue,
}

fn number_or_boolean() -> OneOfBuilder {
    OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Integer))
        .item(ObjectBuilder::new().schema_type(Type::Boolean))
        .description(Some("The value: a whole number, or true or false."))
}

/// getToolOutputDefinitions: the outputs that content has
#[utoipa::path(
    get,
    path = "/api/v1/tools/{signature}/contents/{toolContentID}/output-definitions",
    operation_id = "getToolOutputDefinitions",
    tag = "outputs",
    params(ContentPath),
    responses(
        (status = 200, description = "The outputs; none where there are none yet.", body = Definitions),
        Refused<(OfTool, OfContent, OnItsServer, Outgoing)>,
    )
)]
pub(super) async fn definitions(
    path: web::Path<ContentPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse, Problem> {
    caller.asks(&limits)?;
    let key = path.key(&caller)?;
    let definitions = outputs::definitions(&gateway, &key).await?;
    let definitions = definitions.into_iter().map(DefinitionAnswer::of).collect();
    super::json(HttpResponse::Ok(), &Definitions { definitions })
}

/// getToolOutput: a learner's outputs in a session
///
/// Read from the server now. Reading changes nothing that is stored.
#[utoipa::path(
    get,
    path = "/api/v1/tools/{signature}/sessions/{toolSessionID}/outputs",
    operation_id = "getToolOutput",
    tag = "outputs",
    params(
        SessionPath,
        (
            "user" = String,
            Query,
            description = "The learner's LAMS login.",
            min_length = 1,
            max_length = 255,
            example = "mdl_Bill",
        ),
        (
            "name" = Option<String>,
            Query,
            description = "The name of one output; all are read without it.",
            min_length = 1,
            max_length = 255,
            example = "learner.percentage.grade",
        ),
    ),
    responses(
        (status = 200, description = "The outputs.", body = Outputs),
        Refused<(OfTool, OfSession, OnItsServer, Outgoing)>,
    )
)]
pub(super) async fn values(
    request: HttpRequest,
    path: web::Path<SessionPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse, Problem> {
    caller.asks(&limits)?;
    let key = path.key(&caller)?;
    let query = Query::parse(request.query_string());
    let user = user(&query)?;
    let outputs = outputs::values(&gateway, &key, user, query.get("name")).await?;
    let outputs = outputs.into_iter().map(OutputAnswer::of).collect();
    super::json(HttpResponse::Ok(), &Outputs { outputs })
}

/// exportToolPortfolio: what a learner did in a session
///
/// What the server shows of it, byte for byte, to be kept as a file. It comes with a content security policy
/// that keeps it from acting as a page of this gateway.
#[utoipa::path(
    get,
    path = "/api/v1/tools/{signature}/sessions/{toolSessionID}/portfolio",
    operation_id = "exportToolPortfolio",
    tag = "outputs",
    params(
        SessionPath,
        (
            "user" = String,
            Query,
            description = "The learner's LAMS login.",
            min_length = 1,
            max_length = 255,
            example = "mdl_Bill",
        ),
    ),
    responses(
        (
            status = 200,
            description = "The portfolio, of whatever type the server says.",
            content_type = "*/*",
            headers(("Content-Disposition" = String, description = "`attachment`, with a safe file name.")),
        ),
        Refused<(OfTool, OfSession, OfPortfolio, OnItsServer, Outgoing)>,
    )
)]
pub(super) async fn portfolio(
    request: HttpRequest,
    path: web::Path<SessionPath>,
    caller: Caller,
    gateway: web::Data<Gateway>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse, Problem> {
    caller.moves_a_file(&limits)?;
    let key = path.key(&caller)?;
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
    Ok(HttpResponse::Ok()
        .content_type(kind.unwrap_or("application/octet-stream"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .no_chunking(portfolio.bytes.len())
        .streaming(portfolio.bytes.stream().map_ok(web::Bytes::from)))
}

/// The learner that a query names.
fn user<'q>(query: &'q Query<'_>) -> Result<&'q str, Refusal> {
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
