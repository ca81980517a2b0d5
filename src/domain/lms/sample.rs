//! Links that a selector is likely meant for, to see which other selectors match them too.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::Lms;
use super::pattern::Match;

/// A sample is at most so long, in bytes.
const LONGEST: usize = 512;

/// Links that an LMS's selector matches: what the expression spells out, below the LMS's own origin and by
/// itself. None for an expression that cannot be taken apart.
pub(super) fn links_of(lms: &Lms) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(lms.selector.as_str()) else {
        return Vec::new();
    };
    let mut spelled = String::new();
    spell(&hir, &mut spelled);
    let rest = spelled.trim_start_matches('x');
    let below = match rest.starts_with('/') {
        true => format!("{}{rest}", lms.address.origin()),
        false => format!("{}/{rest}", lms.address.origin()),
    };
    let mut links = vec![below];
    if spelled.starts_with("http") {
        links = vec![spelled];
    }
    links.retain(|link| matches!(lms.selector.matches(link), Match::Yes(_)));
    links
}

/// The plainest text that an expression matches: `x` for what may be anything.
fn spell(hir: &Hir, out: &mut String) {
    if out.len() > LONGEST {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        // A dot that was not escaped is most likely meant as one.
        HirKind::Class(class) => out.push(member(class, &['.', 'x', '1', 'A', '-', '/'])),
        HirKind::Repetition(repetition) => {
            let anything = matches!(repetition.sub.kind(), HirKind::Class(_));
            let times = match (repetition.min, anything) {
                // Of `.*` one, so that an id is no empty text; of `/?` none.
                (0, true) if repetition.max.is_none() => 1,
                (min, _) => min.min(8),
            };
            for _ in 0..times {
                match repetition.sub.kind() {
                    HirKind::Class(class) => out.push(member(class, &['x', '1', 'A', '-', '/'])),
                    _ => spell(&repetition.sub, out),
                }
            }
        }
        HirKind::Capture(capture) => spell(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| spell(part, out)),
        HirKind::Alternation(ways) => {
            if let Some(first) = ways.first() {
                spell(first, out);
            }
        }
    }
}

fn member(class: &Class, liked: &[char]) -> char {
    match class {
        Class::Unicode(class) => {
            let holds = |c: char| {
                class
                    .ranges()
                    .iter()
                    .any(|r| r.start() <= c && c <= r.end())
            };
            let plain = liked.iter().copied().find(|c| holds(*c));
            plain
                .or_else(|| class.ranges().first().map(|range| range.start()))
                .unwrap_or('x')
        }
        Class::Bytes(class) => class
            .ranges()
            .first()
            .map_or('x', |range| char::from(range.start())),
    }
}
