//! The dummy: an LMS that is none. It remembers for a while what it was told, in Open edX's form.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Enrollment, Set, Wanted};
use crate::domain::lms::Lms;

/// How long.
const REMEMBERED: Duration = Duration::from_secs(300);
/// So much at most.
const MOST: usize = 100_000;

/// Server, login and course.
type Key = (String, String, String);

/// What the dummies of all connections remember.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<HashMap<Key, (Instant, bool)>>);

impl Remembered {
    pub(super) fn enrollment(&self, lms: &Lms, username: &str, course: &str) -> Enrollment {
        let is_enrolled = self.is_active(&key(lms, username, course));
        let said = json!({
            "created": null,
            "mode": "audit",
            "is_active": is_enrolled,
            "course_details": {"course_id": course},
            "user": username,
        });
        Enrollment {
            is_enrolled,
            said: Some(said),
        }
    }

    pub(super) fn set(&self, lms: &Lms, wanted: Wanted<'_>) -> Set {
        let key = key(lms, wanted.username, wanted.course);
        if self.is_active(&key) == wanted.active {
            return Set::already(wanted.active);
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        }
        if all.len() < MOST {
            all.insert(key, (Instant::now(), wanted.active));
        }
        Set::done(wanted.active)
    }

    fn is_active(&self, key: &Key) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = all
            .get(key)
            .filter(|(since, _)| since.elapsed() < REMEMBERED);
        fresh.is_some_and(|(_, active)| *active)
    }
}

fn key(lms: &Lms, username: &str, course: &str) -> Key {
    (
        lms.server.to_string(),
        username.to_owned(),
        course.to_owned(),
    )
}

/// Joanie's: everybody has passed.
pub(super) fn grades() -> Value {
    json!({
        "passed": true,
        "grade": "A",
        "percent": 1.0,
        "totaled_scores": {"Final Exam": [[1.0, 1.0, true, "First section", null]]},
        "grade_breakdown": [{
            "category": "Final Exam",
            "percent": 1.0,
            "detail": "Final Exam = 100.00% of a possible 100.00%",
        }],
        "section_breakdown": [{
            "category": "Final Exam",
            "prominent": true,
            "percent": 1.0,
            "detail": "Final Exam = 100%",
            "label": "FE",
        }],
    })
}
