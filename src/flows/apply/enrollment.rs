//! `[servers.enrollment]`: its form, and what of it is stored.

use serde::Deserialize;
use toml::Spanned;

use super::file::{File, FileError};
use super::secret::Secret;
use crate::domain::lms::{Backend, COURSE_GROUP, GradesApi, LmsAddress, Pattern, look_alike};
use crate::store::EnrollmentRecord;

/// What a launch may wait for an enrollment at most, in milliseconds.
const LONGEST_LAUNCH_TIMEOUT: i64 = 60_000;

/// The table as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnrollmentEntry {
    backend: Spanned<String>,
    base_url: Spanned<String>,
    selector_regex: Spanned<String>,
    course_regex: Option<Spanned<String>>,
    pub(super) api_token: Option<Spanned<Secret>>,
    #[serde(default)]
    auto_enroll: bool,
    timeout_ms: Option<Spanned<i64>>,
    role_id: Option<Spanned<i64>>,
    user_auth: Option<Spanned<String>>,
    create_users: Option<bool>,
    grades_api: Option<Spanned<String>>,
    client_id: Option<Spanned<String>>,
    pub(super) client_secret: Option<Spanned<Secret>>,
    extras: Option<Spanned<String>>,
}

/// The secrets of an entry, once they are revealed or kept.
pub(super) struct Sealed {
    pub(super) api_token: Option<Vec<u8>>,
    pub(super) client_secret: Option<Vec<u8>>,
}

impl EnrollmentEntry {
    /// What is stored of it, without its secrets.
    pub(super) fn record(&self, file: &File) -> Result<EnrollmentRecord, FileError> {
        let backend = Backend::named(self.backend.get_ref()).ok_or_else(|| {
            file.error(
                self.backend.span(),
                "backend must be \"openedx\", \"moodle\" or \"dummy\"",
            )
        })?;
        LmsAddress::parse(self.base_url.get_ref())
            .map_err(|error| file.error(self.base_url.span(), format!("base_url {error}")))?;
        self.patterns(file, backend)?;
        self.numbers(file)?;
        let api = self.grades_api.as_ref();
        if let Some(name) = api.filter(|name| GradesApi::named(name.get_ref()).is_none()) {
            return Err(file.error(name.span(), "grades_api must be \"fun\" or \"core\""));
        }
        if let Some(auth) = self
            .user_auth
            .as_ref()
            .filter(|auth| !is_plain(auth.get_ref()))
        {
            let message = "user_auth must be 1 to 100 letters, digits or '_'";
            return Err(file.error(auth.span(), message));
        }
        if let Some(id) = self
            .client_id
            .as_ref()
            .filter(|id| id.get_ref().trim().is_empty())
        {
            return Err(file.error(id.span(), "client_id must not be empty"));
        }
        if let Some(extras) = &self.extras
            && !serde_json::from_str(extras.get_ref())
                .is_ok_and(|json: serde_json::Value| json.is_object())
        {
            return Err(file.error(extras.span(), "extras must be a JSON object in a text"));
        }
        let text =
            |value: &Option<Spanned<String>>| value.as_ref().map(|text| text.get_ref().clone());
        Ok(EnrollmentRecord {
            position: 0,
            backend: backend.as_str().to_owned(),
            base_url: self.base_url.get_ref().clone(),
            selector_regex: self.selector_regex.get_ref().clone(),
            course_regex: text(&self.course_regex),
            api_token: None,
            client_id: text(&self.client_id),
            client_secret: None,
            auto_enroll: self.auto_enroll,
            timeout_ms: self.timeout_ms.as_ref().map(|ms| *ms.get_ref()),
            role_id: self.role_id.as_ref().map(|id| *id.get_ref()),
            user_auth: text(&self.user_auth),
            create_users: self.create_users.unwrap_or(true),
            grades_api: text(&self.grades_api)
                .unwrap_or_else(|| GradesApi::default().as_str().to_owned()),
            extras: text(&self.extras),
        })
    }

    fn patterns(&self, file: &File, backend: Backend) -> Result<(), FileError> {
        let keys = [
            ("selector_regex", Some(&self.selector_regex)),
            ("course_regex", self.course_regex.as_ref()),
        ];
        for (key, text) in keys {
            let Some(text) = text else { continue };
            let pattern = Pattern::parse(text.get_ref()).map_err(|error| {
                file.error(
                    text.span(),
                    format!("{key} is no regular expression: {error}"),
                )
            })?;
            let needs_group = key == "course_regex" && backend.needs_course_group();
            if needs_group && !pattern.has_course_group() {
                return Err(file.error(text.span(), without_group()));
            }
        }
        if backend.needs_course_group() && self.course_regex.is_none() {
            let at = self.backend.span();
            return Err(file.error_about("course_regex", at, without_group()));
        }
        Ok(())
    }

    fn numbers(&self, file: &File) -> Result<(), FileError> {
        if let Some(ms) = &self.timeout_ms
            && !(1..=LONGEST_LAUNCH_TIMEOUT).contains(ms.get_ref())
        {
            let message = format!("timeout_ms of enrollment must be 1 to {LONGEST_LAUNCH_TIMEOUT}");
            return Err(file.error(ms.span(), message));
        }
        match &self.role_id {
            Some(id) if *id.get_ref() < 1 => {
                Err(file.error(id.span(), "role_id must be a number from 1 on"))
            }
            _ => Ok(()),
        }
    }

    /// Checks what the secrets are needed for, and puts them in.
    pub(super) fn sealed(
        &self,
        file: &File,
        record: EnrollmentRecord,
        sealed: Sealed,
    ) -> Result<EnrollmentRecord, FileError> {
        let at = || {
            self.client_id
                .as_ref()
                .map_or(self.backend.span(), Spanned::span)
        };
        if record.client_id.is_some() && sealed.client_secret.is_none() {
            return Err(file.error_about("client_secret", at(), "client_id needs a client_secret"));
        }
        if record.client_id.is_none() && self.client_secret.is_some() {
            return Err(file.error_about("client_id", at(), "client_secret needs a client_id"));
        }
        Ok(EnrollmentRecord {
            api_token: sealed.api_token,
            // Without its id it is of no use any more.
            client_secret: sealed.client_secret.filter(|_| record.client_id.is_some()),
            ..record
        })
    }
}

/// Says that nothing signs the calls of a connection, where nothing does.
pub(super) fn without_secret(record: &EnrollmentRecord) -> Option<String> {
    let called = Backend::named(&record.backend).is_some_and(Backend::is_called);
    let lacks = called && record.api_token.is_none() && record.client_secret.is_none();
    let words = "it has neither api_token nor client: its LMS will refuse every call";
    lacks.then(|| words.to_owned())
}

/// What of a stored connection is worth a second look, by itself.
pub fn second_looks(record: &EnrollmentRecord) -> Vec<String> {
    let course = record.course_regex.as_ref();
    let looks = [
        look_alike("selector_regex", &record.selector_regex),
        course.and_then(|text| look_alike("course_regex", text)),
        without_secret(record),
    ];
    looks.into_iter().flatten().collect()
}

fn without_group() -> String {
    format!("course_regex must have a group that finds the course: (?P<{COURSE_GROUP}>…)")
}

fn is_plain(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
