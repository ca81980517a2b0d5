//! Toolgate, a tool-adapter gateway.
//!
//! The rooms, and which may call which: `web → flows → {store, outbound} → domain`.
//!
//! [`domain`] is what the gateway knows: customCSV, hashes, signatures, tokens, tool definitions, and
//! the addresses made from them. Pure.
//!
//! [`sample`] is both neighbours of the gateway in small: a LAMS page to launch from and an external LMS
//! to arrive at, for `toolgate demo` and for the tests. It stands beside the other rooms and calls only
//! [`domain`].

pub mod domain;
pub mod sample;
