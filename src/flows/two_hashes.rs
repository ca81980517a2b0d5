//! What is in memory of many is known there by two hashes of its key, of 64 bits each and under secrets of this
//! process: a fraction of the room that the key itself would take. That two keys have the same is less likely than that
//! the memory fails.

use std::hash::{BuildHasher, Hash, RandomState};

/// The two secrets.
#[derive(Default)]
pub(super) struct TwoHashes([RandomState; 2]);

impl TwoHashes {
    /// The hashes of a key.
    pub(super) fn of(&self, key: impl Hash) -> [u64; 2] {
        self.0.each_ref().map(|hasher| hasher.hash_one(&key))
    }
}
