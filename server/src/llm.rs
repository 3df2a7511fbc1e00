//! The model: what it is asked, how its answer is read, and what is done when it fails.
//!
//! ```text
//! prompt → routes → model (breaker, budget, retry) → client (HTTP) → reader (sse → chunk → markup → script) → text
//! ```
//!
//! Invariant: text of two attempts is never mixed, for an attempt is repeated only before its first
//! visible token. What the user sees instead of an answer is decided elsewhere.

pub mod budget;
pub mod chunk;
pub mod client;
pub mod failure;
pub mod markup;
pub mod meter;
pub mod model;
pub mod prompt;
mod pseudonym;
pub mod reader;
pub mod routes;
pub mod script;
pub mod sse;

pub use failure::{Failure, Reason};
pub use meter::Meter;
pub use model::{Failed, Model, Question};
pub use pseudonym::pseudonym;
pub use routes::{Route, Routes};
