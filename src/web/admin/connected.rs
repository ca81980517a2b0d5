//! What the pages of servers and those of platforms have in common: ids in addresses, mistakes in the file of
//! one object, secrets that are kept, what somebody else changed, and the page that asks before it deletes.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::{Frame, page};
use super::guard::SignedIn;
use super::input::{Input, Wrong};
use crate::flows::apply::{ApplyError, FileError, SaveError};
use crate::flows::{Gateway, Refusal, connecting};
use crate::store::InUse;
use crate::web::problem::Problem;
use crate::web::words::sentence;

/// Servers or platforms, in the words of their pages.
pub(super) struct Kind {
    /// The path behind `/admin/`.
    pub(super) path: &'static str,
    /// One of them.
    pub(super) one: &'static str,
    /// What is deleted with one.
    goes_with_it: &'static str,
    /// What one content that uses it does, and what several do.
    uses: [&'static str; 2],
    /// What to do about one that is in use.
    advice: &'static str,
}

/// The external LMSs.
pub(super) const SERVERS: Kind = Kind {
    path: "servers",
    one: "server",
    goes_with_it: "It goes with its key, its mapping to tools and their settings.",
    uses: ["content lives there", "contents live there"],
    advice: "Disable it, so that nobody is sent there any more. LAMS has to remove what lives there before it \
             can be deleted.",
};

/// The LAMS instances.
pub(super) const PLATFORMS: Kind = Kind {
    path: "platforms",
    one: "platform",
    goes_with_it: "It goes with its launch secret and its API token: this LAMS can open nothing here any more.",
    uses: ["content is its own", "contents are its own"],
    advice: "LAMS has to remove what is its own before it can be deleted. To shut it out at once, make a new \
             launch secret and a new API token, and keep them.",
};

impl Kind {
    /// The id in an address; one that is missing is that of nothing.
    pub(super) fn id_of<'r>(&self, request: &'r HttpRequest) -> Result<&'r str, Refusal> {
        // Ids need no escapes, and what has some is no id.
        let pairs = request.query_string().split('&');
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(name, value)| (name == "id").then_some(value))
            .ok_or(Refusal::NotConfigured(self.one))
    }

    /// Asks whether one is to be deleted, or says what uses it.
    pub(super) fn deleting(
        &'static self,
        status: StatusCode,
        (gateway, who): (&Gateway, &SignedIn),
        (id, name): (&str, &str),
        used: &InUse,
    ) -> Result<HttpResponse, Problem> {
        let template = DeletePage {
            frame: Frame::of(gateway, who, self.path),
            kind: self,
            id,
            name,
            used,
        };
        page(status, &template)
    }
}

#[derive(Template)]
#[template(path = "admin/delete_connected.html")]
struct DeletePage<'a> {
    frame: Frame<'a>,
    kind: &'static Kind,
    id: &'a str,
    name: &'a str,
    used: &'a InUse,
}

impl DeletePage<'_> {
    /// What uses it, as a part of a sentence.
    fn reasons(&self) -> String {
        let some = |count: i64, [one, several]: [&str; 2]| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {several}")),
        };
        let calls = [
            "call for it is under way or unsettled",
            "calls for it are under way or unsettled",
        ];
        let reasons = [
            some(self.used.contents, self.kind.uses),
            some(self.used.calls, calls),
        ];
        Vec::from_iter(reasons.into_iter().flatten()).join(", and ")
    }
}

/// A field in words, and what is in it.
pub(super) type InWords = (&'static str, String);

/// Those fields that are not as they were typed, with what is there now.
pub(super) fn differences<const N: usize>(typed: [InWords; N], now: [InWords; N]) -> Vec<InWords> {
    let pairs = typed.into_iter().zip(now);
    pairs
        .filter(|(mine, theirs)| mine != theirs)
        .map(|(_, (field, value))| match value.as_str() {
            "" => (field, "nothing".to_owned()),
            _ => (field, value),
        })
        .collect()
}

/// The box of a secret that is kept: it is never shown, and replaced by what is typed. `about` says what the
/// secret is for, where there is none yet; `typed` is what was typed, which is not sent back.
pub(super) fn secret_input(
    name: &'static str,
    (label, is_set): (&str, bool),
    about: &str,
    typed: &str,
) -> Input {
    let again = if typed.is_empty() {
        ""
    } else {
        " Type it once more: what was typed is not sent back."
    };
    if is_set {
        let hint = format!("Empty: the {label} stays as it is. It is never shown.{again}");
        Input::secret(name, format!("Replace the {label}")).hint(hint)
    } else {
        let hint = format!("{about} Once saved it is never shown again.{again}");
        Input::secret(name, sentence(label).trim_end_matches('.')).hint(hint)
    }
}

/// Which field a mistake in the file of one object is about.
pub(super) fn wrong_of(error: &FileError) -> Wrong {
    let key = if error.about.is_empty() {
        &error.key
    } else {
        &error.about
    };
    Wrong::new(key.as_str(), sentence(&error.message))
}

/// What stands behind a change without fields of its own that was not saved.
pub(super) fn not_saved(error: SaveError) -> Problem {
    match error {
        SaveError::Newer => Refusal::ChangedMeanwhile.into(),
        SaveError::Wrong(error) => Refusal::NotInOrder(error.message).into(),
        SaveError::Failed(error) => failed(error),
    }
}

/// What stands behind a form that was right and was not saved.
pub(super) fn failed(error: ApplyError) -> Problem {
    match connecting::configuration::refused(error) {
        Ok(wrong) => Refusal::NotInOrder(wrong.message).into(),
        Err(refusal) => refusal.into(),
    }
}
