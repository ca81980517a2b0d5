//! The preview of a tool: the form of its question, and the page of its own.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::outcome::{Outcome, OutcomePart, words_of};
use crate::domain::configuration::Configuration;
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::connecting::tools;
use crate::flows::preview::{Question, QuestionPart, Refused, preview};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::SignedIn;
use crate::web::admin::input::{Input, Wrong};
use crate::web::problem::Problem;

/// One choice of a list: value, words, whether it is chosen.
pub(super) type Choice = (String, String, bool);

/// The fields of a question.
pub(super) struct QuestionForm {
    pub(super) custom_csv: Input,
    pub(super) servers: Vec<Choice>,
    pub(super) platforms: Vec<Choice>,
    pub(super) more: [Input; 5],
    pub(super) finished: bool,
    /// Whether a mistake is among those that are folded.
    pub(super) open: bool,
}

impl QuestionForm {
    /// The fields with what was asked, and with what is wrong where it was asked.
    pub(super) fn of(
        configuration: &Configuration,
        question: &Question,
        refused: Option<&Refused>,
    ) -> Self {
        let wrong = refused.map(|refused| Wrong::new(field_of(refused.part), words_of(refused)));
        let wrong = wrong.as_ref();
        let input = |name: &'static str, label: &str, value: &str| {
            Input::text(name, label).value(value).required()
        };
        let choice = |id: &str, name: &str, chosen: &str| {
            (id.to_owned(), format!("{name} ({id})"), id == chosen)
        };
        let servers = configuration
            .servers()
            .map(|server| choice(server.id.as_str(), &server.name, &question.server));
        let none = (
            String::new(),
            "none: customCSV alone says it".to_owned(),
            question.server.is_empty(),
        );
        let mut platforms: Vec<Choice> = configuration
            .platforms()
            .map(|one| choice(one.id.as_str(), &one.name, &question.platform))
            .collect();
        platforms.sort();
        let more = [
            Input::text("login", "LAMS login of who launches")
                .hint("uid of a signed launch, such as mdl_bill.")
                .value(&question.login),
            input("content", "toolContentID", &question.content),
            input(
                "ext_content",
                "The content’s id on the server",
                &question.ext_content,
            ),
            input("session", "toolSessionID", &question.session),
            input(
                "ext_session",
                "The session’s id on the server",
                &question.ext_session,
            ),
        ]
        .map(|input| input.wrong(wrong));
        Self {
            custom_csv: Input::text("customCSV", "customCSV")
                .required()
                .hint("As it stands in the launch, decoded.")
                .value(&question.custom_csv)
                .wrong(wrong.filter(|wrong| wrong.field == "customCSV")),
            servers: std::iter::once(none).chain(servers).collect(),
            platforms,
            open: more.iter().any(Input::is_wrong),
            more,
            finished: question.finished,
        }
    }
}

/// The field of a part of the question.
pub(super) fn field_of(part: QuestionPart) -> &'static str {
    match part {
        QuestionPart::CustomCsv => "customCSV",
        QuestionPart::Server => "server",
        QuestionPart::Platform => "platform",
        QuestionPart::Login => "login",
        QuestionPart::Content => "content",
        QuestionPart::ExtContent => "ext_content",
        QuestionPart::Session => "session",
        QuestionPart::ExtSession => "ext_session",
    }
}

/// The question that a form asks.
pub(super) fn question_of<'f>(field: impl Fn(&'static str) -> &'f str) -> Question {
    let text = |name: &'static str| field(name).to_owned();
    Question {
        custom_csv: text("customCSV"),
        server: text("server"),
        platform: text("platform"),
        login: text("login"),
        content: text("content"),
        ext_content: text("ext_content"),
        session: text("session"),
        ext_session: text("ext_session"),
        finished: !field("finished").is_empty(),
    }
}

#[derive(Template)]
#[template(path = "admin/preview.html")]
struct PreviewPage<'a> {
    frame: Frame<'a>,
    tools: Vec<Choice>,
    form: QuestionForm,
    outcome: Outcome,
}

/// `GET /admin/tools/preview[?signature&customCSV…][&part=outcome]`
pub(in crate::web::admin) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let listed = tools::list(&gateway, Utc::now()).await?;
    let signature = query.get("signature");
    let first = listed
        .first()
        .map_or("", |listed| listed.tool.signature.as_str());
    let signature = signature.unwrap_or(first);
    let tool = tools::find(&gateway, signature).await?.tool;
    let configuration = gateway.configuration();
    let question = match query.get("customCSV") {
        Some(_) => question_of(|name| query.get(name).unwrap_or_default()),
        None => Question::example(&configuration, &tool),
    };
    let answer = preview(&gateway, &configuration, &tool, &question, Utc::now());
    let form = QuestionForm::of(&configuration, &question, answer.refused.as_ref());
    let outcome = Outcome::of(&configuration, &tool, &question, answer);
    if query.get("part") == Some("outcome") {
        return page(StatusCode::OK, &OutcomePart { outcome });
    }
    let tools = listed.iter().map(|listed| {
        let id = listed.tool.signature.to_string();
        let chosen = id == signature;
        (id, listed.tool.title.clone(), chosen)
    });
    let template = PreviewPage {
        frame: Frame::of(&gateway, &who, "tools"),
        tools: tools.collect(),
        form,
        outcome,
    };
    page(StatusCode::OK, &template)
}
