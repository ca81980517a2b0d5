//! A search for launches: read from an address, shown as a form, put into links, turned into a filter.
//! It comes from a browser and may hold anything; what nothing can have is found nowhere.

use url::form_urlencoded;

use crate::domain::configuration::Configuration;
use crate::domain::launch_record::LaunchOutcome;
use crate::store::LaunchFilter;

/// What can be looked for, by the names of an address.
const FIELDS: [&str; 8] = [
    "user", "content", "session", "request", "server", "tool", "platform", "outcome",
];
/// Nothing that is looked for is longer, in bytes.
const LONGEST: usize = 1024;

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search([String; 8]);

/// A box of the form.
pub(super) struct TextBox {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) value: String,
    /// Why nothing can have the value.
    pub(super) error: Option<&'static str>,
}

/// A choice of the form.
pub(super) struct Choice {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    /// Values with their words.
    pub(super) options: Vec<(String, String)>,
}

impl Search {
    /// Reads the part of an address after `?`. The first value of a name counts; blanks around it do not.
    pub(super) fn read(query: &str) -> Self {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        Self(FIELDS.map(|field| {
            let found = pairs.iter().find(|(name, _)| name == field);
            found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        }))
    }

    /// A search for one thing.
    pub(super) fn of(field: &str, value: &str) -> Self {
        Self(FIELDS.map(|name| if name == field { value } else { "" }.to_owned()))
    }

    /// The same with another value of a field.
    pub(super) fn with(&self, field: &str, value: &str) -> Self {
        let mut search = self.clone();
        for (name, own) in FIELDS.iter().zip(&mut search.0) {
            if *name == field {
                value.clone_into(own);
            }
        }
        search
    }

    /// What is asked of a field; empty where it does not matter.
    pub(super) fn get(&self, field: &str) -> &str {
        let mut pairs = FIELDS.iter().zip(&self.0);
        pairs
            .find(|(name, _)| **name == field)
            .map_or("", |(_, value)| value)
    }

    /// Whether nothing is asked.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(String::is_empty)
    }

    /// Whether more is asked than the form shows at first.
    pub(super) fn asks_more(&self) -> bool {
        let seen = ["user", "outcome"];
        FIELDS
            .iter()
            .any(|field| !seen.contains(field) && !self.get(field).is_empty())
    }

    /// The path of the launches that it finds, with more parameters behind it.
    pub(super) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let own = FIELDS
            .iter()
            .copied()
            .zip(self.0.iter().map(String::as_str));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(own.filter(|(_, value)| !value.is_empty()));
        query.extend_pairs(more);
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// What the database is asked; `None` where nothing can be found.
    pub(super) fn filter(&self) -> Option<LaunchFilter> {
        let sane = |text: &String| text.len() <= LONGEST && !text.contains(char::is_control);
        if !self.0.iter().all(sane) {
            return None;
        }
        let text = |field| Some(self.get(field).to_owned()).filter(|text| !text.is_empty());
        let number = |field| match self.get(field) {
            "" => Some(None),
            text => number(text).map(Some),
        };
        let outcome = match self.get("outcome") {
            "" => None,
            word => Some(LaunchOutcome::stored(word)?),
        };
        Some(LaunchFilter {
            request: text("request"),
            user: text("user"),
            content: number("content")?,
            session: number("session")?,
            server: text("server"),
            tool: text("tool"),
            platform: text("platform"),
            outcome,
            before: None,
            after: None,
        })
    }

    /// The box that is always seen.
    pub(super) fn user(&self) -> TextBox {
        let hint = "As LAMS knows them, such as mdl_Anna.";
        self.text_box("user", "Who", hint)
    }

    /// The other boxes.
    pub(super) fn boxes(&self) -> [TextBox; 3] {
        [
            self.text_box("content", "Content", "toolContentID"),
            self.text_box("session", "Session", "toolSessionID"),
            self.text_box("request", "Request", "The request id on a page"),
        ]
    }

    /// What can be chosen, which is what is configured, and what is asked.
    pub(super) fn choices(&self, configuration: &Configuration) -> [Choice; 3] {
        let servers = configuration.servers();
        let servers = servers.map(|server| (server.id.to_string(), server.name.clone()));
        let tools = configuration.tools();
        let tools = tools.map(|tool| (tool.signature.to_string(), tool.title.clone()));
        let platforms = configuration.platforms();
        let platforms = platforms.map(|one| (one.id.to_string(), one.name.clone()));
        [
            self.choice("server", "Server", servers.collect()),
            self.choice("tool", "Tool", tools.collect()),
            self.choice("platform", "Platform", platforms.collect()),
        ]
    }

    fn text_box(&self, name: &'static str, label: &'static str, hint: &'static str) -> TextBox {
        let value = self.get(name).to_owned();
        let is_number = ["content", "session"].contains(&name);
        let wrong = is_number && !value.is_empty() && number(&value).is_none();
        TextBox {
            name,
            label,
            hint,
            value,
            error: wrong.then_some("This is a number in LAMS: digits alone."),
        }
    }

    fn choice(
        &self,
        name: &'static str,
        label: &'static str,
        mut options: Vec<(String, String)>,
    ) -> Choice {
        let value = self.get(name).to_owned();
        options.sort_by_key(|(_, words)| words.to_lowercase());
        // What is no longer configured may have had launches.
        if !value.is_empty() && options.iter().all(|(id, _)| *id != value) {
            options.push((value.clone(), value.clone()));
        }
        Choice {
            name,
            label,
            value,
            options,
        }
    }
}

/// A number as LAMS counts.
fn number(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_survives_its_own_address() {
        let odd = "user=+mdl_%C3%84nn%26a+&outcome=failed&user=second&tool=%3Cb%3E&other=1";
        let search = Search::read(odd);
        assert_eq!(search.get("user"), "mdl_Änn&a");
        let address = search.address("/x", &[("before", "5")]);
        assert_eq!(
            address,
            "/x?user=mdl_%C3%84nn%26a&tool=%3Cb%3E&outcome=failed&before=5"
        );
        let (_, query) = address.split_once('?').unwrap();
        assert_eq!(Search::read(query), search);
        assert_eq!(Search::read("").address("/x", &[]), "/x");
        let filter = search.filter().unwrap();
        assert_eq!(filter.outcome, Some(LaunchOutcome::Failed));
        assert_eq!(filter.user.as_deref(), Some("mdl_Änn&a"));
    }

    #[test]
    fn what_nothing_can_have_is_found_nowhere() {
        for odd in [
            "content=x",
            "content=-1",
            "content=%2B1",
            "session=0",
            "session=99999999999999999999",
            "outcome=great",
            "user=a%00b",
            "request=a%0Ab",
            &format!("server={}", "a".repeat(LONGEST + 1)),
        ] {
            assert_eq!(Search::read(odd).filter(), None, "{odd}");
        }
        assert_eq!(
            Search::read("user=%zz").filter().unwrap().user.unwrap(),
            "%zz"
        );
    }
}
