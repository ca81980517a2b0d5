//! What the form of a connection holds: made of a record, read from what was typed, shown, and turned into the
//! form of the file.

use crate::domain::lms::{Backend, GradesApi, LAUNCH_TIMEOUT, STUDENT_ROLE, USER_AUTH};
use crate::flows::apply::{WrittenEnrollment, WrittenSecret};
use crate::store::EnrollmentRecord;
use crate::web::admin::connected::{self, InWords, secret_input};
use crate::web::admin::forms::Fields;
use crate::web::admin::input::{Choice, Input, Select, Tick, Wrong};

/// What stands in the form. Secrets are in it only on their way to being saved.
#[derive(Clone, Default)]
pub(super) struct Typed {
    backend: String,
    base_url: String,
    selector_regex: String,
    course_regex: String,
    api_token: String,
    auto_enroll: bool,
    timeout_ms: String,
    client_id: String,
    client_secret: String,
    grades_api: String,
    role_id: String,
    user_auth: String,
    create_users: bool,
    extras: String,
}

/// The fields, as the page shows them.
pub(super) struct Shown {
    pub(super) backend: Choice,
    pub(super) about: [Input; 2],
    pub(super) links: [Input; 2],
    pub(super) auto_enroll: Tick,
    pub(super) timeout: Input,
    pub(super) client: [Input; 2],
    pub(super) grades_api: Select,
    pub(super) moodle: [Input; 2],
    pub(super) create_users: Tick,
    pub(super) extras: Input,
    /// What is wrong with no field of its own.
    pub(super) wrong: Option<String>,
}

impl Typed {
    /// A connection as it is; the file's defaults where there is none yet.
    pub(super) fn of(record: Option<&EnrollmentRecord>) -> Self {
        let Some(record) = record else {
            return Self {
                grades_api: GradesApi::default().as_str().to_owned(),
                create_users: true,
                ..Self::default()
            };
        };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
        Self {
            backend: record.backend.clone(),
            base_url: record.base_url.clone(),
            selector_regex: record.selector_regex.clone(),
            course_regex: text(&record.course_regex),
            auto_enroll: record.auto_enroll,
            timeout_ms: number(record.timeout_ms),
            client_id: text(&record.client_id),
            grades_api: record.grades_api.clone(),
            role_id: number(record.role_id),
            user_auth: text(&record.user_auth),
            create_users: record.create_users,
            extras: text(&record.extras),
            ..Self::default()
        }
    }

    /// What was typed. Blanks around a value do not count, but in secrets and expressions.
    pub(super) fn read(fields: &Fields) -> Self {
        let exactly = |name: &str| fields.get(name).to_owned();
        let text = |name: &str| fields.get(name).trim().to_owned();
        let on = |name: &str| !fields.get(name).is_empty();
        Self {
            backend: text("backend"),
            base_url: text("base_url"),
            selector_regex: exactly("selector_regex"),
            course_regex: exactly("course_regex"),
            api_token: exactly("api_token"),
            auto_enroll: on("auto_enroll"),
            timeout_ms: text("timeout_ms"),
            client_id: text("client_id"),
            client_secret: exactly("client_secret"),
            grades_api: text("grades_api"),
            role_id: text("role_id"),
            user_auth: text("user_auth"),
            create_users: on("create_users"),
            extras: text("extras"),
        }
    }

    /// The connection in the form of the file.
    pub(super) fn written(&self) -> Result<WrittenEnrollment, Wrong> {
        if self.backend.is_empty() {
            return Err(Wrong::new("backend", "Choose what its LMS is."));
        }
        if self.selector_regex.is_empty() {
            let words = "Without an expression no link can be told to belong to it.";
            return Err(Wrong::new("selector_regex", words));
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let number = |name: &str, text: &str| match text {
            "" => Ok(None),
            text => text
                .parse::<i64>()
                .map(Some)
                .map_err(|_| Wrong::new(name, "This must be a whole number, or empty.")),
        };
        Ok(WrittenEnrollment {
            backend: self.backend.clone(),
            base_url: self.base_url.clone(),
            selector_regex: self.selector_regex.clone(),
            course_regex: some(&self.course_regex),
            api_token: some(&self.api_token).map(WrittenSecret::Text),
            auto_enroll: self.auto_enroll,
            timeout_ms: number("timeout_ms", &self.timeout_ms)?,
            role_id: number("role_id", &self.role_id)?,
            user_auth: some(&self.user_auth),
            create_users: self.create_users,
            grades_api: self.grades_api.clone(),
            client_id: some(&self.client_id),
            client_secret: some(&self.client_secret).map(WrittenSecret::Text),
            extras: some(&self.extras),
        })
    }

    /// What another state has in those fields in which it differs.
    pub(super) fn differences(&self, now: &Self) -> Vec<InWords> {
        connected::differences(self.in_words(), now.in_words())
    }

    fn in_words(&self) -> [InWords; 12] {
        let yes_no = |on: bool| if on { "yes" } else { "no" }.to_owned();
        [
            ("LMS", self.backend.clone()),
            ("Base address", self.base_url.clone()),
            ("Links that belong to it", self.selector_regex.clone()),
            ("Course in a link", self.course_regex.clone()),
            ("Enrolls at a launch", yes_no(self.auto_enroll)),
            ("Time limit", self.timeout_ms.clone()),
            ("Client id", self.client_id.clone()),
            ("Grades", self.grades_api.clone()),
            ("Role", self.role_id.clone()),
            ("Sign-in of new accounts", self.user_auth.clone()),
            ("Makes accounts", yes_no(self.create_users)),
            ("Extra keys", self.extras.clone()),
        ]
    }

    /// The fields, over what is stored.
    pub(super) fn shown(&self, stored: Option<&EnrollmentRecord>, wrong: Option<&Wrong>) -> Shown {
        let has = |secret: fn(&EnrollmentRecord) -> bool| stored.is_some_and(secret);
        let mut shown = Shown {
            backend: self.backends().wrong(wrong),
            about: [
                Input::text("base_url", "Base address")
                    .required()
                    .hint("Open edX: the site, such as https://courses.example.org. Moodle: https://moodle.example.org/webservice/rest/server.php")
                    .value(&self.base_url)
                    .wrong(wrong),
                secret_input(
                    "api_token",
                    ("key or token", has(|record| record.api_token.is_some())),
                    "Open edX: the API key; none where there is a client below. Moodle: the token of the web service.",
                    &self.api_token,
                )
                .wrong(wrong),
            ],
            links: [
                Input::text("selector_regex", "Links that belong to it")
                    .required()
                    .hint("A regular expression that matches from the beginning of a link, such as ^https://courses\\.example\\.org/courses/.*")
                    .value(&self.selector_regex)
                    .wrong(wrong),
                Input::text("course_regex", "Course in a link")
                    .hint("A regular expression whose group course_id is the course, such as ^.*/courses/(?P<course_id>[^/]+)/.* A Moodle needs none: it reads ?id=")
                    .value(&self.course_regex)
                    .wrong(wrong),
            ],
            auto_enroll: Tick::new("auto_enroll", "Enroll learners at a launch", self.auto_enroll)
                .hint("A learner is enrolled in the course of the activity before the redirect. Should that fail, the learner goes on all the same, and the launch says why."),
            timeout: Input::text("timeout_ms", "What a launch waits for that, in milliseconds")
                .placeholder(&LAUNCH_TIMEOUT.as_millis().to_string())
                .value(&self.timeout_ms)
                .wrong(wrong),
            client: [
                Input::text("client_id", "OAuth2 client id")
                    .hint("In place of the key: client credentials of a user with staff rights.")
                    .value(&self.client_id)
                    .wrong(wrong),
                secret_input(
                    "client_secret",
                    ("client secret", has(|record| record.client_secret.is_some())),
                    "The secret of that client.",
                    &self.client_secret,
                )
                .wrong(wrong),
            ],
            grades_api: Select::new(
                "grades_api",
                "Grades",
                vec![
                    ("fun".to_owned(), "plug-in of FUN".to_owned()),
                    ("core".to_owned(), "Open edX’s own".to_owned()),
                ],
                &self.grades_api,
            )
            .hint("Which of its two APIs is asked for grades.")
            .wrong(wrong),
            moodle: [
                Input::text("role_id", "Role")
                    .placeholder(&STUDENT_ROLE.to_string())
                    .hint("The number of the role that is given; 5 is Moodle’s student.")
                    .value(&self.role_id)
                    .wrong(wrong),
                Input::text("user_auth", "Sign-in of new accounts")
                    .placeholder(USER_AUTH)
                    .hint("How an account that is made signs in.")
                    .value(&self.user_auth)
                    .wrong(wrong),
            ],
            create_users: Tick::new("create_users", "Make missing accounts", self.create_users)
                .hint("Where a call says who somebody is. A launch never makes one."),
            extras: Input::text("extras", "Extra keys")
                .hint("A JSON object: keys of Joanie’s list that nothing here uses. They come out again with the configuration.")
                .value(&self.extras)
                .wrong(wrong),
            wrong: None,
        };
        if let Some(wrong) = wrong.filter(|_| !shown.says_what_is_wrong()) {
            shown.wrong = Some(wrong.words.clone());
        }
        shown
    }

    fn backends(&self) -> Choice {
        let choice = Choice::new("backend", "Its LMS", &self.backend)
            .option("openedx", "Open edX", "Its enrollment API.")
            .option("moodle", "Moodle", "Its web services.")
            .option(
                "dummy",
                "None, for trying",
                "Only remembers what it is told, until the gateway ends.",
            );
        // Joanie's list may name these.
        match Backend::named(&self.backend) {
            Some(Backend::Failing) => choice.option(
                "failing",
                "None, always fails",
                "For trying what happens then.",
            ),
            Some(Backend::Base) => choice.option(
                "base",
                "None at all",
                "It only takes its place in the order.",
            ),
            _ => choice,
        }
    }
}

impl Shown {
    fn says_what_is_wrong(&self) -> bool {
        let inputs = [&self.about, &self.links, &self.client, &self.moodle];
        let inputs = inputs.into_iter().flatten();
        let mut inputs = inputs.chain([&self.timeout, &self.extras]);
        self.backend.is_wrong() || self.grades_api.is_wrong() || inputs.any(Input::is_wrong)
    }
}
