//! The chat: sockets in, turns through, frames out.
//!
//! ```text
//! driver (socket, timers) ⇄ machine (pure) → steps (storage, model), one turn at a time per user
//! ```
//!
//! Invariant: a turn is owned by its connection's driver. Nothing is spawned; when a client hangs up,
//! the driver drops what was asked of the model, stores what was shown, and ends.

pub mod effect;
pub mod event;
pub mod protocol;

mod driver;
mod machine;
mod steps;
mod turns;
mod voice;

use std::{sync::Arc, time::Duration};

use axum::extract::ws::WebSocket;
use clock::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::{
    facts::Pen,
    ids::{SessionId, UserId},
    limit::Caller,
    llm::Model,
    parts::Parts,
    storage::{Stored, User},
};
use driver::{Driver, Stops};
use machine::{Machine, Rules};
use steps::Steps;
use turns::Turns;
use voice::Voice;

/// How long turns that are cut by an abort may take to store what was shown.
pub const WIND_UP: Duration = Duration::from_secs(2);

/// The running chat of one server: model client, breaker, one turn at a time per user. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Hub {
    parts: Parts,
    model: Arc<Model>,
    turns: Turns,
    facts: Pen,
    stops: Stops,
    connections: TaskTracker,
}

impl Hub {
    /// Builds the chat from the server's parts. Starts nothing.
    pub fn new(parts: Parts) -> Self {
        let facts = Pen::new(Arc::clone(&parts.storage), Arc::clone(&parts.clock), Arc::clone(&parts.config));
        let model = Model::new(
            &parts.config.llm,
            Arc::clone(&parts.clock),
            Arc::clone(&parts.breaker_policy),
            parts.seed,
        );
        Self {
            facts,
            parts,
            model: Arc::new(model),
            turns: Turns::default(),
            stops: Stops::default(),
            connections: TaskTracker::new(),
        }
    }

    /// Serves one upgraded socket until it closes or the server drains.
    pub async fn serve(&self, socket: WebSocket, caller: Caller, user: User) {
        let _open = self.connections.token();
        let span = tracing::info_span!("chat", user = %user.id, connection = caller.connection);
        let voice = Voice::new(Arc::clone(&self.parts.texts), &user.language);
        let steps = self.steps(user.id, voice.language());
        let config = &self.parts.config;
        let rules = Rules {
            message_characters: config.conversation.message_characters,
            suggestions: config.calendar.suggestions,
            answer_unstored: config.conversation.answer_unstored,
        };
        let driver = Driver {
            machine: Machine::new(voice, rules),
            steps: Arc::new(steps),
            caller,
            stops: self.stops.clone(),
        };
        Box::pin(driver.run(socket)).instrument(span).await;
    }

    /// Ends the user's open session, as the spoken command does; `None` when none was open.
    pub async fn end_session(&self, user: UserId) -> Stored<Option<SessionId>> {
        self.steps(user, "en").end().await
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
    }

    /// Returns what facts are written with, here and wherever else.
    pub fn facts(&self) -> &Pen {
        &self.facts
    }

    fn steps(&self, user: UserId, language: &str) -> Steps {
        Steps {
            parts: self.parts.clone(),
            model: Arc::clone(&self.model),
            turns: self.turns.clone(),
            facts: self.facts.clone(),
            user,
            language: language.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
