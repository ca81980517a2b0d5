//! The demo as a newcomer meets it: the built binary, and a real browser that clicks through it.
//!
//! `SCREENSHOT_FOLDER=/some/folder cargo test --test browser` also takes pictures of the pages on the
//! way: wide, dark and narrow. `docs/demo.png` is its `lesson.png`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and unwrap says where"
)]

mod support;

mod admin;
mod close;
mod connections;
mod forum;
mod launches;
mod people;
mod platforms;
mod quiz;
mod refusal;
mod servers;
mod tools;
mod way_in;
