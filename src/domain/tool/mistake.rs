//! Where in the text of a definition a mistake is, for people who write one.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::definition::Written;
use super::{DefinitionError, Tool};

/// The longest title of a tool, in characters.
const LONGEST_TITLE: usize = 100;

/// A mistake in a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Mistake {
    /// The bytes of the text that it is about; nothing where it is about all of it.
    pub at: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
}

impl Tool {
    /// Reads a definition as [`Tool::from_toml`] does, and says of a mistake where it is.
    pub fn read(text: &str) -> Result<Self, Mistake> {
        let written: Written = toml::from_str(text).map_err(|error| {
            // What is missing of the whole is nowhere.
            let all = |at: &Range<usize>| {
                let about = text.get(at.clone()).unwrap_or_default();
                at.start == 0 && (about.is_empty() || about.contains('\n'))
            };
            Mistake {
                at: error.span().filter(|at| !all(at)),
                message: error.message().to_owned(),
            }
        })?;
        let tool = Tool::try_from(written).map_err(|error| Mistake {
            at: place_of(text, &error),
            message: error.to_string(),
        })?;
        tool.check_title().map_err(|message| Mistake {
            at: find(text, &[Key("title")]),
            message,
        })?;
        Ok(tool)
    }

    /// Whether its title is one that lists can show. What is stored already may have another.
    pub fn check_title(&self) -> Result<(), String> {
        let title = self.title.as_str();
        if (1..=LONGEST_TITLE).contains(&title.chars().count())
            && title.trim() == title
            && !title.chars().any(char::is_control)
        {
            return Ok(());
        }
        Err(format!(
            "a title is 1 to {LONGEST_TITLE} characters, without blanks around it"
        ))
    }
}

/// Where the signature stands in a definition, with its quotation marks.
pub fn place_of_signature(text: &str) -> Option<Range<usize>> {
    find(text, &[Step::Key("signature")])
}

/// One step on the way to a value.
#[derive(Debug, Clone, Copy)]
enum Step {
    Key(&'static str),
    Index(usize),
}

use Step::{Index, Key};

fn place_of(text: &str, error: &DefinitionError) -> Option<Range<usize>> {
    let (steps, about) = match error {
        DefinitionError::Form(_) | DefinitionError::Config(_) => return None,
        DefinitionError::Address(name, error) => (vec![Key("addresses"), Key(name)], error.about()),
        DefinitionError::Parameters(place, error) => {
            (place.split('.').map(Key).collect(), error.about())
        }
        DefinitionError::OptionParameters(i, error) => {
            let keys = [Key("options"), Key("parameters")];
            (
                [&[Key("outputs"), Index(*i)], &keys[..]].concat(),
                error.about(),
            )
        }
        DefinitionError::Output(i, _) => (vec![Key("outputs"), Index(*i), Key("name")], None),
        DefinitionError::Item(i, _) => (vec![Key("config"), Index(*i), Key("name")], None),
        DefinitionError::AdapterPage => (vec![Key("adapter_page"), Key("address")], None),
        DefinitionError::CustomCsv(what) => {
            let name = what.split(':').next().unwrap_or_default();
            (vec![Key("custom_csv"), Key(name)], None)
        }
    };
    let at = find(text, &steps)?;
    // The very place in braces, where it stands in the text as it is in the value.
    let narrower = about.and_then(|about| {
        let start = at.start + text.get(at.clone())?.find(&about)?;
        Some(start..start + about.len())
    });
    Some(narrower.unwrap_or(at))
}

fn find(text: &str, steps: &[Step]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let (Key(first), rest) = steps.split_first()? else {
        return None;
    };
    let mut value = table.get_ref().get(*first)?;
    for step in rest {
        value = match (step, value.get_ref()) {
            (Key(name), DeValue::Table(table)) => table.get(*name)?,
            (Index(i), DeValue::Array(array)) => array.get(*i)?,
            _ => return None,
        };
    }
    Some(value.span())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tool::builtin_definition;

    /// What a changed definition's mistake is about, in its own text.
    fn about(from: &str, to: &str) -> String {
        let text = builtin_definition("mdchce10").unwrap();
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        let mistake = Tool::read(&text).unwrap_err();
        mistake.at.map_or(String::new(), |at| text[at].to_owned())
    }

    #[test]
    fn a_mistake_is_found_where_it_is() {
        assert_eq!(about("title =", "titel ="), "titel");
        assert_eq!(about("\"number\"", "7"), "7");
        assert_eq!(about("\"Moodle Choice\"", "\" \""), "\" \"");
        assert_eq!(about("\"mdchce10\"", "\"../x\""), "\"../x\"");
        assert_eq!(about("{return_url}", "{retrun_url}"), "{retrun_url");
        assert_eq!(about("{return_url}", "{update_url}"), "{update_url");
        assert_eq!(about("|twice", "|thrice"), "|thrice");
        assert_eq!(
            about("un={user}", "un={server}"),
            "\"un={server}&cs={course}&section={section}\""
        );
        assert_eq!(about("{option}", "{session}"), "{session");
        assert_eq!(about("\"learner.choice.output\"", "\"a b\""), "\"a b\"");
        assert_eq!(
            about("\"mod/lams", "\"ftp://x/"),
            "\"ftp://x/two/tooladapter_choice.php\""
        );
        assert_eq!(
            about("[\"user\", \"course\", \"section\"]", "[\"user\"]"),
            "[\"user\"]"
        );
        assert_eq!(
            about("\"Moodle Choice\"", "\"Moodle\\u0007\""),
            "\"Moodle\\u0007\""
        );
        // What is missing is nowhere.
        assert_eq!(about("title = \"Moodle Choice\"", ""), "");
    }

    #[test]
    fn the_signature_is_found() {
        let text = "# signature = \"no\"\nsignature   = 'mine' # yes\n";
        assert_eq!(&text[place_of_signature(text).unwrap()], "'mine'");
        assert_eq!(place_of_signature("title = 'x'"), None);
        assert_eq!(place_of_signature("signature = ["), None);
    }

    #[test]
    fn hostile_texts_are_mistakes_and_no_more() {
        let deep = format!("signature = {}1{}", "[".repeat(4000), "]".repeat(4000));
        let tables = format!("[{}a]\n", "a.".repeat(4000));
        for text in [
            deep.as_str(),
            &tables,
            "\u{0}",
            "signature = 1",
            "",
            "[[tools]]",
            "a = {",
        ] {
            assert!(Tool::read(text).is_err());
        }
    }
}
