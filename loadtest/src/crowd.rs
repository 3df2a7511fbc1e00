//! A crowd: people who chat with a back end over WebSockets, and what that costs it.
//!
//! ```text
//! profile ─► start the mock and the target, sign the users in
//!            goose runs the users:  connect ─ (wait until due ─ ask ─ read to the end)* ─ leave
//!            beside them:           a probe asks the mock alone: the floor of every first token
//!                                   a watch reads processor time and memory, second by second
//!            all are in ─ warm up ─ measure ─ leave ─► figures, promises, thresholds ─► report
//! ```
//!
//! Times are kept twice: from the moment at which a user was *due* to ask, and from that at which the question went out.
//! A target that stands still for a second keeps back what would have been asked meanwhile; only the first kind shows
//! that, and thresholds judge it.
//!
//! A load that was carried by broken answers was not carried: every answer is read as a user would, and each promise
//! that is broken counts (`promises`). Whatever the generator itself was late by is reported; where it was the
//! bottleneck, times are inconclusive.
//!
//! goose schedules the users and keeps its own count of the same turns; verdicts come from ours.

mod attack;
mod baseline;
mod cast;
mod conduct;
mod facts;
mod figures;
mod flood;
mod floor;
mod frame;
mod html;
mod judge;
mod merge;
mod pace;
mod plain;
mod progress;
mod promise;
mod recorder;
mod seat;
mod socket;
mod stage;
mod sums;
mod threshold;
mod turn;
mod watch;

pub mod profile;
pub mod report;
pub mod table;

mod run;

pub use cast::{PARTS_MAX, Part};
pub use merge::{MergeError, merge};
pub use progress::{Listener, Progress};
pub use promise::Promise;
pub use run::{CrowdError, Options, run, script};
pub use sums::Sums;
pub use threshold::{Threshold, ThresholdError};
