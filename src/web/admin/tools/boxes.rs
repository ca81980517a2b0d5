//! One tool: what it is, the boxes of the servers that have it, and its preview.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::about::About;
use super::outcome::Outcome;
use super::preview::QuestionForm;
use super::{page_of, signature_of};
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::apply::{MadeFrom, MappingError, obstacle};
use crate::flows::connecting::{self, tools};
use crate::flows::preview::{Question, preview};
use crate::store::ServerRecord;
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::input::Tick;
use crate::web::admin::see_other;
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// A server that may have the tool.
struct Box {
    id: String,
    name: String,
    tick: Tick,
    /// Whether it has to be edited before it can have the tool.
    is_lacking: bool,
}

#[derive(Template)]
#[template(path = "admin/tool.html")]
struct ToolPage<'a> {
    frame: Frame<'a>,
    found: &'a tools::Found,
    about: About,
    made_from: MadeFrom,
    boxes: Vec<Box>,
    /// What is there now, where somebody else changed it: each server that differs, and whether it has it.
    theirs: Option<Vec<(String, bool)>>,
    form: QuestionForm,
    outcome: Outcome,
}

impl<'a> ToolPage<'a> {
    /// The page of a tool; with the boxes as `ticked` has them, else as they are.
    fn of(
        (gateway, who): (&'a Gateway, &'a SignedIn),
        found: &'a tools::Found,
        ticked: Option<&BTreeSet<String>>,
        wrong: &BTreeMap<String, String>,
    ) -> Self {
        let configuration = gateway.configuration();
        let tool = &found.tool;
        let question = Question::example(&configuration, tool);
        let answer = preview(gateway, &configuration, tool, &question, Utc::now());
        let boxes = found.stored.servers.values().map(|server| {
            let on = match ticked {
                Some(ticked) => ticked.contains(&server.id),
                None => has(server, tool.signature.as_str()),
            };
            let lacks = obstacle(server, tool);
            let state = if server.enabled { "" } else { ", disabled" };
            let hint = match &lacks {
                Some(lacks) => format!("{}{state}. {}", server.id, sentence(lacks)),
                None => format!("{}{state}", server.id),
            };
            Box {
                tick: Tick::new(format!("server.{}", server.id), server.name.as_str(), on)
                    .hint(hint)
                    .error(wrong.get(&server.id).map(|words| sentence(words))),
                is_lacking: lacks.is_some(),
                id: server.id.clone(),
                name: server.name.clone(),
            }
        });
        Self {
            frame: Frame::of(gateway, who, "tools"),
            about: About::of(tool),
            made_from: found.mapping(),
            boxes: boxes.collect(),
            theirs: None,
            form: QuestionForm::of(&configuration, &question, None),
            outcome: Outcome::of(&configuration, tool, &question, answer),
            found,
        }
    }
}

fn has(server: &ServerRecord, signature: &str) -> bool {
    server.tools.contains(signature)
}

/// `GET /admin/tools/tool?signature`
pub(in crate::web::admin) async fn show_one(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let found = tools::find(&gateway, &signature_of(&request)).await?;
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "saved" => Some("Saved. New launches use it from now on."),
        "mapped" => Some("Saved. Teachers are offered it for these servers from now on."),
        _ => None,
    });
    let mut template = ToolPage::of((&gateway, &who), &found, None, &BTreeMap::new());
    template.frame = template.frame.done(done);
    page(StatusCode::OK, &template)
}

/// `POST /admin/tools/servers`
pub(in crate::web::admin) async fn map(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let fields = &posted.fields;
    let found = tools::find(&gateway, fields.get("signature")).await?;
    let servers = found.stored.servers.keys();
    let wanted: BTreeSet<String> = servers
        .filter(|id| !fields.get(&format!("server.{id}")).is_empty())
        .cloned()
        .collect();
    let made_from = MadeFrom::from_form(fields.get("made_from"));
    let of = (&found.tool, &made_from);
    let at = (gateway.get_ref(), &posted.who);
    match tools::map(&gateway, &posted.who.actor(), of, &wanted).await {
        Ok(_) => {
            let to = page_of(found.tool.signature.as_str(), "mapped");
            Ok(see_other(&gateway, &to))
        }
        Err(MappingError::Cannot(wrong)) => {
            let mut template = ToolPage::of(at, &found, Some(&wanted), &wrong);
            template.made_from = made_from;
            page(StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
        Err(MappingError::Newer) => {
            let signature = found.tool.signature.as_str();
            let now = tools::find(&gateway, signature).await?;
            let servers = now.stored.servers.values();
            let theirs = servers
                .filter(|server| has(server, signature) != wanted.contains(&server.id))
                .map(|server| (server.name.clone(), has(server, signature)))
                .collect();
            let mut template = ToolPage::of(at, &now, Some(&wanted), &BTreeMap::new());
            template.theirs = Some(theirs);
            page(StatusCode::CONFLICT, &template)
        }
        Err(MappingError::Failed(error)) => Err(failed(error)),
    }
}

/// What stands behind a form that was right and was not saved.
pub(super) fn failed(error: crate::flows::apply::ApplyError) -> Problem {
    match connecting::configuration::refused(error) {
        Ok(wrong) => crate::flows::Refusal::NotInOrder(wrong.message).into(),
        Err(refusal) => refusal.into(),
    }
}
