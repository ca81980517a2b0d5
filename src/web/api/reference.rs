//! The API's document, arranged for people: what the page at `/api/docs` shows. Everything comes from the
//! document; nothing is said here that it does not say.

mod form;

use utoipa::openapi::example::Example;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::{Content, Header, OpenApi, RefOr, Required, Response, Tag};

pub(in crate::web) use form::Form;
use form::name_of;

/// The whole page.
pub(in crate::web) struct Reference {
    pub(in crate::web) title: String,
    pub(in crate::web) about: Vec<Text>,
    pub(in crate::web) address: String,
    pub(in crate::web) groups: Vec<Group>,
    pub(in crate::web) shapes: Vec<Shape>,
    pub(in crate::web) problems: Vec<Case>,
}

/// Calls that belong together.
pub(in crate::web) struct Group {
    pub(in crate::web) name: String,
    pub(in crate::web) about: Vec<Text>,
    pub(in crate::web) calls: Vec<Call>,
}

/// One call.
pub(in crate::web) struct Call {
    pub(in crate::web) id: String,
    pub(in crate::web) method: &'static str,
    pub(in crate::web) path: String,
    pub(in crate::web) summary: String,
    pub(in crate::web) about: Vec<Text>,
    pub(in crate::web) parameters: Vec<Row>,
    pub(in crate::web) body: Option<Body>,
    pub(in crate::web) answers: Vec<Answer>,
}

/// A parameter, or a field of a body.
pub(in crate::web) struct Row {
    pub(in crate::web) name: String,
    /// Where it stands; empty for a field.
    pub(in crate::web) place: &'static str,
    pub(in crate::web) form: Form,
    pub(in crate::web) required: bool,
    pub(in crate::web) about: Vec<Text>,
}

/// What a call sends.
pub(in crate::web) struct Body {
    pub(in crate::web) media_type: String,
    pub(in crate::web) shape: Shape,
}

/// What a call may be answered with.
pub(in crate::web) struct Answer {
    pub(in crate::web) status: String,
    pub(in crate::web) about: Vec<Text>,
    pub(in crate::web) headers: Vec<(String, Vec<Text>)>,
    pub(in crate::web) media_type: Option<String>,
    pub(in crate::web) shape: Option<String>,
    /// The codes of problems.
    pub(in crate::web) codes: Vec<String>,
}

/// What JSON looks like.
pub(in crate::web) struct Shape {
    pub(in crate::web) name: String,
    pub(in crate::web) about: Vec<Text>,
    pub(in crate::web) rows: Vec<Row>,
    /// What it is, where it has no fields.
    pub(in crate::web) form: Option<Form>,
    pub(in crate::web) examples: Vec<String>,
}

/// One kind of problem.
pub(in crate::web) struct Case {
    pub(in crate::web) code: String,
    pub(in crate::web) title: String,
    pub(in crate::web) example: String,
}

/// A paragraph: its pieces, and whether each is code.
pub(in crate::web) struct Text(pub(in crate::web) Vec<(bool, String)>);

impl Reference {
    /// Arranges a document.
    pub(super) fn of(document: &OpenApi) -> Self {
        let tags = document.tags.iter().flatten();
        let group = |tag: &Tag| Group {
            name: tag.name.clone(),
            about: texts(tag.description.as_deref()),
            calls: calls(document, &tag.name),
        };
        let components = document.components.as_ref();
        let schemas = components.into_iter().flat_map(|all| &all.schemas);
        let examples = components.into_iter().flat_map(|all| &all.examples);
        Self {
            title: document.info.title.clone(),
            about: texts(document.info.description.as_deref()),
            address: (document.servers.iter().flatten().next())
                .map(|server| server.url.clone())
                .unwrap_or_default(),
            groups: tags.map(group).collect(),
            shapes: schemas
                .map(|(name, schema)| Shape::of(name, schema))
                .collect(),
            problems: examples
                .filter_map(|(code, example)| Case::of(code, value(example)?))
                .collect(),
        }
    }
}

/// The calls of a tag, in the document's order.
fn calls(document: &OpenApi, tag: &str) -> Vec<Call> {
    let operations = document.paths.paths.iter().flat_map(|(path, item)| {
        methods(item)
            .into_iter()
            .filter_map(move |(method, operation)| Some((path, method, operation.as_ref()?)))
    });
    operations
        .filter(|(_, _, operation)| operation.tags.iter().flatten().any(|name| name == tag))
        .map(|(path, method, operation)| Call::of(document, path, method, operation))
        .collect()
}

fn methods(item: &PathItem) -> [(&'static str, &Option<Operation>); 6] {
    [
        ("GET", &item.get),
        ("HEAD", &item.head),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
}

impl Call {
    fn of(document: &OpenApi, path: &str, method: &'static str, operation: &Operation) -> Self {
        let parameters = operation.parameters.iter().flatten();
        let body = operation.request_body.as_ref().and_then(value);
        let body = body.and_then(|body| body.content.first_key_value());
        let responses = &operation.responses.responses;
        Self {
            id: operation.operation_id.clone().unwrap_or_default(),
            method,
            path: path.to_owned(),
            summary: operation.summary.clone().unwrap_or_default(),
            about: texts(operation.description.as_deref()),
            parameters: parameters
                .filter_map(value)
                .map(Row::of_parameter)
                .collect(),
            body: body.and_then(|(media_type, content)| {
                Some(Body {
                    media_type: media_type.clone(),
                    shape: shape_of(document, value(content)?)?,
                })
            }),
            answers: responses
                .iter()
                .filter_map(|(status, response)| Some(Answer::of(status, value(response)?)))
                .collect(),
        }
    }
}

/// The shape that a body refers to.
fn shape_of(document: &OpenApi, content: &Content) -> Option<Shape> {
    let name = name_of(content.schema.as_ref()?)?;
    let schema = document.components.as_ref()?.schemas.get(name)?;
    Some(Shape::of(name, schema))
}

impl Row {
    fn of_parameter(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            place: match parameter.parameter_in {
                ParameterIn::Path => "path",
                ParameterIn::Query => "query",
                _ => "header",
            },
            form: parameter.schema.as_ref().map(Form::of).unwrap_or_default(),
            required: parameter.required == Required::True,
            about: texts(parameter.description.as_deref()),
        }
    }

    fn of_field(name: &str, schema: &RefOr<Schema>, required: bool) -> Self {
        Self {
            name: name.to_owned(),
            place: "",
            form: Form::of(schema),
            required,
            about: texts(form::description(schema)),
        }
    }
}

impl Answer {
    fn of(status: &str, response: &Response) -> Self {
        let content = response.content.first();
        let (media_type, content) = content
            .map(|(media_type, content)| (media_type.clone(), value(content)))
            .unzip();
        let content = content.flatten();
        let header = |(name, header): (&String, _)| {
            let header: &Header = value(header)?;
            Some((name.clone(), texts(header.description.as_deref())))
        };
        Self {
            status: status.to_owned(),
            about: texts(Some(&response.description)),
            headers: response.headers.iter().filter_map(header).collect(),
            media_type,
            shape: content
                .and_then(|content| name_of(content.schema.as_ref()?))
                .map(str::to_owned),
            codes: content
                .map(|content| content.examples.keys().cloned().collect())
                .unwrap_or_default(),
        }
    }
}

impl Shape {
    fn of(name: &str, schema: &RefOr<Schema>) -> Self {
        let no_fields = Object::new();
        let object = match schema {
            RefOr::T(Schema::Object(object)) => object,
            _ => &no_fields,
        };
        let row = |(name, schema): (&String, _)| {
            Row::of_field(name, schema, object.required.contains(name))
        };
        let rows: Vec<_> = object.properties.iter().map(row).collect();
        Self {
            name: name.to_owned(),
            about: texts(form::description(schema)),
            form: rows.is_empty().then(|| Form::of(schema)),
            rows,
            examples: object.examples.iter().map(pretty).collect(),
        }
    }
}

impl Case {
    fn of(code: &str, example: &Example) -> Option<Self> {
        Some(Self {
            code: code.to_owned(),
            title: example.summary.clone(),
            example: pretty(example.value.as_ref()?),
        })
    }
}

/// What is given itself and not by reference.
fn value<T>(given: &RefOr<T>) -> Option<&T> {
    match given {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

/// The paragraphs of a description; what stands between backticks is code.
fn texts(description: Option<&str>) -> Vec<Text> {
    let paragraphs = description.unwrap_or_default().split("\n\n");
    let text = |paragraph: &str| {
        let pieces = paragraph.split('`').enumerate();
        let piece = |(at, text): (usize, &str)| (at % 2 == 1, text.to_owned());
        Text(
            pieces
                .map(piece)
                .filter(|(_, text)| !text.is_empty())
                .collect(),
        )
    };
    paragraphs
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(text)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_code_are_found_in_a_description() {
        let texts = texts(Some("Sent as `Bearer`.\n\n`404` or\nnothing"));
        let pieces: Vec<_> = texts.into_iter().map(|text| text.0).collect();
        let piece = |code, text: &str| (code, text.to_owned());
        assert_eq!(
            pieces,
            [
                vec![
                    piece(false, "Sent as "),
                    piece(true, "Bearer"),
                    piece(false, ".")
                ],
                vec![piece(true, "404"), piece(false, " or\nnothing")],
            ]
        );
    }
}
