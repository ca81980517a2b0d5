//! What a sysadmin looks for in the audit, as it was typed: it stands in the address, so that a page of it can
//! be come back to and goes on with older ones.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use url::form_urlencoded::Serializer;

use crate::domain::audit::{Filter, Place};
use crate::domain::query::Query;
use crate::web::admin::input::{Input, Wrong};

/// The parameters, each as it was typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    who: String,
    action: String,
    subject: String,
    from: String,
    to: String,
}

impl Asked {
    pub(super) fn read(query: &Query<'_>) -> Self {
        // No text of a database has a zero byte.
        let text = |name: &str| {
            let text = query.get(name).unwrap_or_default();
            text.trim().replace('\0', "\u{fffd}")
        };
        Self {
            who: text("who"),
            action: text("action"),
            subject: text("subject"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// What is looked for; both days are whole ones.
    pub(super) fn filter(&self) -> Result<Filter, Wrong> {
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let from = day("from", &self.from)?;
        let to = day("to", &self.to)?;
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            return Err(Wrong::new("to", "This is before the first day."));
        }
        Ok(Filter {
            actor: some(&self.who),
            action: some(&self.action),
            subject: some(&self.subject),
            from: from.map(midnight),
            until: to
                .and_then(|to| to.checked_add_days(Days::new(1)))
                .map(midnight),
        })
    }

    /// The fields, with what was typed.
    pub(super) fn fields(&self, wrong: Option<&Wrong>) -> [Input; 5] {
        [
            Input::text("who", "Who").value(&self.who),
            Input::text("action", "Action")
                .placeholder("server.changed")
                .value(&self.action),
            Input::text("subject", "Subject").value(&self.subject),
            Input::day("from", "First day").value(&self.from),
            Input::day("to", "Last day").value(&self.to),
        ]
        .map(|input| input.wrong(wrong))
    }

    /// The query of a page of it: of the newest entries, or of those before a place.
    pub(super) fn query(&self, before: Option<&Place>) -> String {
        let place = before.map(Place::to_string).unwrap_or_default();
        let pairs = [
            ("who", &self.who),
            ("action", &self.action),
            ("subject", &self.subject),
            ("from", &self.from),
            ("to", &self.to),
            ("before", &place),
        ];
        let mut query = Serializer::new(String::new());
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        match query.finish() {
            query if query.is_empty() => query,
            query => format!("?{query}"),
        }
    }
}

/// A day of our calendar, whose years have four digits.
fn day(field: &str, text: &str) -> Result<Option<NaiveDate>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = match text.len() {
        10 => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
        _ => None,
    };
    date.map(Some)
        .ok_or_else(|| Wrong::new(field, "A day looks like 2026-01-31."))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::read(&Query::parse(query))
    }

    #[test]
    fn both_days_are_whole_and_what_is_no_day_is_told_at_its_field() {
        let filter = asked("from=2026-01-31&to=2026-01-31").filter().unwrap();
        let at = |moment: Option<DateTime<Utc>>| moment.unwrap().to_rfc3339();
        assert_eq!(at(filter.from), "2026-01-31T00:00:00+00:00");
        assert_eq!(at(filter.until), "2026-02-01T00:00:00+00:00");
        for (query, field) in [
            ("from=yesterday", "from"),
            ("to=2026-02-30", "to"),
            ("to=+999999-01-01", "to"),
            ("from=2026-02-02&to=2026-02-01", "to"),
        ] {
            assert_eq!(asked(query).filter().unwrap_err().field, field, "{query}");
        }
    }

    #[test]
    fn a_page_leads_on_with_all_that_was_typed() {
        let place: Place = "1_a".parse().unwrap();
        assert_eq!(asked("").query(None), "");
        assert_eq!(
            asked("who=A%26b&subject=+x&from=").query(Some(&place)),
            "?who=A%26b&subject=x&before=1_a"
        );
    }
}
