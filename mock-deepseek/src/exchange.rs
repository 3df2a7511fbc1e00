//! One request and its answer: from hyper's request to the last byte.
//!
//! Invariant: every request that reaches this module is in the journal before anything else happens,
//! and its exchange ends exactly once, also when this future is dropped.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use clock::Clock;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{Method, Request, Response, Version, body::Incoming, header, http::request::Parts};

use crate::{
    answer::{Answer, Framing, Head},
    api::{self, Planned},
    journal::{Arrival, Recorder},
    notice::Notice,
    program::{self, Persistence},
    record::{self, Deck, Listener, Sent, Take},
    render,
    replay::Needs,
    request::ChatRequest,
    shared::{Shared, Source},
    wire::Wire,
    write::{self, Over},
};

/// The longest request body; a longer one is answered with 413.
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
    let knows_chunks = head.version != Version::HTTP_10;
    let (mut planned, rest) = match read(body).await? {
        Body::Whole(bytes) => match find(&shared, &recorder, &head, &bytes).await {
            Found::Planned(planned) => (planned, None),
            Found::Live(deck, take) => {
                recorder.planned(Some("record".to_owned()), &[]);
                let persistence = if knows_chunks { persistence } else { Persistence::Close };
                let clock = &*shared.clock;
                let listener =
                    Listener { wire: &wire, clock, recorder: &recorder, persistence, knows_chunks };
                let persistence = record::relay(deck, take, listener).await?;
                wire.swallow_head();
                return Ok(unseen(persistence));
            }
        },
        Body::TooLarge(rest) => {
            persistence = Persistence::Close;
            (refuse(&shared, &recorder), Some(rest))
        }
    };
    if !knows_chunks {
        without_chunks(&mut planned.answer);
    }
    if !knows_chunks || ends_by_closing(&planned.answer) {
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

async fn read(mut body: Incoming) -> Result<Body, Over> {
    match Limited::new(&mut body, BODY_MAX).collect().await {
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

/// What answers a request.
enum Found<'a> {
    Planned(Planned),
    /// An upstream that has begun to answer.
    Live(&'a Deck, Take),
}

async fn find<'a>(shared: &'a Shared, recorder: &Recorder, head: &Parts, body: &Bytes) -> Found<'a> {
    recorder.body(body.clone());
    let headers: BTreeMap<_, _> =
        head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let path = head.uri.to_string();
    let request = api::Request { method: head.method.as_str(), path: &path, headers, body };
    let stamp = shared.stamp(recorder.number);
    match &shared.source {
        Source::Script => {
            let choose = |chat: &ChatRequest| shared.selector().choose(chat, &request.headers);
            Found::Planned(api::decide(&request, &stamp, choose))
        }
        Source::Cassette(player) => {
            let scripted = || shared.selector().faults(&request);
            let needs = Needs { stamp: &stamp, chunks: head.version != Version::HTTP_10 };
            let answer = player.play(&request, needs, scripted);
            shared.clock.sleep(answer.delay).await;
            Found::Planned(answer.planned)
        }
        Source::Upstream(deck) => match forward(deck, &request, head, &*shared.clock).await {
            Ok(take) => Found::Live(deck, take),
            Err(notice) => {
                let answer = render::plain(&notice, &stamp);
                Found::Planned(Planned { answer, rule: Some("record".to_owned()), faults: Vec::new() })
            }
        },
    }
}

/// Sends a request on. A fault that it names is refused: there is no answer yet to be spoilt.
async fn forward(
    deck: &Deck,
    request: &api::Request<'_>,
    head: &Parts,
    clock: &dyn Clock,
) -> Result<Take, Notice> {
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
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: Bytes::copy_from_slice(request.body),
    };
    deck.forward(sent, clock)
        .await
        .map_err(|error| Notice::own(502, "upstream_unreachable", &error.to_string()))
}

fn refuse(shared: &Shared, recorder: &Recorder) -> Planned {
    let answer = render::plain(&Notice::too_large(BODY_MAX), &shared.stamp(recorder.number));
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

/// Says whether the client sees the end of the body by the end of the connection.
fn ends_by_closing(answer: &Answer) -> bool {
    let has_length = |head: &Head| head.headers.iter().any(|(name, _)| name == "content-length");
    answer.head.as_ref().is_some_and(|head| head.framing == Framing::Closing && !has_length(head))
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
