//! `getToolOutputDefinitions` and `getToolOutput` (protocol 9): what a tool can say of a learner, and what
//! the external server says. Reading changes nothing that is stored.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::admission::lams_login;
use super::contents::about_content;
use super::{Gateway, Refusal, contents, session};
use crate::domain::content::{Content, ContentKey, Place};
use crate::domain::id::ExtId;
use crate::domain::launch_record::About;
use crate::domain::person::Person;
use crate::domain::server::Server;
use crate::domain::session::SessionKey;
use crate::domain::tool::{Choice, Output, OutputKind, OutputValue, Tool};
use crate::outbound::{Asked, OutboundError, Page};

/// So many values are asked for at once, in one list.
const AT_ONCE: usize = 4;
/// The longest name of an output, in characters.
const LONGEST_NAME: usize = 255;

/// An output that content has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether its value is a number, or true or false for each option.
    pub options: Option<Vec<OptionOutput>>,
}

/// One option of content, whose value is whether it was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionOutput {
    /// The name that its value is asked for by.
    pub name: String,
    /// What people read.
    pub text: String,
}

/// An output with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedValue {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: OutputValue,
}

/// The outputs that content has. One with options has none where the content has none, or does not exist
/// outside yet.
pub async fn definitions(gateway: &Gateway, key: &ContentKey) -> Result<Vec<Column>, Refusal> {
    let content = contents::get(gateway, key).await?;
    let configuration = gateway.configuration();
    let tool = configuration
        .tool(key.signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let asks = |output: &Output| matches!(output.kind, OutputKind::Options { .. });
    if content.ext_id.is_none() || !tool.outputs.iter().any(asks) {
        // Nothing is asked of the server, so that it does not matter whether it can be used.
        let numbers = tool.outputs.iter().filter(|output| !asks(output));
        let column = |output: &Output| Column {
            name: output.name.clone(),
            options: None,
        };
        return Ok(numbers.map(column).collect());
    }
    Ok(reading(gateway, content)?.columns(gateway).await?)
}

/// What one learner's outputs in a session are read with.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub(super) tool: Arc<Tool>,
    pub(super) server: Arc<Server>,
    /// Where the content lives.
    pub(super) place: Place,
    /// The content's id there.
    pub(super) content: Option<ExtId>,
    /// What is asked is written down as being about this, where it is written down.
    pub(super) about: Option<About>,
}

/// One learner in a session, to be asked about.
pub(super) struct Learner<'a> {
    reading: &'a Reading,
    /// Where the content lives, in the learner's name.
    place: Place,
    /// The session's id there.
    session: ExtId,
}

/// The outputs of a learner in a session: the named one, or all.
pub async fn values(
    gateway: &Gateway,
    key: &SessionKey,
    user: &str,
    name: Option<&str>,
) -> Result<Vec<NamedValue>, Refusal> {
    let person = learner(user)?;
    if name.is_some_and(|name| name.is_empty() || name.chars().count() > LONGEST_NAME) {
        return Err(Refusal::OutputName(LONGEST_NAME));
    }
    let (reading, session) = reading_of_session(gateway, key).await?;
    let learner = reading.learner(&person, session);
    let names = match name {
        Some(name) => vec![name.to_owned()],
        None => {
            let columns = reading.columns(gateway).await?;
            columns.into_iter().flat_map(Column::names).collect()
        }
    };
    Ok(learner.values(gateway, names).await?)
}

/// A learner as the API names one.
pub(super) fn learner(user: &str) -> Result<Person, Refusal> {
    if user.trim().is_empty() {
        return Err(Refusal::Login("user"));
    }
    lams_login("user", user)
}

/// What it takes to ask about the learners of a session, and the session's id on its server.
pub(super) async fn reading_of_session(
    gateway: &Gateway,
    key: &SessionKey,
) -> Result<(Reading, ExtId), Refusal> {
    let session = session::get(gateway, key).await?;
    let content = gateway.store.content(&session.content_key()).await?;
    let mut reading = reading(gateway, content.ok_or(Refusal::UnknownContent)?)?;
    if let Some(about) = &mut reading.about {
        about.session = Some(key.id.get());
    }
    Ok((reading, session.ext_id))
}

/// What it takes to ask about content's learners.
pub(super) fn reading(gateway: &Gateway, content: Content) -> Result<Reading, Refusal> {
    let (configuration, signature) = (gateway.configuration(), &content.key.signature);
    let tool = configuration
        .tool(signature.as_str())
        .ok_or(Refusal::UnknownTool)?;
    let server = configuration.usable_server(content.place.server.as_str(), signature)?;
    Ok(Reading {
        tool: tool.clone(),
        server: server.clone(),
        about: Some(about_content(&content.key)),
        place: content.place,
        content: content.ext_id,
    })
}

impl Reading {
    /// The place, in a learner's name.
    pub(super) fn place_of(&self, person: &Person) -> Place {
        Place {
            user: person.external_login(&self.server).to_owned(),
            ..self.place.clone()
        }
    }

    /// The adapter page, called in the name of a place's user.
    pub(super) fn page<'a>(&'a self, place: &'a Place) -> Page<'a> {
        Page {
            tool: &self.tool,
            server: &self.server,
            place,
            about: self.about.as_ref(),
        }
    }

    /// One learner in a session of this id on the server.
    pub(super) fn learner(&self, person: &Person, session: ExtId) -> Learner<'_> {
        Learner {
            place: self.place_of(person),
            reading: self,
            session,
        }
    }

    /// The outputs that there are: one with options only where the content has some.
    pub(super) async fn columns(&self, gateway: &Gateway) -> Result<Vec<Column>, OutboundError> {
        let mut columns = Vec::new();
        for output in &self.tool.outputs {
            let options = match (&output.kind, &self.content) {
                (OutputKind::Long, _) => None,
                (OutputKind::Options { .. }, None) => continue,
                (OutputKind::Options { method, .. }, Some(content)) => {
                    let choices = gateway
                        .outbound()
                        .choices(self.page(&self.place), content, method)
                        .await?;
                    if choices.is_empty() {
                        continue;
                    }
                    let option = |choice: Choice| OptionOutput {
                        name: output.of_option(choice.id),
                        text: choice.text,
                    };
                    Some(choices.into_iter().map(option).collect())
                }
            };
            columns.push(Column {
                name: output.name.clone(),
                options,
            });
        }
        Ok(columns)
    }
}

impl Learner<'_> {
    /// Several outputs, a few at once; all of them or none.
    pub(super) async fn values(
        &self,
        gateway: &Gateway,
        names: Vec<String>,
    ) -> Result<Vec<NamedValue>, OutboundError> {
        stream::iter(names)
            .map(|name| async move {
                let value = self.value(gateway, &name).await?;
                Ok(NamedValue { name, value })
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// One output. A name that the tool does not declare is handed on, as LAMS does: older designs have
    /// such.
    async fn value(&self, gateway: &Gateway, name: &str) -> Result<OutputValue, OutboundError> {
        let tool = &self.reading.tool;
        let (own, option) = Output::option_of(name);
        let declared = tool.outputs.iter().find(|output| output.name == own);
        let (name, option) = match declared.map(|output| &output.kind) {
            Some(OutputKind::Options { parameters, .. }) => match option {
                Some(option) => (own, Some((parameters, option))),
                // No option is chosen by none.
                None => return Ok(OutputValue::Boolean(false)),
            },
            _ => (name, None),
        };
        let asked = Asked {
            session: &self.session,
            name,
            option,
        };
        gateway
            .outbound()
            .output(self.reading.page(&self.place), asked)
            .await
    }
}

impl Column {
    /// The names that its values are asked for by.
    pub(super) fn names(self) -> Vec<String> {
        match self.options {
            None => vec![self.name],
            Some(options) => options.into_iter().map(|option| option.name).collect(),
        }
    }
}
