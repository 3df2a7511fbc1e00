//! Drives the turns of a room, as long as somebody is there or an answer is under way.
//!
//! Invariant: what was shown is stored, also when the server aborts; on abort that takes [`WIND_UP`] at most.

use std::sync::Arc;

use clock::SharedClock;
use tokio::sync::mpsc;

use super::{
    Command, Entered, Room, Wish,
    teller::{Origin, Teller},
};
use crate::{
    abuse::Abuse,
    chat::{Stops, WIND_UP, effect::Effect, engine::Engine, event::Event},
    limit::Caller,
};

/// A room at work.
pub(in crate::chat) struct RoomDriver {
    engine: Engine,
    teller: Teller,
    room: Room,
    /// Keeps the way in open while it works.
    own: Option<mpsc::Sender<Box<Command>>>,
    commands: mpsc::Receiver<Box<Command>>,
    stops: Stops,
    abuse: Abuse,
    /// Whether the command at hand had to be refused.
    is_refused: bool,
}

/// What the loop woke up for.
enum Wake {
    Events(Vec<Event>),
    Command(Box<Command>),
    Abort,
}

impl RoomDriver {
    /// Works upon what comes in by `entered`.
    pub(in crate::chat) fn new(
        engine: Engine,
        (room, entered): (Room, &Entered),
        commands: mpsc::Receiver<Box<Command>>,
        (stops, abuse): (Stops, Abuse),
    ) -> Box<Self> {
        let clock = SharedClock::clone(&engine.steps.parts.clock);
        let teller = Teller::new(Arc::clone(room.stream()), clock);
        Box::new(Self {
            engine,
            teller,
            room,
            own: Some(entered.commands.clone()),
            commands,
            stops,
            abuse,
            is_refused: false,
        })
    }

    /// Works until the last device has left and nothing is under way any more, or the server stops.
    pub(in crate::chat) async fn run(mut self: Box<Self>) {
        let mut is_draining = false;
        loop {
            if self.is_deserted() {
                // Whoever comes in from here on is attended by somebody else.
                return;
            }
            let (events, from) = match self.wake(is_draining).await {
                Wake::Events(events) => (events, None),
                Wake::Command(command) => {
                    let (device, caller) = (command.device, command.caller);
                    (self.heard(*command).await.into_iter().collect(), caller.map(|caller| (device, caller)))
                }
                Wake::Abort => break,
            };
            let mut is_over = false;
            for event in events {
                is_draining |= matches!(event, Event::Draining);
                // In place it would take room in every room that is silent.
                is_over |= Box::pin(self.apply(event, from.as_ref().map(|(_, caller)| caller))).await;
            }
            if std::mem::take(&mut self.is_refused)
                && let Some((device, _)) = from
            {
                self.refused(device).await;
            }
            if is_over {
                break;
            }
        }
        self.wind_up().await;
        self.room.stream().goodbye();
    }

    /// Returns whether all devices have left and nothing is under way; then nobody comes in any more.
    fn is_deserted(&mut self) -> bool {
        if self.engine.machine.is_idle() {
            self.own = self.own.take().and_then(|own| self.room.close(own));
        }
        self.own.is_none()
    }

    /// Waits for the next thing to happen. Cancellation-safe.
    async fn wake(&mut self, is_draining: bool) -> Wake {
        tokio::select! {
            biased;
            () = self.stops.abort.cancelled() => Wake::Abort,
            () = self.stops.drain.cancelled(), if !is_draining => Wake::Events(vec![Event::Draining]),
            events = self.engine.progress() => Wake::Events(events),
            Some(command) = self.commands.recv(), if self.engine.machine.reads() => Wake::Command(command),
        }
    }

    /// Turns a command into an event; `None` if there is nothing to be done.
    async fn heard(&mut self, Command { device, caller, wish }: Command) -> Option<Event> {
        if let Wish::Stop(reply) = wish {
            if caller.is_some() && !self.engine.machine.runs(reply) {
                self.room.stream().stop_elsewhere(reply);
            }
            return Some(Event::Stopped(reply));
        }
        let (device, caller) = (Some(device), caller?);
        let (frame, client_msg_id) = match wish {
            Wish::Nothing | Wish::Stop(_) => return None,
            Wish::Say(incoming, client_msg_id) => (Ok(incoming), client_msg_id),
            Wish::Wrong(wrong) => (Err(wrong.code), wrong.client_msg_id),
        };
        let event = self.engine.heard(frame, client_msg_id.as_deref(), &caller).await;
        let turn = if let Event::Heard(said) = &event { said.turn } else { 0 };
        self.teller.sent(turn, Origin { device, client_msg_id });
        Some(event)
    }

    /// Gives an event to the machine and does what it wants; returns whether nothing is to be done any more.
    async fn apply(&mut self, event: Event, caller: Option<&Caller>) -> bool {
        let mut is_over = false;
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            self.is_refused |= event.is_refusal();
            self.teller.event(&event);
            let effects = self.engine.machine.on(event);
            // All is told before a turn is released: at another replica the next one may begin at once.
            for effect in &effects {
                self.teller.effect(effect);
            }
            for effect in effects {
                match (effect, caller) {
                    // Only a command is admitted, and a command has a caller.
                    (Effect::Admit(said), Some(caller)) => {
                        events.push(self.engine.admit(said, caller).await);
                    }
                    (Effect::Close, _) => is_over = true,
                    (other, _) => self.engine.perform(other),
                }
            }
        }
        is_over
    }

    /// Counts a refusal; with too many of them the device is closed. The running answer goes on meanwhile.
    async fn refused(&mut self, device: u64) {
        let (abuse, user) = (self.abuse.clone(), self.engine.steps.user);
        if self.engine.beside(Box::pin(abuse.refused(user))).await {
            self.room.stream().dismiss(device);
        }
    }

    async fn wind_up(&mut self) {
        if !self.engine.machine.is_over() {
            let clock = SharedClock::clone(&self.engine.steps.parts.clock);
            tokio::select! {
                biased;
                () = self.engine.wind_up() => {}
                () = clock.sleep(WIND_UP) => tracing::error!("turn is cut before its end was stored"),
            }
        }
        self.teller.abandoned();
    }
}
