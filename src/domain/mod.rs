//! What the gateway knows: identifiers, customCSV, hashes, signatures, tokens, tool definitions and
//! the addresses made from them. Pure: no I/O, no HTTP, no SQL; every other room may call it, and it
//! imports nothing of ours.

pub mod address_parts;
pub mod audit;
pub mod base_url;
pub mod configuration;
pub mod content;
pub mod custom_csv;
pub mod enc;
pub mod hash;
pub mod id;
pub mod journal;
pub mod launch_mode;
pub mod launch_record;
pub mod launch_signature;
pub mod lms;
pub mod login_request;
pub mod manifest;
pub mod object;
pub mod own_address;
pub mod person;
pub mod platform;
pub mod query;
pub mod redirect;
pub mod secret_keys;
pub mod server;
pub mod session;
pub mod signature2;
pub mod state_token;
pub mod sysadmin;
pub mod ticket;
pub mod tool;
