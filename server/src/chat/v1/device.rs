//! One device of a room: reads its frames into the room, and sends what the room's stream tells.
//!
//! A device that does not read holds up nobody: the stream does not wait for it, and a frame that it does not take in
//! time ends its connection. One that has fallen behind, but reads again, takes up the stream from where it was.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use clock::{Elapsed, SharedClock, timeout};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::{Incoming, Limits, Outgoing, Wrong, parse};
use crate::{
    accounts::Leave,
    chat::{
        Leaving, Stops, WIND_UP,
        closing::{BAD_REQUEST, Closing, EXPIRED, FLOODED, INSUFFICIENT, REVOKED, SHUTDOWN, SLOW, STALE},
        driver::text_of,
        protocol::{self, Action, Code},
        pulse::Pulse,
        room::{Attached, Command, Entered, Piece, Room, Told, Wish, Word},
        voice::Voice,
    },
    config::Http,
    limit::Caller,
};

/// What a device is to keep to.
pub(in crate::chat) struct Terms {
    pub(in crate::chat) clock: SharedClock,
    pub(in crate::chat) http: Http,
    pub(in crate::chat) limits: Limits,
    /// Says that too many of its frames wait.
    pub(in crate::chat) voice: Voice,
    pub(in crate::chat) stops: Stops,
}

/// A device of a room.
pub(in crate::chat) struct Device {
    room: Room,
    entered: Entered,
    caller: Caller,
    terms: Terms,
    /// The stream, and the last durable frame of it that was sent.
    epoch: String,
    offset: u64,
}

/// What the loop woke up for.
enum Wake {
    Word(Result<Word, RecvError>),
    Received(Option<Result<Message, axum::Error>>),
    Pulse,
    Overdue,
}

type Open = Result<(), Closing>;

impl Device {
    pub(in crate::chat) fn new((room, entered): (Room, Entered), caller: Caller, terms: Terms) -> Self {
        Self { room, entered, caller, terms, epoch: String::new(), offset: 0 }
    }

    /// Serves the device until it closes, its server stops, or it fails.
    pub(in crate::chat) async fn run(mut self: Box<Self>, mut socket: Box<WebSocket>, mut leave: Leaving) {
        let closing = match self.greet(&mut socket).await {
            Ok(attached) => self.converse(&mut socket, attached, &mut leave).await,
            Err(closing) => closing,
        };
        let clock = SharedClock::clone(&self.terms.clock);
        // The room is left before goodbye is said, which takes its time.
        drop(self);
        closing.perform(socket, &*clock).await;
    }

    /// Waits for the first frame, and tells what was missed.
    async fn greet(&mut self, socket: &mut WebSocket) -> Result<Attached, Closing> {
        let clock = SharedClock::clone(&self.terms.clock);
        let first = tokio::select! {
            biased;
            () = self.terms.stops.drain.cancelled() => return Err(SHUTDOWN),
            first = timeout(&*clock, self.terms.http.first_frame, self.first(socket)) => first,
        };
        let seen = first.unwrap_or(Err(STALE))?;
        self.room.stream().up_to_date().await;
        let seen = seen.as_ref().map(|(epoch, offset)| (epoch.as_str(), *offset));
        let attached = self.room.stream().attach(seen);
        let from = seen.filter(|_| attached.recovered).map(|(_, offset)| offset);
        self.welcome(socket, &attached, from).await?;
        Ok(attached)
    }

    /// Says where the stream is, and tells what was missed behind the place that was seen.
    async fn welcome(&mut self, socket: &mut WebSocket, attached: &Attached, seen: Option<u64>) -> Open {
        self.epoch.clone_from(&attached.epoch);
        self.offset = seen.unwrap_or(attached.offset);
        let welcome = Outgoing::Welcome {
            epoch: attached.epoch.clone(),
            offset: attached.offset,
            recovered: attached.recovered,
            session: attached.session,
            limits: self.terms.limits,
            ping_ms: u64::try_from(self.terms.http.ping_interval.as_millis()).unwrap_or(u64::MAX),
        };
        let recovered = if attached.recovered { "true" } else { "false" };
        metrics::counter!("ws_resumed_total", "recovered" => recovered).increment(1);
        self.send(socket, welcome.to_json().into()).await?;
        self.catch_up(socket, attached).await
    }

    /// Reads frames until one says where the client has been.
    async fn first(&self, socket: &mut WebSocket) -> Result<Option<(String, u64)>, Closing> {
        loop {
            let message = received(socket.recv().await)?;
            let Some(text) = text_of(message, self.terms.http.frame_bytes)? else { continue };
            return match parse(&text) {
                Ok(Incoming::Resume { epoch, offset }) => Ok(epoch.zip(offset)),
                Ok(_) | Err(_) => Err(BAD_REQUEST),
            };
        }
    }

    async fn catch_up(&mut self, socket: &mut WebSocket, attached: &Attached) -> Open {
        for told in &attached.missed {
            self.pass_on(socket, told).await?;
        }
        Ok(())
    }

    /// Goes on until the connection is to be closed.
    async fn converse(
        &mut self,
        socket: &mut WebSocket,
        mut attached: Attached,
        leave: &mut Leaving,
    ) -> Closing {
        let http = &self.terms.http;
        let mut pulse =
            Pulse::new(SharedClock::clone(&self.terms.clock), http.ping_interval, http.pong_timeout);
        loop {
            let woken = tokio::select! {
                biased;
                // What runs is the room's; the device only has to come again, or must not.
                why = &mut *leave => return left(why),
                woken = self.wake(socket, &mut attached, &mut pulse) => woken,
            };
            let done = match woken {
                Wake::Word(word) => self.heard(socket, word, &mut attached).await,
                Wake::Received(message) => match received(message) {
                    Ok(message) => self.received(socket, message, &mut pulse).await,
                    Err(closing) => Err(closing),
                },
                Wake::Pulse => pulse.beat(socket, true).await,
                Wake::Overdue => Err(SHUTDOWN),
            };
            if let Err(closing) = done {
                return closing;
            }
        }
    }

    /// Waits for the next thing to happen. Cancellation-safe.
    async fn wake(&self, socket: &mut WebSocket, attached: &mut Attached, pulse: &mut Pulse) -> Wake {
        let overdue = async {
            self.terms.stops.abort.cancelled().await;
            // The room says goodbye by then; it is not waited for longer.
            self.terms.clock.sleep(WIND_UP + LEAVE).await;
        };
        tokio::select! {
            biased;
            word = attached.words.recv() => Wake::Word(word),
            received = socket.recv() => Wake::Received(received),
            () = pulse.timer() => Wake::Pulse,
            () = overdue => Wake::Overdue,
        }
    }

    /// Passes on what the room tells, with all that waits behind it.
    async fn heard(
        &mut self,
        socket: &mut WebSocket,
        word: Result<Word, RecvError>,
        attached: &mut Attached,
    ) -> Open {
        let mut next = word;
        let mut pieces = Pieces::default();
        loop {
            match next {
                Ok(Word::Told(told)) => {
                    if let Some(told) = pieces.take(told) {
                        self.pass_pieces(socket, &mut pieces).await?;
                        self.pass_on(socket, &told).await?;
                    }
                }
                Ok(Word::Dismissed(device)) if device == self.entered.number => return Err(FLOODED),
                Ok(Word::Dismissed(_)) => {}
                Ok(Word::Anew) => return self.begin_anew(socket, attached).await,
                Ok(Word::Goodbye) | Err(RecvError::Closed) => {
                    self.pass_pieces(socket, &mut pieces).await?;
                    return Err(SHUTDOWN);
                }
                Err(RecvError::Lagged(_)) => return self.fell_behind(socket, attached).await,
            }
            next = match attached.words.try_recv() {
                Ok(word) => Ok(word),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Lagged(frames)) => Err(RecvError::Lagged(frames)),
            };
        }
        self.pass_pieces(socket, &mut pieces).await
    }

    /// Begins the stream anew. Of what was told meanwhile, only what is for this device is not in it.
    async fn begin_anew(&mut self, socket: &mut WebSocket, attached: &mut Attached) -> Open {
        let (mut own, mut end) = (Vec::new(), Ok(()));
        while let Ok(word) = attached.words.try_recv() {
            match word {
                Word::Told(told) if told.to.is_some() => own.push(told),
                Word::Dismissed(device) if device == self.entered.number => end = Err(FLOODED),
                Word::Goodbye => end = Err(SHUTDOWN),
                Word::Told(_) | Word::Dismissed(_) | Word::Anew => {}
            }
        }
        *attached = self.room.stream().attach(None);
        self.welcome(socket, attached, None).await?;
        for told in own {
            self.pass_on(socket, &told).await?;
        }
        end
    }

    /// Takes up the stream from the last frame that was sent.
    async fn fell_behind(&mut self, socket: &mut WebSocket, attached: &mut Attached) -> Open {
        metrics::counter!("ws_behind_total").increment(1);
        *attached = self.room.stream().attach(Some((&self.epoch, self.offset)));
        if attached.recovered { self.catch_up(socket, attached).await } else { Err(INSUFFICIENT) }
    }

    async fn pass_pieces(&self, socket: &mut WebSocket, pieces: &mut Pieces) -> Open {
        match pieces.finish() {
            Some(json) => self.send(socket, json).await,
            None => Ok(()),
        }
    }

    async fn pass_on(&mut self, socket: &mut WebSocket, told: &Told) -> Open {
        if told.to.is_some_and(|device| device != self.entered.number) {
            return Ok(());
        }
        self.send(socket, told.json.clone()).await?;
        self.offset = told.offset.unwrap_or(self.offset);
        Ok(())
    }

    /// Sends a frame; whoever does not take it in time is too slow.
    async fn send(&self, socket: &mut WebSocket, json: Utf8Bytes) -> Open {
        let sent = socket.send(Message::Text(json));
        match timeout(&*self.terms.clock, self.terms.http.slow_timeout, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Closing::Silent),
            Err(Elapsed) => {
                metrics::counter!("ws_unread_total").increment(1);
                tracing::warn!("device does not read and is given up");
                Err(SLOW)
            }
        }
    }

    async fn received(&self, socket: &mut WebSocket, message: Message, pulse: &mut Pulse) -> Open {
        pulse.alive();
        let Some(text) = text_of(message, self.terms.http.frame_bytes)? else { return Ok(()) };
        let wish = match parse(&text) {
            Ok(Incoming::Send { client_msg_id, content, replaces: None }) => {
                Wish::Say(protocol::Incoming::Say(content), Some(client_msg_id))
            }
            Ok(Incoming::Send { client_msg_id, content, replaces: Some(old) }) => {
                Wish::Say(protocol::Incoming::Again(content, old), Some(client_msg_id))
            }
            Ok(Incoming::EndConversation { client_msg_id }) => {
                Wish::Say(protocol::Incoming::EndConversation, client_msg_id)
            }
            Ok(Incoming::Stop { message_id }) => Wish::Stop(message_id),
            Ok(Incoming::Ack { .. } | Incoming::Pong) => return Ok(()),
            Ok(Incoming::Resume { .. }) => Wish::Wrong(Wrong { code: Code::BadRequest, client_msg_id: None }),
            Err(wrong) => Wish::Wrong(wrong),
        };
        let client_msg_id = wish.client_msg_id();
        let command = Box::new(Command { device: self.entered.number, caller: Some(self.caller), wish });
        if self.entered.commands.try_send(command).is_ok() {
            return Ok(());
        }
        let error = Outgoing::Error {
            code: Code::QueueFull,
            text: self.terms.voice.error(Code::QueueFull),
            retry_after_ms: None,
            client_msg_id,
            action: Some(Action::Retry),
        };
        self.send(socket, error.to_json().into()).await
    }
}

/// So much longer than the room's winding up a device waits for its goodbye.
const LEAVE: Duration = Duration::from_secs(1);

/// Returns how a device is told to leave.
const fn left(why: Leave) -> Closing {
    match why {
        Leave::Expired => EXPIRED,
        Leave::Revoked => REVOKED,
        Leave::Blocked => FLOODED,
    }
}

/// Sorts what reading has given.
fn received(message: Option<Result<Message, axum::Error>>) -> Result<Message, Closing> {
    match message {
        None => Err(Closing::Silent),
        Some(Ok(Message::Close(_))) => Err(Closing::Answered),
        Some(Err(error)) => Err(Closing::of(&error)),
        Some(Ok(message)) => Ok(message),
    }
}

/// Pieces of one answer that wait to be sent as one.
#[derive(Default)]
struct Pieces {
    first: Option<Arc<Told>>,
    more: String,
}

impl Pieces {
    /// Takes a piece that follows the others; gives back whatever else it is.
    fn take(&mut self, told: Arc<Told>) -> Option<Arc<Told>> {
        let Some(piece) = &told.piece else { return Some(told) };
        match &self.first {
            Some(_) => self.more.push_str(&piece.text),
            None => self.first = Some(told),
        }
        None
    }

    /// Returns the frame for all of them.
    fn finish(&mut self) -> Option<Utf8Bytes> {
        let first = self.first.take()?;
        let more = std::mem::take(&mut self.more);
        match &first.piece {
            Some(piece) if !more.is_empty() => {
                let whole = Piece { text: format!("{}{more}", piece.text), ..piece.clone() };
                Some(whole.to_json().into())
            }
            _ => Some(first.json.clone()),
        }
    }
}
