//! What happened: the list with its search, the same as it goes on, one launch as its story, charts.

mod charts;
mod search;
mod story;
mod words;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;

pub(super) use charts::show as show_charts;
use search::{Choice, Search, TextBox};
pub(super) use story::{Parameter, flat, show as show_story};

use super::frame::{Frame, page};
use super::guard::{SignedIn, Watching};
use crate::domain::configuration::Configuration;
use crate::domain::launch_record::LaunchOutcome;
use crate::domain::query::Query;
use crate::flows::{Gateway, launches};
use crate::store::StoredLaunch;
use crate::web::problem::Problem;
use crate::web::words::sentence;

const LIST: &str = "/admin/launches";
const NEWER: &str = "/admin/launches/newer";

/// A launch as the list shows it.
struct Row {
    launch: StoredLaunch,
    tool: String,
    server: Option<String>,
    reason: Option<String>,
}

impl Row {
    fn of(launch: StoredLaunch, configuration: &Configuration) -> Self {
        let tool = configuration.tool(&launch.signature);
        let server = launch.server_id.as_ref().map(|id| {
            let server = configuration.server(id);
            server.map_or_else(|| id.clone(), |server| server.name.clone())
        });
        Self {
            tool: match tool {
                Some(tool) => tool.title.clone(),
                // A login is for no tool yet.
                None if launch.signature.is_empty() => "LAMS".to_owned(),
                None => launch.signature.clone(),
            },
            server,
            reason: launch.reason.as_deref().map(sentence),
            launch,
        }
    }

    fn kind(&self) -> &str {
        words::kind(&self.launch.kind)
    }

    fn outcome(&self) -> &str {
        words::outcome(&self.launch.outcome)
    }

    fn verdict(&self) -> &'static str {
        words::verdict(&self.launch.outcome)
    }
}

/// Rows of the list, also on their own.
#[derive(Template)]
#[template(path = "admin/launch_rows.html")]
struct Rows<'a> {
    base: &'a str,
    rows: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn of(gateway: &'a Gateway, launches: Vec<StoredLaunch>) -> Self {
        let configuration = gateway.configuration();
        let rows = launches.into_iter();
        Self {
            base: gateway.public_path(),
            rows: rows.map(|launch| Row::of(launch, &configuration)).collect(),
        }
    }
}

/// An outcome that the list can be narrowed to.
struct Narrowed {
    outcome: &'static str,
    words: &'static str,
    address: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "admin/launches.html")]
struct LaunchesPage<'a> {
    frame: Frame<'a>,
    search: Search,
    user: TextBox,
    boxes: [TextBox; 3],
    choices: [Choice; 3],
    narrowed: Vec<Narrowed>,
    list: Rows<'a>,
    /// See [`launches::Page`].
    unfiled: i64,
    /// Whether these are the newest.
    is_first: bool,
    newer: Option<String>,
    older: Option<String>,
    /// Where rows that are newer than a place come from, and that place, where the list is live.
    live: Option<(String, i64)>,
    /// The same list, live or not.
    other: String,
}

impl LaunchesPage<'_> {
    fn newest(&self) -> String {
        self.search.address(LIST, &[])
    }
}

/// `GET /admin/launches`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let raw = request.query_string();
    let (search, query) = (Search::read(raw), Query::parse(raw));
    let live = query.get("live") == Some("1");
    let [mut before, mut after] = ["before", "after"].map(|name| place(&query, name));
    if live {
        (before, after) = (None, None);
    }
    // From now on, also where nothing is found: what is stored while this page is made comes with it.
    let begun = launches::place_now(Utc::now());
    let found = match search.filter() {
        Some(mut filter) => {
            filter.before = before;
            filter.after = after.filter(|_| before.is_none());
            Some(launches::page(&gateway, &filter).await?)
        }
        None => None,
    };
    let launches::Page {
        launches,
        has_newer,
        has_older,
        unfiled,
    } = found.unwrap_or_default();
    let at = |name: &str, launch: Option<&StoredLaunch>, there: bool| {
        let launch = launch.filter(|_| there && !live)?;
        Some(search.address(LIST, &[(name, &launch.id.to_string())]))
    };
    let configuration = gateway.configuration();
    let template = LaunchesPage {
        frame: Frame::of(&gateway, &who, "launches"),
        user: search.user(),
        boxes: search.boxes(),
        choices: search.choices(&configuration),
        narrowed: narrowed(&search, live),
        is_first: before.is_none() && after.is_none(),
        newer: at("after", launches.first(), has_newer),
        older: at("before", launches.last(), has_older),
        live: live.then(|| (search.address(NEWER, &[]), begun)),
        other: search.address(LIST, if live { &[] } else { &[("live", "1")] }),
        list: Rows::of(&gateway, launches),
        unfiled,
        search,
    };
    page(StatusCode::OK, &template)
}

/// `GET /admin/launches/newer`: rows alone, for a list that is live.
pub(super) async fn newer(
    request: HttpRequest,
    _who: Watching,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let raw = request.query_string();
    let after = place(&Query::parse(raw), "after").unwrap_or_default();
    let launches = match Search::read(raw).filter() {
        Some(filter) => launches::newer(&gateway, &filter, after).await?,
        None => Vec::new(),
    };
    page(StatusCode::OK, &Rows::of(&gateway, launches))
}

/// A place in the list; what is none is the beginning.
fn place(query: &Query, name: &str) -> Option<i64> {
    let place = query.get(name)?.parse().ok();
    place.filter(|place| *place > 0)
}

fn narrowed(search: &Search, live: bool) -> Vec<Narrowed> {
    let outcomes = LaunchOutcome::ALL.iter().map(|outcome| outcome.as_str());
    let more: &[(&str, &str)] = if live { &[("live", "1")] } else { &[] };
    let one = |outcome: &'static str| Narrowed {
        outcome,
        words: if outcome.is_empty() {
            "all"
        } else {
            words::outcome(outcome)
        },
        address: search.with("outcome", outcome).address(LIST, more),
        is_here: search.get("outcome") == outcome,
    };
    std::iter::once("").chain(outcomes).map(one).collect()
}
