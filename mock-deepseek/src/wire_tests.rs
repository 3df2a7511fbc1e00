//! What a plain socket really sees, on virtual time, for sound replies and for every fault.

mod anthropic;
mod ends;
mod faults;
mod faults_address;
mod faults_chunks;
mod faults_coding;
mod faults_elsewhere;
mod faults_meaning;
mod faults_stalls;
mod files;
mod golden;
mod http;
mod http2;
mod mutation;
mod observe;
mod random;
mod recording;
mod recording_elsewhere;
mod replaying;
mod responses;
mod schema;
mod secure;
mod service;
mod sound;
mod state;
mod surfaces;
