//! What of LMS connections is worth a second look: expressions that will hardly do what was meant.

use super::pattern::Match;
use super::sample::links_of;
use super::{Lms, Pattern};

/// Looks like `^`, and is an ordinary character.
const LOOK_ALIKE: char = '\u{2c6}';

/// Says where an expression holds the character U+02C6, which looks like the `^` that was meant.
pub fn look_alike(key: &str, text: &str) -> Option<String> {
    let at = text.chars().position(|c| c == LOOK_ALIKE)?;
    Some(format!(
        "{key} holds ˆ (U+02C6) at character {}, which looks like ^ but is an ordinary character: as it stands, it \
         matches no link",
        at + 1
    ))
}

/// Says of which LMSs the links, or some of them, go to another one that comes first.
pub fn overlaps(all: &[&Lms]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, later) in all.iter().enumerate() {
        let earlier = &all[..at];
        if let Some(twin) = earlier.iter().find(|lms| lms.selector == later.selector) {
            found.push(format!(
                "{} and {} have the same selector_regex: a link goes to the one whose base_url has its host, else to \
                 {}",
                twin.server, later.server, twin.server
            ));
            continue;
        }
        let links = links_of(later);
        let taken = links.iter().find_map(|link| {
            let taker = earlier.iter().find(|lms| is_taken(&lms.selector, link))?;
            Some((taker, link))
        });
        match taken {
            Some((taker, _)) if is_catch_all(&taker.selector) => found.push(format!(
                "{} is never chosen: {} comes first, and its selector_regex matches every link",
                later.server, taker.server
            )),
            Some((taker, link)) => found.push(format!(
                "the selector_regex of {} overlaps that of {}, which comes first: {link} goes to {}",
                later.server, taker.server, taker.server
            )),
            None => {}
        }
    }
    found
}

fn is_taken(selector: &Pattern, link: &str) -> bool {
    matches!(selector.matches(link), Match::Yes(_))
}

fn is_catch_all(selector: &Pattern) -> bool {
    ["", "?", "https://a.test/b?c=d#e"]
        .iter()
        .all(|link| is_taken(selector, link))
}
