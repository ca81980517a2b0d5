//! Enrolling a learner before a launch goes to a server: within its time, once in ten minutes, and without asking
//! for the same course a hundred times when a class comes in at once. Whatever comes of it, the launch goes on.

use std::collections::HashSet;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use quick_cache::UnitWeighter;
use quick_cache::sync::Cache;

use crate::domain::id::ServerId;
use crate::domain::launch_record::{About, NotEnrolled};
use crate::domain::lms::{Backend, Lms, whole_number};
use crate::flows::Gateway;
use crate::flows::two_hashes::TwoHashes;
use crate::outbound::{LmsCode, LmsError, Outbound, Wanted};

/// A learner who is known as enrolled is not asked about for so long.
const KNOWN: Duration = Duration::from_secs(600);
/// So many learners are known at most.
const MOST_KNOWN: u64 = 500_000;
/// Who is in a course is asked for once in so long.
const LOOKED: Duration = Duration::from_secs(60);
/// So many courses are remembered at most.
const MOST_COURSES: u64 = 1_000;
/// There is room for so many from the start.
const USUAL: usize = 100;

/// A connection, where it leads, and a course there.
type Course = (ServerId, String, String);

/// What is known of enrollments, in this process.
pub struct Enrolled {
    /// Since when.
    known: Cache<[u64; 2], Instant>,
    hashes: TwoHashes,
    courses: Cache<Course, Looking>,
    /// Learners who are being enrolled, so that two launches of one are one enrollment.
    under_way: Mutex<HashSet<(Course, String)>>,
}

/// A look at a course: whoever comes while it is under way waits for it.
type Looking = Arc<tokio::sync::Mutex<Option<(Instant, Looked)>>>;

/// Who is in a course; nothing where the LMS cannot say so at once.
type Looked = Result<Option<Arc<HashSet<String>>>, LmsError>;

impl Default for Enrolled {
    fn default() -> Self {
        Self {
            known: Cache::with_weighter(USUAL, MOST_KNOWN, UnitWeighter),
            hashes: TwoHashes::default(),
            courses: Cache::with_weighter(USUAL, MOST_COURSES, UnitWeighter),
            under_way: Mutex::default(),
        }
    }
}

impl Enrolled {
    /// Notes what is known now of somebody in a course.
    pub(super) fn note(&self, lms: &Lms, course: &str, username: &str, is_enrolled: bool) {
        let course = course_of(lms, course);
        if is_enrolled {
            self.known_now(&course, username);
        } else {
            self.forget(&course, username);
        }
    }

    fn known_now(&self, course: &Course, username: &str) {
        self.known_since(course, username, Instant::now());
    }

    fn known_since(&self, course: &Course, username: &str, since: Instant) {
        self.known.insert(self.hashes.of((course, username)), since);
    }

    fn forget(&self, course: &Course, username: &str) {
        self.courses.remove(course);
        for name in [username, &username.to_lowercase()] {
            self.known.remove(&self.hashes.of((course, name)));
        }
    }

    fn knows(&self, course: &Course, username: &str) -> bool {
        let known = |name: &str| {
            let since = self.known.get(&self.hashes.of((course, name)));
            since.is_some_and(|since| since.elapsed() < KNOWN)
        };
        known(username) || known(&username.to_lowercase())
    }

    /// How it is looked at a course, by whoever comes now or came just before.
    fn looking(&self, course: Course) -> Looking {
        let Ok(looking) = self
            .courses
            .get_or_insert_with(&course, || Ok::<_, Infallible>(Looking::default()));
        looking
    }

    /// Drops what was seen of courses so long ago that it is looked at them anew.
    fn forget_old_looks(&self) {
        self.courses.retain(|_, looking| {
            let looked = looking.try_lock();
            looked.map_or(true, |looked| {
                looked.as_ref().is_none_or(|(at, _)| at.elapsed() < LOOKED)
            })
        });
    }
}

fn course_of(lms: &Lms, course: &str) -> Course {
    (
        lms.server.clone(),
        lms.address.root().to_owned(),
        course.to_owned(),
    )
}

/// Sees to it that a learner is enrolled; answers why that is not known, where it is not. Takes no longer than
/// the connection says; what is under way then goes on behind the launch. `about` is the session, for the story
/// of the launch.
pub async fn enroll(
    gateway: &Gateway,
    lms: &Lms,
    (course, username): (&str, &str),
    about: impl FnOnce() -> About,
) -> Option<NotEnrolled> {
    let key = course_of(lms, course);
    if gateway.enrolled().knows(&key, username) {
        return None;
    }
    let (owned, limit) = (lms.clone(), lms.launch_timeout);
    let (course, username) = (course.to_owned(), username.to_owned());
    let about = about();
    let work = gateway.see_through(move |gateway| async move {
        let outbound = gateway.outbound().about(about);
        let work = see_to_it((&gateway, &outbound), &owned, &course, &username);
        Ok(or_broken_off(&owned.server, work).await)
    });
    let failed = match tokio::time::timeout(limit, work).await {
        Ok(Ok(outcome)) => outcome.err(),
        Ok(Err(refusal)) => Some(NotEnrolled {
            words: refusal.to_string(),
            code: LmsCode::Down.as_str(),
        }),
        Err(_) => Some(NotEnrolled {
            words: format!(
                "the LMS of {}: no enrollment within {} s; the launch did not wait longer",
                lms.server,
                limit.as_secs_f32()
            ),
            code: LmsCode::Late.as_str(),
        }),
    };
    if let Some(failed) = &failed {
        tracing::warn!(server = %lms.server, reason = failed.words, "a learner was not enrolled");
    }
    failed
}

/// What comes of work, also where it panics: a defect here must not keep a learner from the course.
async fn or_broken_off(
    server: &ServerId,
    work: impl Future<Output = Result<(), NotEnrolled>>,
) -> Result<(), NotEnrolled> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|_| {
        Err(NotEnrolled {
            words: format!(
                "the LMS of {server}: the enrollment broke off by a defect of the gateway"
            ),
            code: LmsCode::Failed.as_str(),
        })
    })
}

async fn see_to_it(
    (gateway, outbound): (&Gateway, &Outbound),
    lms: &Lms,
    course: &str,
    username: &str,
) -> Result<(), NotEnrolled> {
    if lms.backend == Backend::Moodle && whole_number(course).is_none() {
        return Err(NotEnrolled {
            words: format!(
                "the LMS of {}: the course of this activity is no number",
                lms.server
            ),
            code: LmsCode::CourseNotFound.as_str(),
        });
    }
    let key = course_of(lms, course);
    let mine = (key.clone(), username.to_owned());
    let begun = under_way(gateway.enrolled()).insert(mine.clone());
    if !begun {
        // The other launch of the same learner does it; this one need not wait for more than that.
        return waited_for(gateway, &mine).await;
    }
    let _ends = Ends(gateway.enrolled(), &mine);
    if let Some(people) = people((gateway, outbound), lms, course)
        .await
        .map_err(|error| not(&error))?
    {
        for person in people.iter() {
            gateway.enrolled().known_now(&key, person);
        }
    }
    if gateway.enrolled().knows(&key, username) {
        return Ok(());
    }
    let wanted = Wanted {
        username,
        course,
        active: true,
        mode: None,
        account: None,
    };
    let set = outbound.set_enrollment(lms, wanted).await;
    set.map_err(|error| not(&error))?;
    gateway.enrolled().note(lms, course, username, true);
    Ok(())
}

/// Who is in a course, where the LMS says so in one call and it was not asked lately.
async fn people(
    (gateway, outbound): (&Gateway, &Outbound),
    lms: &Lms,
    course: &str,
) -> Result<Option<Arc<HashSet<String>>>, LmsError> {
    let looking = gateway.enrolled().looking(course_of(lms, course));
    let mut looked = looking.lock().await;
    if let Some((at, outcome)) = looked.as_ref() {
        let lives = match outcome {
            Ok(_) => LOOKED,
            // Those who waited while it failed need not see it fail themselves.
            Err(_) => Duration::from_secs(2),
        };
        if at.elapsed() < lives {
            return outcome.clone();
        }
    }
    gateway.enrolled().forget_old_looks();
    let outcome = match outbound.enrolled_in(lms, course).await {
        Ok(people) => Ok(people.map(|people| Arc::new(HashSet::from_iter(people)))),
        Err(error) if error.failure.retryable => Err(error),
        // A token that may not list the course may still enroll.
        Err(_) => Ok(None),
    };
    *looked = Some((Instant::now(), outcome.clone()));
    outcome
}

async fn waited_for(gateway: &Gateway, mine: &(Course, String)) -> Result<(), NotEnrolled> {
    while under_way(gateway.enrolled()).contains(mine) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if gateway.enrolled().knows(&mine.0, &mine.1) {
        return Ok(());
    }
    Err(NotEnrolled {
        words: format!(
            "the LMS of {}: another launch of this learner could not enroll",
            mine.0.0
        ),
        code: LmsCode::Failed.as_str(),
    })
}

fn under_way(enrolled: &Enrolled) -> std::sync::MutexGuard<'_, HashSet<(Course, String)>> {
    enrolled
        .under_way
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// Ends what is under way, however it ends.
struct Ends<'a>(&'a Enrolled, &'a (Course, String));

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        under_way(self.0).remove(self.1);
    }
}

fn not(error: &LmsError) -> NotEnrolled {
    NotEnrolled {
        words: error.to_string(),
        code: error.failure.code.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(name: &str) -> Course {
        let server = "edx".parse().expect("a server id");
        (
            server,
            "https://edx.example.org".to_owned(),
            name.to_owned(),
        )
    }

    #[test]
    fn who_is_known_in_a_course_is_known_there_and_by_whatever_case_a_launch_names() {
        let enrolled = Enrolled::default();
        enrolled.known_now(&course("one"), "ann");
        let knows = |name, person| enrolled.knows(&course(name), person);
        assert!(knows("one", "ann") && knows("one", "Ann"));
        assert!(!knows("one", "bob") && !knows("two", "ann"));
    }

    #[test]
    fn who_was_known_long_ago_or_has_left_is_known_no_more() {
        let (enrolled, now) = (Enrolled::default(), Instant::now());
        let old = now.checked_sub(KNOWN).expect("a time before");
        enrolled.known_since(&course("one"), "bob", old);
        assert!(!enrolled.knows(&course("one"), "bob"));
        for name in ["ann", "Ann"] {
            enrolled.known_since(&course("one"), name, now);
        }
        enrolled.forget(&course("one"), "Ann");
        assert!(!enrolled.knows(&course("one"), "Ann") && !enrolled.knows(&course("one"), "ann"));
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_keeps_nobody_from_going_on() {
        let server = course("one").0;
        let outcome = or_broken_off(&server, async { panic!("a defect") }).await;
        let failed = outcome.expect_err("it is not enrolled");
        assert!(failed.words.contains("edx") && failed.words.contains("defect"));
        assert_eq!(failed.code, "lms-failed");
        assert!(or_broken_off(&server, async { Ok(()) }).await.is_ok());
    }

    #[tokio::test]
    async fn what_was_seen_of_a_course_is_dropped_once_it_is_old() {
        let (enrolled, now) = (Enrolled::default(), Instant::now());
        let old = now.checked_sub(LOOKED).expect("a time before");
        let [seen_now, seen_before, under_way] =
            ["now", "before", "under way"].map(|name| enrolled.looking(course(name)));
        *seen_now.lock().await = Some((now, Ok(None)));
        *seen_before.lock().await = Some((old, Ok(None)));
        let _held = under_way.lock().await;
        enrolled.forget_old_looks();
        let is_same = |name, one| Arc::ptr_eq(&enrolled.looking(course(name)), one);
        assert!(is_same("now", &seen_now) && is_same("under way", &under_way));
        assert!(!is_same("before", &seen_before));
    }
}
