//! Regular expressions as Python's `re.match` reads them: they match from the beginning of a link on, and need
//! not reach its end.

/// The group of a course expression that holds the course.
pub const COURSE_GROUP: &str = "course_id";

/// An expression is at most so long, in bytes.
const LONGEST_PATTERN: usize = 2048;
/// A link is at most so long, in bytes.
const LONGEST_LINK: usize = 4096;
/// So much memory an expression may take, in bytes.
const SIZE: usize = 1 << 20;
/// So many steps an expression that steps back may take on one link.
const STEPS: usize = 100_000;

/// An expression and its text.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    compiled: Compiled,
}

#[derive(Debug, Clone)]
enum Compiled {
    /// Takes time in proportion to the link's length.
    Linear(regex::Regex),
    /// With look-around or back references; may step back, and gives up in time.
    SteppingBack(Box<fancy_regex::Regex>),
}

/// A text is no expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It is too long.
    #[error("it is longer than {LONGEST_PATTERN} bytes")]
    TooLong,
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// What became of matching a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// It does not match.
    No,
    /// It matches; what the course group holds, where there is one.
    Yes(Option<String>),
    /// The expression would have stepped back too often.
    GaveUp,
}

impl Pattern {
    /// Compiles an expression.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        if text.len() > LONGEST_PATTERN {
            return Err(BadPattern::TooLong);
        }
        // The group is needed: `^a|b` is not `^(?:a|b)`. By itself it must be right too: `a)|(b` is not.
        let anchored = format!("^(?:{text})");
        let linear = |text: &str| regex::RegexBuilder::new(text).size_limit(SIZE).build();
        let stepping = |text: &str| {
            fancy_regex::RegexBuilder::new(text)
                .backtrack_limit(STEPS)
                .delegate_size_limit(SIZE)
                .build()
        };
        let compiled = match linear(text).and_then(|_| linear(&anchored)) {
            Ok(compiled) => Compiled::Linear(compiled),
            Err(_) => {
                let compiled = stepping(text)
                    .and_then(|_| stepping(&anchored))
                    .map_err(|error| BadPattern::Unreadable(one_line(&error.to_string())))?;
                Compiled::SteppingBack(Box::new(compiled))
            }
        };
        Ok(Self {
            text: text.to_owned(),
            compiled,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has the group that holds a course.
    pub fn has_course_group(&self) -> bool {
        let is = |name: Option<&str>| name == Some(COURSE_GROUP);
        match &self.compiled {
            Compiled::Linear(regex) => regex.capture_names().any(is),
            Compiled::SteppingBack(regex) => regex.capture_names().any(is),
        }
    }

    /// Matches the beginning of a link. One with a control character never matches, nor does one that is too
    /// long.
    pub fn matches(&self, link: &str) -> Match {
        if !is_link(link) {
            return Match::No;
        }
        match &self.compiled {
            Compiled::Linear(regex) => match regex.captures(link) {
                None => Match::No,
                Some(found) => {
                    Match::Yes(found.name(COURSE_GROUP).map(|id| id.as_str().to_owned()))
                }
            },
            Compiled::SteppingBack(regex) => match regex.captures(link) {
                Ok(None) => Match::No,
                Ok(Some(found)) => {
                    Match::Yes(found.name(COURSE_GROUP).map(|id| id.as_str().to_owned()))
                }
                Err(_) => Match::GaveUp,
            },
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Whether a text can be a link at all.
pub(super) fn is_link(link: &str) -> bool {
    link.len() <= LONGEST_LINK && !link.chars().any(char::is_control)
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}
