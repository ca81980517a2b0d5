//! The lesson: activities, their sessions, and who finished what.

/// One lesson, with the numbers that it gives out.
#[derive(Debug)]
pub(super) struct Lesson {
    activities: Vec<Activity>,
    next_content_id: i64,
    next_session_id: i64,
}

/// An activity of the lesson: a tool's content.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    pub(super) tool_content_id: i64,
    pub(super) signature: String,
    pub(super) title: String,
    pub(super) sessions: Vec<Session>,
    /// The session whose making was asked for and not confirmed. Asked for again under the same
    /// number, so that the gateway makes one copy however often it is asked.
    pub(super) unconfirmed: Option<Session>,
}

/// The activity of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: i64,
    pub(super) name: String,
    /// Who finished, without the server's prefix.
    pub(super) finished: Vec<String>,
}

/// More groups than this teach nothing.
pub(super) const MOST_SESSIONS: usize = 4;
/// More activities than this are no sample.
const MOST_ACTIVITIES: usize = 50;
/// More people than this are no group.
const MOST_FINISHED: usize = 50;

impl Lesson {
    pub(super) fn new(first_id: i64) -> Self {
        Self {
            activities: Vec::new(),
            next_content_id: first_id,
            next_session_id: first_id + 1_000,
        }
    }

    pub(super) fn activities(&self) -> &[Activity] {
        &self.activities
    }

    /// Adds an activity at the end under a fresh number; none where the lesson is full.
    pub(super) fn add(&mut self, signature: String, title: String) -> Option<i64> {
        if self.activities.len() >= MOST_ACTIVITIES {
            return None;
        }
        let tool_content_id = self.next_content_id;
        self.next_content_id += 1;
        self.activities.push(Activity {
            tool_content_id,
            signature,
            title,
            sessions: Vec::new(),
            unconfirmed: None,
        });
        Some(tool_content_id)
    }

    pub(super) fn activity(&self, tool_content_id: i64) -> Option<&Activity> {
        self.activities
            .iter()
            .find(|activity| activity.tool_content_id == tool_content_id)
    }

    /// The activity that has a session.
    pub(super) fn activity_of(&self, session_id: i64) -> Option<&Activity> {
        self.activities
            .iter()
            .find(|activity| activity.sessions.iter().any(|s| s.id == session_id))
    }

    /// The session to ask the gateway for next: a new one, or the unconfirmed.
    pub(super) fn next_session(&mut self, tool_content_id: i64) -> Option<Session> {
        let activity = self
            .activities
            .iter_mut()
            .find(|activity| activity.tool_content_id == tool_content_id)?;
        if activity.unconfirmed.is_none() && activity.sessions.len() < MOST_SESSIONS {
            activity.unconfirmed = Some(Session {
                id: self.next_session_id,
                name: format!("Group {}", activity.sessions.len() + 1),
                finished: Vec::new(),
            });
            self.next_session_id += 1;
        }
        activity.unconfirmed.clone()
    }

    /// Notes that the gateway has made a session.
    pub(super) fn confirm(&mut self, session_id: i64) {
        for activity in &mut self.activities {
            if let Some(session) = activity.unconfirmed.take_if(|s| s.id == session_id) {
                activity.sessions.push(session);
            }
        }
    }

    /// Notes that somebody finished; false where the session is not of this lesson.
    pub(super) fn finish(&mut self, session_id: i64, user: &str) -> bool {
        let mut sessions = self.activities.iter_mut().flat_map(|a| &mut a.sessions);
        let Some(session) = sessions.find(|s| s.id == session_id) else {
            return false;
        };
        if session.finished.len() < MOST_FINISHED && !session.finished.iter().any(|u| u == user) {
            session.finished.push(user.to_owned());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_was_not_confirmed_is_asked_for_again_under_its_number() {
        let mut lesson = Lesson::new(1001);
        let id = lesson.add("mdfrum10".into(), "Forum".into()).unwrap();
        let first = lesson.next_session(id).unwrap();
        assert_eq!((first.id, first.name.as_str()), (2001, "Group 1"));
        assert_eq!(lesson.next_session(id), Some(first.clone()));
        lesson.confirm(first.id);
        lesson.confirm(first.id);
        assert_eq!(lesson.activity(id).unwrap().sessions.len(), 1);
        let second = lesson.next_session(id).unwrap();
        assert_eq!((second.id, second.name.as_str()), (2002, "Group 2"));
    }

    #[test]
    fn a_learner_finishes_once() {
        let mut lesson = Lesson::new(1001);
        let id = lesson.add("mdfrum10".into(), "Forum".into()).unwrap();
        let session = lesson.next_session(id).unwrap().id;
        assert!(!lesson.finish(session, "Anna"), "not confirmed yet");
        lesson.confirm(session);
        assert!(lesson.finish(session, "Anna") && lesson.finish(session, "Anna"));
        let activity = lesson.activity_of(session).unwrap();
        assert_eq!(activity.sessions[0].finished, ["Anna"]);
    }
}
