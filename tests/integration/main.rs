//! Tests of several parts together, over real sockets and real databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "tests are configured by their environment")]

mod admin;
mod benches;
mod broken_process;
mod chat_page;
mod cli;
mod crowd;
mod dialogues;
mod drain;
mod exchange;
mod formats;
mod gateway;
mod host;
mod http;
mod infra;
mod load;
mod mock;
mod page;
mod process;
mod replay;
mod replicas;
mod report;
mod sdk;
mod standin;
mod storage_contract;
#[path = "../support/mod.rs"]
mod support;
mod target;
