//! One request and what is answered to it, whatever protocol carries both.
//!
//! Invariant: a request is in the journal before it is looked at here, and every request gets an answer.

use bytes::Bytes;

use crate::{
    answer::{Answer, Framing},
    api::{self, Planned},
    inbox::{Body, Head},
    journal::Recorder,
    metrics::Refused,
    notice::Notice,
    page, render,
    shared::Shared,
    upload::{UPLOAD_MAX, Upload},
};

/// The longest request body, unless the builder says otherwise; a longer one is answered with 413.
pub const BODY_MAX: usize = 1024 * 1024;

/// A request that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) head: &'a Head,
    pub(crate) body: &'a Body,
    pub(crate) recorder: &'a Recorder,
    pub(crate) carried: Carried,
}

/// What carries a request and its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) http2: bool,
    pub(crate) tls: bool,
}

/// Decides the answer and notes the plan in the journal.
pub(crate) fn answer(shared: &Shared, arrived: &Arrived<'_>) -> Answer {
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
    planned.answer
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
        files: &shared.files,
        upload,
    };
    let stamp = shared.stamp(recorder.number);
    if page::is_at(request.path) && request.method == "GET" {
        let page = page::on_the_api_port(shared, request.headers.get("host"));
        return Planned {
            answer: render::plain(&Notice::page(page), &stamp),
            rule: None,
            faults: Vec::new(),
        };
    }
    api::decide(&request, &stamp, |chat| {
        (shared.choose(chat, request.headers), shared.cache.bill(&chat.resolved.prompt))
    })
}

fn refuse(shared: &Shared, arrived: &Arrived<'_>) -> Planned {
    shared.journal.watch.metrics.refused(Refused::Body);
    let limit = if upload(arrived.head).is_some() { UPLOAD_MAX } else { shared.limits.body };
    let answer = render::plain(&Notice::too_large(limit), &shared.stamp(arrived.recorder.number));
    Planned { answer, rule: None, faults: Vec::new() }
}

/// Ends the body by closing, which is all that a client of HTTP/1.0 understands.
fn without_chunks(answer: &mut Answer) {
    match &mut answer.head {
        Some(head) if head.framing == Framing::Chunked => head.framing = Framing::Closing,
        _ => {}
    }
}
