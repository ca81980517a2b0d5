//! `toolgate lms enroll`: the rows of a CSV file, with a bar that shows how far it is.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::Context;

use toolgate::flows::Gateway;
use toolgate::flows::lms::Asked;
use toolgate::flows::lms::bulk::{self, Bulk};
use toolgate::store::BulkRow;

use crate::lms_command::Answer;

/// The header of the file.
const COLUMNS: [&str; 7] = [
    "username",
    "resource_link",
    "active",
    "mode",
    "first_name",
    "last_name",
    "email",
];
/// So wide is the bar, in characters.
const WIDTH: usize = 30;

/// Enrolls the rows of a file.
pub(crate) async fn enroll(
    gateway: &Gateway,
    file: &Path,
    dry_run: bool,
) -> anyhow::Result<Answer> {
    let name = file.display();
    let text = crate::read_named(file)?;
    let rows = read(&text).with_context(|| format!("{name} was not taken"))?;
    let bar = Bar::new(rows.len());
    let id = bulk::take(gateway, None, rows, dry_run)
        .await
        .with_context(|| format!("{name} was not taken"))?;
    bulk::work_through(gateway, &id, &|settled| bar.add(settled)).await?;
    bar.end();
    let bulk = bulk::find(gateway, None, &id).await?;
    Ok(said(&bulk, dry_run))
}

/// Reads the file; nothing is done where one of its rows is wrong.
fn read(text: &str) -> anyhow::Result<Vec<Asked>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    if let Some(odd) = header.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        anyhow::bail!(
            "line 1: there is no column {odd:?}; there are {}",
            COLUMNS.join(", ")
        );
    }
    let repeated = |(at, name): &(usize, &String)| header[..*at].contains(name);
    if let Some((_, twice)) = header.iter().enumerate().find(repeated) {
        anyhow::bail!("line 1: the column {twice} is there twice");
    }
    if let Some(missing) = COLUMNS[..2]
        .iter()
        .find(|name| !header.iter().any(|had| had == *name))
    {
        anyhow::bail!("line 1: the column {missing} is missing");
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |name: &str| {
            let at = header.iter().position(|had| had == name)?;
            record
                .get(at)
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
        };
        let active = match field("active").as_deref().map(str::to_lowercase).as_deref() {
            None | Some("true" | "1" | "yes") => true,
            Some("false" | "0" | "no") => false,
            Some(_) => anyhow::bail!("line {line}: active must be true or false"),
        };
        let account = ["first_name", "last_name", "email"].map(field);
        let account = account
            .iter()
            .any(Option::is_some)
            .then(|| account.map(Option::unwrap_or_default));
        let asked = Asked {
            username: field("username").unwrap_or_default(),
            link: field("resource_link").unwrap_or_default(),
            active,
            mode: field("mode"),
            account,
        };
        asked.check().with_context(|| format!("line {line}"))?;
        rows.push(asked);
    }
    Ok(rows)
}

/// What came of it: the rows that failed, and how many were done.
fn said(bulk: &Bulk, dry_run: bool) -> Answer {
    let mut text = String::new();
    for row in &bulk.rows {
        let who = format!("row {}, {}: ", row.number, row.asked.username);
        let outcome = &row.outcome;
        if row.state == "failed" {
            let code = outcome.code.as_deref().unwrap_or("failed");
            let detail = outcome.detail.as_deref().unwrap_or_default();
            let said = outcome
                .lms_message
                .as_deref()
                .map(|said| format!("; it says: {said}"));
            text.push_str(&format!(
                "FAILED {who}{code}: {detail}{}\n",
                said.unwrap_or_default()
            ));
        } else if row.state == "waiting" {
            text.push_str(&format!("left   {who}a running gateway goes on with it\n"));
        } else if dry_run {
            text.push_str(&format!(
                "ok     {who}{}\n",
                outcome.detail.as_deref().unwrap_or_default()
            ));
            for call in &outcome.calls {
                text.push_str(&format!("         {call}\n"));
            }
        }
    }
    let changed = bulk
        .rows
        .iter()
        .filter(|row| row.outcome.changed == Some(true))
        .count();
    let verb = if dry_run {
        "would be tried"
    } else {
        "are as they were wanted"
    };
    let changed = match dry_run {
        true => String::new(),
        false => format!(" ({changed} changed)"),
    };
    text.push_str(&format!(
        "{} of {} rows {verb}{changed}, {} failed\n",
        bulk.done, bulk.total, bulk.failed
    ));
    Answer {
        text,
        failed: (bulk.done as i64 != bulk.total).then_some("not every row was done"),
    }
}

/// Shows on a terminal how far it is.
struct Bar {
    total: usize,
    begun: Instant,
    shown: bool,
    /// How many are settled, and how many of those failed.
    so_far: Mutex<(usize, usize)>,
}

impl Bar {
    fn new(total: usize) -> Self {
        Self {
            total,
            begun: Instant::now(),
            shown: std::io::stderr().is_terminal(),
            so_far: Mutex::default(),
        }
    }

    fn add(&self, settled: &[BulkRow]) {
        let mut so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        so_far.0 += settled.len();
        so_far.1 += settled.iter().filter(|row| row.state == "failed").count();
        if self.shown {
            let line = line(*so_far, self.total, self.begun.elapsed());
            // That it cannot be shown is no failure.
            let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        }
    }

    fn end(&self) {
        if self.shown {
            let _ = writeln!(std::io::stderr());
        }
    }
}

fn line((settled, failed): (usize, usize), total: usize, elapsed: Duration) -> String {
    let full = (WIDTH * settled).checked_div(total).unwrap_or(WIDTH);
    let left = elapsed.as_secs_f64() * (total - settled) as f64 / settled.max(1) as f64;
    let (minutes, seconds) = (left as u64 / 60, left as u64 % 60);
    let failed = match failed {
        0 => String::new(),
        failed => format!("  {failed} failed"),
    };
    format!(
        "[{}{}] {settled}/{total}{failed}  {minutes}:{seconds:02} left",
        "#".repeat(full),
        "·".repeat(WIDTH - full)
    )
}
