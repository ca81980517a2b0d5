//! What the form of a platform holds: made of a record, read from what was typed, shown, and turned into the
//! form of the file.

use crate::domain::platform::CsvSource;
use crate::flows::apply::{WrittenPlatform, WrittenSecret};
use crate::flows::configuration::{OPEN, SIGNED};
use crate::store::PlatformRecord;
use crate::web::admin::connected::{self, InWords, secret_input};
use crate::web::admin::forms::Fields;
use crate::web::admin::input::{Choice, Input, Wrong};

/// What stands in the form. Secrets are in it only on their way to being saved.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Typed {
    id: String,
    name: String,
    url: String,
    launch_auth: String,
    launch_secret: String,
    callback_state: String,
    custom_csv: String,
    api_token: String,
    finish_url: String,
}

/// The fields, as the page shows them.
pub(super) struct Shown {
    pub(super) id: Option<Input>,
    pub(super) about: [Input; 3],
    pub(super) choices: [Choice; 3],
    pub(super) secrets: [Input; 2],
    /// What is wrong with no field of its own.
    pub(super) wrong: Option<String>,
}

impl Typed {
    /// A platform to be added, as the file's defaults have it.
    pub(super) fn fresh() -> Self {
        Self {
            launch_auth: SIGNED.to_owned(),
            callback_state: "required".to_owned(),
            custom_csv: CsvSource::Accepted.as_str().to_owned(),
            ..Self::default()
        }
    }

    /// A platform as it is.
    pub(super) fn of(record: &PlatformRecord) -> Self {
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            url: record.url.clone(),
            launch_auth: record.launch_auth.clone(),
            launch_secret: String::new(),
            callback_state: record.callback_state.clone(),
            custom_csv: record.custom_csv.clone(),
            api_token: String::new(),
            finish_url: record.finish_url.clone().unwrap_or_default(),
        }
    }

    /// What was typed. Blanks around a value do not count, but in a secret.
    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        Self {
            id: text("id"),
            name: text("name"),
            url: text("url"),
            launch_auth: text("launch_auth"),
            launch_secret: fields.get("launch_secret").to_owned(),
            callback_state: text("callback_state"),
            custom_csv: text("custom_csv"),
            api_token: fields.get("api_token").to_owned(),
            finish_url: text("finish_url"),
        }
    }

    /// The platform in the form of the file.
    pub(super) fn written(&self) -> WrittenPlatform {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        WrittenPlatform {
            id: self.id.clone(),
            name: some(&self.name).unwrap_or_else(|| self.id.clone()),
            url: self.url.clone(),
            launch_auth: self.launch_auth.clone(),
            launch_secret: some(&self.launch_secret).map(WrittenSecret::Text),
            callback_state: self.callback_state.clone(),
            custom_csv: self.custom_csv.clone(),
            api_token: some(&self.api_token).map(WrittenSecret::Text),
            finish_url: some(&self.finish_url),
        }
    }

    /// Whether a secret was typed that is easy to guess.
    pub(super) fn has_short_secret(&self) -> bool {
        let short = |secret: &String| (1..16).contains(&secret.chars().count());
        [&self.launch_secret, &self.api_token]
            .into_iter()
            .any(short)
    }

    /// What another state has in those fields in which it differs.
    pub(super) fn differences(&self, now: &Self) -> Vec<InWords> {
        connected::differences(self.in_words(), now.in_words())
    }

    fn in_words(&self) -> [InWords; 6] {
        [
            ("Name", self.name.clone()),
            ("Address", self.url.clone()),
            ("Launches", self.launch_auth.clone()),
            ("State of callbacks", self.callback_state.clone()),
            ("Which customCSV counts", self.custom_csv.clone()),
            ("Where a finished learner goes", self.finish_url.clone()),
        ]
    }

    /// The fields; `record` is the platform that is edited, nothing where one is added.
    pub(super) fn shown(&self, record: Option<&PlatformRecord>, wrong: Option<&Wrong>) -> Shown {
        let id = record.is_none().then(|| {
            Input::text("id", "Platform id")
                .required()
                .hint("The first part of its launch addresses, such as lams. Small letters, digits and hyphens. It cannot be changed later.")
                .value(&self.id)
                .wrong(wrong)
        });
        let about = [
            Input::text("name", "Name")
                .hint("What people read, such as LAMS of our school.")
                .value(&self.name)
                .wrong(wrong),
            Input::text("url", "Address")
                .required()
                .hint("Where this LAMS is, such as https://lams.example.org/lams/")
                .value(&self.url)
                .wrong(wrong),
            Input::text("finish_url", "Where a finished learner goes")
                .hint("Absolute, or relative to the address. {toolSessionID} and {uid} may stand in it. Empty: the learner sees a page that says so.")
                .value(&self.finish_url)
                .wrong(wrong),
        ];
        let choices = [
            Choice::new("launch_auth", "How launches prove where they come from", &self.launch_auth)
                .option(SIGNED, "Signed", "LAMS signs each launch with the launch secret. Nobody else can make one.")
                .option(
                    OPEN,
                    "Open",
                    "A risk: whoever knows an address can open it under any name, and change or answer in that \
                     name. Only for a LAMS that cannot sign, in a network that you trust.",
                )
                .wrong(wrong),
            Choice::new("callback_state", "The state of callbacks", &self.callback_state)
                .option(
                    "required",
                    "Required",
                    "What comes back from an external LMS has to carry the token that it was sent with.",
                )
                .option(
                    "off",
                    "Off",
                    "A risk: a forged callback can put another activity in place of a teacher's, or mark a \
                     learner as finished. Only for an external LMS that loses the token.",
                )
                .wrong(wrong),
            Choice::new("custom_csv", "Which customCSV counts", &self.custom_csv)
                .option(
                    CsvSource::Accepted.as_str(),
                    "That of the launch, else the remembered one",
                    "A browser can name another course or section than its user came from.",
                )
                .option(
                    CsvSource::Remembered.as_str(),
                    "Only what came with a login",
                    "Needs that the external LMSs send their users into this LAMS by way of the gateway \
                     (LoginRequest).",
                )
                .wrong(wrong),
        ];
        let secret = |name, label, is_set, about: &str, typed: &str| {
            let place = if record.is_some() {
                "below"
            } else {
                "on the next page"
            };
            let about = format!("{about} Leave it empty to have one made {place}.");
            secret_input(name, (label, is_set), &about, typed).wrong(wrong)
        };
        let secrets = [
            secret(
                "launch_secret",
                "launch secret",
                record.is_some_and(|record| record.launch_secret.is_some()),
                "LAMS signs its launches with it.",
                &self.launch_secret,
            ),
            secret(
                "api_token",
                "API token",
                record.is_some_and(|record| record.api_token_hash.is_some()),
                "LAMS shows it with its calls to the API.",
                &self.api_token,
            ),
        ];
        let mut shown = Shown {
            id,
            about,
            choices,
            secrets,
            wrong: None,
        };
        if let Some(wrong) = wrong.filter(|_| !shown.says_what_is_wrong()) {
            shown.wrong = Some(wrong.words.clone());
        }
        shown
    }
}

impl Shown {
    fn says_what_is_wrong(&self) -> bool {
        let mut inputs = self.id.iter().chain(&self.about).chain(&self.secrets);
        inputs.any(Input::is_wrong) || self.choices.iter().any(Choice::is_wrong)
    }
}
