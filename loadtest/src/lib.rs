//! Load with verdicts: what a target costs beside its floor, and whether every answer was whole.
//!
//! There are two kinds of profiles. Those with *groups* are a [`crowd`]: users who chat over WebSockets. Those with
//! *cases* send bare requests, and are what the rest of this page is about.
//!
//! # One run
//!
//! ```text
//! profile ─► for each case: start target, record one answer ─► start the floor with it
//!            round by round:  floor ─ turn ─┐
//!                             target ─ turn ┴► windows ─► medians, ratios, checks ─► report
//! turn:      open connections, warm up, measure windows, let the rest end
//! ```
//!
//! The **floor** is a bare responder that writes the very bytes that the target was heard to write, in the same
//! pieces and at the same times. A figure alone says how fast a machine is; its ratio to the floor, taken in
//! turns in the same run, says what the target adds.
//!
//! The **client** runs on one thread of one core, the subjects on another. It scans answers for their end and
//! their events, without parsing JSON, and judges each: a load that was carried by broken answers was not
//! carried. It reports what it used itself and what others took of both cores; where it was the bottleneck or
//! others disturbed, latencies and rates are inconclusive.
//!
//! # Limits
//!
//! Connections [`CONNECTIONS_MAX`], chunks of a stream [`CHUNKS_MAX`], windows [`WINDOWS_MAX`] per round, every time
//! [`TIME_MAX`]. Processor time and memory come from `/proc` and are absent where there is none.

#![warn(missing_docs)]

mod duration;
mod profile;

pub mod crowd;

mod broken;
mod conversation;
mod events;
mod run;
mod scanner;
mod tally;
mod turn;

mod child;
mod floor;
mod machine;
mod process;
mod recording;
mod script;

mod judge;
pub mod result;
pub mod table;

pub use broken::Broken;
pub use child::ChildError;
pub use duration::parse as duration;
pub use floor::serve as floor;
pub use machine::MachineError;
pub use profile::{
    CHUNKS_MAX, CONNECTIONS_MAX, Case, Flush, Limits, Profile, ProfileError, Request, TIME_MAX, WINDOWS_MAX,
    built_in,
};
pub use recording::{Recording, RecordingError};
pub use run::{Options, RunError, Target, run};
pub use turn::NotOpen;
