//! What every test starts with: a database of its own, a gateway, a stand-in for the external server.

mod browser_like;
mod database;
mod gateway;
mod network;
mod peer;
mod visitor;

pub use browser_like::{Page, parameter};
pub use database::{Database, Kind};
pub use gateway::{
    API_TOKEN, Gateway, LAUNCH_SECRET, PUBLIC_URL, Setup, admin, apply, binary,
    binary_on_a_small_disk, callback_of, environment, login_path,
};
pub use network::Network;
pub use peer::{Answer, Asked, Peer};
pub use visitor::{ADA, From, PASSWORD, Visitor};
