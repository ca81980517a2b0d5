//! The gateway's two neighbours in small, so that it can be tried and tested without either: a sample
//! [`lams`] that launches, and a sample [`external_lms`] with a forum and a quiz that is launched to.
//!
//! Both are real HTTP servers that keep all state in memory. `toolgate demo` runs them beside the
//! gateway; tests start them in-process on port 0. They speak the protocol and use nothing of the
//! gateway's but [`crate::domain`]: what they know of it must be what any LMS could know.

pub mod external_lms;
mod form;
pub mod lams;
mod page;
mod running;

pub use running::Running;
