//! What a plain socket really sees, on virtual time, for sound replies and for every fault.

mod ends;
mod faults;
mod http;
mod mutation;
mod observe;
mod recording;
mod replaying;
mod sound;
