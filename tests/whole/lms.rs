//! LMS connections.

mod asked;
mod configured;
mod exchanges;
pub mod stand_in;
mod vectors;
