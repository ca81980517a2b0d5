//! What a monitor sees of learners' results: their outputs, read from the external server while the page is
//! made. A page is never kept waiting for long: what does not come in time is shown as not known.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::Gateway;
use super::outputs::{Column, NamedValue, reading};
use crate::domain::content::Content;
use crate::domain::id::{ExtId, ToolSessionId};
use crate::domain::person::Person;
use crate::domain::tool::OutputValue;
use crate::outbound::OutboundError;

/// A page waits this long at most for all results.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many learners are asked about at once.
const AT_ONCE: usize = 4;

/// Somebody in a session: its number, its id on the server, the LAMS login.
pub(super) type Learner = (ToolSessionId, ExtId, String);

/// The results of an activity's learners.
#[derive(Debug, Default)]
pub struct Results {
    /// What each column shows.
    pub titles: Vec<String>,
    /// Why some are not known.
    pub problem: Option<String>,
    cells: HashMap<(ToolSessionId, String), Vec<String>>,
}

impl Results {
    /// What the columns show of somebody, if it is known.
    pub fn of(&self, session: &ToolSessionId, name: &str) -> Option<&Vec<String>> {
        self.cells.get(&(*session, name.to_owned()))
    }

    /// Reads what the server says of these learners.
    pub(super) async fn read(gateway: &Gateway, content: &Content, learners: Vec<Learner>) -> Self {
        let mut results = Self::default();
        if learners.is_empty() {
            return results;
        }
        let Ok(mut reading) = reading(gateway, content.clone()) else {
            return results;
        };
        // A page that is looked at often would bury what else is written down.
        reading.about = None;
        let end = Instant::now() + PATIENCE;
        let columns = match timeout_at(end, reading.columns(gateway)).await {
            Ok(Ok(columns)) => columns,
            outcome => {
                results.problem = problem(outcome);
                return results;
            }
        };
        results.titles = columns.iter().map(|column| title(&column.name)).collect();
        if columns.is_empty() {
            return results;
        }
        let names: Vec<_> = columns.iter().cloned().flat_map(Column::names).collect();
        let (reading, names) = (&reading, &names);
        let mut answers = stream::iter(learners)
            .map(|(session, ext_id, name)| async move {
                if Instant::now() >= end {
                    return ((session, name), None);
                }
                let learner = reading.learner(&Person::Lams(name.as_str().into()), ext_id);
                let values = learner.values(gateway, names.clone());
                ((session, name), Some(timeout_at(end, values).await))
            })
            .buffer_unordered(AT_ONCE);
        while let Some((key, outcome)) = answers.next().await {
            match outcome {
                Some(Ok(Ok(values))) => {
                    results.cells.insert(key, cells(&columns, values));
                }
                Some(outcome) => results.problem = problem(outcome),
                None => {
                    results.problem.get_or_insert_with(|| LATE.to_owned());
                }
            }
        }
        results
    }
}

const LATE: &str = "the server did not answer in time";

fn problem<T>(
    outcome: Result<Result<T, OutboundError>, tokio::time::error::Elapsed>,
) -> Option<String> {
    match outcome {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(LATE.to_owned()),
    }
}

/// What each column shows of one learner's values: the number, or the texts of the options chosen.
fn cells(columns: &[Column], values: Vec<NamedValue>) -> Vec<String> {
    let mut values = values.into_iter().map(|named| named.value);
    let mut cell = |column: &Column| match &column.options {
        None => match values.next() {
            Some(OutputValue::Long(number)) => number.to_string(),
            _ => String::new(),
        },
        Some(options) => {
            let chosen = options
                .iter()
                .zip(values.by_ref())
                .filter(|(_, value)| *value == OutputValue::Boolean(true));
            let texts: Vec<_> = chosen.map(|(option, _)| option.text.as_str()).collect();
            texts.join(", ")
        }
    };
    columns.iter().map(&mut cell).collect()
}

/// The name of an output for people: `learner.number.of.posts` is "Number of posts".
fn title(name: &str) -> String {
    let name = name
        .strip_prefix("learner.")
        .unwrap_or(name)
        .replace('.', " ");
    let mut characters = name.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::outputs::OptionOutput;

    #[test]
    fn columns_show_numbers_and_the_options_chosen() {
        let option = |id: i64, text: &str| OptionOutput {
            name: format!("c#{id}"),
            text: text.to_owned(),
        };
        let columns = [
            Column {
                name: "n".into(),
                options: None,
            },
            Column {
                name: "c".into(),
                options: Some(vec![option(1, "Tea"), option(2, "Milk"), option(3, "Ice")]),
            },
            Column {
                name: "m".into(),
                options: None,
            },
        ];
        use OutputValue::{Boolean, Long};
        let values = [
            Long(7),
            Boolean(true),
            Boolean(false),
            Boolean(true),
            Long(0),
        ];
        let values = values.map(|value| NamedValue {
            name: String::new(),
            value,
        });
        assert_eq!(cells(&columns, values.to_vec()), ["7", "Tea, Ice", "0"]);
    }

    #[test]
    fn titles_are_words() {
        assert_eq!(title("learner.number.of.posts"), "Number of posts");
        assert_eq!(title("élan"), "Élan");
    }
}
