//! One launch as its story: what came in, how it was read, where it went, what was around it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use super::search::Search;
use super::{LIST, Row, words};
use crate::domain::address_parts::AddressParts;
use crate::domain::custom_csv::Reading;
use crate::flows::Gateway;
use crate::flows::launches::{self, Csv, Event, Story};
use crate::store::{StoredCall, StoredLaunch};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::SignedIn;
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// A parameter of an address, or of one within it.
pub(in crate::web::admin) struct Parameter {
    pub(in crate::web::admin) name: String,
    pub(in crate::web::admin) value: String,
    pub(in crate::web::admin) depth: usize,
}

/// What happened around the launch, in the timeline.
struct Moment {
    at: DateTime<Utc>,
    /// How long before or after the launch.
    apart: String,
    /// Whether it is the launch itself.
    is_this: bool,
    kind: MomentKind,
}

enum MomentKind {
    Launch(Box<Row>),
    Call(StoredCall),
}

/// A row of how customCSV was read.
struct Field {
    name: String,
    value: Option<String>,
    wrong: bool,
}

#[derive(Template)]
#[template(path = "admin/launch.html")]
struct StoryPage<'a> {
    frame: Frame<'a>,
    row: Row,
    story: &'a Story,
    came_in: Vec<Parameter>,
    sent_to: Vec<Parameter>,
    fields: Vec<Field>,
    moments: Vec<Moment>,
    /// The server's id, where it is configured now.
    server: Option<&'a str>,
    /// All of this person, of this content, of this session.
    all_of: [Option<String>; 3],
}

impl StoryPage<'_> {
    fn took(&self) -> String {
        words::took(self.row.launch.ms)
    }

    fn mistake(&self) -> Option<String> {
        let reading = self.story.csv.as_ref()?.reading.as_ref()?;
        let mistake = reading.mistake.as_ref()?;
        Some(sentence(&mistake.to_string()))
    }

    fn is_older_form(&self) -> bool {
        let reading = self.story.csv.as_ref().and_then(|csv| csv.reading.as_ref());
        reading.is_some_and(|reading| reading.is_older)
    }
}

/// `GET /admin/launches/{id}`
pub(in crate::web::admin) async fn show(
    id: web::Path<String>,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let id = id.parse().map_err(|_| Problem::NoSuchPage)?;
    let story = launches::story(&gateway, id).await?;
    let mut story = story.ok_or(Problem::NoSuchPage)?;
    let configuration = gateway.configuration();
    let launch = story.launch.clone();
    let timeline = std::mem::take(&mut story.timeline);
    let moments = timeline.into_iter().map(|event| {
        let (at, is_this, kind) = match event {
            Event::Launch(other) => {
                let row = Row::of(*other, &configuration);
                let (at, is_this) = (row.launch.at, row.launch.id == launch.id);
                (at, is_this, MomentKind::Launch(Box::new(row)))
            }
            Event::Call(call) => (call.at, false, MomentKind::Call(call)),
        };
        Moment {
            at,
            apart: apart(at - launch.at),
            is_this,
            kind,
        }
    });
    let moments = moments.collect();
    let server = launch.server_id.as_deref();
    let template = StoryPage {
        frame: Frame::of(&gateway, &who, "launches"),
        came_in: flat(&story.came_in),
        sent_to: story.sent_to.as_ref().map(flat).unwrap_or_default(),
        fields: fields(story.csv.as_ref()),
        moments,
        server: server.filter(|id| configuration.server(id).is_some()),
        all_of: all_of(&launch),
        row: Row::of(launch.clone(), &configuration),
        story: &story,
    };
    page(StatusCode::OK, &template)
}

fn all_of(launch: &StoredLaunch) -> [Option<String>; 3] {
    let number = |number: Option<i64>| number.map(|number| number.to_string());
    [
        ("user", launch.user_name.clone()),
        ("content", number(launch.tool_content_id)),
        ("session", number(launch.tool_session_id)),
    ]
    .map(|(field, value)| Some(Search::of(field, &value?).address(LIST, &[])))
}

/// The parameters of an address and of those within it, each after the one that it stands in.
pub(in crate::web::admin) fn flat(address: &AddressParts) -> Vec<Parameter> {
    fn add(address: &AddressParts, depth: usize, to: &mut Vec<Parameter>) {
        for one in &address.parameters {
            let value = one
                .within
                .as_ref()
                .map_or(&one.value, |within| &within.base);
            to.push(Parameter {
                name: one.name.clone(),
                value: value.clone(),
                depth,
            });
            if let Some(within) = &one.within {
                add(within, depth + 1, to);
            }
        }
    }
    let mut parameters = Vec::new();
    add(address, 0, &mut parameters);
    parameters
}

fn fields(csv: Option<&Csv>) -> Vec<Field> {
    let Some(Reading {
        fields, missing, ..
    }) = csv.and_then(|csv| csv.reading.as_ref())
    else {
        return Vec::new();
    };
    let there = fields.iter().map(|(field, value)| Field {
        name: field
            .map_or("one too many", |field| field.words())
            .to_owned(),
        value: Some(value.clone()),
        wrong: field.is_none(),
    });
    let missing = missing.iter().map(|field| Field {
        name: field.words().to_owned(),
        value: None,
        wrong: true,
    });
    there.chain(missing).collect()
}

/// How far something was from the launch.
fn apart(time: TimeDelta) -> String {
    let sign = if time < TimeDelta::zero() { "−" } else { "+" };
    let time = time.abs();
    let amount = match time.num_seconds() {
        0..10 => format!("{}.{:02} s", time.num_seconds(), time.subsec_millis() / 10),
        seconds @ 10..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    };
    format!("{sign}{amount}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_apart_are_told_as_exactly_as_they_matter() {
        for (ms, words) in [
            (0, "+0.00 s"),
            (-350, "−0.35 s"),
            (65_000, "+65 s"),
            (-600_000, "−10 min"),
            (90_000_000, "+25 h"),
            (864_000_000, "+10 days"),
        ] {
            assert_eq!(apart(TimeDelta::milliseconds(ms)), words);
        }
    }

    #[test]
    fn addresses_within_stand_after_their_parameter() {
        let address = AddressParts::of("/a?x=1&u=http%3A%2F%2Fg%2Fb%3Fid%3D2&y=3");
        let flat: Vec<_> = flat(&address)
            .into_iter()
            .map(|one| (one.name, one.value, one.depth))
            .collect();
        let row = |name: &str, value: &str, depth| (name.to_owned(), value.to_owned(), depth);
        assert_eq!(
            flat,
            [
                row("x", "1", 0),
                row("u", "http://g/b", 0),
                row("id", "2", 1),
                row("y", "3", 0)
            ]
        );
    }
}
