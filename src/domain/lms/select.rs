//! Which LMS a link belongs to. The first whose selector matches is chosen; where several have the very same
//! selector, the one whose base address has the link's origin.

use super::Lms;
use super::pattern::{Match, is_link};
use crate::domain::id::ServerId;

/// The LMS that was chosen for a link, and why.
#[derive(Debug, Clone)]
pub struct Choice<'a> {
    /// It.
    pub lms: &'a Lms,
    /// Why it and no other, in a sentence.
    pub why: String,
}

/// What became of one LMS when a link was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was chosen.
    Chosen,
    /// Its selector does not match.
    NoMatch,
    /// Its selector matches, but this one's does too, and comes first.
    After(ServerId),
    /// It has the same selector as this one, whose host is the link's.
    OtherHost(ServerId),
    /// Its selector took too many steps.
    GaveUp,
}

/// Chooses the LMS of a link; none for no link.
pub fn choose<'a>(all: &'a [&'a Lms], link: Option<&str>) -> Option<Choice<'a>> {
    let link = link?;
    let matching: Vec<&Lms> = all
        .iter()
        .copied()
        .filter(|lms| matches!(lms.selector.matches(link), Match::Yes(_)))
        .collect();
    let first = *matching.first()?;
    let same: Vec<&Lms> = matching
        .iter()
        .copied()
        .filter(|lms| lms.selector == first.selector)
        .collect();
    let at_home = same
        .iter()
        .copied()
        .find(|lms| lms.address.is_origin_of(link));
    let (lms, why) = match (same.len(), at_home) {
        (2.., Some(home)) => (
            home,
            format!(
                "its selector matches, and of the {} with this selector it is the one whose base address has the \
                 link's host",
                same.len()
            ),
        ),
        (2.., None) => (
            first,
            format!(
                "its selector matches, and it is the first of the {} with this selector; none of their base \
                 addresses has the link's host",
                same.len()
            ),
        ),
        _ if matching.len() > 1 => (
            first,
            format!("its selector is the first of {} that match", matching.len()),
        ),
        _ => (first, "only its selector matches".to_owned()),
    };
    Some(Choice { lms, why })
}

/// What became of each when a link was looked up, in their order.
pub fn explain<'a>(all: &[&'a Lms], link: &str) -> Vec<(&'a Lms, Fate)> {
    let chosen = choose(all, Some(link)).map(|choice| choice.lms.server.clone());
    let fate = |lms: &'a Lms| {
        let fate = match (lms.selector.matches(link), &chosen) {
            (Match::No, _) => Fate::NoMatch,
            (Match::GaveUp, _) => Fate::GaveUp,
            (Match::Yes(_), Some(id)) if *id == lms.server => Fate::Chosen,
            (Match::Yes(_), Some(id)) => {
                let winner = all.iter().find(|other| other.server == *id);
                let same = winner.is_some_and(|winner| {
                    winner.selector == lms.selector && winner.address.is_origin_of(link)
                });
                if same {
                    Fate::OtherHost(id.clone())
                } else {
                    Fate::After(id.clone())
                }
            }
            (Match::Yes(_), None) => Fate::NoMatch,
        };
        (lms, fate)
    };
    all.iter().copied().map(fate).collect()
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fate::Chosen => f.write_str("chosen"),
            Fate::NoMatch => f.write_str("its selector does not match"),
            Fate::After(id) => write!(f, "its selector matches, but {id} comes first"),
            Fate::OtherHost(id) => write!(
                f,
                "its selector matches, but {id} has the same one, and its base address the link's host"
            ),
            Fate::GaveUp => f.write_str("its selector took too many steps on this link"),
        }
    }
}

/// Why no LMS can be chosen, where the link itself is what is wrong.
pub fn not_a_link(link: &str) -> Option<&'static str> {
    (!is_link(link)).then_some("the link is longer than 4096 bytes, or holds a control character")
}
