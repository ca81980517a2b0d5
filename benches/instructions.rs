//! How many instructions the pure parts of a launch take: `cargo bench --bench instructions`. They are counted by
//! Valgrind, so that they hardly depend on what else the machine does. `docs/speed.md` says what has to be installed.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on says where"
)]
#![expect(missing_docs, reason = "what the macros of gungraun make has none")]

mod parts;

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use parts::{School, for_each_part, school};
use toolgate::domain::custom_csv::CustomCsv;
use toolgate::domain::query::Query;
use toolgate::domain::state_token::State;

macro_rules! counted {
    ($($part:ident -> $made:ty,)*) => {
        $(
            #[library_benchmark]
            #[bench::learner(school())]
            fn $part(school: &'static School) -> $made {
                parts::$part(black_box(school))
            }
        )*
        library_benchmark_group!(name = pure, benchmarks = [$($part),*]);
    };
}

for_each_part!(counted);

main!(library_benchmark_groups = pure);
