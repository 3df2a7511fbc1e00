//! The ways in which an answer can be broken.

use serde::Serialize;

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Broken {
    /// No connection came about.
    #[error("no connection came about")]
    Connect,
    /// The status is not 200.
    #[error("the status was not 200")]
    Status,
    /// The head or the framing of the body is not HTTP/1.1.
    #[error("the framing was not HTTP/1.1")]
    Framing,
    /// The connection ended before the answer did.
    #[error("the connection ended in the middle of the answer")]
    Cut,
    /// Bytes came after the end of the answer, unasked.
    #[error("bytes came after the end of the answer")]
    Surplus,
    /// The stream ended without `[DONE]`.
    #[error("the stream ended without `[DONE]`")]
    NotDone,
    /// An event came after `[DONE]`.
    #[error("an event came after `[DONE]`")]
    AfterDone,
    /// The stream had fewer chunks than it should.
    #[error("chunks were missing")]
    TooFew,
    /// The stream had more chunks than it should.
    #[error("there were too many chunks")]
    TooMany,
    /// What should be a JSON object does not begin and end like one.
    #[error("a body or a chunk was no JSON object")]
    NotAnObject,
    /// The answer was not complete when the time for the last ones was over.
    #[error("the answer did not come to its end in time")]
    Unfinished,
}
