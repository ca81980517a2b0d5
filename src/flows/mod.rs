//! What happens: one file a story. Flows join domain, store and outbound, and answer what `web` shows;
//! they know nothing of HTTP responses.

pub mod admission;
pub mod apply;
pub mod archive;
pub mod audit;
pub mod author;
pub mod callback;
pub mod check;
pub mod cleaning;
pub mod configuration;
pub mod connecting;
pub mod contents;
pub mod copy;
pub mod export;
pub mod finish;
pub mod gateway;
pub mod import;
pub mod journal;
pub mod learn;
pub mod making;
pub mod monitor;
pub mod outputs;
pub mod portfolio;
mod random;
pub mod recorder;
pub mod refusal;
pub mod removal;
pub mod results;
pub mod rotate;
pub mod session;
pub mod sign;
mod state;
pub mod sysadmin;
pub mod toolkit;

pub use gateway::{Gateway, Start};
pub use refusal::Refusal;
