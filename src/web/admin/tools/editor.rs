//! Tools of one's own: the editor of their definitions, with the mistake at its line, and a preview of what is
//! not saved yet.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

use super::boxes::failed;
use super::delete::own;
use super::outcome::{Outcome, OutcomePart};
use super::preview::{QuestionForm, question_of};
use super::{page_of, signature_of};
use crate::domain::query::Query;
use crate::domain::tool::{Tool, builtin_definition};
use crate::flows::apply::MadeFrom;
use crate::flows::connecting::tools::{self, DefinitionRefused, Misplaced};
use crate::flows::preview::{Question, preview};
use crate::flows::{Gateway, Refusal};
use crate::web::admin::forms::Fields;
use crate::web::admin::frame::{Frame, page, status_if};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::see_other;
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// A mistake, with the lines around it.
struct Mistake {
    line: Option<usize>,
    message: String,
    /// Number and text of each.
    lines: Vec<(usize, String)>,
    /// What stands below the wrong line: blanks, then carets.
    caret: Option<String>,
}

impl Mistake {
    fn of(text: &str, mistake: &Misplaced) -> Self {
        let near = |number: usize| mistake.line.is_some_and(|line| number.abs_diff(line) <= 1);
        let numbered = (1..).zip(text.lines());
        let lines = numbered.filter(|(number, _)| near(*number));
        let caret = mistake.columns.as_ref().map(|columns| {
            let blanks = " ".repeat(columns.start);
            format!("{blanks}{}", "^".repeat(columns.len()))
        });
        Self {
            line: mistake.line,
            message: told(&mistake.message),
            lines: lines
                .map(|(number, line)| (number, line.to_owned()))
                .collect(),
            caret,
        }
    }
}

/// A mistake as a sentence; a key of the definition that it begins with keeps its case.
fn told(message: &str) -> String {
    let first = message.split(' ').next().unwrap_or_default();
    if first.contains(['.', '_']) {
        format!("{message}.")
    } else {
        sentence(message)
    }
}

impl Mistake {
    fn is_at(&self, number: &usize) -> bool {
        self.line.as_ref() == Some(number)
    }
}

/// What stands in the editor.
struct Typed {
    /// The signature of the tool that is edited; nothing where one is made.
    edited: Option<String>,
    made_from: MadeFrom,
    definition: String,
}

impl Typed {
    fn read(fields: &Fields) -> Self {
        let edited = fields.get("signature");
        Self {
            edited: (!edited.is_empty()).then(|| edited.to_owned()),
            made_from: MadeFrom::from_form(fields.get("made_from")),
            definition: as_lines(fields.get("definition")),
        }
    }
}

/// Browsers end the lines of a text with CR LF, files may begin with a byte order mark.
fn as_lines(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.replace("\r\n", "\n")
}

#[derive(Template)]
#[template(path = "admin/tool_editor.html")]
struct EditorPage<'a> {
    frame: Frame<'a>,
    typed: Typed,
    mistake: Option<Mistake>,
    /// What is stored now, where somebody else changed it.
    theirs: Option<String>,
    longest: usize,
    form: QuestionForm,
    outcome: Option<Outcome>,
}

impl<'a> EditorPage<'a> {
    /// The editor; with an answer to what was asked, or to an example where the definition is right.
    fn of(
        (gateway, who): (&'a Gateway, &'a SignedIn),
        typed: Typed,
        asked: Option<Question>,
        refused: Option<&Misplaced>,
    ) -> Self {
        let read = tools::read(&typed.definition);
        let mistake = refused.or(read.as_ref().err());
        let mistake = mistake.map(|mistake| Mistake::of(&typed.definition, mistake));
        let (form, outcome) = answered(gateway, read.ok().as_ref(), asked);
        Self {
            frame: Frame::of(gateway, who, "tools"),
            typed,
            mistake,
            theirs: None,
            longest: tools::LONGEST,
            form,
            outcome,
        }
    }
}

fn answered(
    gateway: &Gateway,
    tool: Option<&Tool>,
    asked: Option<Question>,
) -> (QuestionForm, Option<Outcome>) {
    let configuration = gateway.configuration();
    let mut tools = configuration.tools();
    let Some(like) = tool.or_else(|| tools.next().map(AsRef::as_ref)) else {
        let asked = asked.unwrap_or_else(|| question_of(|_| ""));
        return (QuestionForm::of(&configuration, &asked, None), None);
    };
    let question = asked.unwrap_or_else(|| Question::example(&configuration, like));
    let Some(tool) = tool else {
        return (QuestionForm::of(&configuration, &question, None), None);
    };
    let answer = preview(gateway, &configuration, tool, &question, Utc::now());
    let form = QuestionForm::of(&configuration, &question, answer.refused.as_ref());
    let outcome = Outcome::of(&configuration, tool, &question, answer);
    (form, Some(outcome))
}

/// `GET /admin/tools/new[?like]`
pub(in crate::web::admin) async fn show_new(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let like = query.get("like").filter(|like| !like.is_empty());
    let typed = Typed {
        edited: None,
        made_from: MadeFrom::tool(None),
        definition: tools::like(&gateway, like.unwrap_or(FIRST)).await?,
    };
    page(
        StatusCode::OK,
        &EditorPage::of((&gateway, &who), typed, None, None),
    )
}

/// What a new tool is like where nobody says.
const FIRST: &str = "mdquiz10";

/// `GET /admin/tools/edit?signature`
pub(in crate::web::admin) async fn show_edit(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let found = own(&gateway, &signature_of(&request)).await?;
    let typed = Typed {
        edited: Some(found.tool.signature.to_string()),
        made_from: MadeFrom::tool(found.record.as_ref()),
        definition: found.definition,
    };
    page(
        StatusCode::OK,
        &EditorPage::of((&gateway, &who), typed, None, None),
    )
}

/// `POST /admin/tools/new`
pub(in crate::web::admin) async fn add(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let typed = Typed {
        edited: None,
        made_from: MadeFrom::tool(None),
        ..Typed::read(&posted.fields)
    };
    save(&gateway, &posted, typed).await
}

/// `POST /admin/tools/edit`
pub(in crate::web::admin) async fn change(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let typed = Typed::read(&posted.fields);
    own(&gateway, typed.edited.as_deref().unwrap_or_default()).await?;
    save(&gateway, &posted, typed).await
}

async fn save(
    gateway: &Gateway,
    posted: &Posted,
    mut typed: Typed,
) -> Result<HttpResponse, Problem> {
    let of = (typed.edited.as_deref(), &typed.made_from);
    let saved = tools::set(gateway, &posted.who.actor(), of, &typed.definition).await;
    let at = (gateway, &posted.who);
    let asked = Some(question_of(|name| posted.fields.get(name)));
    match saved {
        Ok(tool) => Ok(see_other(
            gateway,
            &page_of(tool.signature.as_str(), "saved"),
        )),
        Err(DefinitionRefused::Wrong(mistake)) => {
            let template = EditorPage::of(at, typed, asked, Some(&mistake));
            page(StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
        Err(DefinitionRefused::Newer) if typed.edited.is_none() => {
            let taken = tools::taken(&typed.definition);
            let template = EditorPage::of(at, typed, asked, Some(&taken));
            page(StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
        Err(DefinitionRefused::Newer) => {
            let now = own(gateway, typed.edited.as_deref().unwrap_or_default()).await?;
            typed.made_from = MadeFrom::tool(now.record.as_ref());
            let mut template = EditorPage::of(at, typed, asked, None);
            template.theirs = Some(now.definition);
            page(StatusCode::CONFLICT, &template)
        }
        Err(DefinitionRefused::Failed(error)) => Err(failed(error)),
    }
}

/// `POST /admin/tools/try[?part=outcome]`: what is not saved yet, tried. It stores nothing.
pub(in crate::web::admin) async fn try_out(
    request: HttpRequest,
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let typed = Typed::read(&posted.fields);
    let asked = question_of(|name| posted.fields.get(name));
    let template = EditorPage::of((&gateway, &posted.who), typed, Some(asked), None);
    let query = Query::parse(request.query_string());
    if query.get("part") == Some("outcome") {
        return match template.outcome {
            Some(outcome) => page(StatusCode::OK, &OutcomePart { outcome }),
            None => page(
                StatusCode::OK,
                &MistakePart {
                    mistake: template.mistake,
                },
            ),
        };
    }
    page(StatusCode::OK, &template)
}

/// A mistake alone, as a script puts it into a page.
#[derive(Template)]
#[template(path = "admin/definition_mistake_part.html")]
struct MistakePart {
    mistake: Option<Mistake>,
}

/// `POST /admin/tools/upload`: a file, into the editor. Nothing is stored before it is saved there.
pub(in crate::web::admin) async fn upload(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let definition = as_lines(&String::from_utf8_lossy(
        posted.fields.file("file").unwrap_or_default(),
    ));
    if definition.trim().is_empty() {
        return Err(Refusal::NotInOrder("the file is empty, or none was chosen".to_owned()).into());
    }
    let there = match tools::read(&definition) {
        Ok(tool) if builtin_definition(tool.signature.as_str()).is_none() => {
            match tools::find(&gateway, tool.signature.as_str()).await {
                Err(Refusal::NotConfigured(_)) => None,
                found => Some(found?),
            }
        }
        _ => None,
    };
    let record = there.and_then(|found| found.record);
    let typed = Typed {
        made_from: MadeFrom::tool(record.as_ref()),
        edited: record.map(|record| record.signature),
        definition,
    };
    let template = EditorPage::of((&gateway, &posted.who), typed, None, None);
    let status = status_if(template.mistake.is_some(), StatusCode::UNPROCESSABLE_ENTITY);
    page(status, &template)
}
