//! LMS connections: which there are, which one a link belongs to, and enrollments and grades through them.

pub mod bulk;
pub mod enrolling;
pub(super) mod launching;
pub mod selecting;
pub(super) mod stored;

pub use enrolling::{Asked, enrollment, grades, set_enrollment};
pub use selecting::{Selected, all, explain, select};
