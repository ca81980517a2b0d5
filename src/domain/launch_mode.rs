//! LAMS's `mode` parameter.

use std::str::FromStr;

/// What a browser wants of `learning.do`, or how `authoring.do` was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LaunchMode {
    /// A learner in a lesson.
    Learner,
    /// An author: editing, or previewing a lesson.
    Author,
    /// A teacher: looking at a session, or editing a running activity (which locks it).
    Teacher,
}

/// A mode that is none of LAMS's three.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mode must be author, teacher or learner")]
pub struct UnknownMode;

impl FromStr for LaunchMode {
    type Err = UnknownMode;
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "learner" => Ok(LaunchMode::Learner),
            "author" => Ok(LaunchMode::Author),
            "teacher" => Ok(LaunchMode::Teacher),
            _ => Err(UnknownMode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_modes_are_read_and_nothing_else() {
        assert_eq!("learner".parse(), Ok(LaunchMode::Learner));
        assert_eq!("author".parse(), Ok(LaunchMode::Author));
        assert_eq!("teacher".parse(), Ok(LaunchMode::Teacher));
        for wrong in ["", "Learner", "monitor"] {
            assert_eq!(wrong.parse::<LaunchMode>(), Err(UnknownMode));
        }
    }
}
