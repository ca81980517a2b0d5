//! An address of a LoginRequest for trying. It signs in, so it is in the answer to the form that asked for it,
//! and nowhere else: no address of these pages holds it, and nothing is stored.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::Utc;

use crate::domain::login_request::{LoginError, Method};
use crate::domain::query::QueryError;
use crate::flows::Gateway;
use crate::flows::people::{Attempt, AttemptError, Tried, attempt};
use crate::flows::sign::SignError;
use crate::web::admin::frame::{Frame, page};
use crate::web::admin::guard::{Posted, SignedIn};
use crate::web::admin::input::{Input, Select, Wrong};
use crate::web::admin::launches::{Parameter, flat};
use crate::web::admin::shell::in_shell;
use crate::web::front_door::LONGEST_ADDRESS;
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// What stands for the key.
const MASK: &str = "••••••••";

/// What came of it.
struct Made {
    tried: Tried,
    /// As a browser opens it.
    address: String,
    /// Its parameters.
    parts: Vec<Parameter>,
    command: String,
}

impl Made {
    fn is_strict(&self) -> bool {
        self.tried.method == Method::LearnerStrictAuth
    }

    /// The text that the hash is made of, but for the key.
    fn text(&self) -> String {
        let counts = self.tried.hashed.iter().map(|part| part.counts.as_str());
        counts.collect::<String>() + MASK
    }

    /// What a parameter is.
    fn about(&self, name: &str) -> &'static str {
        match name {
            "uid" => "who: the login on the server",
            "method" => "what for",
            "ts" => "when: milliseconds since 1970",
            "sid" => "the server’s id",
            "hash" => "proves that who made it has the key",
            "courseid" => "the course there; not covered by the hash",
            "courseName" => "its name for people; not covered by the hash",
            "customCSV" => "what activities are to know; not covered by the hash",
            "lsid" if self.is_strict() => "the lesson in LAMS",
            "lsid" => "the lesson in LAMS; not covered by the hash of this method",
            _ => "",
        }
    }
}

#[derive(Template)]
#[template(path = "admin/try_login.html")]
struct TryPage<'a> {
    frame: Frame<'a>,
    selects: [Select; 3],
    inputs: [Input; 5],
    wrong: Option<&'a Wrong>,
    made: Option<Made>,
    mask: &'static str,
    /// Whether there is a platform and a server to try it with.
    can_try: bool,
}

impl<'a> TryPage<'a> {
    fn of(
        (gateway, who): (&'a Gateway, &'a SignedIn),
        asked: &Attempt,
        wrong: Option<&'a Wrong>,
    ) -> Self {
        let configuration = gateway.configuration();
        let platforms = configuration.platforms();
        let platforms = platforms.map(|one| (one.id.to_string(), one.name.clone()));
        let mut platforms: Vec<_> = platforms.collect();
        platforms.sort();
        let servers = configuration.servers();
        let servers = servers.map(|one| (one.id.to_string(), format!("{} ({})", one.name, one.id)));
        let servers: Vec<_> = servers.collect();
        let methods = Method::ALL.map(|method| {
            let id = method.as_str();
            let words = match method {
                Method::Author => "author: makes lessons",
                Method::Monitor => "monitor: watches a lesson",
                Method::Learner => "learner: takes a lesson",
                Method::LearnerStrictAuth => "learnerStrictAuth: takes the lesson in the hash",
            };
            (id.to_owned(), words.to_owned())
        });
        Self {
            frame: Frame::of(gateway, who, "people"),
            can_try: !platforms.is_empty() && !servers.is_empty(),
            selects: [
                Select::new("platform", "Platform", platforms, &asked.platform)
                    .hint("The LAMS that it leads into."),
                Select::new("server", "Server", servers, &asked.server)
                    .hint("Whose user comes, and whose key makes the hash."),
                Select::new("method", "Method", methods.into(), &asked.method)
                    .hint("What the person comes for."),
            ]
            .map(|select| select.wrong(wrong)),
            inputs: [
                Input::text("user", "User")
                    .required()
                    .hint("The login on the server, such as Bill.")
                    .value(&asked.user),
                Input::text("course", "Course")
                    .hint("Its id on the server.")
                    .value(&asked.course),
                Input::text("course_name", "Name of the course").value(&asked.course_name),
                Input::text("custom_csv", "customCSV")
                    .hint("For the activities that an author adds, such as Bill,7,3,moodle")
                    .value(&asked.custom_csv),
                Input::text("lesson", "Lesson")
                    .hint("Its id in LAMS. Needed for learnerStrictAuth.")
                    .value(&asked.lesson),
            ]
            .map(|input| input.wrong(wrong)),
            wrong: wrong.filter(|wrong| wrong.field.is_empty()),
            made: None,
            mask: MASK,
        }
    }
}

/// `GET /admin/people/try`
pub(in crate::web::admin) async fn show(
    who: SignedIn,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let asked = Attempt {
        method: Method::Author.as_str().to_owned(),
        ..Attempt::default()
    };
    page(StatusCode::OK, &TryPage::of((&gateway, &who), &asked, None))
}

/// `POST /admin/people/try`
pub(in crate::web::admin) async fn make(
    posted: Posted,
    gateway: web::Data<Gateway>,
) -> Result<HttpResponse, Problem> {
    let field = |name| posted.fields.get(name).to_owned();
    let asked = Attempt {
        platform: field("platform"),
        server: field("server"),
        user: field("user"),
        method: field("method"),
        course: field("course"),
        course_name: field("course_name"),
        custom_csv: field("custom_csv"),
        lesson: field("lesson").trim().to_owned(),
    };
    let at = (gateway.get_ref(), &posted.who);
    match attempt(&gateway, &asked, LONGEST_ADDRESS, Utc::now()) {
        Ok(tried) => {
            let mut template = TryPage::of(at, &asked, None);
            template.made = Some(Made {
                address: format!("{}{}", gateway.public_url(), tried.path),
                parts: flat(&tried.parts),
                command: command(&asked),
                tried,
            });
            page(StatusCode::OK, &template)
        }
        Err(error) => {
            let wrong = wrong_of(&error);
            page(
                StatusCode::UNPROCESSABLE_ENTITY,
                &TryPage::of(at, &asked, Some(&wrong)),
            )
        }
    }
}

/// What is wrong, at its field; at none where it is about all of it.
fn wrong_of(error: &AttemptError) -> Wrong {
    let field = match error {
        AttemptError::Sign(SignError::UnknownPlatform(_)) => "platform",
        AttemptError::Sign(SignError::UnknownServer(_) | SignError::NoKey(_))
        | AttemptError::Disabled => "server",
        AttemptError::Sign(SignError::NoLesson) => {
            return Wrong::new(
                "lesson",
                "With learnerStrictAuth the hash covers the lesson: name one.",
            );
        }
        AttemptError::Lesson => "lesson",
        AttemptError::TooLong => "custom_csv",
        AttemptError::Login(LoginError::Method) => "method",
        AttemptError::Login(LoginError::Query(QueryError::Missing("uid"))) => {
            return Wrong::new("user", "Whose login is it? Name somebody.");
        }
        AttemptError::Login(LoginError::Text(name, most)) => {
            let field = match *name {
                "uid" => "user",
                "courseid" => "course",
                "courseName" => "course_name",
                _ => "custom_csv",
            };
            let words = format!("At most {most} characters, none a control character.");
            return Wrong::new(field, words);
        }
        AttemptError::Sign(_) | AttemptError::Login(_) => "",
    };
    Wrong::new(field, sentence(&format!("{error}.")))
}

/// The same as a command. What is given stands in literals only, and behind `=` or `--`, so that nothing of it
/// is taken for an option.
fn command(asked: &Attempt) -> String {
    let mut words = vec!["toolgate sign-login".to_owned()];
    for (name, value) in asked.more() {
        let option = match name {
            "courseid" => "course",
            "courseName" => "course-name",
            "customCSV" => "custom-csv",
            _ => "lesson",
        };
        words.push(format!("--{option}={}", in_shell(value)));
    }
    words.push("--".to_owned());
    for value in [&asked.platform, &asked.server, &asked.user, &asked.method] {
        words.push(in_shell(value));
    }
    words.join(" ")
}
