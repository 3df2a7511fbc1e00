//! One request and what is answered to it, whatever protocol carries both.
//!
//! Invariant: a request is in the journal before it is looked at here, and every request gets an answer.

use bytes::Bytes;

use crate::{
    answer::{Answer, Framing},
    api::{self, Behind, Planned},
    inbox::{Body, Head},
    journal::Recorder,
    metrics::Refused,
    notice::Notice,
    page,
    record::{self, Call},
    render,
    replay::Player,
    shared::{Shared, Source},
    state::Seat,
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

/// What answers a request.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// The seat is to be kept until the answer is over.
    Planned(Answer, Seat),
    /// An upstream, which has yet to be asked.
    Live(Box<Call<'a>>),
}

/// Decides what answers and notes the plan in the journal.
pub(crate) fn find<'a>(shared: &'a Shared, arrived: &Arrived<'_>) -> Found<'a> {
    let recorder = arrived.recorder;
    let mut planned = match arrived.body {
        Body::Whole(bytes) => {
            recorder.body(bytes.clone());
            let request = request(arrived, bytes, None);
            match &shared.source {
                Source::Script => decide(shared, &request, recorder),
                Source::Cassette(player) => replay(shared, player, &request, recorder),
                Source::Upstream(deck) => {
                    match deck.call(&request, bytes.clone(), shared.stamp(recorder.number)) {
                        Ok(call) => {
                            recorder.planned(Some(record::RULE.into()), &[]);
                            return Found::Live(Box::new(call));
                        }
                        Err(notice) => plain(shared, recorder, &notice, Some(record::RULE)),
                    }
                }
            }
        }
        Body::Form(upload) => {
            let body = Bytes::new();
            decide(shared, &request(arrived, &body, Some(upload)), recorder)
        }
        Body::TooLarge => refuse(shared, arrived),
    };
    if arrived.head.is_old {
        without_chunks(&mut planned.answer);
    }
    recorder.planned(planned.rule, &planned.faults);
    Found::Planned(planned.answer, planned.seat)
}

/// Returns the form to read from the body of a request with this head, if it is to be one. Its file is not kept.
///
/// Only the mock's own files are read so: what is recorded or looked up in a cassette must be whole.
pub(crate) fn upload(shared: &Shared, head: &Head) -> Option<Upload> {
    let asked = head.method == "POST" && api::takes_files(&head.path);
    let is_own = || matches!(shared.source, Source::Script);
    (asked && is_own()).then(|| Upload::of(&head.headers)).flatten()
}

fn request<'a>(arrived: &Arrived<'a>, body: &'a Bytes, upload: Option<&'a Upload>) -> api::Request<'a> {
    let Arrived { head, carried, nth, .. } = *arrived;
    api::Request {
        method: &head.method,
        path: &head.path,
        headers: &head.headers,
        credentials: &head.credentials,
        body,
        carried,
        socket_nth: nth,
        upload,
    }
}

fn decide(shared: &Shared, request: &api::Request<'_>, recorder: &Recorder) -> Planned {
    let stamp = shared.stamp(recorder.number);
    if page::is_at(request.path) && request.method == "GET" {
        let page = page::on_the_api_port(shared, request.headers.get("host"));
        return Planned::plain(&Notice::page(page), &stamp);
    }
    let (selector, ordered) = (shared.stage.selector(), shared.orders.faults());
    let Shared { cache, files, .. } = shared;
    let mut planned = api::decide(request, &stamp, &Behind { selector: &selector, cache, files, ordered });
    if request.method == "HEAD" {
        without_body(&mut planned.answer);
    }
    planned
}

fn replay(shared: &Shared, player: &Player, request: &api::Request<'_>, recorder: &Recorder) -> Planned {
    let stamp = shared.stamp(recorder.number);
    player.play(request, &stamp, || {
        let scripted = api::scripted_faults(request, shared.profile, &shared.stage.selector());
        shared.orders.faults().unwrap_or(scripted)
    })
}

fn refuse(shared: &Shared, arrived: &Arrived<'_>) -> Planned {
    shared.journal.watch.metrics.refused(Refused::Body);
    let limit = if upload(shared, arrived.head).is_some() { UPLOAD_MAX } else { shared.limits.body };
    plain(shared, arrived.recorder, &Notice::too_large(limit), None)
}

fn plain(shared: &Shared, recorder: &Recorder, notice: &Notice, rule: Option<&str>) -> Planned {
    Planned::fixed(render::plain(notice, &shared.stamp(recorder.number)), rule)
}

/// Leaves the body out, as HEAD wants it; the head says how long it would be.
fn without_body(answer: &mut Answer) {
    answer.render_all();
    let length: usize = answer.pieces.drain(..).map(|piece| piece.len()).sum();
    if let Some(head) = &mut answer.head {
        head.set("content-length", Some(&length.to_string()));
        head.framing = Framing::Closing;
    }
}

/// Ends the body by closing, which is all that a client of HTTP/1.0 understands.
fn without_chunks(answer: &mut Answer) {
    match &mut answer.head {
        Some(head) if head.framing == Framing::Chunked => head.framing = Framing::Closing,
        _ => {}
    }
}
