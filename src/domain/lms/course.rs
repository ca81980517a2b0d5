//! The course that a link is of.

use url::form_urlencoded;

use super::pattern::{Match, is_link};
use super::{Backend, Lms};

/// A link holds no course id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCourseId {
    /// The course expression does not match, or its group is empty.
    #[error("course_regex finds no course_id in the link")]
    NoGroup,
    /// There is no `id` in the link's query, or it is no number.
    #[error("the link has no parameter id that is a whole number")]
    NoId,
}

/// Reads the course id in a link: what the group `course_id` holds, for a Moodle the parameter `id`.
pub fn course_id(lms: &Lms, link: &str) -> Result<String, NoCourseId> {
    if lms.backend == Backend::Moodle {
        return moodle_course_id(link).ok_or(NoCourseId::NoId);
    }
    let found = lms.course.as_ref().map(|course| course.matches(link));
    match found {
        Some(Match::Yes(Some(id))) if !id.trim().is_empty() => Ok(id),
        _ => Err(NoCourseId::NoGroup),
    }
}

fn moodle_course_id(link: &str) -> Option<String> {
    if !is_link(link) {
        return None;
    }
    let before_fragment = link.split('#').next()?;
    let (_, query) = before_fragment.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, id) = pairs.find(|(name, value)| name == "id" && !value.is_empty())?;
    whole_number(&id)
}

/// A positive whole number, as it is sent to a Moodle.
pub fn whole_number(text: &str) -> Option<String> {
    let digits = text.trim();
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| plain)?;
    (number > 0).then(|| number.to_string())
}

/// An Open edX course key, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseKey<'a> {
    /// The organization.
    pub organization: &'a str,
    /// The course's number.
    pub course: &'a str,
    /// The run.
    pub run: &'a str,
}

/// A text is no course key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a course key is course-v1:organization+course+run, or organization/course/run")]
pub struct NotACourseKey;

impl<'a> CourseKey<'a> {
    /// Reads `course-v1:org+course+run`, or `org/course/run` of older ones.
    pub fn parse(text: &'a str) -> Result<Self, NotACourseKey> {
        let parts: Vec<&str> = match text.strip_prefix("course-v1:") {
            Some(rest) => rest.split('+').collect(),
            None => text.split('/').collect(),
        };
        match parts[..] {
            [organization, course, run] if parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                organization,
                course,
                run,
            }),
            _ => Err(NotACourseKey),
        }
    }
}
