//! What can be read of a learner in a session, for branching, gates and marks (protocol 9): whole
//! numbers, and, for a tool whose content has options to choose from, for each option whether it was chosen.

use super::{Address, Method};

/// One output of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name, as designs and adapter pages know it.
    pub name: String,
    /// What its value is.
    pub kind: OutputKind,
}

/// What the value of an output is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputKind {
    /// A whole number, from 0.
    Long,
    /// For each option of the content, whether the learner chose it.
    Options {
        /// The method that lists the content's options.
        method: Method,
        /// The parameters that name an option in the call that asks for its value.
        parameters: Address,
    },
}

/// The value of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum OutputValue {
    /// A whole number.
    Long(i64),
    /// Whether an option was chosen.
    Boolean(bool),
}

/// What stands between the name of an output and the id of an option.
const OPTION: char = '#';

impl Output {
    /// The name of one option's value.
    pub fn of_option(&self, option: i64) -> String {
        format!("{}{OPTION}{option}", self.name)
    }

    /// The option that a name asks for, beside the output's own name; nothing where it names none.
    pub fn option_of(name: &str) -> (&str, Option<&str>) {
        match name.split_once(OPTION) {
            Some((own, option)) => (own, Some(option).filter(|option| !option.is_empty())),
            None => (name, None),
        }
    }
}

impl OutputValue {
    /// Reads a whole number: the first line of an answer.
    pub fn long(answer: &[u8]) -> Option<Self> {
        let line = first_line(answer)?;
        let digits = line.strip_prefix('-').unwrap_or(line);
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = line.parse().ok().filter(|_| plain)?;
        Some(OutputValue::Long(number))
    }

    /// Reads whether an option was chosen: `true` or `false` in any case. Nothing is how PHP writes false.
    pub fn boolean(answer: &[u8]) -> Option<Self> {
        match first_line(answer)?.to_ascii_lowercase().as_str() {
            "true" => Some(OutputValue::Boolean(true)),
            "false" | "" => Some(OutputValue::Boolean(false)),
            _ => None,
        }
    }
}

/// The first line of an answer, without blanks around it.
pub fn first_line(answer: &[u8]) -> Option<&str> {
    let line = answer.split(|b| *b == b'\n').next().unwrap_or_default();
    std::str::from_utf8(line.trim_ascii()).ok()
}

/// One option of content that has options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id on the server.
    pub id: i64,
    /// What people read.
    pub text: String,
}

/// An answer that lists no options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no list of options")]
pub struct NoChoices;

/// A list of options has at most so many tags: 500 options have two each, and there is something around them.
const MOST_TAGS: usize = 1_100;
/// So often at most may namespaces be named in it.
const MOST_NAMESPACES: usize = 64;

/// Whether a document is read in no time. An element that declares a namespace is given all of those around it, one by
/// one and each looked for among the others, so that a few thousand within each other take half a minute.
fn is_simple(text: &str) -> bool {
    text.matches('<').count() <= MOST_TAGS && text.matches("xmlns").count() <= MOST_NAMESPACES
}

/// Reads the options of content: in any XML document, every element `choice` with the attributes `option`
/// and `optionID` (protocol 5.3). A document type is refused, and with it every entity; so is what is too intricate.
pub fn read_choices(answer: &[u8]) -> Result<Vec<Choice>, NoChoices> {
    let text = std::str::from_utf8(answer).map_err(|_| NoChoices)?;
    if !is_simple(text) {
        return Err(NoChoices);
    }
    let document = roxmltree::Document::parse(text.trim()).map_err(|_| NoChoices)?;
    document
        .descendants()
        .filter(|node| node.has_tag_name("choice"))
        .map(|node| {
            let id = node
                .attribute("optionID")
                .and_then(|id| id.trim().parse().ok());
            let text = node.attribute("option");
            Some(Choice {
                id: id?,
                text: text?.to_owned(),
            })
        })
        .collect::<Option<_>>()
        .ok_or(NoChoices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_read_from_the_first_line_and_nothing_else_is() {
        for (answer, number) in [("7", 7), (" 85 \r\nmore", 85), ("0", 0), ("-1", -1)] {
            assert_eq!(
                OutputValue::long(answer.as_bytes()),
                Some(OutputValue::Long(number))
            );
        }
        for wrong in [
            "",
            "+5",
            "7.5",
            "1e3",
            "<html>",
            "\n7",
            "9223372036854775808",
            "-",
        ] {
            assert_eq!(OutputValue::long(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_boolean_is_true_false_or_nothing() {
        for (answer, chosen) in [
            ("true", true),
            ("TRUE\n", true),
            ("false", false),
            ("", false),
        ] {
            let read = OutputValue::boolean(answer.as_bytes());
            assert_eq!(read, Some(OutputValue::Boolean(chosen)), "{answer:?}");
        }
        assert_eq!(OutputValue::boolean(b"<html>true"), None);
    }

    #[test]
    fn options_are_read_from_any_document_and_entities_are_refused() {
        let choices = read_choices(
            "<choices><choice option=\"Tea &amp; milk\" optionID=\"17\"/><a><choice option=\"é\" optionID=\"18\"/></a></choices>"
                .as_bytes(),
        );
        let expected = [(17, "Tea & milk"), (18, "é")];
        let expected = expected.map(|(id, text)| Choice {
            id,
            text: text.to_owned(),
        });
        assert_eq!(choices, Ok(expected.to_vec()));
        assert_eq!(read_choices(b"<choices/>"), Ok(Vec::new()));
        for wrong in [
            "",
            "<html>",
            "<c><choice option=\"a\"/></c>",
            "<c><choice option=\"a\" optionID=\"x\"/></c>",
            "<!DOCTYPE c [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><c><choice option=\"&e;\" optionID=\"1\"/></c>",
        ] {
            assert_eq!(read_choices(wrong.as_bytes()), Err(NoChoices), "{wrong}");
        }
    }

    #[test]
    fn the_longest_list_is_read_and_what_is_too_intricate_is_refused() {
        let choice = r#"<choice option="xmlns" optionID="7"></choice>"#;
        let list = |choices: String| format!(r#"<?xml version="1.0"?><c xmlns="a">{choices}</c>"#);
        let read = |choices| read_choices(list(choices).as_bytes()).map(|read| read.len());
        assert_eq!(read(choice.replace("xmlns", "a").repeat(500)), Ok(500));
        assert_eq!(read(choice.repeat(63)), Ok(63));
        assert_eq!(read(choice.repeat(64)), Err(NoChoices));
        assert_eq!(read("<a/>".repeat(MOST_TAGS)), Err(NoChoices));
        let opened: String = (0..100).map(|n| format!(r#"<a xmlns:b{n}="">"#)).collect();
        assert_eq!(read(opened + &"</a>".repeat(100)), Err(NoChoices));
    }

    #[test]
    fn a_name_says_which_option_it_asks_for() {
        assert_eq!(Output::option_of("a.b#17"), ("a.b", Some("17")));
        assert_eq!(Output::option_of("a.b#"), ("a.b", None));
        assert_eq!(Output::option_of("a.b"), ("a.b", None));
        let output = Output {
            name: "a.b".to_owned(),
            kind: OutputKind::Long,
        };
        assert_eq!(output.of_option(17), "a.b#17");
    }
}
