//! Drives one connection's machine: owns its socket, the step under way and its timers.
//!
//! Reads on while a turn runs, up to the bounds of the machine. What is ready at the same time is taken
//! in a fixed order (frames of the client, pieces of the answer, the end of the step, timers), so that a
//! run can be repeated.

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use clock::{Clock, Instant, SharedClock, Sleep, timeout};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    effect::Effect,
    event::{Event, Ids, Refusal, Said, Wish},
    machine::Machine,
    protocol::{self, Incoming},
    steps::{Finished, Steps},
    turns::{Place, TurnGuard},
};
use crate::{
    classify::{self, Intent, Meaning},
    ids::MessageId,
    limit::{Caller, Decision, PolicyName},
    session,
};

/// Pieces of an answer between the model and the socket; with so many, the model is held back.
const PIECES_MAX: usize = 16;
/// How long a client may take to confirm that the connection closes.
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// Close code: no pong came.
const CLOSE_NO_PONG: u16 = 4004;

/// A connection and all that goes on in it.
pub(super) struct Driver {
    pub(super) machine: Machine,
    pub(super) steps: Arc<Steps>,
    pub(super) caller: Caller,
    pub(super) stops: Stops,
}

/// How a server stops.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    /// Take no more messages and close when the running turn is over.
    pub(super) drain: CancellationToken,
    /// Stop now.
    pub(super) abort: CancellationToken,
}

type Running = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// What is under way.
struct Flight {
    step: Option<Running>,
    text: mpsc::Sender<String>,
    pieces: mpsc::Receiver<String>,
    turn: Option<TurnGuard>,
    places: HashMap<u64, Place>,
    spoken: u64,
    is_draining: bool,
}

/// Ping and pong.
struct Pulse {
    clock: SharedClock,
    interval: Duration,
    patience: Duration,
    is_waiting: bool,
    timer: Sleep,
}

/// How a connection is to be closed.
enum Closing {
    /// The client has gone: nothing to say.
    Silent,
    /// With a code and its reason.
    With(u16, &'static str),
}

/// What the loop woke up for.
enum Wake {
    Event(Event),
    Received(Option<Result<Message, axum::Error>>),
    Finished(Finished),
    Pulse,
    Abort,
}

impl Driver {
    /// Serves the connection until it closes, its server stops, or it fails.
    pub(super) async fn run(mut self, mut socket: WebSocket) {
        let settings = self.steps.parts.config.http.clone();
        let clock = SharedClock::clone(&self.steps.parts.clock);
        let mut pulse = Pulse::new(clock, settings.ping_interval, settings.pong_timeout);
        let (text, pieces) = mpsc::channel(PIECES_MAX);
        let mut flight = Flight {
            step: None,
            text,
            pieces,
            turn: None,
            places: HashMap::new(),
            spoken: 0,
            is_draining: false,
        };
        let closing = self.converse(&mut socket, &mut flight, &mut pulse).await;
        if let Closing::With(code, reason) = closing {
            close(&mut socket, &*pulse.clock, code, reason).await;
        }
        drop(socket);
        self.wind_up(&mut flight).await;
    }

    /// Goes on until the connection is to be closed.
    async fn converse(&mut self, socket: &mut WebSocket, flight: &mut Flight, pulse: &mut Pulse) -> Closing {
        loop {
            let wake = wake(self, socket, flight, pulse).await;
            let events = match wake {
                Wake::Abort => return Closing::With(close_code::AWAY, "server stops"),
                Wake::Event(event) => {
                    flight.is_draining |= matches!(event, Event::Draining);
                    vec![event]
                }
                Wake::Finished(finished) => flight.end_step(finished),
                Wake::Pulse => match pulse.beat(socket, self.machine.reads()).await {
                    Ok(()) => Vec::new(),
                    Err(closing) => return closing,
                },
                Wake::Received(None | Some(Ok(Message::Close(_)))) => return Closing::Silent,
                Wake::Received(Some(Err(error))) => return broken(&error),
                Wake::Received(Some(Ok(message))) => match self.received(message, flight, pulse) {
                    Ok(event) => event.into_iter().collect(),
                    Err(closing) => return closing,
                },
            };
            for event in events {
                if let Err(closing) = self.apply(event, flight, Some(&mut *socket)).await {
                    return closing;
                }
            }
        }
    }

    /// Lets the machine end its turn without a client.
    async fn wind_up(&mut self, flight: &mut Flight) {
        flight.places.clear();
        let mut events = vec![Event::Gone];
        loop {
            for event in events.drain(..) {
                let _ = self.apply(event, flight, None).await;
            }
            let Some(step) = flight.step.as_mut().filter(|_| !self.machine.is_over()) else { return };
            tokio::select! {
                biased;
                () = self.stops.abort.cancelled() => return,
                finished = step => events = flight.end_step(finished),
                // Nobody reads the pieces any more; a step must not wait for room.
                _ = flight.pieces.recv() => {}
            }
        }
    }

    /// Turns a frame into an event.
    fn received(
        &self,
        message: Message,
        flight: &mut Flight,
        pulse: &mut Pulse,
    ) -> Result<Option<Event>, Closing> {
        pulse.alive();
        let text = match message {
            Message::Text(text) => text.as_str().to_owned(),
            Message::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(None),
        };
        if text.len() > self.steps.parts.config.http.frame_bytes {
            return Err(TOO_BIG);
        }
        Ok(Some(match protocol::parse(&text) {
            Ok(incoming) => Event::Heard(Arc::new(self.said(incoming, flight))),
            Err(code) => Event::Unreadable(code),
        }))
    }

    /// Finds out about a message all that can be known without asking anybody.
    fn said(&self, incoming: Incoming, flight: &mut Flight) -> Said {
        flight.spoken += 1;
        let parts = &self.steps.parts;
        let (text, is_end) = match incoming {
            Incoming::Say(text) => {
                let is_end = session::is_end_phrase(&text);
                (text, is_end)
            }
            Incoming::EndConversation => (String::new(), true),
        };
        let flag = parts.red_flags.find(&text);
        let within = text.chars().count() <= parts.config.conversation.message_characters;
        let meaning = if within {
            classify::classify(&text, &self.steps.language, flag.as_ref())
        } else {
            Meaning { intent: Intent::Unclear, confidence: 0.0, small_talk: None }
        };
        let wish = if is_end && flag.is_none() { Wish::End } else { Wish::Answer };
        let ids =
            Ids { question: MessageId::random(), safety: MessageId::random(), reply: MessageId::random() };
        let (read_at, at) = (parts.clock.now(), parts.clock.wall());
        Said { turn: flight.spoken, text, wish, meaning, flag, read_at, at, ids }
    }

    /// Gives an event to the machine and does what it wants. Without a socket nothing is sent.
    async fn apply(
        &mut self,
        event: Event,
        flight: &mut Flight,
        mut socket: Option<&mut WebSocket>,
    ) -> Result<(), Closing> {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.machine.on(event) {
                match effect {
                    Effect::Send(frame) => {
                        let Some(socket) = socket.as_deref_mut() else { continue };
                        self.send(socket, Message::Text(frame.to_json().into())).await?;
                    }
                    Effect::Admit(said) => events.push(self.admit(said, flight).await),
                    Effect::Run(step) => {
                        if let super::effect::Step::Wait(said) = &step {
                            flight.places.remove(&said.turn);
                        }
                        let steps = Arc::clone(&self.steps);
                        let running = steps.run(step, flight.text.clone()).in_current_span();
                        flight.step = Some(Box::pin(running));
                    }
                    Effect::Cancel => flight.cancel(),
                    Effect::Release => flight.turn = None,
                    Effect::Close => return Err(Closing::With(close_code::AWAY, "server stops")),
                }
            }
        }
        Ok(())
    }

    /// Asks for a place and for the limits.
    async fn admit(&self, said: Arc<Said>, flight: &mut Flight) -> Event {
        let config = &self.steps.parts.config;
        let Some(place) = self.steps.turns.place(self.steps.user, config.conversation.queue) else {
            return Event::Refused(said, Refusal::QueueFull);
        };
        let taken =
            self.steps.parts.limits.take(PolicyName::Messages, &config.limits.messages, &self.caller).await;
        match taken {
            Decision::Allowed { .. } => {
                flight.places.insert(said.turn, place);
                Event::Admitted(said)
            }
            Decision::Refused { retry_after } => Event::Refused(said, Refusal::RateLimited { retry_after }),
        }
    }

    /// Sends with a limit: a client that does not read must not hold its user's turn.
    async fn send(&self, socket: &mut WebSocket, message: Message) -> Result<(), Closing> {
        let limit = self.steps.parts.config.http.pong_timeout;
        match timeout(&*self.steps.parts.clock, limit, socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Closing::Silent),
        }
    }
}

const TOO_BIG: Closing = Closing::With(close_code::SIZE, "frame is too big");

/// Waits for the next thing to happen. Cancellation-safe: nothing is lost that was not returned.
async fn wake(driver: &Driver, socket: &mut WebSocket, flight: &mut Flight, pulse: &mut Pulse) -> Wake {
    let Flight { step, pieces, is_draining, .. } = flight;
    let step = async {
        match step {
            Some(step) => step.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = driver.stops.abort.cancelled() => Wake::Abort,
        () = driver.stops.drain.cancelled(), if !*is_draining => Wake::Event(Event::Draining),
        received = socket.recv(), if driver.machine.reads() => Wake::Received(received),
        Some(piece) = pieces.recv() => Wake::Event(Event::Text(piece)),
        finished = step => Wake::Finished(finished),
        () = &mut pulse.timer => Wake::Pulse,
    }
}

impl Flight {
    /// Takes the end of a step: first the pieces that came before it.
    fn end_step(&mut self, finished: Finished) -> Vec<Event> {
        self.step = None;
        if let Some(turn) = finished.turn {
            self.turn = Some(turn);
        }
        let mut events = Vec::new();
        while let Ok(piece) = self.pieces.try_recv() {
            events.push(Event::Text(piece));
        }
        events.push(Event::Did(finished.outcome));
        events
    }

    /// Drops the step and what it has produced but not shown.
    fn cancel(&mut self) {
        self.step = None;
        while self.pieces.try_recv().is_ok() {}
    }
}

impl Pulse {
    fn new(clock: SharedClock, interval: Duration, patience: Duration) -> Self {
        let timer = clock.sleep(interval);
        Self { clock, interval, patience, is_waiting: false, timer }
    }

    /// Takes note that the client has said something.
    fn alive(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            self.timer = self.clock.sleep(self.interval);
        }
    }

    /// Sends a ping, or ends a connection whose pong did not come. While nothing is read, a pong cannot
    /// be seen, and none is expected.
    async fn beat(&mut self, socket: &mut WebSocket, reads: bool) -> Result<(), Closing> {
        if self.is_waiting && reads {
            return Err(Closing::With(CLOSE_NO_PONG, "no pong"));
        }
        self.is_waiting = reads;
        self.timer = self.clock.sleep(if reads { self.patience } else { self.interval });
        let ping = socket.send(Message::Ping(bytes::Bytes::new()));
        match timeout(&*self.clock, self.patience, ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Closing::Silent),
        }
    }
}

/// Tells a frame over the limit from a connection that broke.
fn broken(error: &axum::Error) -> Closing {
    let text = error.to_string();
    if text.contains("too long") || text.contains("too big") || text.contains("Space limit") {
        return TOO_BIG;
    }
    Closing::Silent
}

/// Says goodbye and waits for the client to do the same, so that it sees the code and not a reset.
async fn close(socket: &mut WebSocket, clock: &dyn Clock, code: u16, reason: &'static str) {
    let until: Instant = clock.now() + CLOSE_WAIT;
    let goodbye = async {
        let frame = CloseFrame { code, reason: reason.into() };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(message)) = socket.recv().await {
                if matches!(message, Message::Close(_)) {
                    break;
                }
            }
        }
    };
    let _ = clock::timeout_at(clock, until, goodbye).await;
}
