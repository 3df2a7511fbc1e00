//! Recording: each request goes on to a real upstream, and its answer comes back byte for byte.
//!
//! What is kept of it is scrubbed and appended to a [cassette](crate::cassette) when the answer ends; the
//! client still gets the true bytes, each piece as it comes. An exchange is kept whole or not at all: when
//! the client leaves, the answer is too large or the upstream falls silent, nothing is written and
//! [`Recorded`] says why.
//!
//! Invariant: nothing reaches the disk that has not been through [`scrub`](crate::scrub).

mod relay;
mod tape;
mod upstream;

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use clock::{Clock, Instant};
use reqwest::Url;

use crate::{
    answer::Answer,
    api,
    cassette::{BodyEnd, CassetteError, How},
    notice::Notice,
    render::{self, Stamp},
};
pub(crate) use relay::{Telling, run as relay};
use tape::Tape;
use upstream::Upstream;
pub use upstream::{UPSTREAM_HEAD_MAX, UPSTREAM_SILENCE_MAX};

/// The longest answer that is kept; a longer one is passed on and not recorded.
pub const ANSWER_KEPT_MAX: usize = 8 * 1024 * 1024;

/// What the journal names as the rule of recorded exchanges.
pub(crate) const RULE: &str = "record";

/// What to record, and how.
#[derive(Clone, Debug)]
pub struct Recording {
    upstream: String,
    path: PathBuf,
    compressed: bool,
    traces: bool,
}

/// Recording cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The upstream is no base URL.
    #[error("upstream `{url}` cannot be used: {reason}; write a base URL such as `https://api.deepseek.com`")]
    Upstream {
        /// What was given.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The file exists and is no cassette.
    #[error("cannot record into `{}`: {source}", .path.display())]
    Cassette {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CassetteError,
    },
    /// The file cannot be written.
    #[error("cannot record into `{}`: {source}; choose a file in a folder that exists and can be written", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another recorder has the file.
    #[error("another mock records into `{}`; stop it, or choose another file", .path.display())]
    Taken {
        /// The file.
        path: PathBuf,
    },
}

/// What has been recorded so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Exchanges that are in the file.
    pub kept: u64,
    /// Exchanges that were passed on, or failed, and are not in the file.
    pub left_out: u64,
    /// Why the last of those was left out.
    pub reason: Option<String>,
}

impl Recording {
    /// Records what the upstream at this base URL answers, into this file.
    ///
    /// What the file holds already stays: new exchanges are appended.
    pub fn new(upstream: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { upstream: upstream.into(), path: path.into(), compressed: false, traces: true }
    }

    /// Asks for compressed answers when the client does, and keeps them as they are.
    ///
    /// Such an answer is **not** scrubbed. By default the upstream is asked not to compress, which every client
    /// understands; should it compress all the same, the exchange is not recorded.
    #[must_use]
    pub fn keep_compressed(mut self) -> Self {
        self.compressed = true;
        self
    }

    /// Drops headers such as `x-ds-trace-id`, by which the upstream could find the exchange in its log.
    #[must_use]
    pub fn without_traces(mut self) -> Self {
        self.traces = false;
        self
    }
}

/// A recorder at work.
#[derive(Debug)]
pub(crate) struct Deck {
    settings: Recording,
    base: Url,
    http: reqwest::Client,
    tape: Mutex<Tape>,
}

/// A whole request, on its way to the upstream. Names of headers are in lower case.
#[derive(Debug)]
struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// A request that the upstream is to answer.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    deck: &'a Deck,
    sent: Sent,
    stamp: Stamp,
}

/// An exchange that is being recorded: the upstream has begun to answer.
#[derive(Debug)]
pub(crate) struct Take<'a> {
    deck: &'a Deck,
    sent: Sent,
    began: Instant,
    answered: Instant,
    upstream: Upstream,
}

/// The upstream did not answer.
#[derive(Debug, thiserror::Error)]
#[error("upstream `{url}` did not answer: {reason}; check the URL, the network and the certificate")]
struct Unreachable {
    url: String,
    reason: String,
}

impl Deck {
    /// Opens the file and makes the client.
    pub(crate) fn open(settings: Recording) -> Result<Self, RecordError> {
        let base = upstream::base(&settings.upstream)?;
        let http = upstream::client()
            .map_err(|reason| RecordError::Upstream { url: settings.upstream.clone(), reason })?;
        let tape = Mutex::new(Tape::open(&settings.path)?);
        Ok(Self { settings, base, http, tape })
    }

    /// Takes a request that is to go on. A fault that it names is refused: there is no answer yet to be spoilt.
    pub(crate) fn call(
        &self,
        request: &api::Request<'_>,
        body: Bytes,
        stamp: Stamp,
    ) -> Result<Call<'_>, Notice> {
        if api::faults_of(request)?.is_some_and(|faults| !faults.is_empty()) {
            return Err(Notice::own(
                400,
                "fault_while_recording",
                "faults are not played while recording; name them when the cassette is replayed",
            ));
        }
        let sent = Sent {
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            headers: request.headers.revealed(request.credentials),
            body,
        };
        Ok(Call { deck: self, sent, stamp })
    }

    /// Tells what has been recorded.
    pub(crate) fn recorded(&self) -> Recorded {
        self.tape().recorded.clone()
    }

    fn leave_out(&self, reason: &str) {
        tracing::warn!(reason, "exchange is not recorded");
        self.tape().leave_out(reason);
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Call<'a> {
    /// Sends the request on, and returns once the head of the answer is there, or what to say instead.
    pub(crate) async fn place(self, clock: &dyn Clock) -> Result<Take<'a>, Answer> {
        let Self { deck, sent, stamp } = self;
        let (began, mut waiting) = (clock.now(), Waiting(Some(deck)));
        let outcome = match upstream::request(&deck.base, &sent, deck.settings.compressed) {
            Ok(request) => upstream::send(&deck.http, request, clock).await,
            Err(reason) => Err(reason),
        };
        waiting.0 = None;
        match outcome {
            Ok(upstream) => Ok(Take { deck, sent, began, answered: clock.now(), upstream }),
            Err(reason) => {
                let unreachable = Unreachable { url: deck.settings.upstream.clone(), reason }.to_string();
                deck.leave_out(&unreachable);
                Err(render::plain(&Notice::own(502, "upstream_unreachable", &unreachable), &stamp))
            }
        }
    }
}

/// Counts a request as left out when it is dropped before its answer has begun.
struct Waiting<'a>(Option<&'a Deck>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(deck) = self.0 {
            deck.leave_out("the client left before the answer began");
        }
    }
}

/// The end of an answer, and its time.
#[derive(Clone, Copy, Debug)]
struct Ended {
    how: How,
    at: Instant,
    missing: u64,
}
