//! What a plain socket really sees, on virtual time, for sound replies and for every fault.

mod ends;
mod faults;
mod faults_address;
mod faults_chunks;
mod faults_coding;
mod faults_meaning;
mod faults_stalls;
mod http;
mod observe;
mod secure;
mod sound;
