//! The rows that storage hands out and takes in, as plain values.
//!
//! They carry no behaviour beyond what their words mean; policies live in their own modules.

mod access;
mod account;
mod audit;
mod calendar;
mod consent;
mod conversation;
mod fact;
mod feed;
mod preferences;
mod reminder;

pub use access::*;
pub use account::*;
pub use audit::*;
pub use calendar::*;
pub use consent::*;
pub use conversation::*;
pub use fact::*;
pub use feed::*;
pub use preferences::*;
pub use reminder::*;
