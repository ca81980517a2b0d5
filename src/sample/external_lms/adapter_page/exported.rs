//! An exported activity: its kind and settings as JSON. Whose course it was in, and what learners left
//! in it, stays here.

use serde::{Deserialize, Serialize};

use crate::sample::external_lms::activity::{Activity, Kind, Settings};
use crate::sample::external_lms::draft::Draft;

#[derive(Serialize, Deserialize)]
struct Exported {
    kind: Kind,
    settings: Settings,
}

/// The file; `None` if it cannot be written.
pub(super) fn write(activity: Activity) -> Option<String> {
    let Activity { kind, settings, .. } = activity;
    serde_json::to_string(&Exported { kind, settings }).ok()
}

/// The settings in a file of `kind`; `None` if it is no such file, or holds what could not be edited
/// here.
pub(super) fn read(kind: Kind, file: &[u8]) -> Option<Settings> {
    let exported: Exported = serde_json::from_slice(file).ok()?;
    (exported.kind == kind && could_be_written(kind, &exported.settings))
        .then_some(exported.settings)
}

/// Whether an author's form could have brought these settings. Default content, a quiz without
/// questions, is as good as a form that asks for none.
fn could_be_written(kind: Kind, settings: &Settings) -> bool {
    let form = match settings.questions.as_slice() {
        [] => Kind::Forum,
        _ => Kind::Quiz,
    };
    (form == kind || form == Kind::Forum)
        && Draft::of(form, settings).check(form).as_ref() == Ok(settings)
}
