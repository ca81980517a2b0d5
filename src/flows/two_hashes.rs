//! What is in memory of many is known there by two hashes of its key, of 64 bits each and under secrets of this
//! process: a fraction of the room that the key itself would take. That two keys have the same is less likely than that
//! the memory fails.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

/// The two secrets.
#[derive(Default)]
pub(super) struct TwoHashes([RandomState; 2]);

impl TwoHashes {
    /// The hashes of a key.
    pub(super) fn of(&self, key: impl Hash) -> [u64; 2] {
        let mut both = Both {
            hashers: self.0.each_ref().map(BuildHasher::build_hasher),
            piece: [0; PIECE],
            length: 0,
        };
        key.hash(&mut both);
        both.write_piece();
        both.hashers.map(|hasher| hasher.finish())
    }
}

/// A key of a session or a person has about so many bytes.
const PIECE: usize = 64;

/// Two hashers that get a key in one piece: its parts, a few bytes each, would take them four times as long.
struct Both {
    hashers: [DefaultHasher; 2],
    piece: [u8; PIECE],
    length: usize,
}

impl Both {
    fn write_piece(&mut self) {
        let piece = &self.piece[..self.length];
        self.hashers
            .iter_mut()
            .for_each(|hasher| hasher.write(piece));
        self.length = 0;
    }
}

impl Hasher for Both {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(PIECE) {
            if self.length + part.len() > PIECE {
                self.write_piece();
            }
            self.piece[self.length..][..part.len()].copy_from_slice(part);
            self.length += part.len();
        }
    }

    /// The first of them, so far: of what is in the piece nothing is known yet.
    fn finish(&self) -> u64 {
        self.hashers[0].finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn in_one_piece_or_in_many_a_key_has_the_same_hashes(
            texts in prop::collection::vec("[a-z]{0,90}", 0..4),
            number in any::<i64>(),
        ) {
            let hashes = TwoHashes::default();
            let key = (&texts, number, true);
            prop_assert_eq!(hashes.of(key), hashes.0.each_ref().map(|one| one.hash_one(key)));
        }
    }
}
