//! LMS connections.

pub mod asked;
mod bulk;
mod configured;
mod exchanges;
mod launched;
pub mod stand_in;
mod vectors;
