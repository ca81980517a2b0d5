//! LMS connections.

mod configured;
mod vectors;
