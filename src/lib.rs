//! Toolgate, a tool-adapter gateway for LAMS: takes authors, learners and monitors to activities that
//! live in another LMS, and back.
//!
//! The rooms, and which may call which: `web → flows → {store, outbound} → domain`.
//!
//! - [`domain`] is what the gateway knows: customCSV, hashes, signatures, tokens, tool definitions, and
//!   the addresses made from them. Pure.
//! - [`store`] holds every SQL statement, one text for PostgreSQL and SQLite.
//! - [`outbound`] makes every request to an external server, under one policy.
//! - [`flows`] is what happens, one file a story: author, callback, learn, finish, monitor, session,
//!   apply. It joins the three.
//! - [`web`] are the actix handlers, thin, and the one place where refusals get their words.
//! - [`settings`] and [`opening`] come before all that: from environment and file to an open database.
//! - [`sample`] is both neighbours of the gateway in small, a LAMS page to launch from and an external
//!   LMS to arrive at, for `toolgate demo` ([`demo`] starts all three) and for the tests. It calls
//!   only [`domain`].

pub mod demo;
pub mod domain;
pub mod flows;
pub mod opening;
pub mod outbound;
pub mod sample;
pub mod settings;
pub mod store;
pub mod web;
