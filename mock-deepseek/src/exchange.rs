//! One request and its answer: from hyper's request to the last byte.
//!
//! Invariant: every request that reaches this module is in the journal before anything else happens,
//! and its exchange ends exactly once, also when this future is dropped.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{Method, Request, Response, Version, body::Incoming, header, http::request::Parts};

use crate::{
    answer::{Answer, Framing},
    api::{self, Planned},
    journal::{Arrival, Recorder},
    metrics::Refused,
    notice::Notice,
    page,
    program::{self, Persistence},
    render,
    shared::Shared,
    wire::Wire,
    write::{self, Over},
};

/// The longest request body, unless the builder says otherwise; a longer one is answered with 413.
pub const BODY_MAX: usize = 1024 * 1024;
/// So much of a refused body is read and thrown away, so that its sender sees the refusal.
const DRAIN_MAX: usize = 64 * BODY_MAX;

/// Where a request arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) shared: Arc<Shared>,
    pub(crate) wire: Wire,
    pub(crate) connection: u64,
    pub(crate) nth: u64,
}

/// Answers a request on the wire; what is returned to hyper is swallowed there.
pub(crate) async fn handle(
    arrived: Arrived,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Over> {
    let Arrived { shared, wire, connection, nth } = arrived;
    let (head, body) = request.into_parts();
    let recorder = shared.journal.open(Arrival {
        connection,
        nth,
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
    });
    let mut persistence = persistence(&head);
    let (mut planned, rest) = match read(body, shared.limits.body).await? {
        Body::Whole(bytes) => (decide(&shared, &recorder, &head, &bytes), None),
        Body::TooLarge(rest) => {
            persistence = Persistence::Close;
            (refuse(&shared, &recorder), Some(rest))
        }
    };
    if head.version == Version::HTTP_10 {
        without_chunks(&mut planned.answer);
        persistence = Persistence::Close;
    }
    recorder.planned(planned.rule, &planned.faults);
    let program = program::compile(planned.answer, persistence);
    write::run(program, &wire, &*shared.clock, &recorder).await?;
    if let Some(rest) = rest {
        drain(rest).await;
    }
    wire.swallow_head();
    Ok(unseen(persistence))
}

enum Body {
    Whole(Bytes),
    TooLarge(Incoming),
}

async fn read(mut body: Incoming, limit: usize) -> Result<Body, Over> {
    match Limited::new(&mut body, limit).collect().await {
        Ok(whole) => Ok(Body::Whole(whole.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(Body::TooLarge(body)),
        Err(_gone) => Err(Over),
    }
}

async fn drain(mut body: Incoming) {
    let mut left = DRAIN_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

fn decide(shared: &Shared, recorder: &Recorder, head: &Parts, body: &Bytes) -> Planned {
    recorder.body(body.clone());
    let headers: BTreeMap<_, _> =
        head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let path = head.uri.to_string();
    let request = api::Request { method: head.method.as_str(), path: &path, headers, body };
    let stamp = shared.stamp(recorder.number);
    if page::is_asked(request.method, request.path) {
        let page = page::on_the_api_port(shared, request.headers.get("host").map(String::as_str));
        return Planned {
            answer: render::plain(&Notice::page(page), &stamp),
            rule: None,
            faults: Vec::new(),
        };
    }
    api::decide(&request, &stamp, |chat| shared.choose(chat, &request.headers))
}

fn refuse(shared: &Shared, recorder: &Recorder) -> Planned {
    shared.journal.watch.metrics.refused(Refused::Body);
    let answer = render::plain(&Notice::too_large(shared.limits.body), &shared.stamp(recorder.number));
    Planned { answer, rule: None, faults: Vec::new() }
}

/// Says whether the client wants to keep the connection.
fn persistence(head: &Parts) -> Persistence {
    let asked = head.headers.get(header::CONNECTION).map(text).unwrap_or_default().to_ascii_lowercase();
    if asked.contains("close") || head.method == Method::HEAD {
        Persistence::Close
    } else {
        Persistence::KeepAlive
    }
}

/// Ends the body by closing, which is all that a client of HTTP/1.0 understands.
fn without_chunks(answer: &mut Answer) {
    match &mut answer.head {
        Some(head) if head.framing == Framing::Chunked => head.framing = Framing::Closing,
        _ => {}
    }
}

/// What hyper believes that it has to send.
fn unseen(persistence: Persistence) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    if persistence == Persistence::Close {
        response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    }
    response
}

fn text(value: &header::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
