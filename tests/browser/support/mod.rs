//! What every test starts with: the demo, a browser, and the lesson's page open in it.

mod accessible;
mod browser;
mod demo;
mod driver;
mod lesson;
mod pictures;
mod process;

pub use browser::Browser;
pub use lesson::{Lesson, PASSWORD};
