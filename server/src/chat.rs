//! The chat: sockets in, turns through, frames out.
//!
//! ```text
//! driver (v0: socket, timers) ⇄ engine ⇄ machine (pure) → steps (storage, model), one turn at a time per user
//! devices (v1: sockets) ⇄ room ⇄ engine ⇄ …
//! ```
//!
//! Invariants: on v0 a turn is owned by its connection's driver; when a client hangs up, the driver drops what was
//! asked of the model, stores what was shown, and ends. On `chat.v1` a turn is owned by the user's room and goes on.

pub mod asyncapi;
pub mod effect;
pub mod event;
pub mod protocol;
pub mod v1;

mod closing;
mod driver;
mod engine;
mod machine;
mod pulse;
mod room;
mod steps;
mod tuner;
mod turns;
mod voice;
mod work;

use std::{
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use axum::extract::ws::WebSocket;
use clock::timeout;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::{
    abuse::Abuse,
    accounts::Leave,
    audit::Audit,
    consent::Consents,
    deadline::Deadline,
    exchange::Window,
    facts::Pen,
    ids::{SessionId, SuggestionId, UserId},
    languages::{ENGLISH, Watch},
    limit::Caller,
    llm::{Failure, Meter, Question, Routes, prompt::Turn},
    parts::Parts,
    storage::{Purpose, SharedStorage, Stored, User},
};
use driver::Driver;
use engine::{Engine, PIECES_MAX};
pub use machine::{Machine, Rules};
use room::{RoomDriver, Rooms};
use steps::{Recall, Steps};
use tuner::Tuner;
use turns::{Rights, Turns};
use v1::{Device, Fate, Limits, Outgoing, SessionState, Terms};
pub use voice::Voice;

/// How long turns that are cut by an abort may take to store what was shown.
pub const WIND_UP: Duration = Duration::from_secs(2);

/// The running chat of one server: model client, breaker, one turn at a time per user. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Hub {
    parts: Parts,
    model: Arc<Routes>,
    turns: Turns,
    facts: Pen,
    rooms: Rooms,
    /// Where entries are made by a user's standing wish; the chat's own storage may have no right to.
    entries: SharedStorage,
    audit: Audit,
    languages: Watch,
    stops: Stops,
    connections: TaskTracker,
}

/// How a server stops.
#[derive(Clone, Debug, Default)]
struct Stops {
    /// Take no more messages and close when the running turn is over.
    drain: CancellationToken,
    /// Store what was shown, and stop.
    abort: CancellationToken,
}

/// Who talks on a socket.
pub struct Guest {
    /// How the limits know the user.
    pub caller: Caller,
    /// The user.
    pub user: User,
    /// Counts what has to be refused.
    pub abuse: Abuse,
    /// Done when the socket must be left, and says why.
    pub leave: Leaving,
}

/// Waits until a socket must be left.
pub type Leaving = Pin<Box<dyn Future<Output = Leave> + Send>>;

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Hub {
    /// Builds the chat from the server's parts, and the log that is kept of what is made unasked. Starts nothing.
    pub fn new(parts: Parts, audit: Audit) -> Self {
        let entries = Arc::clone(&parts.storage);
        let parts = parts.of_the_chat();
        let facts = Pen::new(Arc::clone(&parts.storage), Arc::clone(&parts.clock), Arc::clone(&parts.config));
        let model =
            Routes::new(&parts.config.llm, Arc::clone(&parts.clock), &parts.breaker_policy, parts.seed);
        let rules = &parts.config.conversation;
        let bounds = (Window::new(rules), rules.resume_users);
        let clock = || Arc::clone(&parts.clock);
        let languages =
            Watch::new(parts.languages.clone(), Arc::clone(&parts.storage), Arc::clone(&parts.clock));
        Self {
            facts,
            rooms: Rooms::new(clock(), bounds, parts.exchange.clone()),
            turns: Turns::new(parts.exchange.clone().map(|exchange| Rights::new(exchange, clock()))),
            entries,
            audit,
            languages,
            parts,
            model: Arc::new(model),
            stops: Stops::default(),
            connections: TaskTracker::new(),
        }
    }

    /// Serves one upgraded socket of v0 until it closes, must be left, or the server drains.
    pub async fn serve(&self, socket: Box<WebSocket>, guest: Box<Guest>) {
        let Guest { caller, user, abuse, leave } = *guest;
        let _open = self.connections.token();
        let span = tracing::info_span!("chat", user = %user.id, connection = caller.connection);
        self.languages.fresh().await;
        let mirror = self.rooms.mirror(user.id).await;
        let around = (self.stops.clone(), mirror, abuse);
        // On the heap: a future that owns it holds it twice.
        let voice = Voice::new(Arc::clone(&self.parts.texts), &user.language);
        let driver = Box::new(Driver::new(self.engine(user.id, voice, true), caller, around));
        driver.run(socket, leave).instrument(span).await;
    }

    /// Serves one upgraded socket of `chat.v1` until it closes, must be left, or the server drains.
    pub async fn serve_v1(&self, socket: Box<WebSocket>, guest: Box<Guest>) {
        let Guest { caller, user, abuse, leave } = *guest;
        let _open = self.connections.token();
        let span = tracing::info_span!("device", user = %user.id, connection = caller.connection);
        self.languages.fresh().await;
        let room = self.rooms.enter(user.id);
        let voice = room.voice(&self.parts.texts, &user.language);
        let mut entered = room.open();
        if let Some(commands) = entered.unattended.take() {
            // Where somebody looks already, more may be known than when this device was let in.
            voice.prefer(&user.language);
            let engine = self.engine(user.id, voice.clone(), false);
            let driver =
                RoomDriver::new(engine, (room.clone(), &entered), commands, (self.stops.clone(), abuse));
            let span = tracing::info_span!("room", user = %user.id);
            self.connections.spawn(driver.run().instrument(span));
        }
        let device = Box::new(Device::new((room, entered), caller, self.terms(voice)));
        device.run(socket, leave).instrument(span).await;
    }

    fn engine(&self, user: UserId, voice: Voice, holds_refusals: bool) -> Engine {
        let steps = self.steps(user, voice.clone());
        let config = &self.parts.config;
        let rules = Rules {
            message_characters: config.conversation.message_characters,
            suggestions: config.calendar.suggestions,
            answer_unstored: config.conversation.answer_unstored,
            asks_consent: steps.consents.requires(Purpose::AiProviderTransfer),
            holds_refusals,
        };
        Engine::new(Machine::new(voice, rules), Arc::new(steps), self.rooms.shared(user))
    }

    fn terms(&self, voice: Voice) -> Terms {
        let config = &self.parts.config;
        Terms {
            clock: Arc::clone(&self.parts.clock),
            http: config.http.clone(),
            limits: Limits {
                message_characters: config.conversation.message_characters,
                frame_bytes: config.http.frame_bytes,
                burst: config.limits.messages.burst,
            },
            voice,
            stops: self.stops.clone(),
        }
    }

    /// Ends the user's open session, as the spoken command does; `None` when none was open.
    pub async fn end_session(&self, user: UserId) -> Stored<Option<SessionId>> {
        let ended = self.steps(user, Voice::new(Arc::clone(&self.parts.texts), ENGLISH)).end().await?;
        if let Some(id) = ended {
            self.rooms.tell(user, &Outgoing::Session { id, state: SessionState::Ended, reason: None });
        }
        Ok(ended)
    }

    /// Tells all devices of a user that a session was deleted, and forgets what they were told.
    pub fn deleted(&self, user: UserId, id: SessionId) {
        self.rooms.tell(user, &Outgoing::Session { id, state: SessionState::Deleted, reason: None });
    }

    /// Tells all devices of a user that another language is wanted, and which one is to be had.
    pub fn prefers(&self, user: UserId, preferred: String, language: String) {
        self.rooms.tell(user, &Outgoing::Language { preferred, language });
    }

    /// Tells all devices of a user what has become of a suggestion.
    pub fn decided(&self, user: UserId, id: SuggestionId, state: Fate) {
        self.rooms.tell(user, &Outgoing::Suggestion { id, state });
    }

    /// Stops taking messages, lets running replies finish (bounded by the setting `http.drain`) and
    /// closes every socket. What was shown of a reply that takes longer is stored as interrupted, in
    /// [`WIND_UP`] at most; then goodbye is said, which takes as long as its client, within bounds.
    pub async fn drain(&self) {
        self.stops.drain.cancel();
        self.connections.close();
        let limit = self.parts.config.http.drain;
        if timeout(&*self.parts.clock, limit, self.connections.wait()).await.is_err() {
            tracing::warn!(connections = self.connections.len(), "connections are cut");
            self.stops.abort.cancel();
            self.connections.wait().await;
        }
        self.rooms.close().await;
    }

    /// Asks the model once, outside of any conversation, and returns the whole answer. It counts at the breaker like
    /// a turn and has as much time. What it costs is added to `meter`, also where it fails.
    pub async fn ask(&self, prompt: &[Turn], meter: &Meter) -> Result<String, Failure> {
        let deadline = Deadline::new(self.parts.clock.now(), &self.parts.config.llm);
        let (text, mut pieces) = mpsc::channel(PIECES_MAX);
        let question = Question { prompt, user_id: None, meter, deadline: &deadline, text: &text };
        let mut asking = pin!(self.model.answer(question, false));
        let mut answer = String::new();
        loop {
            tokio::select! {
                biased;
                Some(piece) = pieces.recv() => answer.push_str(&piece),
                ended = &mut asking => {
                    ended?;
                    while let Ok(piece) = pieces.try_recv() {
                        answer.push_str(&piece);
                    }
                    return Ok(answer);
                }
            }
        }
    }

    /// Returns what facts are written with, here and wherever else.
    pub fn facts(&self) -> &Pen {
        &self.facts
    }

    /// Returns what keeps the languages in step with the rows.
    pub fn languages(&self) -> &Watch {
        &self.languages
    }

    fn steps(&self, user: UserId, voice: Voice) -> Steps {
        let means = (Arc::clone(&self.parts.storage), Arc::clone(&self.parts.clock));
        let tuner = Tuner::new(self.languages.clone(), means, (user, voice.clone()));
        Steps {
            parts: self.parts.clone(),
            model: Arc::clone(&self.model),
            turns: self.turns.clone(),
            facts: self.facts.clone(),
            consents: Consents::new(&self.parts),
            meter: Arc::default(),
            entries: Arc::clone(&self.entries),
            audit: self.audit.clone(),
            user,
            voice,
            tuner: Arc::new(tuner),
            recall: Recall::default(),
        }
    }
}

#[cfg(test)]
mod tests;
