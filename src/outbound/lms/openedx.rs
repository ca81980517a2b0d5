//! Open edX: its enrollment API, and two grades APIs. An enrollment is looked at before it is set: an unchanged
//! one is refused by Open edX once the course is closed or full.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use super::answer::truth;
use super::ask::{Answer, Ask, Body};
use super::failure::{LmsCode, LmsFailure};
use super::{Enrollment, Set, Wanted};
use crate::domain::lms::{GradesApi, Lms};
use crate::outbound::Outbound;

/// The header of the key.
const KEY: HeaderName = HeaderName::from_static("x-edx-api-key");

/// An address below the root of an LMS.
pub(super) fn below(lms: &Lms, path: &str) -> Result<Url, LmsFailure> {
    let address = format!("{}{path}", lms.address.root());
    Url::parse(&address).map_err(|error| LmsFailure::new(LmsCode::NotCallable, error.to_string()))
}

/// A login as one segment of a path.
pub(super) fn segment(username: &str) -> Result<String, LmsFailure> {
    if matches!(username, "" | "." | "..") {
        let words = "no account can have this login";
        return Err(LmsFailure::new(LmsCode::UserNotFound, words));
    }
    Ok(escaped(username, b"-._~!$&'()*+;=:@"))
}

/// A course key in a path: the slashes of older ones stay.
pub(super) fn key_in_path(course: &str) -> Result<String, LmsFailure> {
    let dots = course.split('/').any(|part| matches!(part, "." | ".."));
    if course.is_empty() || dots {
        let words = "no course can have this id";
        return Err(LmsFailure::new(LmsCode::CourseNotFound, words));
    }
    Ok(escaped(course, b"-._~!$&'()*+;=:@,/"))
}

fn escaped(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Where one enrollment is read.
pub(super) fn enrollment_url(lms: &Lms, username: &str, course: &str) -> Result<Url, LmsFailure> {
    let (username, course) = (segment(username)?, key_in_path(course)?);
    below(
        lms,
        &format!("/api/enrollment/v1/enrollment/{username},{course}"),
    )
}

/// What is posted to set an enrollment.
pub(super) fn enrollment_body(wanted: Wanted<'_>, mode: Option<&str>) -> Value {
    let mut body = json!({
        "is_active": wanted.active,
        "user": wanted.username,
        "course_details": {"course_id": wanted.course},
    });
    if let Some(mode) = mode {
        body["mode"] = mode.into();
    }
    body
}

impl Outbound {
    /// Asks with the key, or a token; where a token is not taken any more, with a new one.
    async fn ask_edx(&self, lms: &Lms, mut ask: Ask) -> Result<(Answer, Ask), LmsFailure> {
        let json = HeaderValue::from_static("application/json");
        ask.headers.insert(CONTENT_TYPE, json);
        let Some(client) = &lms.client else {
            if let Some(key) = &lms.api_token {
                ask.secret_header(KEY, key.expose_secret())?;
            }
            return Ok((self.ask(lms, &ask).await?, ask));
        };
        let mut refused: Option<SecretString> = None;
        loop {
            let bearer = self.bearer(lms, client, refused.as_ref()).await?;
            ask.secret_header(AUTHORIZATION, &bearer.header)?;
            ask.secrets.push(bearer.secret.clone());
            let answer = self.ask(lms, &ask).await?;
            // What is refused for its token has changed nothing, and may be sent again.
            if answer.status != 401 || refused.is_some() {
                return Ok((answer, ask));
            }
            refused = Some(bearer.secret);
        }
    }

    pub(super) async fn edx_enrollment(
        &self,
        lms: &Lms,
        username: &str,
        course: &str,
    ) -> Result<Enrollment, LmsFailure> {
        let url = enrollment_url(lms, username, course)?;
        let ask = Ask::reading("get_enrollment", url, Body::Nothing);
        let (answer, ask) = self.ask_edx(lms, ask).await?;
        let secrets = ask.secrets(lms);
        if !answer.is_success() {
            return Err(answer.refused(&secrets));
        }
        let Some(said) = answer.json(&secrets)? else {
            return Ok(Enrollment {
                is_enrolled: false,
                said: None,
            });
        };
        let Some(is_enrolled) = truth(&said["is_active"]) else {
            return Err(answer.unreadable("its answer does not say is_active", &secrets));
        };
        Ok(Enrollment {
            is_enrolled,
            said: Some(said),
        })
    }

    pub(super) async fn edx_set(&self, lms: &Lms, wanted: Wanted<'_>) -> Result<Set, LmsFailure> {
        // That it cannot be looked at is no reason not to set it.
        let looked = self
            .edx_enrollment(lms, wanted.username, wanted.course)
            .await;
        let current = looked.as_ref().ok();
        let current_mode = current
            .and_then(|current| current.said.as_ref())
            .and_then(|said| said["mode"].as_str());
        let is_active = current.map(|current| current.is_enrolled);
        let mode = if wanted.active {
            wanted.mode
        } else {
            current_mode
        };
        let same_mode = !wanted.active || wanted.mode.is_none() || wanted.mode == current_mode;
        if is_active == Some(wanted.active) && same_mode {
            return Ok(Set::already(wanted.active));
        }
        let url = below(lms, "/api/enrollment/v1/enrollment")?;
        let body = enrollment_body(wanted, mode);
        let ask = Ask::writing("set_enrollment", url, Body::Json(body));
        let (answer, ask) = self.ask_edx(lms, ask).await?;
        let secrets = ask.secrets(lms);
        if !answer.is_success() {
            return Err(of_enrollment(&answer, answer.refused(&secrets)));
        }
        let Some(said) = answer.json(&secrets)? else {
            return Ok(Set::done(wanted.active));
        };
        match truth(&said["is_active"]) {
            Some(now) if now == wanted.active => Ok(Set {
                warning: match (mode, said["mode"].as_str()) {
                    (Some(mode), Some(now)) if mode != now => Some("mode_mismatch"),
                    _ => None,
                },
                ..Set::done(wanted.active)
            }),
            Some(_) => Err(answer_of(
                &answer,
                LmsCode::Refused,
                "it answered that nothing has changed",
                &secrets,
            )),
            None => Err(answer.unreadable("its answer does not say is_active", &secrets)),
        }
    }

    pub(super) async fn edx_grades(
        &self,
        lms: &Lms,
        username: &str,
        course: &str,
    ) -> Result<Value, LmsFailure> {
        let key = key_in_path(course)?;
        let url = match lms.grades_api {
            GradesApi::Fun => {
                let username = segment(username)?;
                below(lms, &format!("/fun/api/grades/{key}/{username}"))?
            }
            GradesApi::Core => {
                let mut url = below(lms, &format!("/api/grades/v1/courses/{key}/"))?;
                url.query_pairs_mut().append_pair("username", username);
                url
            }
        };
        let (answer, ask) = self
            .ask_edx(lms, Ask::reading("get_grades", url, Body::Nothing))
            .await?;
        let secrets = ask.secrets(lms);
        if !answer.is_success() {
            return Err(answer.refused(&secrets));
        }
        let json = answer.json(&secrets)?;
        let found = match (lms.grades_api, json) {
            (GradesApi::Core, Some(Value::Array(all))) => {
                let of_user = |grade: &Value| {
                    let name = grade["username"].as_str();
                    name.is_none_or(|name| name.eq_ignore_ascii_case(username))
                };
                all.into_iter().find(of_user)
            }
            (_, json) => json,
        };
        let Some(mut grades) = found else {
            let words = "it has no grades of this person in this course";
            return Err(LmsFailure::new(LmsCode::NoGrades, words));
        };
        match truth(&grades["passed"]) {
            Some(passed) => {
                grades["passed"] = passed.into();
                Ok(grades)
            }
            None => Err(answer.unreadable("its answer does not say passed", &secrets)),
        }
    }
}

/// What a refused enrollment is refused for.
fn of_enrollment(answer: &Answer, refused: LmsFailure) -> LmsFailure {
    let words = String::from_utf8_lossy(&answer.body).to_lowercase();
    let code = match answer.status {
        406 => LmsCode::UserNotFound,
        400 if words.contains("no course") => LmsCode::CourseNotFound,
        400 => LmsCode::Refused,
        _ => refused.code,
    };
    LmsFailure { code, ..refused }
}

fn answer_of(answer: &Answer, code: LmsCode, words: &str, secrets: &[&str]) -> LmsFailure {
    LmsFailure {
        code,
        ..answer.unreadable(words, secrets)
    }
}
