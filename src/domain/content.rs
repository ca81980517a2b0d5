//! Content: what an author saved, known by platform, signature and `toolContentID`.

use chrono::{DateTime, Utc};

use super::id::{ExtId, PlatformId, ServerId, Signature, ToolContentId};

/// Which content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentKey {
    /// The platform whose it is.
    pub platform: PlatformId,
    /// The tool.
    pub signature: Signature,
    /// Its number there.
    pub id: ToolContentId,
}

/// Where content lives: what its first customCSV said. Never changes afterwards.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The server.
    pub server: ServerId,
    /// The author's login there.
    pub user: String,
    /// The course.
    pub course: String,
    /// The section, where the tool has one.
    pub section: Option<String>,
    /// The address of the course, where the tool has one.
    pub course_url: Option<String>,
}

/// What an address needs of a [`Place`], wherever that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceRef<'a> {
    /// See [`Place::user`].
    pub user: &'a str,
    /// See [`Place::course`].
    pub course: &'a str,
    /// See [`Place::section`].
    pub section: Option<&'a str>,
    /// See [`Place::course_url`].
    pub course_url: Option<&'a str>,
}

impl<'a> From<&'a Place> for PlaceRef<'a> {
    fn from(place: &'a Place) -> Self {
        Self {
            user: &place.user,
            course: &place.course,
            section: place.section.as_deref(),
            course_url: place.course_url.as_deref(),
        }
    }
}

/// Content as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Which it is.
    pub key: ContentKey,
    /// Where it lives.
    pub place: Place,
    /// Its id on the server, once it was saved there.
    pub ext_id: Option<ExtId>,
    /// LAMS asked that it be defined later.
    pub define_later: bool,
    /// A teacher is editing it while it runs; learners wait until then at most.
    pub locked_until: Option<DateTime<Utc>>,
    /// Learners do it offline.
    pub run_offline: bool,
    /// A session of it was opened.
    pub in_use: bool,
    /// When it was first opened by an author.
    pub created_at: DateTime<Utc>,
    /// When it was last saved.
    pub updated_at: DateTime<Utc>,
}

impl Content {
    /// Content as it is when an author first opens it.
    pub fn new(key: ContentKey, place: Place, now: DateTime<Utc>) -> Self {
        Self {
            key,
            place,
            ext_id: None,
            define_later: false,
            locked_until: None,
            run_offline: false,
            in_use: false,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether learners have to wait: it is to be defined later, or being edited right now.
    pub fn is_not_ready(&self, now: DateTime<Utc>) -> bool {
        is_not_ready(self.define_later, self.locked_until, now)
    }
}

/// See [`Content::is_not_ready`].
pub fn is_not_ready(
    define_later: bool,
    locked_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    define_later || locked_until.is_some_and(|until| now < until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn learners_wait_while_it_is_to_be_defined_and_until_its_lock_is_over() {
        let now = DateTime::UNIX_EPOCH;
        let second = TimeDelta::seconds(1);
        for (later, until, expected) in [
            (false, None, false),
            (true, None, true),
            (true, Some(now - second), true),
            (false, Some(now + second), true),
            (false, Some(now), false),
            (false, Some(now - second), false),
        ] {
            assert_eq!(
                is_not_ready(later, until, now),
                expected,
                "{later} {until:?}"
            );
            let content = Content {
                key: ContentKey {
                    platform: "lams".parse().unwrap(),
                    signature: "mdquiz10".parse().unwrap(),
                    id: "5".parse().unwrap(),
                },
                place: Place {
                    server: "moodle".parse().unwrap(),
                    user: String::new(),
                    course: String::new(),
                    section: None,
                    course_url: None,
                },
                ext_id: None,
                define_later: later,
                locked_until: until,
                run_offline: false,
                in_use: false,
                created_at: now,
                updated_at: now,
            };
            assert_eq!(content.is_not_ready(now), expected);
        }
    }
}
