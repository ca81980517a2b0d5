//! Toolgate, a tool-adapter gateway.
//!
//! The rooms, and which may call which: `web → flows → {store, outbound} → domain`.
//!
//! [`domain`] is what the gateway knows: customCSV, hashes, signatures, tokens, tool definitions, and
//! the addresses made from them. Pure.

pub mod domain;
