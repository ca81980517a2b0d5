//! `method=output`: one number of what a learner did (protocol 9).

use crate::sample::external_lms::activity::{Activity, Kind};

/// The output `name` of a learner. A name that is not known is 0; a quiz has one number, under any name.
/// So does Moodle.
pub(super) fn of(activity: &Activity, user: &str, name: &str) -> usize {
    match (activity.kind, name) {
        (Kind::Forum, "learner.number.of.posts") => activity.posts_of(user).count(),
        (Kind::Forum, "learner.number.of.words") => {
            let words = |message: &str| message.split(' ').count();
            activity
                .posts_of(user)
                .map(|post| words(&post.message))
                .sum()
        }
        (Kind::Forum, _) => 0,
        (Kind::Quiz, _) => activity
            .attempt_of(user)
            .map_or(0, |attempt| attempt.percent()),
    }
}
