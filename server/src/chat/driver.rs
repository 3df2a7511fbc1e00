//! Drives one connection of v0: owns its socket and its turns.
//!
//! Reads on while a turn runs, up to the bounds of the machine. What is ready at the same time is taken
//! in a fixed order (the server's stop, pieces of the answer, the end of the step, timers, frames of the
//! client), so that a run can be repeated and a client that floods holds up nothing but itself.
//!
//! Invariant: what was shown is stored, also when the client leaves, a send fails, or the server aborts;
//! only then is goodbye said. On abort that takes [`WIND_UP`] at most.

use std::{pin::pin, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use clock::{Elapsed, Instant, SharedClock, timeout_at};
use futures_util::FutureExt;

use super::{
    Leaving, Stops, WIND_UP,
    closing::{AWAY, Closing, EXPIRED, FLOODED, NOT_TEXT, REVOKED, TOO_BIG},
    effect::{Effect, Step},
    engine::Engine,
    event::Event,
    protocol,
    pulse::Pulse,
    room::Mirror,
};
use crate::{abuse::Abuse, accounts::Leave, limit::Caller};

/// A connection and all that goes on in it.
pub(super) struct Driver {
    engine: Engine,
    caller: Caller,
    stops: Stops,
    mirror: Mirror,
    abuse: Abuse,
    /// Whether the frame at hand had to be refused.
    is_refused: bool,
    /// Until when the client must have taken all of the running turn.
    taken_by: Option<Instant>,
    is_draining: bool,
    /// How it is closed once the running turn is over.
    goodbye: Closing,
}

/// What the loop woke up for.
enum Wake {
    Events(Vec<Event>),
    Received(Option<Result<Message, axum::Error>>),
    Pulse,
    Abort,
    Leave(Leave),
}

impl Driver {
    pub(super) fn new(
        engine: Engine,
        caller: Caller,
        (stops, mirror, abuse): (Stops, Mirror, Abuse),
    ) -> Self {
        let (taken_by, goodbye) = (None, AWAY);
        Self {
            engine,
            caller,
            stops,
            mirror,
            abuse,
            is_refused: false,
            taken_by,
            is_draining: false,
            goodbye,
        }
    }

    /// Serves the connection until it closes, its server stops, or it fails.
    pub(super) async fn run(mut self: Box<Self>, mut socket: Box<WebSocket>, mut leave: Leaving) {
        let parts = self.engine.steps.parts.clone();
        let settings = &parts.config.http;
        let clock = SharedClock::clone(&parts.clock);
        let mut pulse = Pulse::new(clock, settings.ping_interval, settings.pong_timeout);
        let closing = self.converse(&mut socket, &mut pulse, &mut leave).await;
        self.wind_up().await;
        self.mirror.abandoned();
        drop(self);
        closing.perform(socket, &*parts.clock).await;
    }

    /// Goes on until the connection is to be closed.
    async fn converse(&mut self, socket: &mut WebSocket, pulse: &mut Pulse, leave: &mut Leaving) -> Closing {
        loop {
            let events = match self.wake(socket, pulse, leave).await {
                Wake::Abort => return AWAY,
                Wake::Events(events) => events,
                Wake::Leave(Leave::Expired) => {
                    // Whoever only has to come again reads the running answer to its end.
                    (self.is_draining, self.goodbye) = (true, EXPIRED);
                    vec![Event::Draining]
                }
                Wake::Leave(Leave::Revoked) => return REVOKED,
                Wake::Leave(Leave::Blocked) => return FLOODED,
                Wake::Pulse => {
                    let reads = self.engine.machine.reads();
                    match self.engine.beside(pin!(pulse.beat(socket, reads))).await {
                        Ok(()) => Vec::new(),
                        Err(closing) => return closing,
                    }
                }
                Wake::Received(None) => return Closing::Silent,
                Wake::Received(Some(Ok(Message::Close(_)))) => return Closing::Answered,
                Wake::Received(Some(Err(error))) => return Closing::of(&error),
                Wake::Received(Some(Ok(message))) => match self.received(message, pulse).await {
                    Ok(event) => event.into_iter().collect(),
                    Err(closing) => return closing,
                },
            };
            let mut closing = None;
            for event in events {
                let to = closing.is_none().then_some(&mut *socket);
                // In place it would take room in every socket that is silent.
                let end = Box::pin(self.apply(event, to)).await;
                closing = closing.or(end);
            }
            if std::mem::take(&mut self.is_refused) {
                // The step may hold what a block in the database waits for.
                let (abuse, user) = (self.abuse.clone(), self.engine.steps.user);
                let is_over = self.engine.beside(Box::pin(abuse.refused(user))).await;
                closing = closing.or(is_over.then_some(FLOODED));
            }
            if let Some(closing) = closing {
                return closing;
            }
        }
    }

    /// Waits for the next thing to happen. Cancellation-safe: nothing is lost that was not returned.
    async fn wake(&mut self, socket: &mut WebSocket, pulse: &mut Pulse, leave: &mut Leaving) -> Wake {
        let reads = self.engine.machine.reads();
        tokio::select! {
            biased;
            () = self.stops.abort.cancelled() => Wake::Abort,
            () = self.stops.drain.cancelled(), if !self.is_draining => {
                self.is_draining = true;
                Wake::Events(vec![Event::Draining])
            }
            leave = leave.as_mut(), if !self.is_draining => Wake::Leave(leave),
            events = self.engine.progress() => Wake::Events(events),
            () = pulse.timer() => {
                // A sign of life may lie there unread, behind what was more urgent.
                let awaited = pulse.is_waiting() && reads;
                let received = awaited.then(|| socket.recv().now_or_never()).flatten();
                received.map_or(Wake::Pulse, Wake::Received)
            }
            received = socket.recv(), if reads => Wake::Received(received),
        }
    }

    /// Lets the machine end its turn without a client; after an abort only for a short time.
    async fn wind_up(&mut self) {
        let (clock, abort) = (SharedClock::clone(&self.engine.steps.parts.clock), self.stops.abort.clone());
        let limit = async {
            abort.cancelled().await;
            clock.sleep(WIND_UP).await;
        };
        tokio::select! {
            biased;
            () = self.engine.wind_up() => {}
            () = limit => tracing::error!("turn is cut before its end was stored"),
        }
    }

    /// Turns a frame into an event.
    async fn received(&mut self, message: Message, pulse: &mut Pulse) -> Result<Option<Event>, Closing> {
        pulse.alive();
        let Some(text) = text_of(message, self.engine.steps.parts.config.http.frame_bytes)? else {
            return Ok(None);
        };
        Ok(Some(self.engine.heard(protocol::parse(&text), None, &self.caller).await))
    }

    /// Gives an event to the machine and does what it wants; returns how the connection is to be closed,
    /// if so. Without a socket nothing is sent. When a send fails, the effects behind it are done all the
    /// same: they may store what was shown.
    async fn apply(&mut self, event: Event, mut socket: Option<&mut WebSocket>) -> Option<Closing> {
        let mut closing = None;
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            self.is_refused |= event.is_refusal();
            self.mirror.event(&event);
            let effects = self.engine.machine.on(event);
            // All is told before a turn is released: at another replica the next one may begin at once.
            for effect in &effects {
                self.mirror.effect(effect);
            }
            for effect in effects {
                match effect {
                    Effect::Send(frame) => {
                        let Some(open) = socket.as_deref_mut() else { continue };
                        let message = Message::Text(frame.to_json().into());
                        if let Err(failed) = self.send(open, message).await {
                            (socket, closing) = (None, Some(failed));
                        }
                    }
                    Effect::Admit(said) => events.push(self.engine.admit(said, &self.caller).await),
                    Effect::Close => closing = closing.or(Some(self.goodbye)),
                    other => self.perform(other),
                }
            }
        }
        closing
    }

    fn perform(&mut self, effect: Effect) {
        match &effect {
            Effect::Run(Step::Wait(said)) => self.taken_by = Some(self.engine.taken_by(said)),
            Effect::Release => self.taken_by = None,
            _ => {}
        }
        self.engine.perform(effect);
    }

    fn write_timeout(&self) -> Duration {
        self.engine.steps.parts.config.http.write_timeout
    }

    /// Sends with a limit for the frame, and one for the whole of a turn: a client that does not read, or hardly,
    /// must not hold its user's turn. The step under way goes on meanwhile.
    async fn send(&mut self, socket: &mut WebSocket, message: Message) -> Result<(), Closing> {
        let clock = SharedClock::clone(&self.engine.steps.parts.clock);
        let frame_by = clock.now() + self.write_timeout();
        let limit = self.taken_by.map_or(frame_by, |taken_by| taken_by.min(frame_by));
        let sending = pin!(timeout_at(&*clock, limit, socket.send(message)));
        match self.engine.beside(sending).await {
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

/// Returns the text of a frame; `None` of one that only shows a sign of life.
pub(super) fn text_of(message: Message, bytes_max: usize) -> Result<Option<String>, Closing> {
    let text = match message {
        Message::Text(text) => text.as_str().to_owned(),
        Message::Binary(bytes) => String::from_utf8(bytes.into()).map_err(|_| NOT_TEXT)?,
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(None),
    };
    if text.len() > bytes_max { Err(TOO_BIG) } else { Ok(Some(text)) }
}
