//! A connection of HTTP/2: streams side by side, each an exchange of its own.
//!
//! `h2` speaks the protocol; here answers become HEADERS and DATA frames, and their ends become
//! `RST_STREAM`, `GOAWAY` or the death of the connection. Invariant: what a fault does to the connection
//! is done after everything that was written before it has gone out.

use std::{
    future::{pending, poll_fn},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::ready,
};

use bytes::{Bytes, BytesMut};
use h2::{RecvStream, SendStream, server};
use http::{HeaderName, HeaderValue, Request, Response};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{self, Answer, Cut, Framing},
    exchange::{self, Arrived, Carried, Found},
    inbox::{Body, DRAIN_MAX, HEAD_MAX, Head, LINGER_MAX},
    journal::{How, Recorder},
    metrics::Refused,
    program,
    record::{self, Call, Telling},
    server::Connection,
    shared::Shared,
    state::Seat,
    upload::{UPLOAD_BODY_MAX, Upload},
    wire::Rewound,
    write::{self, After, Outlet, Way},
};

/// The most streams at once on one connection; the client is told.
const STREAMS_MAX: u16 = 256;
/// So many bytes of answers are queued on a connection.
const SEND_BUFFER_MAX: usize = 64 * 1024;

/// What the streams of a connection share.
#[derive(Clone, Debug)]
struct Session {
    shared: Arc<Shared>,
    connection: u64,
    carried: Carried,
    asks: mpsc::Sender<Ask>,
    /// A fault of one stream ends the connection.
    is_cut: Arc<AtomicBool>,
}

/// What a stream wants of its connection.
#[derive(Debug)]
enum Ask {
    /// End like this.
    End(Cut),
    /// Say so when everything that was written before has gone out.
    Flush(oneshot::Sender<()>),
}

/// Serves a connection until one of the sides ends it, or until the mock takes no more requests and those under way
/// are answered.
pub(crate) async fn serve(io: Rewound, connection: &Connection) {
    let Connection { number, shared, closing } = connection;
    let wire = Arc::clone(&io.wire);
    let carried = Carried { http2: true, tls: wire.is_tls() };
    let (asks, asked) = mpsc::channel(STREAMS_MAX.into());
    let is_cut = Arc::default();
    let session = Session { shared: Arc::clone(shared), connection: *number, carried, asks, is_cut };
    let mut builder = server::Builder::new();
    builder
        .max_concurrent_streams(STREAMS_MAX.into())
        .max_header_list_size(u32::try_from(HEAD_MAX).unwrap_or(u32::MAX))
        .max_send_buffer_size(SEND_BUFFER_MAX);
    let began = tokio::select! {
        began = builder.handshake(io) => began,
        () = closing.cancelled() => return wire.shutdown().await,
    };
    match began {
        Ok(http2) => match streams(http2, session, (asked, closing)).await {
            // A socket that cannot be told to reset is closed.
            Some(Cut::Reset) => drop(wire.reset_on_close()),
            Some(Cut::Abandon) => {}
            _ => wire.shutdown().await,
        },
        Err(error) => tracing::debug!(%error, connection = number, "HTTP/2 did not begin"),
    }
}

/// Accepts streams until the connection ends, and returns how a fault wants it to end, if one does.
async fn streams(
    mut http2: server::Connection<Rewound, Bytes>,
    session: Session,
    (mut asked, closing): (mpsc::Receiver<Ask>, &CancellationToken),
) -> Option<Cut> {
    let (mut streams, mut nth, mut ending, mut cut) = (JoinSet::new(), 0, false, None);
    loop {
        tokio::select! {
            // Accepting comes first because it also sends: what was written before a cut is out by then.
            biased;
            accepted = http2.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    nth += 1;
                    streams.spawn(exchange(session.clone(), nth, request, respond));
                }
                Some(Err(error)) => {
                    if error.is_library() {
                        session.shared.journal.watch.metrics.refused(Refused::Malformed);
                    }
                    break;
                }
                None => break,
            },
            Some(ask) = asked.recv() => match ask {
                Ask::End(end) => {
                    session.is_cut.store(true, Ordering::Relaxed);
                    cut = Some(end);
                    match end {
                        Cut::GoAway(reason) => http2.abrupt_shutdown(reason),
                        _ => break,
                    }
                }
                // A stream that has gone meanwhile does not want to know.
                Ask::Flush(done) => drop(done.send(())),
            },
            Some(_) = streams.join_next() => {}
            () = closing.cancelled(), if !ending => {
                ending = true;
                http2.graceful_shutdown();
            }
        }
    }
    streams.shutdown().await;
    cut
}

type Respond = server::SendResponse<Bytes>;

/// Reads a request and answers it, or stops at once when the client gives up the stream.
async fn exchange(session: Session, nth: u64, request: Request<RecvStream>, mut respond: Respond) {
    let (parts, body) = request.into_parts();
    let head = Head::of_http2(&parts);
    let recorder = session.shared.journal.open(head.arrival(session.connection, nth));
    let dialogue = Dialogue { session: &session, recorder: &recorder };
    dialogue.hold((&head, nth), body, &mut respond).await;
}

/// One exchange of a connection. If it is dropped before its end, a fault of another stream has cut it, or its client
/// has left.
struct Dialogue<'a> {
    session: &'a Session,
    recorder: &'a Recorder,
}

impl Drop for Dialogue<'_> {
    fn drop(&mut self) {
        if self.session.is_cut.load(Ordering::Relaxed) {
            self.recorder.end(How::Cut);
        }
    }
}

impl Dialogue<'_> {
    async fn hold(&self, (head, nth): (&Head, u64), mut upload: RecvStream, respond: &mut Respond) {
        let Self { session, recorder } = *self;
        let read = match exchange::upload(&session.shared, head) {
            Some(form) => read_form(&mut upload, form).await,
            None => read(&mut upload, session.shared.limits.body).await,
        };
        let Some(body) = read else { return };
        let arrived = Arrived { head, body: &body, recorder, nth, carried: session.carried };
        match exchange::find(&session.shared, &arrived) {
            Found::Planned(answer, seat) => self.tell(answer, seat, respond).await,
            Found::Live(call) => Box::pin(self.relay(*call, respond)).await,
        }
        if let Body::TooLarge = body {
            // A client that goes on sending would take a reset for the answer.
            tokio::select! {
                () = discard(&mut upload, DRAIN_MAX) => {}
                () = session.shared.clock.sleep(LINGER_MAX) => {}
            }
        }
    }

    /// Tells a planned answer.
    async fn tell(&self, answer: Answer, seat: Seat, respond: &mut Respond) {
        let (head, program) = program::bare(answer);
        let mut program = program.seated(seat);
        if let Some(head) = &head
            && !self.hold_back(head, respond).await
        {
            return;
        }
        let Some(outgoing) = Outgoing::open(head.as_ref(), respond, self.recorder) else { return };
        let told = write::run(&mut program, self.way(&outgoing));
        self.end(told, &outgoing, respond).await;
    }

    /// Passes on what an upstream answers.
    async fn relay(&self, call: Call<'_>, respond: &mut Respond) {
        let placed = tokio::select! {
            placed = call.place(&*self.session.shared.clock) => placed,
            _reason = poll_fn(|cx| respond.poll_reset(cx)) => return,
        };
        let take = match placed {
            Ok(take) => take,
            Err(answer) => return self.tell(answer, Seat::default(), respond).await,
        };
        let framing = Framing::Closing;
        let Some(outgoing) = Outgoing::open(Some(&take.head(framing)), respond, self.recorder) else {
            return;
        };
        let told = record::relay(take, Telling { front: Bytes::new(), framing }, self.way(&outgoing));
        self.end(told, &outgoing, respond).await;
    }

    fn way<'b>(&'b self, outlet: &'b Outgoing) -> Way<'b, Outgoing> {
        Way { outlet, clock: &*self.session.shared.clock, recorder: self.recorder }
    }

    /// Waits for a head that is held back; `false` when the client gives up first.
    async fn hold_back(&self, head: &answer::Head, respond: &mut Respond) -> bool {
        if head.wait.is_zero() {
            return true;
        }
        self.recorder.passed(0, head.held);
        tokio::select! {
            () = self.session.shared.clock.sleep(head.wait) => true,
            _reason = poll_fn(|cx| respond.poll_reset(cx)) => false,
        }
    }

    /// Carries out what is told, or stops at once when the client gives up the stream, and ends it.
    async fn end(&self, told: impl Future<Output = After>, outgoing: &Outgoing, respond: &mut Respond) {
        let after = tokio::select! {
            biased;
            after = told => after,
            () = outgoing.given_up(respond) => return,
        };
        match after {
            After::Usable | After::Stale { .. } => outgoing.finish(),
            After::Cut(Cut::ResetStream(reason)) => {
                self.session.flushed().await;
                outgoing.reset(reason);
            }
            After::Cut(cut) => {
                // Fails only when the connection has ended. Dropping the stream now would take back what is queued.
                let _ = self.session.asks.send(Ask::End(cut)).await;
                pending::<()>().await;
            }
            After::Gone => {}
        }
    }
}

impl Session {
    /// Waits until everything that was written has gone out: a reset takes back what is queued.
    async fn flushed(&self) {
        let (done, flushed) = oneshot::channel();
        if self.asks.send(Ask::Flush(done)).await.is_ok() {
            // Fails only when the connection has ended.
            let _ = flushed.await;
        }
    }
}

/// Reads a body of at most `max` bytes; `None` when the client gave up.
async fn read(stream: &mut RecvStream, max: usize) -> Option<Body> {
    let mut body = BytesMut::new();
    while let Some(data) = stream.data().await {
        let data = data.ok()?;
        if data.len() > max - body.len() {
            return Some(Body::TooLarge);
        }
        body.extend_from_slice(&data);
        // Fails only when the stream is gone, which the next read tells.
        let _ = stream.flow_control().release_capacity(data.len());
    }
    Some(Body::Whole(body.freeze()))
}

/// Reads a form, of which only what must be is held; `None` when the client gave up.
async fn read_form(stream: &mut RecvStream, mut form: Upload) -> Option<Body> {
    let mut left = UPLOAD_BODY_MAX;
    while let Some(data) = stream.data().await {
        let data = data.ok()?;
        let Some(less) = left.checked_sub(data.len()) else { return Some(Body::TooLarge) };
        left = less;
        form.feed(&data);
        // Fails only when the stream is gone, which the next read tells.
        let _ = stream.flow_control().release_capacity(data.len());
    }
    Some(Body::Form(Box::new(form)))
}

/// Reads on and forgets, up to `max` bytes.
async fn discard(stream: &mut RecvStream, max: usize) {
    let mut left = max;
    while let Some(Ok(data)) = stream.data().await
        && left > 0
    {
        left = left.saturating_sub(data.len());
        // Fails only when the stream is gone, which the next read tells.
        let _ = stream.flow_control().release_capacity(data.len());
    }
}

/// Makes the head; what HTTP/2 cannot carry is left out.
fn response(head: &answer::Head) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(head.status).unwrap_or_default();
    for (name, value) in &head.headers {
        let header = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        if let (Ok(name), Ok(value)) = header {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// The way back of a stream; `None` as long as there is not even a head.
struct Outgoing(Mutex<Option<SendStream<Bytes>>>);

impl Outgoing {
    /// Sends the head, if there is one; `None` when the stream is gone.
    fn open(head: Option<&answer::Head>, respond: &mut Respond, recorder: &Recorder) -> Option<Self> {
        let Some(head) = head else { return Some(Self(Mutex::new(None))) };
        let stream = respond.send_response(response(head), false).ok()?;
        recorder.began(head.status);
        Some(Self(Mutex::new(Some(stream))))
    }

    fn stream(&self) -> MutexGuard<'_, Option<SendStream<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the client resets the stream or the connection is gone.
    async fn given_up(&self, respond: &mut Respond) {
        let _reason = poll_fn(|cx| match self.stream().as_mut() {
            Some(stream) => stream.poll_reset(cx),
            None => respond.poll_reset(cx),
        })
        .await;
    }

    /// Ends the body in good order.
    fn finish(&self) {
        if let Some(stream) = self.stream().as_mut() {
            // Fails only when the client has left.
            let _ = stream.send_data(Bytes::new(), true);
        }
    }

    fn reset(&self, reason: h2::Reason) {
        if let Some(stream) = self.stream().as_mut() {
            stream.send_reset(reason);
        }
    }
}

impl Outlet for Outgoing {
    async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            let mut stream = self.stream();
            let Some(stream) = stream.as_mut() else { return std::task::Poll::Pending };
            stream.reserve_capacity(bytes.len());
            let granted = ready!(stream.poll_capacity(cx)).unwrap_or(Ok(0)).map_err(io::Error::other)?;
            let count = granted.min(bytes.len());
            stream.send_data(Bytes::copy_from_slice(&bytes[..count]), false).map_err(io::Error::other)?;
            Ok(count).into()
        })
        .await
    }

    async fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
