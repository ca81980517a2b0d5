//! The whole gateway, as its users meet it: the built binary, over sockets, on both databases.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and unwrap says where"
)]

mod support;

mod admin;
mod apart;
mod api;
mod apply;
mod archives;
mod author;
mod bad_input;
mod canary;
mod documents;
mod faults;
mod forbidden;
mod headers;
mod journal;
mod keys;
mod launches;
mod limits;
mod lms;
mod login;
mod memory;
mod openapi;
mod operations;
mod outgoing;
mod outputs;
mod process;
mod redirects;
mod refusals;
mod removal;
mod signature2;
mod signatures;
mod story;
mod vectors;
