//! What tests of several parts share: a PostgreSQL to test against, and a running server.

pub(crate) mod postgres;
pub(crate) mod server;
