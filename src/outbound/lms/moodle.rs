//! Moodle: its web services, in the calls that Joanie makes. Errors come with status 200; a look-up that failed is
//! no account that is missing; a refusal is never taken for success.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

use super::answer::{said_in, truth};
use super::ask::{Answer, Ask, Body};
use super::failure::{LmsCode, LmsFailure};
use super::{Account, Enrollment, Set, Wanted};
use crate::domain::lms::Lms;
use crate::outbound::Outbound;
use crate::outbound::excerpt::line_without;

/// Whether somebody has completed a course.
const COMPLETION: &str = "core_completion_get_course_completion_status";

/// So much of a Moodle's code of an error is told, in characters.
const LONGEST_CODE: usize = 64;

/// The fields of a form.
pub(super) type Fields = Vec<(String, String)>;

/// Where a function is called.
pub(super) fn function_url(lms: &Lms, function: &str, token: &str) -> Result<Url, LmsFailure> {
    let mut url = Url::parse(lms.address.as_str())
        .map_err(|error| LmsFailure::new(LmsCode::NotCallable, error.to_string()))?;
    url.query_pairs_mut()
        .append_pair("wstoken", token)
        .append_pair("wsfunction", function)
        .append_pair("moodlewsrestformat", "json");
    Ok(url)
}

fn token(lms: &Lms) -> &str {
    lms.api_token
        .as_ref()
        .map_or("", |token| token.expose_secret())
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// The form that looks an account up.
pub(super) fn by(key: &str, value: &str) -> Fields {
    fields(&[("criteria[0][key]", key), ("criteria[0][value]", value)])
}

/// The form that makes an account.
pub(super) fn new_account(lms: &Lms, username: &str, account: &Account) -> Fields {
    let login = username.to_lowercase();
    // Moodle takes no blank names.
    let name = |name: &str| match name.trim() {
        "" => ".".to_owned(),
        name => name.to_owned(),
    };
    let mut form = fields(&[
        ("users[0][username]", &login),
        ("users[0][firstname]", &name(&account.first_name)),
        ("users[0][lastname]", &name(&account.last_name)),
        ("users[0][email]", &account.email),
        ("users[0][auth]", &lms.user_auth),
        ("users[0][idnumber]", username),
    ]);
    if lms.user_auth == "manual" {
        // Such an account needs a password: Moodle makes one and sends it.
        form.extend(fields(&[("users[0][createpassword]", "1")]));
    }
    form
}

/// The form that enrolls, or ends an enrollment.
pub(super) fn enrolment(course: &str, user: &str, role: Option<i64>) -> Fields {
    let mut form = fields(&[
        ("enrolments[0][courseid]", course),
        ("enrolments[0][userid]", user),
    ]);
    form.extend(role.map(|role| ("enrolments[0][roleid]".to_owned(), role.to_string())));
    form
}

/// Whether a function changes something.
fn writes(function: &str) -> bool {
    matches!(
        function,
        "core_user_create_users" | "enrol_manual_enrol_users" | "enrol_manual_unenrol_users"
    )
}

impl Outbound {
    /// Calls a function; nothing where it answered `null`, or nothing at all.
    pub(super) async fn call_moodle(
        &self,
        lms: &Lms,
        function: &'static str,
        form: Fields,
    ) -> Result<Option<Value>, LmsFailure> {
        let url = function_url(lms, function, token(lms))?;
        let ask = match writes(function) {
            true => Ask::writing(function, url, Body::Form(form)),
            false => Ask::reading(function, url, Body::Form(form)),
        };
        let answer = self.ask(lms, &ask).await?;
        let secrets = ask.secrets(lms);
        let json = match answer.is_success() {
            true => answer.json(&secrets)?,
            // A refusal may say more in its body than its status does.
            false => answer.json(&secrets).ok().flatten(),
        };
        if let Some(json) = &json
            && (json.get("exception").is_some() || json.get("errorcode").is_some())
        {
            return Err(exception(function, json, &answer, &secrets));
        }
        match answer.is_success() {
            true => Ok(json),
            false => Err(answer.refused(&secrets)),
        }
    }

    /// Everybody who is enrolled in a course.
    pub(super) async fn moodle_enrollments(
        &self,
        lms: &Lms,
        course: &str,
    ) -> Result<Vec<Value>, LmsFailure> {
        let form = fields(&[("courseid", course)]);
        let answer = self
            .call_moodle(lms, "core_enrol_get_enrolled_users", form)
            .await?;
        match answer {
            Some(Value::Array(people)) => Ok(people),
            _ => Err(odd("core_enrol_get_enrolled_users answered with no list")),
        }
    }

    pub(super) async fn moodle_enrollment(
        &self,
        lms: &Lms,
        username: &str,
        course: &str,
    ) -> Result<Enrollment, LmsFailure> {
        // Moodle's logins are lower-case.
        let login = username.to_lowercase();
        let people = self.moodle_enrollments(lms, course).await?;
        let of_user = |person: &Value| {
            let name = person["username"].as_str();
            name.is_some_and(|name| name.to_lowercase() == login)
        };
        let said = people.into_iter().find(of_user);
        Ok(Enrollment {
            is_enrolled: said.is_some(),
            said,
        })
    }

    /// The number of an account.
    pub(super) async fn moodle_account(
        &self,
        lms: &Lms,
        key: &str,
        value: &str,
    ) -> Result<Option<String>, LmsFailure> {
        let answer = self
            .call_moodle(lms, "core_user_get_users", by(key, value))
            .await?;
        let users = answer
            .as_ref()
            .and_then(|answer| answer["users"].as_array());
        let users = users.ok_or_else(|| odd("core_user_get_users answered with no users"))?;
        match users.first() {
            None => Ok(None),
            Some(user) => match user["id"].as_i64() {
                Some(id) => Ok(Some(id.to_string())),
                None => Err(odd("core_user_get_users answered with a user without id")),
            },
        }
    }

    /// Makes an account; answers its number.
    pub(super) async fn moodle_create(
        &self,
        lms: &Lms,
        username: &str,
        account: &Account,
    ) -> Result<String, LmsFailure> {
        let form = new_account(lms, username, account);
        let answer = self.call_moodle(lms, "core_user_create_users", form).await;
        let answer = answer.map_err(|failure| match failure.code {
            LmsCode::BadRequest | LmsCode::Refused => LmsFailure {
                code: LmsCode::Account,
                detail: "it did not make the account".to_owned(),
                ..failure
            },
            _ => failure,
        })?;
        let id = answer.as_ref().and_then(|answer| answer[0]["id"].as_i64());
        id.map(|id| id.to_string())
            .ok_or_else(|| odd("core_user_create_users answered without an id"))
    }

    /// The number of an account that is there, or made now; and whether it was found by its e-mail address.
    async fn account_of(
        &self,
        lms: &Lms,
        wanted: Wanted<'_>,
    ) -> Result<(String, bool), LmsFailure> {
        let login = wanted.username.to_lowercase();
        if let Some(id) = self.moodle_account(lms, "username", &login).await? {
            return Ok((id, false));
        }
        let missing = |words: &str| LmsFailure::new(LmsCode::UserNotFound, words);
        if !lms.create_users {
            return Err(missing("it has no account of this login, and none is made"));
        }
        let account = wanted.account.ok_or_else(|| {
            missing("it has no account of this login, and who it is, for making one, was not said")
        })?;
        let refused = match self.moodle_create(lms, wanted.username, account).await {
            Ok(id) => return Ok((id, false)),
            Err(failure) if failure.code == LmsCode::Account => failure,
            Err(failure) => return Err(failure),
        };
        // Why, Moodle mostly does not say. Another may have made it, or it has another login.
        if let Some(id) = self.moodle_account(lms, "username", &login).await? {
            return Ok((id, false));
        }
        if account.email.is_empty() {
            return Err(refused);
        }
        match self.moodle_account(lms, "email", &account.email).await? {
            Some(id) => Ok((id, true)),
            None => Err(refused),
        }
    }

    pub(super) async fn moodle_set(
        &self,
        lms: &Lms,
        wanted: Wanted<'_>,
    ) -> Result<Set, LmsFailure> {
        if !wanted.active {
            return self.moodle_end(lms, wanted).await;
        }
        let (user, by_email) = self.account_of(lms, wanted).await?;
        let form = enrolment(wanted.course, &user, Some(lms.role_id));
        self.call_moodle(lms, "enrol_manual_enrol_users", form)
            .await?;
        Ok(Set {
            warning: by_email.then_some("account_by_email"),
            ..Set::done(true)
        })
    }

    async fn moodle_end(&self, lms: &Lms, wanted: Wanted<'_>) -> Result<Set, LmsFailure> {
        let login = wanted.username.to_lowercase();
        let Some(user) = self.moodle_account(lms, "username", &login).await? else {
            // An account that the token may not see looks the same: that nobody is enrolled is not known.
            let words = "it has no account of this login that the token may see";
            return Err(LmsFailure::new(LmsCode::UserNotFound, words));
        };
        let function = "enrol_manual_unenrol_users";
        if !self.role_is_refused(lms) {
            let form = enrolment(wanted.course, &user, Some(lms.role_id));
            match self.call_moodle(lms, function, form).await {
                Ok(_) => return Ok(Set::done(false)),
                // Moodle 5.2 takes no role here any more.
                Err(failure) if failure.lms_code.as_deref() == Some("invalidparameter") => {}
                Err(failure) => return Err(failure),
            }
        }
        let form = enrolment(wanted.course, &user, None);
        self.call_moodle(lms, function, form).await?;
        self.note_role_is_refused(lms);
        Ok(Set::done(false))
    }

    pub(super) async fn moodle_grades(
        &self,
        lms: &Lms,
        username: &str,
        course: &str,
    ) -> Result<Value, LmsFailure> {
        let login = username.to_lowercase();
        let Some(user) = self.moodle_account(lms, "username", &login).await? else {
            let words = "it has no account of this login that the token may see";
            return Err(LmsFailure::new(LmsCode::UserNotFound, words));
        };
        let form = fields(&[("courseid", course), ("userid", &user)]);
        let answer = self.call_moodle(lms, COMPLETION, form).await?;
        let completed = answer
            .as_ref()
            .map(|answer| &answer["completionstatus"]["completed"]);
        match completed.and_then(truth) {
            Some(passed) => Ok(json!({ "passed": passed })),
            None => Err(odd(
                "its answer does not say whether the course is completed",
            )),
        }
    }
}

fn odd(words: &str) -> LmsFailure {
    LmsFailure::new(LmsCode::Protocol, words)
}

/// An exception, in Moodle's form.
fn exception(function: &str, json: &Value, answer: &Answer, secrets: &[&str]) -> LmsFailure {
    let lms_code = json["errorcode"].as_str().filter(|code| !code.is_empty());
    let code =
        match lms_code {
            Some("invalidtoken") => LmsCode::Credentials,
            Some(
                "accessexception" | "nopermissions" | "requireloginerror" | "wsusercannotassign",
            ) => LmsCode::Forbidden,
            Some(
                "invalidrecord"
                | "invalidrecordunknown"
                | "invalidcourseid"
                | "errorcoursecontextnotvalid",
            ) => LmsCode::CourseNotFound,
            Some("invalidparameter") => LmsCode::BadRequest,
            Some(
                "completionnotenabled" | "cannotviewreport" | "usernotenroled" | "nocriteriaset",
            ) if function == COMPLETION => LmsCode::NoGrades,
            _ => LmsCode::Refused,
        };
    // It is the LMS's own text, as its message is.
    let lms_code = lms_code.map(|code| line_without(code.as_bytes(), secrets, LONGEST_CODE));
    let words = match &lms_code {
        Some(code) => format!("it answered with the error {code}"),
        None => "it answered with an error".to_owned(),
    };
    LmsFailure {
        lms_code,
        ..LmsFailure::new(code, words).saying(said_in(&answer.body, secrets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> LmsFailure {
        let json = json!({ "exception": "moodle_exception", "errorcode": code, "message": "no" });
        let answer = Answer {
            status: 200,
            body: json.to_string().into_bytes(),
        };
        exception("core_user_get_users", &json, &answer, &["T0kenOfThis"])
    }

    #[test]
    fn a_code_is_told_short_in_one_line_and_without_secrets() {
        let failure = refused("nopermissions");
        assert_eq!(failure.code, LmsCode::Forbidden);
        assert_eq!(failure.lms_code.as_deref(), Some("nopermissions"));
        assert_eq!(failure.detail, "it answered with the error nopermissions");
        for (code, told) in [
            ("no\r\nsuch\u{1b}[2J", "no such [2J".to_owned()),
            ("of T0kenOfThis!", "of …!".to_owned()),
            ("of t0kenofthis!", "of …!".to_owned()),
            (&"x".repeat(10_000), "x".repeat(64) + "…"),
        ] {
            let failure = refused(code);
            let detail = format!("it answered with the error {told}");
            assert_eq!((failure.lms_code, failure.detail), (Some(told), detail));
        }
    }
}
