//! Random bytes from the operating system.

use std::cell::RefCell;

/// As many are fetched at once: a call of the system for each launch would cost more than what they are used for.
const FETCHED: usize = 1024;

thread_local! {
    /// What was fetched, and from where on it was not given out.
    static KEPT: RefCell<([u8; FETCHED], usize)> = const { RefCell::new(([0; FETCHED], FETCHED)) };
}

/// `N` random bytes, at most [`FETCHED`]. Each is given out once, and not kept.
pub(super) fn bytes<const N: usize>() -> [u8; N] {
    const { assert!(N <= FETCHED) };
    KEPT.with_borrow_mut(|(kept, next)| {
        if FETCHED - *next < N {
            getrandom::fill(kept)
                .expect("the operating system always has random bytes once it runs");
            *next = 0;
        }
        let given = &mut kept[*next..*next + N];
        *next += N;
        let mut bytes = [0; N];
        bytes.copy_from_slice(given);
        given.fill(0);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_out_twice_nor_left_where_they_were() {
        let given: HashSet<[u8; 12]> = (0..1000).map(|_| bytes()).collect();
        assert_eq!(given.len(), 1000);
        let long: [u8; 1000] = bytes();
        assert!(long.iter().any(|byte| *byte != 0));
        KEPT.with_borrow(|(kept, next)| assert!(kept[..*next].iter().all(|byte| *byte == 0)));
    }
}
