//! What a plain socket really sees, on virtual time, for sound replies and for every fault.

mod ends;
mod faults;
mod faults_address;
mod faults_coding;
mod faults_meaning;
mod http;
mod observe;
mod secure;
mod sound;
