//! One request and what is answered to it, whatever protocol carries both.
//!
//! Invariant: a request is in the journal before it is looked at here, and every request gets an answer.

use bytes::Bytes;

use crate::{
    answer::{Answer, Framing},
    api::{self, Behind, Planned},
    inbox::{Body, Head},
    journal::Recorder,
    notice::Notice,
    shared::Shared,
    state::Seat,
    upload::{UPLOAD_MAX, Upload},
};

/// The longest request body; a longer one is answered with 413.
pub const BODY_MAX: usize = 1024 * 1024;

/// A request that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) head: &'a Head,
    pub(crate) body: &'a Body,
    pub(crate) recorder: &'a Recorder,
    /// Counts the requests on the connection from 1.
    pub(crate) nth: u64,
    pub(crate) carried: Carried,
}

/// What carries a request and its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) http2: bool,
    pub(crate) tls: bool,
}

/// Decides the answer and notes the plan in the journal. The seat is to be kept until the answer is over.
pub(crate) fn answer(shared: &Shared, arrived: &Arrived<'_>) -> (Answer, Seat) {
    let mut planned = match arrived.body {
        Body::Whole(bytes) => {
            arrived.recorder.body(bytes.clone());
            decide(shared, arrived, bytes, None)
        }
        Body::Form(upload) => decide(shared, arrived, &Bytes::new(), Some(upload)),
        Body::TooLarge => refuse(shared, arrived),
    };
    if arrived.head.is_old {
        without_chunks(&mut planned.answer);
    }
    arrived.recorder.planned(planned.rule, &planned.faults);
    (planned.answer, planned.seat)
}

/// Returns the form to read from the body of a request with this head, if it is to be one. Its file is not kept.
pub(crate) fn upload(head: &Head) -> Option<Upload> {
    let asked = head.method == "POST" && api::takes_files(&head.path);
    asked.then(|| Upload::of(&head.headers)).flatten()
}

fn decide(shared: &Shared, arrived: &Arrived<'_>, body: &Bytes, upload: Option<&Upload>) -> Planned {
    let Arrived { head, recorder, .. } = *arrived;
    let request = api::Request {
        method: &head.method,
        path: &head.path,
        headers: &head.headers,
        credentials: &head.credentials,
        body,
        carried: arrived.carried,
        socket_nth: arrived.nth,
        upload,
    };
    let stamp = shared.stamp(recorder.number);
    let selector = shared.stage.selector();
    api::decide(&request, &stamp, &Behind { selector: &selector, cache: &shared.cache, files: &shared.files })
}

fn refuse(shared: &Shared, arrived: &Arrived<'_>) -> Planned {
    let limit = if upload(arrived.head).is_some() { UPLOAD_MAX } else { BODY_MAX };
    Planned::plain(&Notice::too_large(limit), &shared.stamp(arrived.recorder.number))
}

/// Ends the body by closing, which is all that a client of HTTP/1.0 understands.
fn without_chunks(answer: &mut Answer) {
    match &mut answer.head {
        Some(head) if head.framing == Framing::Chunked => head.framing = Framing::Closing,
        _ => {}
    }
}
