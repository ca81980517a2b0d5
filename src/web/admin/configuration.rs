//! The configuration as a file: downloaded, and a file planned and then applied, as `toolgate apply` does.
//!
//! Between plan and application the text stays where it was put: in the text area of the one answer to the
//! one who sent it. It may hold secrets, so it is not kept in the database or the session, where others or
//! later pages could meet it, and not in a field that is hidden, where its owner would not see what is going
//! to be applied. What is planned is known again by a hash of the text and by the version of the
//! configuration; where either is another one, the plan is made anew and nothing is applied.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::Utc;
use sha2::{Digest, Sha256};

use super::frame::{Frame, page, status_if};
use super::guard::{Posted, SignedIn};
use super::see_other;
use crate::domain::query::Query;
use crate::flows::Gateway;
use crate::flows::apply::{ApplyError, FileError, Outcome, Secrets};
use crate::flows::connecting::configuration::{self, Planned};
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// A file has at most so many bytes.
const LONGEST: usize = 512 * 1024;
/// A form with one, pasted and chosen, and what is around it.
pub(super) const LONGEST_FORM: usize = 4 * LONGEST;

/// What would happen to one object.
struct Step {
    does: &'static str,
    kind: &'static str,
    id: String,
    why: String,
}

/// What a file would change.
struct Plan {
    steps: Vec<Step>,
    warnings: Vec<String>,
    version: i64,
    digest: String,
}

impl Plan {
    fn of(planned: Planned, text: &str) -> Self {
        let steps = planned
            .report
            .objects
            .into_iter()
            .map(|(kind, id, outcome)| {
                let (does, why) = match outcome {
                    Outcome::Created => ("create", String::new()),
                    Outcome::Changed(fields) => ("change", fields.join(", ")),
                    Outcome::Same => ("leave", "as the file says already".to_owned()),
                    Outcome::NotNamed => ("leave", "not in the file".to_owned()),
                };
                Step {
                    does,
                    kind,
                    id,
                    why,
                }
            });
        let warnings = planned.report.warnings.iter();
        Self {
            steps: steps.collect(),
            warnings: warnings.map(|warning| sentence(warning)).collect(),
            version: planned.version,
            digest: digest(text),
        }
    }

    fn changes_nothing(&self) -> bool {
        self.steps.iter().all(|step| step.does == "leave")
    }
}

/// A mistake in the file.
struct Mistake {
    words: String,
    /// The line, from 1.
    line: Option<usize>,
    /// That line, as far as it cannot hold a secret.
    shown: Option<String>,
}

/// Why there is a plan in place of an application.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Note {
    /// The text is another one than the one that was planned.
    Edited,
    /// The configuration is.
    Newer,
}

#[derive(Template)]
#[template(path = "admin/configuration.html")]
struct ConfigurationPage<'a> {
    frame: Frame<'a>,
    text: &'a str,
    mistake: Option<Mistake>,
    plan: Option<Plan>,
    note: Option<Note>,
}

/// `GET /admin/configuration`
pub(super) async fn show(
    request: HttpRequest,
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let applied = Query::parse(request.query_string()).get("done") == Some("applied");
    let done = "Applied. It holds from now on; the audit says what it was before.";
    let template = ConfigurationPage {
        frame: Frame::of(&gateway, &who, "configuration").done(applied.then_some(done)),
        text: "",
        mistake: None,
        plan: None,
        note: None,
    };
    page(StatusCode::OK, &template)
}

/// `GET /admin/configuration/file?secrets`: the download.
pub(super) async fn download(
    request: HttpRequest,
    _who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let secrets = match Query::parse(request.query_string()).get("secrets") {
        Some("references") => Secrets::FromEnvironment,
        _ => Secrets::LeftOut,
    };
    let text = configuration::export(&gateway, secrets).await?;
    let name = format!(
        "attachment; filename=\"toolgate-{}.toml\"",
        Utc::now().format("%Y-%m-%d")
    );
    Ok(HttpResponse::Ok()
        .content_type("application/toml")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text))
}

/// `POST /admin/configuration`: says what a file would change.
pub(super) async fn plan(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    match text_of(&posted) {
        Ok(text) => planned((&gateway, &posted.who), &text, None).await,
        Err(mistake) => mistaken((&gateway, &posted.who), pasted(&posted), mistake),
    }
}

/// `POST /admin/configuration/apply`: applies what was planned, and nothing else.
pub(super) async fn apply(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let Posted { who, fields } = &posted;
    let at = (gateway.get_ref(), who);
    let text = match text_of(&posted) {
        Ok(text) => text,
        Err(mistake) => return mistaken(at, pasted(&posted), mistake),
    };
    let version = match fields.get("version").parse() {
        Ok(version) if fields.get("digest") == digest(&text) => version,
        _ => return planned(at, &text, Some(Note::Edited)).await,
    };
    match configuration::apply_planned(&gateway, &who.actor(), &text, version).await {
        Ok(Some(_)) => Ok(see_other(&gateway, "/admin/configuration?done=applied")),
        Ok(None) => planned(at, &text, Some(Note::Newer)).await,
        Err(error) => mistaken(at, &text, mistake_in(error, &text)?),
    }
}

/// The page with a plan.
async fn planned(
    (gateway, who): (&Gateway, &SignedIn),
    text: &str,
    note: Option<Note>,
) -> Result<HttpResponse, Problem> {
    let plan = match configuration::plan(gateway, text).await {
        Ok(planned) => Plan::of(planned, text),
        Err(error) => return mistaken((gateway, who), text, mistake_in(error, text)?),
    };
    let template = ConfigurationPage {
        frame: Frame::of(gateway, who, "configuration"),
        text,
        mistake: None,
        plan: Some(plan),
        note,
    };
    let status = status_if(note.is_some(), StatusCode::CONFLICT);
    page(status, &template)
}

/// The page with a mistake.
fn mistaken(
    (gateway, who): (&Gateway, &SignedIn),
    text: &str,
    mistake: Mistake,
) -> Result<HttpResponse, Problem> {
    let template = ConfigurationPage {
        frame: Frame::of(gateway, who, "configuration"),
        text,
        mistake: Some(mistake),
        plan: None,
        note: None,
    };
    page(StatusCode::UNPROCESSABLE_ENTITY, &template)
}

/// The text of the file that was chosen, else what was pasted.
fn text_of(posted: &Posted) -> Result<String, Mistake> {
    let wrong = |words: &str| Mistake {
        words: words.to_owned(),
        line: None,
        shown: None,
    };
    let text = match posted.fields.file("file") {
        None => pasted(posted),
        Some(file) => std::str::from_utf8(file)
            .map_err(|_| wrong("The file that you chose is no text in UTF-8."))?,
    };
    if text.len() > LONGEST {
        return Err(wrong("This is longer than 512 KiB."));
    }
    // A text area changes the ends of lines; the same text has to be the same.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    if text.trim().is_empty() {
        return Err(wrong("Paste a file, or choose one."));
    }
    Ok(text)
}

fn pasted(posted: &Posted) -> &str {
    posted.fields.get("text")
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The mistake behind a file that was not applied; what is nobody's mistake stays a refusal.
fn mistake_in(error: ApplyError, text: &str) -> Result<Mistake, Problem> {
    let error = configuration::refused(error)?;
    let place = match error.key.as_str() {
        "" => format!("Line {}", error.line),
        key => format!("Line {}, {key}", error.line),
    };
    Ok(Mistake {
        words: format!("{place}: {}", sentence(&error.message)),
        shown: harmless(text, &error),
        line: Some(error.line),
    })
}

/// Keys whose values are no secrets.
const HARMLESS: [&str; 19] = [
    "id",
    "name",
    "url",
    "launch_auth",
    "callback_state",
    "custom_csv",
    "finish_url",
    "prefix",
    "enabled",
    "sign_redirects",
    "timeout_ms",
    "private_network",
    "tools",
    "adapter_page",
    "signature",
    "title",
    "default",
    "label",
    "required",
];

/// The line of a mistake where its value is no secret; else what stands before its value. Any key that is
/// not known may be a misspelt secret.
fn harmless(text: &str, error: &FileError) -> Option<String> {
    let line = text.lines().nth(error.line.checked_sub(1)?)?.trim();
    let (key, _) = line.split_once('=').unwrap_or((line, ""));
    let key = key.trim();
    if key == error.key && (HARMLESS.contains(&key) || line.starts_with('[')) {
        Some(line.to_owned())
    } else if key == error.key && line.contains('=') {
        Some(format!("{key} = …"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let error = crate::flows::apply::parse(text).unwrap_err();
        harmless(text, &error)
    }

    #[test]
    fn the_line_of_a_mistake_is_shown_without_what_may_be_a_secret() {
        let url = "[[platforms]]\nid = \"lams\"\nurl = \"ftp://x\"\n";
        assert_eq!(shown(url).as_deref(), Some("url = \"ftp://x\""));
        for text in [
            "[[platforms]]\nid = \"lams\"\nurl = \"http://x\"\napi_token = 12345678\n",
            "[[platforms]]\nid = \"lams\"\nurl = \"http://x\"\napi_tokn = \"12345678\"\n",
            "[[platforms]]\nid = \"lams\"\nurl = \"http://x\"\napi_token = \"12345678\n",
            "[[platforms]]\nid = \"lams\"\nurl = \"http://x\"\napi_token \"12345678\"\n",
            "[[platforms]]\napi_token = \"\"\"\n12345678\\q\n\"\"\"\n",
            "[[platforms]]\napi_token = [\n\"12345678\"\n]\n",
        ] {
            let line = shown(text).unwrap_or_default();
            assert!(!line.contains("12345678"), "{line}");
            let words = crate::flows::apply::parse(text).unwrap_err().to_string();
            assert!(!words.contains("12345678"), "{words}");
        }
    }
}
