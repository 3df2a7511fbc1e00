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
mod work;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use clock::{Elapsed, Instant, SharedClock, timeout_at};
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
use closing::{AWAY, Closing, NOT_TEXT, TOO_BIG};
use pulse::Pulse;
use work::Work;

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

/// What is under way.
struct Flight {
    work: Work,
    text: mpsc::Sender<String>,
    pieces: mpsc::Receiver<String>,
    turn: Option<TurnGuard>,
    places: HashMap<u64, Place>,
    spoken: u64,
    /// Until when the client must have taken all of the running turn.
    taken_by: Option<Instant>,
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
            work: Work::default(),
            text,
            pieces,
            turn: None,
            places: HashMap::new(),
            spoken: 0,
            taken_by: None,
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
                Wake::Pulse => match flight.work.beside(pulse.beat(socket, self.machine.reads())).await {
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
            if self.machine.is_over() || !flight.work.is_some() {
                return;
            }
            tokio::select! {
                biased;
                finished = flight.work.finished() => events = flight.end_step(finished),
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
            Message::Binary(bytes) => String::from_utf8(bytes.into()).map_err(|_| NOT_TEXT)?,
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
                        let message = Message::Text(frame.to_json().into());
                        if let Err(failed) = self.send(open, message, flight).await {
                            (socket, closing) = (None, Some(failed));
                        }
                    }
                    Effect::Admit(said) => events.push(self.admit(said, flight).await),
                    Effect::Run(step) => self.start(step, flight),
                    Effect::Cancel => flight.cancel(),
                    Effect::Release => (flight.turn, flight.taken_by) = (None, None),
                    Effect::Close => closing = closing.or(Some(AWAY)),
                }
            }
        }
        closing
    }

    fn start(&self, step: Step, flight: &mut Flight) {
        if let Step::Wait(said) = &step {
            flight.places.remove(&said.turn);
            flight.taken_by = Some(said.read_at + self.steps.parts.config.llm.total + self.write_timeout());
        }
        let running = Arc::clone(&self.steps).run(step, flight.text.clone()).in_current_span();
        flight.work.start(running);
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

    fn write_timeout(&self) -> Duration {
        self.steps.parts.config.http.write_timeout
    }

    /// Sends with a limit for the frame, and one for the whole of a turn: a client that does not read, or hardly,
    /// must not hold its user's turn. The step under way goes on meanwhile.
    async fn send(
        &self,
        socket: &mut WebSocket,
        message: Message,
        flight: &mut Flight,
    ) -> Result<(), Closing> {
        let clock = &*self.steps.parts.clock;
        let frame_by = clock.now() + self.write_timeout();
        let limit = flight.taken_by.map_or(frame_by, |taken_by| taken_by.min(frame_by));
        match flight.work.beside(timeout_at(clock, limit, socket.send(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Closing::Silent),
            Err(Elapsed) => {
                metrics::counter!("ws_unread_total").increment(1);
                tracing::warn!("client does not read and is given up");
                Err(Closing::Silent)
            }
        }
    }
}

/// Waits for the next thing to happen. Cancellation-safe: nothing is lost that was not returned.
async fn wake(driver: &Driver, socket: &mut WebSocket, flight: &mut Flight, pulse: &mut Pulse) -> Wake {
    let Flight { work, pieces, is_draining, .. } = flight;
    tokio::select! {
        biased;
        () = driver.stops.abort.cancelled() => Wake::Abort,
        () = driver.stops.drain.cancelled(), if !*is_draining => Wake::Event(Event::Draining),
        Some(piece) = pieces.recv() => Wake::Event(Event::Text(piece)),
        finished = work.finished() => Wake::Finished(finished),
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
        self.work.stop();
        while self.pieces.try_recv().is_ok() {}
    }
}
