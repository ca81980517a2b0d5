//! The audit: who changed what, the newest first.

mod filter;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use self::filter::Asked;
use super::frame::{Frame, page, status_if};
use super::guard::SignedIn;
use super::input::Input;
use crate::domain::audit::Entry;
use crate::domain::query::Query;
use crate::flows::{Gateway, audit};
use crate::web::problem::Problem;

/// An entry as it is shown.
struct Shown {
    entry: Entry,
    changes: Vec<Change>,
}

/// One field of what was changed.
struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage<'a> {
    frame: Frame<'a>,
    entries: Vec<Shown>,
    is_first: bool,
    is_filtered: bool,
    is_wrong: bool,
    fields: [Input; 5],
    /// The queries of the pages that this one leads to.
    newest: String,
    older: Option<String>,
}

/// `GET /admin/audit[?who][&action][&subject][&from][&to][&before]`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string());
    let asked = Asked::read(&query);
    // A place that cannot be read is no place: the newest are shown.
    let before = query.get("before").and_then(|before| before.parse().ok());
    let (found, wrong) = match asked.filter() {
        Ok(filter) => (audit::page(&gateway, &filter, before.as_ref()).await?, None),
        Err(wrong) => (audit::Page::default(), Some(wrong)),
    };
    let template = AuditPage {
        frame: Frame::of(&gateway, &who, "audit"),
        entries: found.entries.into_iter().map(shown).collect(),
        is_first: before.is_none(),
        is_filtered: asked != Asked::default(),
        is_wrong: wrong.is_some(),
        fields: asked.fields(wrong.as_ref()),
        newest: asked.query(None),
        older: found.older.map(|place| asked.query(Some(&place))),
    };
    let status = status_if(wrong.is_some(), StatusCode::UNPROCESSABLE_ENTITY);
    page(status, &template)
}

fn shown(entry: Entry) -> Shown {
    let changes = changes(entry.before.as_deref(), entry.after.as_deref());
    Shown { entry, changes }
}

/// The fields that are not the same before and after; a secret that was replaced is masked on both sides
/// and yet a change.
fn changes(before: Option<&str>, after: Option<&str>) -> Vec<Change> {
    let fields = |text: Option<&str>| {
        let value = text.and_then(|text| serde_json::from_str(text).ok());
        match value {
            Some(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        }
    };
    let (before, after) = (fields(before), fields(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let masked = |value: &serde_json::Value| value == crate::domain::audit::MASK;
    names
        .into_iter()
        .filter(|name| {
            before.get(*name) != after.get(*name) || before.get(*name).is_some_and(masked)
        })
        .map(|name| Change {
            field: name.clone(),
            before: before.get(name).map(text_of),
            after: after.get(name).map(text_of),
        })
        .collect()
}

fn text_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn only_what_changed_is_shown_and_a_replaced_secret_is() {
        let (before, after) = (
            r#"{"url":"http://a/","name":"A","key":"•••","gone":1}"#,
            r#"{"url":"http://b/","name":"A","key":"•••"}"#,
        );
        let shown: Vec<_> = changes(Some(before), Some(after))
            .into_iter()
            .map(|c| (c.field, c.before, c.after))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            shown,
            [
                ("gone".to_owned(), some("1"), None),
                ("key".to_owned(), some("•••"), some("•••")),
                ("url".to_owned(), some("http://a/"), some("http://b/")),
            ]
        );
        assert_eq!(changes(None, None).len(), 0);
    }
}
