//! What the form of a server holds: made of a record, read from what was typed, shown, and turned into the
//! form of the file.

use std::collections::{BTreeMap, BTreeSet};

use super::tool_row::{ToolRow, field_of, item_names};

use crate::domain::configuration::Configuration;
use crate::domain::server::Signing;
use crate::domain::tool::ADAPTER_PAGE;
use crate::flows::apply::{FileError, WrittenSecret, WrittenServer};
use crate::store::ServerRecord;
use crate::web::admin::connected::{self, InWords, secret_input};
use crate::web::admin::forms::Fields;
use crate::web::admin::input::{Choice, Input, Tick, Wrong};

/// What the key is for.
const KEY: &str =
    "The secret that this server shares with LAMS; it makes the signatures. Needed with tools.";

/// What stands in the form. The key is in it only on its way to being saved.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) id: String,
    name: String,
    url: String,
    key: String,
    prefix: String,
    signature: String,
    timeout_ms: String,
    login_window_minutes: String,
    time_zone: String,
    enabled: bool,
    sign_redirects: bool,
    private_network: bool,
    tools: BTreeSet<String>,
    settings: BTreeMap<String, BTreeMap<String, String>>,
}

/// The fields, as the page shows them.
pub(super) struct Shown {
    pub(super) id: Option<Input>,
    pub(super) about: [Input; 4],
    pub(super) signature: Choice,
    pub(super) ticks: [Tick; 3],
    pub(super) timeout: Input,
    pub(super) logins: [Input; 2],
    pub(super) tools: Vec<ToolRow>,
    /// What is wrong with no field of its own.
    pub(super) wrong: Option<String>,
}

impl Typed {
    /// A server to be added, as the file's defaults have it.
    pub(super) fn fresh() -> Self {
        Self {
            signature: Signing::Legacy.number().to_string(),
            enabled: true,
            sign_redirects: true,
            private_network: true,
            ..Self::default()
        }
    }

    /// A server as it is.
    pub(super) fn of(record: &ServerRecord) -> Self {
        let timeout = record.timeout_ms.map(|ms| ms.to_string());
        Self {
            id: record.id.clone(),
            name: record.name.clone(),
            url: record.url.clone(),
            key: String::new(),
            prefix: record.prefix.clone().unwrap_or_default(),
            signature: record.signature.to_string(),
            timeout_ms: timeout.unwrap_or_default(),
            login_window_minutes: record
                .login_window_minutes
                .map(|minutes| minutes.to_string())
                .unwrap_or_default(),
            time_zone: record.time_zone.clone().unwrap_or_default(),
            enabled: record.enabled,
            sign_redirects: record.sign_redirects,
            private_network: record.private_network,
            tools: record.tools.clone(),
            settings: record.settings.clone(),
        }
    }

    /// What was typed. Blanks around a value do not count, but in a key.
    pub(super) fn read(fields: &Fields, configuration: &Configuration) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        let on = |name: &str| !fields.get(name).is_empty();
        let mut typed = Self {
            id: text("id"),
            name: text("name"),
            url: text("url"),
            key: fields.get("key").to_owned(),
            prefix: text("prefix"),
            signature: text("signature"),
            timeout_ms: text("timeout_ms"),
            login_window_minutes: text("login_window_minutes"),
            time_zone: text("time_zone"),
            enabled: on("enabled"),
            sign_redirects: on("sign_redirects"),
            private_network: on("private_network"),
            ..Self::default()
        };
        for tool in configuration.tools() {
            let signature = tool.signature.to_string();
            let items: BTreeMap<String, String> = item_names(tool)
                .map(|item| (item.to_owned(), text(&field_of(&signature, item))))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            if !items.is_empty() {
                typed.settings.insert(signature.clone(), items);
            }
            if on(&format!("tool.{signature}")) {
                typed.tools.insert(signature);
            }
        }
        typed
    }

    /// The server in the form of the file.
    pub(super) fn written(&self, configuration: &Configuration) -> Result<WrittenServer, Wrong> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let number = |name: &str, text: &str, of: &str| match text {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| Wrong::new(name, format!("This must be a number of {of}, or empty."))),
        };
        let signature = self
            .signature
            .parse()
            .map_err(|_| Wrong::new("signature", "Choose one of these."))?;
        let timeout_ms = number("timeout_ms", &self.timeout_ms, "milliseconds")?;
        let login_window_minutes = number(
            "login_window_minutes",
            &self.login_window_minutes,
            "minutes",
        )?;
        let tools = configuration.tools();
        for tool in tools.filter(|tool| self.tools.contains(tool.signature.as_str())) {
            let signature = tool.signature.as_str();
            let set = self.settings.get(signature);
            let lacks = |name: &str| set.is_none_or(|items| !items.contains_key(name));
            let missing = tool
                .config
                .iter()
                .find(|item| item.required && item.default.is_none() && lacks(&item.name));
            if let Some(item) = missing {
                let words = format!("{} needs this on its server.", tool.title);
                return Err(Wrong::new(field_of(signature, &item.name), words));
            }
        }
        Ok(WrittenServer {
            id: self.id.clone(),
            name: some(&self.name).unwrap_or_else(|| self.id.clone()),
            url: self.url.clone(),
            key: some(&self.key).map(WrittenSecret::Text),
            prefix: some(&self.prefix),
            enabled: self.enabled,
            sign_redirects: self.sign_redirects,
            signature,
            timeout_ms,
            private_network: self.private_network,
            login_window_minutes,
            time_zone: some(&self.time_zone),
            tools: self.tools.clone(),
            settings: self.settings.clone(),
        })
    }

    /// What another state has in those fields in which it differs.
    pub(super) fn differences(&self, now: &Self) -> Vec<InWords> {
        connected::differences(self.in_words(), now.in_words())
    }

    fn in_words(&self) -> [InWords; 12] {
        let yes_no = |on: bool| if on { "yes" } else { "no" }.to_owned();
        let one = |(tool, items): (&String, &BTreeMap<String, String>)| {
            let items = items.iter().map(|(name, value)| format!("{name} {value}"));
            format!("{tool}: {}", Vec::from_iter(items).join(", "))
        };
        let tools = Vec::from_iter(self.tools.iter().cloned()).join(", ");
        let settings = Vec::from_iter(self.settings.iter().map(one)).join("; ");
        [
            ("Name", self.name.clone()),
            ("Address", self.url.clone()),
            ("Prefix", self.prefix.clone()),
            ("Signature", self.signature.clone()),
            ("Time limit", self.timeout_ms.clone()),
            ("Window of logins", self.login_window_minutes.clone()),
            ("Time zone", self.time_zone.clone()),
            ("Enabled", yes_no(self.enabled)),
            ("Redirects are signed", yes_no(self.sign_redirects)),
            ("In a private network", yes_no(self.private_network)),
            ("Tools", tools),
            ("Settings of tools", settings),
        ]
    }

    /// The fields. `new`: of a server that is not there yet.
    pub(super) fn shown(
        &self,
        configuration: &Configuration,
        new: bool,
        has_key: bool,
        wrong: Option<&Wrong>,
    ) -> Shown {
        let id = new.then(|| {
            Input::text("id", "Server id")
                .required()
                .hint("How the external LMS calls itself towards LAMS (ext_lms_id), such as moodle. It cannot be changed later.")
                .value(&self.id)
                .wrong(wrong)
        });
        let about = [
            Input::text("name", "Name")
                .hint("What teachers read, such as Moodle of our school.")
                .value(&self.name)
                .wrong(wrong),
            Input::text("url", "Address")
                .required()
                .hint("Where it is, such as https://moodle.example.org/")
                .value(&self.url)
                .wrong(wrong),
            secret_input("key", ("key", has_key), KEY, &self.key).wrong(wrong),
            Input::text("prefix", "Prefix of logins")
                .hint("A LAMS login is prefix, underscore, external login: mdl makes mdl_bill of bill. Needed with tools.")
                .value(&self.prefix)
                .wrong(wrong),
        ];
        let signature = Choice::new("signature", "How requests to it are signed", &self.signature)
            .option(
                "1",
                "Signature 1, SHA-1 (legacy)",
                "What LAMS’s protocol demands, and what an LMS checks that was not changed. It covers who and when \
                 alone: who reads one address can make others of it, for ever.",
            )
            .option(
                "2",
                "Signature 2, HMAC-SHA-256",
                "It covers all of a request, for five minutes, once. Only for an LMS whose pages check it, else \
                 nothing there works any more: docs/signature2.md says how. Test the connection after you switch.",
            )
            .wrong(wrong);
        let ticks = [
            Tick::new("enabled", "Enabled", self.enabled)
                .hint("Else launches to it are refused in words."),
            Tick::new("sign_redirects", "Sign redirects", self.sign_redirects).hint(
                "Browsers arrive there with who they are and a signature, and are signed in. Off for a server that does not know that.",
            ),
            Tick::new("private_network", "It may be in a private network", self.private_network)
                .hint("Off: calls to private and loopback addresses are refused. Link-local ones always are."),
        ];
        let timeout = Input::text("timeout_ms", "Time limit of a call, in milliseconds")
            .hint("For all calls but import and export. Empty: 15 seconds.")
            .value(&self.timeout_ms)
            .wrong(wrong);
        let logins = [
            Input::text("login_window_minutes", "Logins are taken within so many minutes of their time")
                .hint("0: at any time, as LAMS does it, so that an address which somebody copied signs in for ever. Sixty or so is a good choice where the clocks agree. Empty: as TOOLGATE_LOGIN_WINDOW_MINUTES says, else 0.")
                .value(&self.login_window_minutes)
                .wrong(wrong),
            Input::text("time_zone", "Time zone of its clocks")
                .placeholder("UTC")
                .hint("For servers that write the time of a login in words, as Moodle does. Such as Europe/Berlin.")
                .value(&self.time_zone)
                .wrong(wrong),
        ];
        let tools: Vec<ToolRow> = configuration
            .tools()
            .map(|tool| {
                let set = self.settings.get(tool.signature.as_str());
                ToolRow::of(
                    tool,
                    self.tools.contains(tool.signature.as_str()),
                    set,
                    wrong,
                )
            })
            .collect();
        let mut shown = Shown {
            id,
            about,
            signature,
            ticks,
            timeout,
            logins,
            tools,
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
        let items = self.tools.iter().flat_map(|tool| &tool.items);
        let mut all = self
            .id
            .iter()
            .chain(&self.about)
            .chain([&self.timeout])
            .chain(&self.logins)
            .chain(items);
        self.signature.is_wrong() || all.any(Input::is_wrong)
    }
}

/// Which field a mistake in the file of one server is about.
pub(super) fn wrong_of(error: &FileError) -> Wrong {
    let wrong = connected::wrong_of(error);
    let of_tool = wrong
        .field
        .strip_prefix("[servers.settings.")
        .and_then(|rest| rest.strip_suffix(']'));
    match of_tool {
        Some(signature) => Wrong::new(field_of(signature, ADAPTER_PAGE), wrong.words),
        None => wrong,
    }
}
