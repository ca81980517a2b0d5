//! The calls to the adapter page of an external server: the script there that clone, import, output and
//! delete are sent to (protocol 5). Each is sent once; LAMS sent it twice, and every clone left an orphan.

use super::excerpt::is_web_page;
use super::request::{Page, Reply};
use super::retry::Effect;
use super::spool::Spool;
use super::{Failure, Outbound, OutboundError};
use crate::domain::id::ExtId;
use crate::domain::tool::{
    Address, Choice, IdForm, Method, OutputValue, Tool, first_line, read_choices,
};

/// An id is read from at most so many bytes.
const LONGEST_ID: usize = 64;
/// A list of options is read from at most so many bytes: what reads it takes the longer for each attribute
/// the more there are.
const LONGEST_CHOICES: usize = 64 * 1024;
/// Content has at most so many options.
const MOST_CHOICES: usize = 500;

/// A value that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The session's id on the server.
    pub session: &'a ExtId,
    /// The output's name.
    pub name: &'a str,
    /// The option whose value is asked for, with the parameters that name it.
    pub option: Option<(&'a Address, &'a str)>,
}

impl Outbound {
    /// Asks a server for a copy of `source` at `place`, in the name of the place's user. Answers the
    /// copy's id. `source` is `0` for default content; `rid` is the same on every try of one call, for
    /// servers that can answer twice with one id. Protocol 5.2, `method=clone`.
    pub async fn clone_content(
        &self,
        page: Page<'_>,
        source: &str,
        rid: &str,
    ) -> Result<ExtId, OutboundError> {
        let parameters = [
            ("method", "clone"),
            ("extToolContentID", source),
            ("rid", rid),
        ];
        self.in_turn(page, "clone", Effect::Creates, |way| async move {
            let mut reply = page
                .get(&way, &parameters, None, self.patience(page.server))
                .await?;
            let copy = read_id(&page, &mut reply).await?;
            if copy.as_str() == source {
                return Err(Failure::SameId(copy.to_string()));
            }
            Ok(copy)
        })
        .await
    }

    /// Sends a server what one like it exported, and answers the id of what it made of it. Protocol 5.4,
    /// as well-formed `multipart/form-data`.
    pub async fn import(
        &self,
        page: Page<'_>,
        file: &Spool,
        rid: &str,
    ) -> Result<ExtId, OutboundError> {
        let parameters = [("method", "import"), ("rid", rid)];
        self.in_turn(page, "import", Effect::Creates, |way| async move {
            let file = ("upload_file", "ext_tool.txt", file);
            let mut reply = page
                .post(&way, &parameters, file, self.import_patience())
                .await?;
            read_id(&page, &mut reply).await
        })
        .await
    }

    /// Reads an output, in the name of the place's user. Protocol 5.2, `method=output`.
    pub async fn output(
        &self,
        page: Page<'_>,
        asked: Asked<'_>,
    ) -> Result<OutputValue, OutboundError> {
        let parameters = [
            ("method", "output"),
            ("extToolContentID", asked.session.as_str()),
            ("oname", asked.name),
        ];
        let read: fn(&[u8]) -> Option<OutputValue>;
        let expected;
        match asked.option {
            None => (expected, read) = ("whole number", OutputValue::long),
            Some(_) => (expected, read) = ("true or false", OutputValue::boolean),
        }
        self.in_turn(page, "output", Effect::Repeatable, |way| async move {
            let patience = self.patience(page.server);
            let mut reply = page.get(&way, &parameters, asked.option, patience).await?;
            let answer = reply.beginning().await?;
            read(&answer).ok_or_else(|| page.unexpected(reply.status(), expected, &answer))
        })
        .await
    }

    /// Lists the options of content. Protocol 5.2, `method=getoptions`.
    pub async fn choices(
        &self,
        page: Page<'_>,
        content: &ExtId,
        method: &Method,
    ) -> Result<Vec<Choice>, OutboundError> {
        let parameters = [
            ("method", method.as_str()),
            ("extToolContentID", content.as_str()),
        ];
        self.in_turn(
            page,
            method.as_str(),
            Effect::Repeatable,
            |way| async move {
                let mut reply = page
                    .get(&way, &parameters, None, self.patience(page.server))
                    .await?;
                let answer = reply.at_most(LONGEST_CHOICES).await?;
                read_choices(&answer)
                    .ok()
                    .filter(|choices| choices.len() <= MOST_CHOICES)
                    .ok_or_else(|| page.unexpected(reply.status(), "list of options", &answer))
            },
        )
        .await
    }

    /// Deletes what a clone or import made, where the tool's page has a method for it. What is not there
    /// any more is deleted.
    pub async fn delete(
        &self,
        page: Page<'_>,
        ext_id: &ExtId,
        method: &Method,
    ) -> Result<(), OutboundError> {
        let parameters = [
            ("method", method.as_str()),
            ("extToolContentID", ext_id.as_str()),
        ];
        self.in_turn(
            page,
            method.as_str(),
            Effect::Repeatable,
            |way| async move {
                let outcome = page
                    .get(&way, &parameters, None, self.patience(page.server))
                    .await;
                match outcome {
                    Ok(mut reply) => {
                        let answer = reply.beginning().await?;
                        if denies(&answer) {
                            return Err(page.unexpected(
                                reply.status(),
                                "word of success",
                                &answer,
                            ));
                        }
                        Ok(())
                    }
                    Err(Failure::Status {
                        status: 404 | 410, ..
                    }) => Ok(()),
                    Err(failure) => Err(failure),
                }
            },
        )
        .await
    }
}

async fn read_id(page: &Page<'_>, reply: &mut Reply) -> Result<ExtId, Failure> {
    let answer = reply.beginning().await?;
    match id_of(page.tool, &answer) {
        Some(id) => Ok(id),
        None if may_hold_an_id(page.tool, &answer) => Err(page.garbled(&answer)),
        None => Err(page.unexpected(reply.status(), "id", &answer)),
    }
}

/// Reads the first line of an answer as an id of the tool's form.
fn id_of(tool: &Tool, answer: &[u8]) -> Option<ExtId> {
    let text = first_line(answer).filter(|text| text.len() <= LONGEST_ID)?;
    tool.id_form.parse(text).ok()
}

/// Whether an answer that is no id may hold one all the same: beside a byte order mark, below a notice of
/// the page's language. Then something may have been made.
fn may_hold_an_id(tool: &Tool, answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let mut lines = text.lines().map(|line| {
        line.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
    });
    tool.id_form == IdForm::Number && lines.any(|line| tool.id_form.parse(line).is_ok())
}

/// Whether an answer to a call that deletes says that nothing was deleted, or is a page for people.
fn denies(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).trim().to_ascii_lowercase();
    ["0", "-1", "false"].contains(&text.as_str()) || is_web_page(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tool::builtin_tools;

    #[test]
    fn what_was_not_deleted_is_not_taken_as_deleted() {
        for done in ["", "ok", "1", "true"] {
            assert!(!denies(done.as_bytes()), "{done:?}");
        }
        for not in ["0", "-1\n", "False", " <!DOCTYPE html><title>Log in"] {
            assert!(denies(not.as_bytes()), "{not:?}");
        }
    }

    #[test]
    fn an_id_is_a_positive_number_alone_on_the_first_line() {
        let tool = builtin_tools().next().unwrap();
        assert_eq!(id_of(&tool, b"57").unwrap().as_str(), "57");
        assert_eq!(id_of(&tool, b"57\r\nmore").unwrap().as_str(), "57");
        for wrong in ["", "0", "-1", "+5", "<html>", "57 58", "\n57"] {
            assert!(id_of(&tool, wrong.as_bytes()).is_none(), "{wrong:?}");
        }
        for garbled in ["\u{feff}57", "<br />\n<b>Notice</b>: x\n57", "\n57"] {
            assert!(id_of(&tool, garbled.as_bytes()).is_none(), "{garbled:?}");
            assert!(may_hold_an_id(&tool, garbled.as_bytes()), "{garbled:?}");
        }
        for nothing in ["", "0", "-1", "<html>\n<p>57 people</p>", "57 58"] {
            assert!(!may_hold_an_id(&tool, nothing.as_bytes()), "{nothing:?}");
        }
    }
}
