//! Drives one connection's machine: owns its socket, the step under way and its timers.
//!
//! Reads on while a turn runs, up to the bounds of the machine. What is ready at the same time is taken
//! in a fixed order (the server's stop, pieces of the answer, the end of the step, timers, frames of the
//! client), so that a run can be repeated and a client that floods holds up nothing but itself.
//!
//! Invariant: what was shown is stored, also when the client leaves, a send fails, or the server aborts;
//! only then is goodbye said. On abort that takes [`WIND_UP`] at most.

mod closing;
mod pulse;

use std::{collections::HashMap, pin::Pin, sync::Arc};

use axum::extract::ws::{Message, WebSocket};
use clock::{SharedClock, timeout};
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{
    WIND_UP,
    effect::{Effect, Step},
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
use closing::{AWAY, Closing, TOO_BIG};
use pulse::Pulse;

/// Pieces of an answer between the model and the socket; with so many, the model is held back.
const PIECES_MAX: usize = 16;

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
    /// Store what was shown, and stop.
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
        self.wind_up(&mut flight).await;
        drop(flight);
        closing.perform(socket, &*self.steps.parts.clock).await;
    }

    /// Goes on until the connection is to be closed.
    async fn converse(&mut self, socket: &mut WebSocket, flight: &mut Flight, pulse: &mut Pulse) -> Closing {
        loop {
            let wake = wake(self, socket, flight, pulse).await;
            let events = match wake {
                Wake::Abort => return AWAY,
                Wake::Event(event) => {
                    flight.is_draining |= matches!(event, Event::Draining);
                    vec![event]
                }
                Wake::Finished(finished) => flight.end_step(finished),
                Wake::Pulse => match pulse.beat(socket, self.machine.reads()).await {
                    Ok(()) => Vec::new(),
                    Err(closing) => return closing,
                },
                Wake::Received(None) => return Closing::Silent,
                Wake::Received(Some(Ok(Message::Close(_)))) => return Closing::Answered,
                Wake::Received(Some(Err(error))) => return Closing::of(&error),
                Wake::Received(Some(Ok(message))) => match self.received(message, flight, pulse).await {
                    Ok(event) => event.into_iter().collect(),
                    Err(closing) => return closing,
                },
            };
            let mut closing = None;
            for event in events {
                let to = closing.is_none().then_some(&mut *socket);
                let end = self.apply(event, flight, to).await;
                closing = closing.or(end);
            }
            if let Some(closing) = closing {
                return closing;
            }
        }
    }

    /// Lets the machine end its turn without a client; after an abort only for a short time.
    async fn wind_up(&mut self, flight: &mut Flight) {
        let (clock, abort) = (SharedClock::clone(&self.steps.parts.clock), self.stops.abort.clone());
        let limit = async {
            abort.cancelled().await;
            clock.sleep(WIND_UP).await;
        };
        tokio::select! {
            biased;
            () = self.end_turn(flight) => {}
            () = limit => tracing::error!("turn is cut before its end was stored"),
        }
    }

    async fn end_turn(&mut self, flight: &mut Flight) {
        flight.places.clear();
        let mut events = vec![Event::Gone];
        loop {
            for event in events.drain(..) {
                self.apply(event, flight, None).await;
            }
            let Some(step) = flight.step.as_mut().filter(|_| !self.machine.is_over()) else { return };
            tokio::select! {
                biased;
                finished = step => events = flight.end_step(finished),
                // Nobody reads the pieces any more; a step must not wait for room.
                _ = flight.pieces.recv() => {}
            }
        }
    }

    /// Turns a frame into an event.
    async fn received(
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
            Err(code) => match self.charge().await {
                Decision::Allowed { .. } => Event::Unreadable(code),
                Decision::Refused { retry_after } => Event::Flooded { retry_after },
            },
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
        let canned = parts.config.conversation.canned_small_talk;
        let meaning = Meaning { small_talk: meaning.small_talk.filter(|_| canned), ..meaning };
        let wish = if is_end && flag.is_none() { Wish::End } else { Wish::Answer };
        let ids =
            Ids { question: MessageId::random(), safety: MessageId::random(), reply: MessageId::random() };
        let (read_at, at) = (parts.clock.now(), parts.clock.wall());
        Said { turn: flight.spoken, text, wish, meaning, flag, read_at, at, ids }
    }

    /// Gives an event to the machine and does what it wants; returns how the connection is to be closed,
    /// if so. Without a socket nothing is sent. When a send fails, the effects behind it are done all the
    /// same: they may store what was shown.
    async fn apply(
        &mut self,
        event: Event,
        flight: &mut Flight,
        mut socket: Option<&mut WebSocket>,
    ) -> Option<Closing> {
        let mut closing = None;
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.machine.on(event) {
                match effect {
                    Effect::Send(frame) => {
                        let Some(open) = socket.as_deref_mut() else { continue };
                        if let Err(failed) = self.send(open, Message::Text(frame.to_json().into())).await {
                            (socket, closing) = (None, Some(failed));
                        }
                    }
                    Effect::Admit(said) => events.push(self.admit(said, flight).await),
                    Effect::Run(step) => self.start(step, flight),
                    Effect::Cancel => flight.cancel(),
                    Effect::Release => flight.turn = None,
                    Effect::Close => closing = closing.or(Some(AWAY)),
                }
            }
        }
        closing
    }

    fn start(&self, step: Step, flight: &mut Flight) {
        if let Step::Wait(said) = &step {
            flight.places.remove(&said.turn);
        }
        let running = Arc::clone(&self.steps).run(step, flight.text.clone()).in_current_span();
        flight.step = Some(Box::pin(running));
    }

    /// Asks for a place and for the limits.
    async fn admit(&self, said: Arc<Said>, flight: &mut Flight) -> Event {
        let config = &self.steps.parts.config;
        let Some(place) = self.steps.turns.place(self.steps.user, config.conversation.queue) else {
            return Event::Refused(said, Refusal::QueueFull);
        };
        match self.charge().await {
            Decision::Allowed { .. } => {
                flight.places.insert(said.turn, place);
                Event::Admitted(said)
            }
            Decision::Refused { retry_after } => Event::Refused(said, Refusal::RateLimited { retry_after }),
        }
    }

    /// Takes the price of a message.
    async fn charge(&self) -> Decision {
        let policy = &self.steps.parts.config.limits.messages;
        self.steps.parts.limits.take(PolicyName::Messages, policy, &self.caller).await
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
        Some(piece) = pieces.recv() => Wake::Event(Event::Text(piece)),
        finished = step => Wake::Finished(finished),
        () = pulse.timer() => {
            // A sign of life may lie there unread, behind what was more urgent.
            let awaited = pulse.is_waiting() && driver.machine.reads();
            let received = awaited.then(|| socket.recv().now_or_never()).flatten();
            received.map_or(Wake::Pulse, Wake::Received)
        }
        received = socket.recv(), if driver.machine.reads() => Wake::Received(received),
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
