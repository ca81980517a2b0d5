//! Which call made which activity, so that a call that is tried again makes nothing new.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

/// So many calls are remembered; the oldest is forgotten first. A try again comes within minutes.
const MOST: usize = 4_096;

/// The id that each of the latest calls made, by the call's `rid`.
#[derive(Debug, Default)]
pub(super) struct Made {
    ids: HashMap<Uuid, u64>,
    oldest_first: VecDeque<Uuid>,
}

impl Made {
    pub(super) fn get(&self, rid: Uuid) -> Option<u64> {
        self.ids.get(&rid).copied()
    }

    pub(super) fn remember(&mut self, rid: Uuid, id: u64) {
        if self.ids.insert(rid, id).is_some() {
            return;
        }
        self.oldest_first.push_back(rid);
        if self.oldest_first.len() > MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_call_is_forgotten_and_no_other() {
        let mut made = Made::default();
        let ids = 0..=MOST as u64;
        for id in ids.clone() {
            made.remember(Uuid::from_u128(id.into()), id);
        }
        let known = ids.filter(|id| made.get(Uuid::from_u128((*id).into())) == Some(*id));
        assert_eq!(known.count(), MOST);
        assert_eq!(made.get(Uuid::from_u128(0)), None);
        assert_eq!(made.oldest_first.len(), made.ids.len());
    }
}
