//! The journal: calls whose outcome nobody knows, those that failed, and what was left behind outside. A
//! person looks at the server and settles each; every act is a form, and is told to the audit by its flow.

mod entry;
mod left_behind;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

pub(super) use entry::{adopt, ask_to_adopt, ask_to_give_up, give_up, retry, show as show_entry};
pub(super) use left_behind::{
    delete as delete_left_behind, show as show_left_behind, strike as strike_left_behind,
};

use super::frame::{Frame, page, status_if};
use super::guard::SignedIn;
use crate::domain::configuration::Configuration;
use crate::domain::journal::{Entry, EntryState, Operation};
use crate::domain::query::Query;
use crate::flows::journal::{self, JournalError};
use crate::flows::{Gateway, Refusal};
use crate::store::LeftBehind;
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// An entry as it is shown.
struct Item {
    entry: Entry,
    tool: String,
    server: String,
}

impl Item {
    fn of(entry: Entry, configuration: &Configuration) -> Self {
        let (tool, server) = (entry.key.signature.as_str(), entry.server.as_str());
        Self {
            tool: tool_name(configuration, tool),
            server: server_name(configuration, server),
            entry,
        }
    }

    /// What the call makes, in words.
    fn what(&self) -> String {
        let made = match self.entry.key.operation {
            Operation::Session => "Session",
            Operation::Copy | Operation::Import => "Content",
        };
        format!("{made} {}", self.entry.key.local_id)
    }

    /// Of what it is made.
    fn source(&self) -> String {
        match (self.entry.key.operation, self.entry.payload.source.as_str()) {
            (Operation::Import, _) => "from a file".to_owned(),
            (_, "0") => "an empty activity".to_owned(),
            (_, source) => format!("a copy of {source}"),
        }
    }

    fn error(&self) -> Option<String> {
        self.entry.error.as_deref().map(sentence)
    }

    fn state(&self) -> &'static str {
        match self.entry.state {
            EntryState::Calling => "under way",
            EntryState::Unsettled => "unsettled",
            EntryState::Done => "done",
            EntryState::Failed => "failed or given up",
        }
    }

    fn verdict(&self) -> &'static str {
        match self.entry.state {
            EntryState::Calling => "skipped",
            EntryState::Unsettled => "warning",
            EntryState::Done => "ok",
            EntryState::Failed => "failed",
        }
    }

    fn is_unsettled(&self) -> bool {
        self.entry.state == EntryState::Unsettled
    }
}

/// What was left behind, as it is shown.
struct Left {
    left: LeftBehind,
    tool: String,
    server: String,
}

impl Left {
    fn of(left: LeftBehind, configuration: &Configuration) -> Self {
        Self {
            tool: tool_name(configuration, &left.signature),
            server: server_name(configuration, &left.server_id),
            left,
        }
    }
}

fn tool_name(configuration: &Configuration, signature: &str) -> String {
    let tool = configuration.tool(signature);
    tool.map_or_else(|| signature.to_owned(), |tool| tool.title.clone())
}

fn server_name(configuration: &Configuration, id: &str) -> String {
    let server = configuration.server(id);
    server.map_or_else(|| id.to_owned(), |server| server.name.clone())
}

#[derive(Template)]
#[template(path = "admin/journal.html")]
struct JournalPage<'a> {
    frame: Frame<'a>,
    /// Why what was asked was not done.
    wrong: Option<&'static str>,
    /// Whether it is the first page: what waits for a person is there.
    is_first: bool,
    open: Vec<Item>,
    left: Vec<Left>,
    /// How many more of either there are.
    beyond: (i64, i64),
    failed: Vec<Item>,
    older: Option<String>,
}

/// `GET /admin/journal`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let done = query.get("done").and_then(|done| match done {
        "given-up" => Some("Given up. The next call of LAMS for it is sent anew."),
        "deleted" => Some("Deleted on the server, and struck from the list."),
        "used-again" => Some(
            "It is used again, so it was not deleted on the server; it is struck from the list.",
        ),
        "struck" => Some("Struck from the list. What stands on the server was not touched."),
        _ => None,
    });
    let before = query.get("before").and_then(|place| place.parse().ok());
    let frame = Frame::of(&gateway, &who, "journal").done(done);
    list(&gateway, frame, before.as_ref(), None).await
}

async fn list(
    gateway: &Gateway,
    frame: Frame<'_>,
    before: Option<&crate::domain::audit::Place>,
    wrong: Option<&'static str>,
) -> Result<HttpResponse, Problem> {
    let configuration = gateway.configuration();
    let items = |entries: Vec<Entry>| -> Vec<Item> {
        let entries = entries.into_iter();
        entries
            .map(|entry| Item::of(entry, &configuration))
            .collect()
    };
    let is_first = before.is_none();
    let (open, left) = match is_first {
        true => (
            journal::list(gateway).await.map_err(problem)?,
            journal::left_behind(gateway).await.map_err(problem)?,
        ),
        false => Default::default(),
    };
    let beyond = match is_first {
        true => journal::beyond(gateway, &open, &left).await,
        false => Ok((0, 0)),
    };
    let failed = journal::failed(gateway, before).await.map_err(problem)?;
    let left = left.into_iter();
    let template = JournalPage {
        frame,
        wrong,
        is_first,
        open: items(open),
        beyond: beyond.map_err(problem)?,
        left: left.map(|left| Left::of(left, &configuration)).collect(),
        older: failed.older.as_ref().map(ToString::to_string),
        failed: items(failed.entries),
    };
    let status = status_if(wrong.is_some(), StatusCode::NOT_FOUND);
    page(status, &template)
}

/// Says that what somebody asked for is not in the list, and shows the list.
async fn not_there(gateway: &Gateway, who: &SignedIn) -> Result<HttpResponse, Problem> {
    let words =
        "Nothing was done: there is no such entry any more. Somebody else may have settled it.";
    let frame = Frame::of(gateway, who, "journal");
    list(gateway, frame, None, Some(words)).await
}

/// The id of an entry, as an address or a form has it; what cannot be one is that of none.
fn plain(id: &str) -> &str {
    let right = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if right { id } else { "" }
}

fn id_of(request: &HttpRequest) -> String {
    let query = Query::parse(request.query_string());
    plain(query.get("id").unwrap_or_default()).to_owned()
}

/// What stands in the way of one act, in words; what is about more than that is a problem.
fn words(error: JournalError) -> Result<String, Problem> {
    match error {
        JournalError::Store(error) | JournalError::Refused(Refusal::Store(error)) => {
            Err(Refusal::Store(error).into())
        }
        JournalError::NotUnsettled(_, state) => Ok(format!(
            "Nothing was done: it is {state} by now. Below stands how it is."
        )),
        JournalError::Refused(refusal) => Ok(format!(
            "It did not come about. {}",
            sentence(&refusal.to_string())
        )),
        error => Ok(sentence(&error.to_string())),
    }
}

fn problem(error: JournalError) -> Problem {
    match error {
        JournalError::Store(error) => Refusal::Store(error).into(),
        JournalError::Refused(refusal) => refusal.into(),
        error => Problem::Defect(error.to_string()),
    }
}
