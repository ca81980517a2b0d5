//! `toolgate lms`: which LMS a link belongs to, and enrollments from a file.

use std::path::PathBuf;

use clap::Subcommand;

use toolgate::domain::lms::{Backend, CourseKey};
use toolgate::flows::{Gateway, lms};
use toolgate::opening;
use toolgate::settings::Settings;

/// What is asked for.
#[derive(Subcommand)]
pub(crate) enum LmsCommand {
    /// Says which LMS a link belongs to, why, which course it reads, and why not the others.
    ///
    /// Nothing is sent to any LMS. Exit status 0 only where an LMS is chosen and a course is found.
    Select {
        /// The link of a course.
        url: String,
    },
    /// Enrolls the rows of a CSV file, or ends their enrollments.
    ///
    /// Its header names the columns username, resource_link and, where they are wanted, active, mode, first_name,
    /// last_name, email. What fails in a way that may pass is tried again. What is left when the command is ended is
    /// done by a running gateway. Exit status 0 only where every row was done.
    Enroll {
        /// The file; `-` reads standard input.
        file: PathBuf,
        /// Only says what would be called.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What is printed on standard output, and why the command fails, where it does.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) failed: Option<&'static str>,
}

/// Does it; answers what is printed, and why it failed, where it did.
pub(crate) async fn run(settings: &Settings, command: LmsCommand) -> anyhow::Result<Answer> {
    let opened = opening::open(settings).await?;
    let gateway = Gateway::for_command(settings, &opened).await?;
    let outcome = match command {
        LmsCommand::Select { url } => Ok(select(&gateway, &url)),
        LmsCommand::Enroll { file, dry_run } => {
            crate::enroll_command::enroll(&gateway, &file, dry_run).await
        }
    };
    opened.store.close().await;
    outcome
}

fn select(gateway: &Gateway, url: &str) -> Answer {
    let selected = lms::select(gateway, url);
    let others = lms::explain(gateway, url);
    let mut said = String::new();
    for (lms, fate) in &others {
        said.push_str(&format!("not {}: {fate}\n", lms.server));
    }
    let Some(chosen) = &selected.lms else {
        return Answer {
            text: format!("no LMS  {}\n{said}", selected.why),
            failed: Some("the link belongs to no LMS"),
        };
    };
    let head = format!(
        "LMS     {} ({}, {})\nwhy     {}\n",
        chosen.server,
        chosen.backend.as_str(),
        chosen.address,
        selected.why
    );
    let Some(course) = &selected.course else {
        return Answer {
            text: format!("{head}{said}"),
            failed: Some("the link holds no course"),
        };
    };
    let parts = match CourseKey::parse(course) {
        Ok(key) if chosen.backend == Backend::OpenEdx => format!(
            " (organization {}, course {}, run {})",
            key.organization, key.course, key.run
        ),
        Err(error) if chosen.backend == Backend::OpenEdx => format!("; but {error}"),
        _ => String::new(),
    };
    Answer {
        text: format!("{head}course  {course}{parts}\n{said}"),
        failed: None,
    }
}
