//! The served document, read as a test reads it: what calls it lists, and whether answers are as it says.
//! It keeps what was seen.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::TOOL;
use crate::support::{API_TOKEN, Gateway, Page};

/// An operation, a status, and the problem's code where it is a refusal.
type Seen = (String, u16, String);

pub struct Book {
    document: Value,
    /// By operation id: method, path, and the operation itself.
    operations: BTreeMap<String, (String, String, Value)>,
    seen: RefCell<BTreeSet<Seen>>,
}

/// A call that is made.
#[derive(Debug, Clone)]
pub struct Call {
    operation: String,
    tool: String,
    id: i64,
    query: String,
    token: Option<String>,
    pub sent: Sent,
}

/// The body of a call.
#[derive(Debug, Clone)]
pub enum Sent {
    Nothing,
    Json(Value),
    Form(Vec<(String, Vec<u8>)>),
}

/// A call of an operation, for content or a session of this number.
pub fn call(operation: &str, id: i64) -> Call {
    Call {
        operation: operation.to_owned(),
        tool: TOOL.to_owned(),
        id,
        query: String::new(),
        token: Some(API_TOKEN.to_owned()),
        sent: Sent::Nothing,
    }
}

impl Call {
    pub fn tool(self, tool: &str) -> Self {
        let tool = tool.to_owned();
        Self { tool, ..self }
    }

    pub fn query(self, query: &str) -> Self {
        let query = query.to_owned();
        Self { query, ..self }
    }

    pub fn token(self, token: Option<&str>) -> Self {
        let token = token.map(str::to_owned);
        Self { token, ..self }
    }

    pub fn json(self, body: Value) -> Self {
        let sent = Sent::Json(body);
        Self { sent, ..self }
    }

    pub fn form(self, fields: &[(&str, &[u8])]) -> Self {
        let field = |(name, value): &(&str, &[u8])| ((*name).to_owned(), value.to_vec());
        let sent = Sent::Form(fields.iter().map(field).collect());
        Self { sent, ..self }
    }
}

impl Book {
    /// The document that a gateway serves.
    pub async fn of(gateway: &Gateway) -> Self {
        let page = gateway.get("/api/openapi.json").await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.headers["content-type"], "application/json");
        assert_eq!(page.headers["cache-control"], "no-cache");
        let document = page.json();
        assert_eq!(
            document["servers"],
            json!([{"url": "http://gate.example.org:8080"}])
        );
        let mut operations = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                let entry = (method.to_uppercase(), path.clone(), operation.clone());
                assert!(operations.insert(id, entry).is_none(), "{method} {path}");
            }
        }
        Self {
            document: strict(document),
            operations,
            seen: RefCell::default(),
        }
    }

    pub fn operations(&self) -> Vec<String> {
        self.operations.keys().cloned().collect()
    }

    /// Operation id, method and path of each.
    pub fn addresses(&self) -> impl Iterator<Item = (String, &str, &str)> {
        self.operations
            .iter()
            .map(|(id, (method, path, _))| (id.clone(), method.as_str(), path.as_str()))
    }

    pub fn statuses(&self, operation: &str) -> Vec<String> {
        let responses = &self.operations[operation].2["responses"];
        responses.as_object().unwrap().keys().cloned().collect()
    }

    /// Whether a refusal is documented.
    pub fn documents(&self, operation: &str, status: u16, code: &str) -> bool {
        let seen = (operation.to_owned(), status, code.to_owned());
        self.documented().contains(&seen)
    }

    /// Makes a call, and holds its answer against the document.
    pub async fn tries(&self, gateway: &Gateway, call: Call, status: u16, code: &str) {
        let page = self.sends(gateway, &call).await;
        let what = format!("{call:.300?}: {}", page.body);
        assert_eq!(page.status, status, "{what}");
        if !code.is_empty() {
            assert_eq!(page.refused(status), code, "{what}");
        }
        let operation = &self.operations[&call.operation].2;
        if let Sent::Json(body) = &call.sent {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let fits = self.errors(schema, body).is_empty();
            assert!(status >= 300 || fits, "{what}");
            assert!(code != "body" || !fits, "{what}");
        }
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "it is not documented: {what}");
        for (name, _) in response["headers"].as_object().into_iter().flatten() {
            assert!(page.headers.contains_key(&name.to_lowercase()), "{what}");
        }
        match response["content"]
            .as_object()
            .and_then(|all| all.iter().next())
        {
            None => assert_eq!(page.body, "", "{what}"),
            Some((media_type, content)) => {
                let is = page.headers["content-type"].as_str();
                assert!(media_type == "*/*" || media_type == is, "{is} {what}");
                if is.ends_with("json") {
                    let errors = self.errors(&content["schema"], &page.json());
                    assert!(errors.is_empty(), "{errors:?} {what}");
                }
            }
        }
        let seen = (call.operation, status, code.to_owned());
        self.seen.borrow_mut().insert(seen);
    }

    /// Makes a call, at the address that the document gives it.
    pub async fn sends(&self, gateway: &Gateway, call: &Call) -> Page {
        let (method, path, _) = &self.operations[&call.operation];
        let path = path
            .replace("{signature}", &call.tool)
            .replace("{id}", &call.tool)
            .replace("{toolContentID}", &call.id.to_string())
            .replace("{toolSessionID}", &call.id.to_string());
        let address = format!("{}{path}?{}", gateway.base, call.query);
        let request = gateway.client().request(method.parse().unwrap(), address);
        let request = match &call.sent {
            Sent::Nothing => request,
            Sent::Json(body) => request
                .header("content-type", "application/json")
                .body(body.to_string()),
            Sent::Form(fields) => {
                let mut form = reqwest::multipart::Form::new();
                for (name, value) in fields.clone() {
                    form = form.part(name, reqwest::multipart::Part::bytes(value));
                }
                request.multipart(form)
            }
        };
        let request = match &call.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Page::read(request.send().await.unwrap()).await
    }

    /// Fails unless what was seen is what is documented.
    pub fn compare(&self) {
        let (seen, documented) = (self.seen.borrow(), self.documented());
        let unseen: Vec<_> = documented.difference(&seen).collect();
        let unlisted: Vec<_> = seen.difference(&documented).collect();
        assert!(
            unseen.is_empty() && unlisted.is_empty(),
            "documented and not seen: {unseen:#?}, seen and not documented: {unlisted:#?}"
        );
    }

    /// Every documented answer.
    fn documented(&self) -> BTreeSet<Seen> {
        let mut documented = BTreeSet::new();
        for (id, (_, _, operation)) in &self.operations {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let status: u16 = status.parse().unwrap();
                let examples = &response["content"]["application/problem+json"]["examples"];
                let codes: Vec<_> = match examples.as_object() {
                    Some(examples) => examples.keys().cloned().collect(),
                    None => vec![String::new()],
                };
                documented.extend(codes.into_iter().map(|code| (id.clone(), status, code)));
            }
        }
        documented
    }

    /// Holds every example against its schema, and says how many there are.
    pub fn examples(&self) -> usize {
        let components = &self.document["components"];
        let of_problems = components["examples"].as_object().unwrap().values();
        let problem = json!({"$ref": "#/components/schemas/Problem"});
        let of_problems = of_problems.map(|example| (&problem, &example["value"]));
        let schemas = components["schemas"].as_object().unwrap().values();
        let of_schemas = schemas.flat_map(|schema| {
            let examples = schema["examples"].as_array().into_iter().flatten();
            examples.map(move |example| (schema, example))
        });
        let mut count = 0;
        for (schema, example) in of_problems.chain(of_schemas) {
            let errors = self.errors(schema, example);
            assert!(errors.is_empty(), "{errors:?} {example}");
            count += 1;
        }
        count
    }

    fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        let validator = options.build(&schema).unwrap();
        let errors = validator.iter_errors(value);
        errors.map(|error| error.to_string()).collect()
    }
}

/// The same document, with no more fields in any shape than it lists.
fn strict(mut document: Value) -> Value {
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    let shapes = schemas.values_mut().filter_map(Value::as_object_mut);
    let close = |shape: &mut Map<String, Value>| {
        if shape.contains_key("properties") {
            shape.insert("additionalProperties".to_owned(), json!(false));
        }
    };
    shapes.for_each(close);
    document
}
