//! LMS connections: which there are, which one a link belongs to, and enrollments and grades through them.

pub(super) mod stored;
