//! What a preview found, in words: the fields of customCSV, what keeps a launch from coming through, and each
//! address part by part.

use askama::Template;

use super::preview::field_of;
use crate::domain::configuration::Configuration;
use crate::domain::custom_csv::Reading;
use crate::domain::server::Server;
use crate::domain::tool::{Encoding, Part, Signed, Source, Tool, Value};
use crate::flows::Refusal;
use crate::flows::preview::{Preview, Question, QuestionPart, Refused, Remark, STATE};
use crate::web::words::sentence;

/// A field of customCSV.
pub(super) struct ReadField {
    /// Its number, from 1.
    number: usize,
    name: &'static str,
    /// As it was typed.
    raw: String,
    /// As it is read.
    value: String,
    /// What is wrong with it.
    wrong: Option<String>,
}

/// A part of an address.
pub(super) struct Explained {
    /// As it stands in the address.
    text: String,
    /// Its kind, for its colour.
    kind: &'static str,
    /// What it is.
    words: String,
    /// What it was before it was encoded, where that is another text.
    plain: Option<String>,
}

/// An address.
pub(super) struct ShownAddress {
    name: &'static str,
    title: &'static str,
    parts: Vec<Explained>,
}

/// All of it.
#[derive(Template)]
#[template(path = "admin/outcome.html")]
pub(super) struct Outcome {
    /// In one sentence, for those who do not see.
    summary: String,
    /// What is wrong, and with which field.
    refused: Option<(&'static str, String)>,
    fields: Vec<ReadField>,
    /// What of customCSV is not there.
    missing: Vec<&'static str>,
    is_older: bool,
    remarks: Vec<String>,
    addresses: Vec<ShownAddress>,
}

/// The outcome alone, as a script puts it into a page.
#[derive(Template)]
#[template(source = "{{ outcome|safe }}", ext = "html")]
pub(super) struct OutcomePart {
    pub(super) outcome: Outcome,
}

impl Outcome {
    pub(super) fn of(
        configuration: &Configuration,
        tool: &Tool,
        question: &Question,
        preview: Preview,
    ) -> Self {
        let refused = preview.refused.as_ref();
        let refused = refused.map(|refused| (field_of(refused.part), words_of(refused)));
        let server = preview.server;
        let addresses: Vec<ShownAddress> = preview
            .addresses
            .into_iter()
            .map(|address| ShownAddress {
                name: address.page.name(),
                title: title_of(address.page.name()),
                parts: explained(address.parts, tool, server.as_deref()),
            })
            .collect();
        let summary = match (&refused, &server) {
            (Some((_, words)), _) => format!("No launch comes through. {words}"),
            (None, Some(server)) => {
                format!("{} addresses on {}.", addresses.len(), server.name)
            }
            (None, None) => String::new(),
        };
        let reading = preview.reading;
        Self {
            summary,
            refused,
            missing: reading.missing.iter().map(|field| field.words()).collect(),
            is_older: reading.is_older,
            fields: fields_of(reading),
            remarks: preview
                .remarks
                .iter()
                .map(|remark| words_of_remark(remark, configuration, question))
                .collect(),
            addresses,
        }
    }
}

fn fields_of(reading: Reading) -> Vec<ReadField> {
    let mistake = reading.mistake;
    let fields = reading.fields.into_iter().zip(reading.raw).enumerate();
    let shown = fields.map(|(i, ((field, value), raw))| ReadField {
        number: i + 1,
        name: field.map_or("one too many", |field| field.words()),
        raw,
        value,
        wrong: match field {
            Some(field) => mistake
                .as_ref()
                .filter(|mistake| mistake.is_about(field))
                .map(|mistake| sentence(&mistake.to_string())),
            None => Some("This tool has no such field.".to_owned()),
        },
    });
    shown.collect()
}

/// Why a question cannot be answered, as a sentence or two.
pub(super) fn words_of(refused: &Refused) -> String {
    match (&refused.part, &refused.why) {
        (QuestionPart::Server, Refusal::Server(why)) => {
            format!("{} Choose one, or connect one.", sentence(&why.to_string()))
        }
        (QuestionPart::Platform, _) => "There is no such platform. Connect one first.".to_owned(),
        (_, Refusal::ExtId(why)) => sentence(&why.to_string()),
        (_, why) => sentence(&why.to_string()),
    }
}

fn words_of_remark(remark: &Remark, configuration: &Configuration, question: &Question) -> String {
    match remark {
        Remark::Refused(why) => {
            format!("A launch would be refused: {why}. These are the addresses if it were not so.")
        }
        Remark::OtherServer(name) => {
            let beside = configuration.server(&question.server);
            let beside = beside.map_or("the one beside it", |server| server.name.as_str());
            format!("customCSV names {name}, and a launch goes there, not to {beside}.")
        }
        Remark::OtherUser => {
            "customCSV names another user than the one who launches. An author would be \
                              refused; learners may differ from the author."
                .to_owned()
        }
        Remark::Remembered => {
            "The platform takes only the customCSV that a person’s login brought. New content \
                               comes through where that is the same as this."
                .to_owned()
        }
        Remark::Nobody => {
            "Nobody is named who launches, so pages of sessions are not signed. Only a platform \
                           without signed launches can do that."
                .to_owned()
        }
        Remark::NoKey => "The server has no key, so nothing is signed.".to_owned(),
        Remark::NotSigned => {
            "The server does not want signed redirects, so no signature is appended.".to_owned()
        }
    }
}

fn title_of(page: &str) -> &'static str {
    match page {
        "author_new" => "Author, new content",
        "author_saved" => "Author, saved content",
        "learner" => "Learner",
        "preview" => "Author’s preview",
        "teacher" => "Teacher",
        _ => "Monitor",
    }
}

fn explained(parts: Vec<Part>, tool: &Tool, server: Option<&Server>) -> Vec<Explained> {
    let signed = |which| {
        let found = |part: &&Part| part.source == Source::Signature(which);
        parts.iter().find(found).map_or("", |part| &part.plain)
    };
    let id = server.map_or("", |server| server.id.as_str());
    let hashed = format!(
        "{} + {} + {id} + the key",
        signed(Signed::Time),
        signed(Signed::Login)
    );
    let one = |part: &Part| Explained {
        kind: match &part.source {
            Source::Definition => "literal",
            Source::Value(..) => "value",
            Source::Signature(_) => "signature",
        },
        words: words_of_source(&part.source, tool, server, &hashed),
        plain: match &part.source {
            Source::Value(..) if part.plain != part.text => Some(part.plain.clone()),
            _ => None,
        },
        text: part.text.clone(),
    };
    parts.iter().map(one).collect()
}

fn words_of_source(source: &Source, tool: &Tool, server: Option<&Server>, hashed: &str) -> String {
    match source {
        Source::Definition => "The definition’s own text.".to_owned(),
        Source::Signature(Signed::Login) => {
            "Appended, since the server has signed redirects: who is sent. A LAMS \
                                             login loses the server’s prefix."
                .to_owned()
        }
        Source::Signature(Signed::Time) => {
            "Appended: when, in milliseconds since 1970. Here it is now.".to_owned()
        }
        Source::Signature(Signed::Hash) => format!(
            "Appended: the legacy signature, SHA-1 of {hashed}, each without blanks around it and in lower case, with nothing between \
             them. Masked: a preview signs nobody in."
        ),
        Source::Signature(Signed::Nonce) => {
            "Appended: a random number, so that the address is good once.".to_owned()
        }
        Source::Signature(Signed::Version) => {
            "Appended: that what follows is signature 2.".to_owned()
        }
        Source::Signature(Signed::Signature2) => {
            "Appended: HMAC-SHA-256 of method, server, path and all parameters, under the server’s key. Masked: a \
             preview signs nobody in."
                .to_owned()
        }
        Source::Value(value, encoding) => {
            let how = match encoding {
                Encoding::AsIs => ", as it is",
                Encoding::Once => "",
                Encoding::Twice => {
                    ". It is encoded twice, since the page there decodes once too often"
                }
                Encoding::Path => ". Its slashes stay",
            };
            format!("{}{how}.", words_of_value(value, tool, server))
        }
    }
}

fn words_of_value(value: &Value, tool: &Tool, server: Option<&Server>) -> String {
    let words = match value {
        Value::Server => {
            let name = server.map_or("the server", |server| server.name.as_str());
            return format!("The address of {name}");
        }
        Value::Config(name) => {
            let item = tool.config.iter().find(|item| item.name == *name);
            let label = item.map_or(name.as_str(), |item| item.label.as_str());
            return format!("A setting of the tool on the server: {label}");
        }
        Value::UpdateUrl => {
            return format!(
                "The callback address: the external page sends the author there with the new id. {STATE} stands \
                 for a token that only a launch gets, where the platform wants one"
            );
        }
        Value::ReturnUrl => {
            return format!(
                "The return address: the external page sends the person there at the end. {STATE} stands for a \
                 token that only a launch gets, where the platform wants one"
            );
        }
        Value::CourseUrl => "The course address of customCSV",
        Value::ToolContentId => "toolContentID: LAMS’s number of the content",
        Value::ToolSessionId => "toolSessionID: LAMS’s number of the session",
        Value::ExtToolContentId => "The content’s id on the server",
        Value::ExtSessionId => "The session’s id on the server",
        Value::User => "The user of customCSV",
        Value::Course => "The course of customCSV",
        Value::Section => "The section of customCSV",
        Value::IsFinished => "Whether the person has finished the session",
        Value::ExtLmsId => "The server’s id",
        Value::Option => "The id of an option",
    };
    words.to_owned()
}
