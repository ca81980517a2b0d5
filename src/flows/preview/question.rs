//! What somebody asks a preview, as it was typed, and which part of it cannot be answered.

use crate::domain::configuration::Configuration;
use crate::domain::id::{ExtId, PlatformId, ToolContentId, ToolSessionId};
use crate::domain::tool::Tool;
use crate::flows::Refusal;
use crate::flows::connecting::platforms::example_csv;

/// What somebody asks about; texts as they were typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// `customCSV` of the launch.
    pub custom_csv: String,
    /// `extLmsId` of the launch, which counts where customCSV names no server; or empty.
    pub server: String,
    /// The platform's id.
    pub platform: String,
    /// `uid` of the launch: a LAMS login; or empty.
    pub login: String,
    /// `toolContentID`.
    pub content: String,
    /// The content's id on the server.
    pub ext_content: String,
    /// `toolSessionID`.
    pub session: String,
    /// The session's id on the server.
    pub ext_session: String,
    /// Whether the person has finished the session.
    pub finished: bool,
}

impl Question {
    /// One to begin with: a server that has the tool, made-up names and numbers.
    pub fn example(configuration: &Configuration, tool: &Tool) -> Self {
        let mut servers = configuration.servers_of(&tool.signature);
        let server = servers
            .find(|server| server.enabled)
            .or_else(|| configuration.servers().next());
        let platform = configuration.platforms().map(|platform| &platform.id).min();
        let prefix = server.and_then(|server| server.prefix.as_deref());
        Self {
            custom_csv: server.map_or(String::new(), |server| example_csv(server, tool)),
            server: server.map_or(String::new(), |server| server.id.to_string()),
            platform: platform.map_or(String::new(), PlatformId::to_string),
            login: format!("{}_bill", prefix.unwrap_or("mdl")),
            content: "1".to_owned(),
            ext_content: "555".to_owned(),
            session: "2".to_owned(),
            ext_session: "556".to_owned(),
            finished: false,
        }
    }
}

/// Why a question cannot be answered.
#[derive(Debug)]
pub struct Refused {
    /// Which part of the question it is about.
    pub part: QuestionPart,
    /// Why.
    pub why: Refusal,
}

/// A part of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields of a question, where they are described"
)]
pub enum QuestionPart {
    CustomCsv,
    Server,
    Platform,
    Login,
    Content,
    ExtContent,
    Session,
    ExtSession,
}

impl QuestionPart {
    pub(super) fn refused<E: Into<Refusal>>(self) -> impl Fn(E) -> Refused {
        move |why| Refused {
            part: self,
            why: why.into(),
        }
    }
}

/// The ids of a question, read as launches and callbacks read them.
pub(super) struct Ids {
    pub(super) content: ToolContentId,
    pub(super) ext_content: ExtId,
    pub(super) session: ToolSessionId,
    pub(super) ext_session: ExtId,
}

impl Ids {
    pub(super) fn read(question: &Question, tool: &Tool) -> Result<Self, Refused> {
        use QuestionPart::{Content, ExtContent, ExtSession, Session};
        let form = tool.id_form;
        let (ext_content, ext_session) = (question.ext_content.trim(), question.ext_session.trim());
        Ok(Self {
            content: question.content.parse().map_err(Content.refused())?,
            ext_content: form.parse(ext_content).map_err(ExtContent.refused())?,
            session: question.session.parse().map_err(Session.refused())?,
            ext_session: form.parse(ext_session).map_err(ExtSession.refused())?,
        })
    }
}
