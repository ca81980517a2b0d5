//! Enrolling a learner before a launch goes to a server: within its time, once in ten minutes, and without asking
//! for the same course a hundred times when a class comes in at once. Whatever comes of it, the launch goes on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::domain::id::ServerId;
use crate::domain::launch_record::{About, NotEnrolled};
use crate::domain::lms::{Backend, Lms, whole_number};
use crate::flows::Gateway;
use crate::outbound::{LmsCode, LmsError, Outbound, Wanted};

/// A learner who is known as enrolled is not asked about for so long.
const KNOWN: Duration = Duration::from_secs(600);
/// So many learners are known at most.
const MOST_KNOWN: u64 = 500_000;
/// Who is in a course is asked for once in so long.
const LOOKED: Duration = Duration::from_secs(60);
/// So many courses are remembered at most.
const MOST_COURSES: u64 = 1_000;

/// A connection, where it leads, and a course there.
type Course = (ServerId, String, String);

/// What is known of enrollments, in this process.
pub struct Enrolled {
    known: Cache<(Course, String), ()>,
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
            known: Cache::builder()
                .max_capacity(MOST_KNOWN)
                .time_to_live(KNOWN)
                .build(),
            courses: Cache::builder()
                .max_capacity(MOST_COURSES)
                .time_to_live(KNOWN)
                .build(),
            under_way: Mutex::default(),
        }
    }
}

impl Enrolled {
    /// Notes what is known now of somebody in a course.
    pub(super) fn note(&self, lms: &Lms, course: &str, username: &str, is_enrolled: bool) {
        let key = (course_of(lms, course), username.to_owned());
        if is_enrolled {
            self.known.insert(key, ());
        } else {
            self.courses.invalidate(&key.0);
            self.known.invalidate(&key);
            let lower = (key.0, username.to_lowercase());
            self.known.invalidate(&lower);
        }
    }

    fn knows(&self, course: &Course, username: &str) -> bool {
        let known = |name: &str| self.known.contains_key(&(course.clone(), name.to_owned()));
        known(username) || known(&username.to_lowercase())
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
        Ok(see_to_it((&gateway, &outbound), &owned, &course, &username).await)
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
            gateway
                .enrolled()
                .known
                .insert((key.clone(), person.clone()), ());
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
    let looking = gateway
        .enrolled()
        .courses
        .get_with(course_of(lms, course), Looking::default);
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
