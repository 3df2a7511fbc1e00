//! A connection of HTTP/1: request, answer, and again.
//!
//! Requests are read by [`inbox`](crate::inbox), answers are written by [`write`] byte for
//! byte, so that they can be wrong below HTTP. Invariant: while an answer is written the connection is
//! read as well, so that a client that leaves is noticed at once.

use std::{sync::Arc, time::Duration};

use crate::{
    exchange::{self, Arrived},
    inbox::{Body, Head, Inbox, NoRequest},
    journal::{Arrival, How},
    program::{self, Persistence, Program},
    shared::Shared,
    wire::Wire,
    write::{self, After, Way},
};

/// So much of a refused body is read and thrown away, so that its sender sees the refusal.
const DRAIN_MAX: usize = 64 * 1024 * 1024;
/// So long a sender may take for that.
const LINGER_MAX: Duration = Duration::from_secs(30);

/// Serves a connection until one of the sides ends it.
pub(crate) async fn serve(wire: &Wire, shared: &Arc<Shared>, connection: u64) {
    let mut inbox = Inbox::new(wire);
    let mut nth = 0;
    loop {
        let after = match inbox.head().await {
            Ok(head) => {
                nth += 1;
                let recorder = shared.journal.open(arrival(&head, connection, nth));
                answer(&mut inbox, head, Way { wire, clock: &*shared.clock, recorder: &recorder }, shared)
                    .await
            }
            Err(refused) => {
                refuse(wire, refused).await;
                return;
            }
        };
        match after {
            After::Usable => {}
            After::Closed => return wire.shutdown().await,
            After::Over => return,
            After::Stale { reset } => return die_at_next_request(&mut inbox, wire, reset).await,
        }
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

fn arrival(head: &Head, connection: u64, nth: u64) -> Arrival {
    let Head { method, path, headers, .. } = head;
    Arrival { connection, nth, method: method.clone(), path: Arc::clone(path), headers: Arc::clone(headers) }
}

/// Reads the body of a request and answers it.
async fn answer(inbox: &mut Inbox<'_>, head: Head, way: Way<'_>, shared: &Shared) -> After {
    let closes = head.wants_close();
    let body = match inbox.body(&head, exchange::BODY_MAX).await {
        Ok(body) => body,
        Err(NoRequest::Gone) => return After::Over,
        Err(refused) => {
            refuse(way.wire, refused).await;
            way.recorder.end(How::Cut);
            return After::Over;
        }
    };
    let arrived = Arrived { head: &head, body: &body, recorder: way.recorder };
    let answer = exchange::answer(shared, &arrived);
    match body {
        Body::Whole(_) if closes => {
            after_last(inbox, program::compile(answer, Persistence::Close), way).await
        }
        Body::Whole(_) => until_gone(inbox, program::compile(answer, Persistence::KeepAlive), way).await,
        Body::TooLarge => {
            write::run(program::compile(answer, Persistence::Close), way).await;
            way.wire.shutdown().await;
            tokio::select! {
                () = inbox.drain(DRAIN_MAX) => {}
                () = way.clock.sleep(LINGER_MAX) => {}
            }
            After::Over
        }
    }
}

async fn after_last(inbox: &mut Inbox<'_>, program: Program, way: Way<'_>) -> After {
    match until_gone(inbox, program, way).await {
        After::Usable | After::Stale { .. } => After::Closed,
        other => other,
    }
}

/// Writes the answer, or stops at once when the client leaves.
async fn until_gone(inbox: &mut Inbox<'_>, program: Program, way: Way<'_>) -> After {
    tokio::select! {
        biased;
        after = write::run(program, way) => after,
        () = inbox.gone() => {
            way.recorder.end(How::ClientHungUp);
            After::Over
        }
    }
}

/// Answers what is no request. Whether that reaches the client does not matter: the connection is over.
async fn refuse(wire: &Wire, why: NoRequest) {
    let status = match why {
        NoRequest::Gone => return,
        NoRequest::Malformed => 400,
        NoRequest::HeadTooLarge => 431,
    };
    let reason = program::reason(status);
    let text = format!("HTTP/1.1 {status} {reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let _ = wire.write_all(text.as_bytes()).await;
    wire.shutdown().await;
}
