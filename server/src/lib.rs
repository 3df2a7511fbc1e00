//! A reference chat back end that survives its LLM, its users and its own infrastructure.
//!
//! One turn, in order; each step is a module:
//!
//! ```text
//! frame → parse → red-flag check → size and flood limit → consent → session (idle, length, end)
//!       → classify → small talk? canned reply, nothing stored
//!       → store user message → calendar suggestion → facts + window → prompt (masked, budgeted)
//!       → breaker → deadline → stream → chunks → finish or interrupt → store reply → extract facts → done
//! ```
//!
//! A server is built from [`Parts`] and run on a listener that the caller bound: [`run`]. This crate
//! never binds, never reads the environment (the settings excepted), never installs a signal handler.

#![warn(missing_docs)]

pub mod ids;
pub mod parts;

// Chat: what is said, and what it means.
pub mod calendar;
pub mod classify;
pub mod consent;
pub mod extract;
pub mod facts;
pub mod glossary;
pub mod languages;
pub mod mask;
pub mod memory;
pub mod safety;
pub mod session;
pub mod texts;
mod words;

// The model.
pub mod breaker;
pub mod deadline;
pub mod llm;

// A turn.
pub mod chat;

// Ground: network, settings, accounts, rows.
pub mod abuse;
pub mod accounts;
pub mod api;
mod app;
pub mod audit;
pub mod config;
pub mod error;
pub mod exchange;
mod hash;
pub mod limit;
mod routes;
mod serve;
pub mod shared;
mod sockets;
mod state;
pub mod storage;

pub use config::Config;
pub use parts::Parts;
pub use serve::{RunError, run, undelayed};
