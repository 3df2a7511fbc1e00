//! What tests of several parts share: a browser, a PostgreSQL and a Redis to test against, a running server, gateways, chats and
//! houses of strangers, a chat that keeps time, a checker of JSON Schemas and one of answers, what
//! was counted, and what to do without.

pub(crate) mod absence;
pub(crate) mod browser;
pub(crate) mod contract;
pub(crate) mod counted;
pub(crate) mod gateway;
pub(crate) mod house;
pub(crate) mod judged;
pub(crate) mod metronome;
pub(crate) mod port;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod schema;
pub(crate) mod served;
pub(crate) mod server;
pub(crate) mod standin;
