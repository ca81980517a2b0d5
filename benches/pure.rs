//! How long the pure parts of a launch take: `cargo bench --bench pure`. What else the machine does shows in these
//! times; for comparing two builds `instructions` is better.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on says where"
)]

mod parts;

use std::hint::black_box;

use divan::Bencher;
use parts::{for_each_part, school};

macro_rules! timed {
    ($($part:ident -> $made:ty,)*) => {
        $(
            #[divan::bench]
            fn $part(bencher: Bencher<'_, '_>) {
                let school = school();
                bencher.bench(|| parts::$part(black_box(school)));
            }
        )*
    };
}

for_each_part!(timed);

fn main() {
    divan::main();
}
