//! The whole chat over real sockets, with a scripted model and a SQLite file, on a laboratory's clock.

mod consent;
mod endings;
mod failures;
mod refusals;
mod rig;
mod slow;
mod spending;
mod turns;
mod words;
