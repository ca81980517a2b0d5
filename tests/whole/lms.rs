//! LMS connections.

mod vectors;
