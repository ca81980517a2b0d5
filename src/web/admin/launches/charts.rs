//! Launches by time, drawn: each bar stands for an hour or a day, what went well below, what did not above.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::LIST;
use super::search::Search;
use crate::flows::Gateway;
use crate::flows::launches::{self, Chart, Counts};
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::SignedIn;
use crate::web::problem::Problem;

/// How high a chart is, in its own units; a bar is one wide.
const HIGH: f64 = 100.0;
/// So high is the least that is seen of what is there.
const LEAST: f64 = 2.0;

/// A piece of a bar.
struct Piece {
    look: &'static str,
    x: String,
    y: String,
    height: String,
}

/// A step of a chart, for its table.
struct Step {
    at: DateTime<Utc>,
    counts: Counts,
}

/// A chart, drawn.
#[derive(Template)]
#[template(path = "admin/chart.html")]
struct Drawn {
    /// See [`Frame::base`].
    base: String,
    /// Its id on the page.
    id: String,
    title: String,
    /// Whether a step is an hour; else it is a day.
    hourly: bool,
    wide: usize,
    most: i64,
    sum: Counts,
    pieces: Vec<Piece>,
    steps: Vec<Step>,
    /// Those steps whose time stands below.
    ticks: Vec<DateTime<Utc>>,
    /// Where the launches that it counts are listed.
    list: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/charts.html")]
struct ChartsPage<'a> {
    frame: Frame<'a>,
    hours: Drawn,
    days: Drawn,
    servers: Vec<Drawn>,
}

/// `GET /admin/launches/charts`
pub(in crate::web::admin) async fn show(
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let charts = launches::charts(&gateway, Utc::now()).await?;
    let (configuration, base) = (gateway.configuration(), gateway.public_path());
    let servers = charts.servers.iter().enumerate();
    let servers = servers.map(|(n, (id, chart, _))| {
        let server = configuration.server(id);
        let name = server.map_or_else(|| id.clone(), |server| server.name.clone());
        let (title, list) = match id.as_str() {
            "" => ("No server known".to_owned(), None),
            id => (name, Some(Search::of("server", id).address(LIST, &[]))),
        };
        Drawn {
            list,
            ..drawn(base, format!("server-{n}"), &title, chart, false)
        }
    });
    let template = ChartsPage {
        frame: Frame::of(&gateway, &who, "launches"),
        hours: drawn(
            base,
            "hours".to_owned(),
            "By hour, the last 48 hours",
            &charts.hours,
            true,
        ),
        days: drawn(
            base,
            "days".to_owned(),
            "By day, the last 30 days",
            &charts.days,
            false,
        ),
        servers: servers.collect(),
    };
    page(StatusCode::OK, &template)
}

fn drawn(base: &str, id: String, title: &str, chart: &Chart, hourly: bool) -> Drawn {
    let seconds = if hourly { 3600 } else { 86_400 };
    let most = chart.steps.iter().map(|counts| counts.all()).max();
    let most = most.unwrap_or_default();
    let mut sum = Counts::default();
    let (mut pieces, mut steps) = (Vec::new(), Vec::new());
    for (n, counts) in chart.steps.iter().enumerate() {
        sum.went_well += counts.went_well;
        sum.refused += counts.refused;
        sum.failed += counts.failed;
        pieces.extend(bar(n, *counts, most));
        let at = (chart.first + i64::try_from(n).unwrap_or_default()) * seconds;
        steps.push(Step {
            at: DateTime::from_timestamp(at, 0).unwrap_or_default(),
            counts: *counts,
        });
    }
    let every = if hourly { 12 } else { 7 };
    Drawn {
        base: base.to_owned(),
        id,
        title: title.to_owned(),
        hourly,
        wide: chart.steps.len(),
        most,
        sum,
        pieces,
        ticks: steps.iter().step_by(every).map(|step| step.at).collect(),
        steps,
        list: None,
    }
}

/// The pieces of one bar, from the ground up.
fn bar(n: usize, counts: Counts, most: i64) -> Vec<Piece> {
    let parts = [
        ("well", counts.went_well),
        ("refused", counts.refused),
        ("failed", counts.failed),
    ];
    let mut ground = HIGH;
    let there = parts.into_iter().filter(|(_, count)| *count > 0);
    let pieces = there.map(|(look, count)| {
        #[expect(clippy::cast_precision_loss, reason = "a picture needs no more")]
        let share = count as f64 / most.max(1) as f64;
        let height = (share * (HIGH - 3.0 * LEAST)).max(LEAST);
        ground -= height;
        Piece {
            look,
            x: format!("{n}.1"),
            y: format!("{ground:.1}"),
            height: format!("{height:.1}"),
        }
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_leaves_its_chart_and_hides_nothing() {
        let counts = Counts {
            went_well: 100_000,
            refused: 1,
            failed: 1,
        };
        let bar = bar(3, counts, counts.all());
        assert_eq!(bar.len(), 3);
        for piece in &bar {
            let [y, height] = [&piece.y, &piece.height].map(|text| text.parse::<f64>().unwrap());
            assert!(
                y >= 0.0 && height >= LEAST && y + height <= HIGH,
                "{y} {height}"
            );
        }
        assert!(super::bar(3, Counts::default(), 5).is_empty());
    }
}
