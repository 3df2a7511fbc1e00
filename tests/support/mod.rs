//! What tests of several parts share: a browser, a PostgreSQL to test against, and a running server.

pub(crate) mod browser;
pub(crate) mod postgres;
pub(crate) mod server;
