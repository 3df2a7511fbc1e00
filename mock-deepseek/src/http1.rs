//! A connection of HTTP/1: request, answer, and again.
//!
//! Requests are read by [`inbox`](crate::inbox), answers are written by [`write`](mod@crate::write) byte for
//! byte, so that they can be wrong below HTTP. Invariant: while an answer is written the connection is
//! read as well, so that a client that leaves is noticed at once.

use std::pin::{Pin, pin};

use bytes::BytesMut;

use crate::{
    answer::{Cut, Framing},
    exchange::{self, Arrived, Carried, Found},
    inbox::{Body, DRAIN_MAX, Head, Inbox, LINGER_MAX, NoRequest},
    journal::{How, Recorder},
    metrics::Refused,
    program::{self, Persistence},
    record::{self, Call, Telling},
    server::Connection,
    shared::Shared,
    wire::Wire,
    write::{self, After, Way},
};

/// How a connection of HTTP/1 ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It can be dropped.
    Over,
    /// The client goes on in HTTP/2, and has sent this.
    Http2(BytesMut),
}

/// Serves a connection until one of the sides ends it, or until the mock takes no more requests.
pub(crate) async fn serve(wire: &Wire, connection: &Connection) -> Ended {
    let Connection { number, shared, closing } = connection;
    let mut inbox = Inbox::new(wire);
    let mut closed = pin!(closing.cancelled());
    let mut nth = 0;
    loop {
        let head = tokio::select! {
            biased;
            head = inbox.head() => head,
            () = &mut closed => {
                wire.shutdown().await;
                return Ended::Over;
            }
        };
        let after = match head {
            Ok(head) => {
                nth += 1;
                let recorder = shared.journal.open(head.arrival(*number, nth));
                let way = Way { outlet: wire, clock: &*shared.clock, recorder: &recorder };
                answer(&mut inbox, (head, nth), way, shared).await
            }
            Err(NoRequest::Http2) if nth == 0 => return Ended::Http2(inbox.into_rest()),
            Err(refused) => {
                refuse(wire, refused, shared, None).await;
                return Ended::Over;
            }
        };
        match after {
            After::Usable if closing.is_cancelled() => wire.shutdown().await,
            After::Usable => continue,
            After::Stale { reset } => tokio::select! {
                () = die_at_next_request(&mut inbox, wire, reset) => {}
                () = closing.cancelled() => {}
            },
            After::Cut(cut) => die(wire, cut).await,
            After::Gone => {}
        }
        return Ended::Over;
    }
}

/// Ends the connection in the middle of a message.
async fn die(wire: &Wire, cut: Cut) {
    match cut {
        Cut::Close => wire.shutdown().await,
        // A socket that cannot be told to reset is closed.
        Cut::Reset => drop(wire.reset_on_close()),
        // What only HTTP/2 has comes to the same here: silence.
        Cut::Abandon | Cut::ResetStream(_) | Cut::GoAway(_) => {}
    }
}

/// Lets the client believe that the connection lives, until it uses it.
async fn die_at_next_request(inbox: &mut Inbox<'_>, wire: &Wire, reset: bool) {
    inbox.next_begins().await;
    if reset {
        // A socket that cannot be told to reset is closed.
        drop(wire.reset_on_close());
    }
}

/// Reads the body of a request and answers it.
async fn answer(
    inbox: &mut Inbox<'_>,
    (head, nth): (Head, u64),
    way: Way<'_, Wire>,
    shared: &Shared,
) -> After {
    let read = match exchange::upload(shared, &head) {
        Some(form) => inbox.form(&head, form).await,
        None => inbox.body(&head, shared.limits.body).await,
    };
    let body = match read {
        Ok(body) => body,
        Err(NoRequest::Gone) => return After::Gone,
        Err(refused) => {
            refuse(way.outlet, refused, shared, Some(way.recorder)).await;
            way.recorder.end(How::Cut);
            return After::Gone;
        }
    };
    let carried = Carried { http2: false, tls: way.outlet.is_tls() };
    let arrived = Arrived { head: &head, body: &body, recorder: way.recorder, nth, carried };
    let (answer, seat) = match exchange::find(shared, &arrived) {
        Found::Planned(answer, seat) => (answer, seat),
        Found::Live(call) => {
            return until_gone(inbox, Box::pin(relay(*call, &head, way)).as_mut(), way).await;
        }
    };
    let closes = head.wants_close() || answer.ends_by_closing();
    if let Body::TooLarge = body {
        write::run(&mut program::compile(answer, Persistence::Close), way).await;
        way.outlet.shutdown().await;
        tokio::select! {
            () = inbox.drain(DRAIN_MAX) => {}
            () = way.clock.sleep(LINGER_MAX) => {}
        }
        return After::Gone;
    }
    let mut program = program::compile(answer, Persistence::unless(closes)).seated(seat);
    let after = until_gone(inbox, pin!(write::run(&mut program, way)), way).await;
    if closes { last(after) } else { after }
}

/// Passes on what an upstream answers.
async fn relay(call: Call<'_>, head: &Head, way: Way<'_, Wire>) -> After {
    let closes = head.wants_close();
    let (after, closes) = match call.place(way.clock).await {
        Ok(take) => {
            let framing = take.framing(!head.is_old);
            let closes = closes || framing == Framing::Closing;
            let front = program::head_bytes(&take.head(framing), take.length(), Persistence::unless(closes));
            (record::relay(take, Telling { front, framing }, way).await, closes)
        }
        Err(answer) => {
            let mut program = program::compile(answer, Persistence::unless(closes));
            (write::run(&mut program, way).await, closes)
        }
    };
    if closes { last(after) } else { after }
}

/// Says what becomes of the connection after its last answer.
fn last(after: After) -> After {
    match after {
        After::Usable | After::Stale { .. } => After::Cut(Cut::Close),
        other => other,
    }
}

/// Tells the answer, or stops at once when the client leaves.
async fn until_gone(
    inbox: &mut Inbox<'_>,
    told: Pin<&mut impl Future<Output = After>>,
    way: Way<'_, Wire>,
) -> After {
    tokio::select! {
        biased;
        after = told => after,
        () = inbox.gone() => {
            way.recorder.end(How::ClientHungUp);
            After::Gone
        }
    }
}

/// Answers what is no request. Whether that reaches the client does not matter: the connection is over.
async fn refuse(wire: &Wire, why: NoRequest, shared: &Shared, recorder: Option<&Recorder>) {
    let (status, reason) = match why {
        NoRequest::Gone => return,
        NoRequest::Malformed | NoRequest::Http2 => (400, Refused::Malformed),
        NoRequest::HeadTooLarge => (431, Refused::Head),
    };
    shared.journal.watch.metrics.refused(reason);
    let reason = program::reason(status);
    let text = format!("HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    if let (Ok(()), Some(recorder)) = (wire.write_all(text.as_bytes()).await, recorder) {
        recorder.wrote(shared.clock.now(), text.as_bytes());
    }
    wire.shutdown().await;
}
