//! The rows that storage hands out and takes in, as plain values.
//!
//! They carry no behaviour beyond what their words mean; policies live in their own modules.

mod account;
mod calendar;
mod conversation;
mod fact;

pub use account::*;
pub use calendar::*;
pub use conversation::*;
pub use fact::*;
