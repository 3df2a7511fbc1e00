//! A conversation's machine with the step under way, whoever listens to it.
//!
//! Both drivers stand on it: that of a connection of v0, which owns its turns, and that of a room, whose turns go on
//! when devices leave. They say what happens to its frames; everything else is done here.
//!
//! Invariant: at most one step runs at a time, and it runs only while [`Engine::progress`] or
//! [`Engine::beside`] is awaited.

use std::{collections::HashMap, sync::Arc};

use clock::Instant;
use tokio::sync::mpsc;
use tracing::{Instrument as _, Span, field};

use super::{
    effect::{Effect, Step},
    event::{Event, Ids, Refusal, Said, Wish},
    machine::Machine,
    protocol::{Code, Incoming},
    room::Stream,
    steps::{Finished, Steps},
    turns::{Place, TurnGuard},
    work::Work,
};
use crate::{
    classify::{self, Meaning},
    ids::MessageId,
    limit::{Caller, Decision, PolicyName},
    session,
};

/// Pieces of an answer between the model and whoever shows them; with so many, the model is held back.
pub(super) const PIECES_MAX: usize = 16;

/// A machine at work.
pub(super) struct Engine {
    pub(super) machine: Machine,
    pub(super) steps: Arc<Steps>,
    work: Work,
    /// The way of the pieces, while there is a turn: whoever is silent keeps no room for them.
    way: Option<Way>,
    turn: Option<TurnGuard>,
    /// The span of the turn, in which its steps run.
    span: Span,
    places: HashMap<u64, Place>,
    spoken: u64,
    /// Where it is told, if other replicas hear of it.
    shared: Option<Arc<Stream>>,
}

/// From the step that asks the model to the machine.
struct Way {
    text: mpsc::Sender<String>,
    pieces: mpsc::Receiver<String>,
}

impl Way {
    fn new() -> Self {
        let (text, pieces) = mpsc::channel(PIECES_MAX);
        Self { text, pieces }
    }
}

impl Engine {
    pub(super) fn new(machine: Machine, steps: Arc<Steps>, shared: Option<Arc<Stream>>) -> Self {
        Self {
            machine,
            steps,
            work: Work::default(),
            way: None,
            turn: None,
            span: Span::none(),
            places: HashMap::new(),
            spoken: 0,
            shared,
        }
    }

    /// Waits for the next piece of the answer or the end of the step, for ever if there is none. Cancellation-safe.
    pub(super) async fn progress(&mut self) -> Vec<Event> {
        tokio::select! {
            biased;
            piece = next(&mut self.way) => vec![Event::Text(piece)],
            finished = self.work.finished() => self.end_step(finished),
        }
    }

    /// Does something else, and lets the step go on meanwhile.
    pub(super) fn beside<T>(&mut self, other: impl Future<Output = T> + Unpin) -> impl Future<Output = T> {
        self.work.beside(other)
    }

    /// Ends the running turn without anybody who listens; what was shown is stored.
    pub(super) async fn wind_up(&mut self) {
        self.places.clear();
        let mut events = vec![Event::Gone];
        loop {
            for event in events.drain(..) {
                self.unheard(event);
            }
            if self.machine.is_over() || !self.work.is_some() {
                return;
            }
            tokio::select! {
                biased;
                finished = self.work.finished() => events = self.end_step(finished),
                // Nobody reads the pieces any more; a step must not wait for room.
                _ = next(&mut self.way) => {}
            }
        }
    }

    /// Does what an event leads to when nobody listens: then nothing new is taken.
    fn unheard(&mut self, event: Event) {
        for effect in self.machine.on(event) {
            self.perform(effect);
        }
    }

    /// Does what needs nobody who listens; the other effects are for drivers.
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Run(step) => self.start(step),
            Effect::Cancel => self.cancel(),
            Effect::Release => self.release(),
            Effect::Send(_) | Effect::Admit(_) | Effect::Close => {}
        }
    }

    /// Lets the user's next turn begin. At other replicas it must not be told before the end of this one.
    fn release(&mut self) {
        self.way = None;
        self.span = Span::none();
        let Some(turn) = self.turn.take() else { return };
        if let Some(stream) = self.shared.clone() {
            turn.end(async move { stream.all_told().await });
        }
    }

    /// Turns a frame of a client into an event: what cannot be read is paid for like a message. A message that its
    /// client calls by an id is taken once.
    pub(super) async fn heard(
        &mut self,
        frame: Result<Incoming, Code>,
        client_id: Option<&str>,
        caller: &Caller,
    ) -> Event {
        match frame {
            Ok(incoming) => Event::Heard(Arc::new(self.said(incoming, client_id))),
            Err(code) => match charge(&self.steps, caller).await {
                Decision::Allowed => Event::Unreadable(code),
                Decision::Refused { retry_after } => Event::Flooded { retry_after },
            },
        }
    }

    /// Finds out about a message what must be known before anybody is asked, also of one that will be refused.
    fn said(&mut self, incoming: Incoming, client_id: Option<&str>) -> Said {
        self.spoken += 1;
        let parts = &self.steps.parts;
        let (text, replaces, is_end) = match incoming {
            Incoming::Say(text) => {
                let is_end = session::is_end_phrase(&text);
                (text, None, is_end)
            }
            Incoming::Again(text, replaces) => (text, Some(replaces), false),
            Incoming::EndConversation => (String::new(), None, true),
        };
        let flag = parts.red_flags.find(&text);
        let wish = if is_end && flag.is_none() { Wish::End } else { Wish::Answer };
        let question = client_id.map_or_else(MessageId::random, |id| MessageId::named(self.steps.user, id));
        let ids = Ids { question, safety: MessageId::random(), reply: question.reply() };
        let (read_at, at, is_named) = (parts.clock.now(), parts.clock.wall(), client_id.is_some());
        let meaning = Meaning::UNCLEAR;
        Said { turn: self.spoken, text, wish, meaning, flag, read_at, at, ids, replaces, is_named }
    }

    /// Finds out what a message means, by the words and the language of now.
    fn understood(&self, said: Arc<Said>) -> Arc<Said> {
        let parts = &self.steps.parts;
        let (language, lexicon) = (self.steps.voice.language(), parts.languages.lexicon());
        let meaning = classify::classify(&said.text, &language, said.flag.as_ref(), &lexicon.symptoms);
        let canned = parts.config.conversation.canned_small_talk;
        let meaning = Meaning { small_talk: meaning.small_talk.filter(|_| canned), ..meaning };
        Arc::new(Said { meaning, ..Arc::unwrap_or_clone(said) })
    }

    /// Asks for a place and for the limits.
    pub(super) async fn admit(&mut self, said: Arc<Said>, caller: &Caller) -> Event {
        self.steps.tuner.tune().await;
        let queue = self.steps.parts.config.conversation.queue;
        let Some(place) = self.steps.turns.place(self.steps.user, queue) else {
            return Event::Refused(said, Refusal::QueueFull);
        };
        match charge(&self.steps, caller).await {
            Decision::Allowed => {
                self.places.insert(said.turn, place);
                Event::Admitted(self.understood(said))
            }
            Decision::Refused { retry_after } => Event::Refused(said, Refusal::RateLimited { retry_after }),
        }
    }

    fn start(&mut self, step: Step) {
        if let Step::Wait(said) = &step {
            self.places.remove(&said.turn);
            self.span = tracing::info_span!("turn", turn = said.turn, session = field::Empty);
        }
        let text = self.way.get_or_insert_with(Way::new).text.clone();
        let running = Arc::clone(&self.steps).run(step, text).instrument(self.span.clone());
        self.work.start(running);
    }

    /// Takes the end of a step: first the pieces that came before it.
    fn end_step(&mut self, finished: Finished) -> Vec<Event> {
        if let Some(turn) = finished.turn {
            self.turn = Some(turn);
        }
        let mut events = Vec::new();
        while let Some(piece) = self.waiting() {
            events.push(Event::Text(piece));
        }
        events.push(Event::Did(finished.outcome));
        events
    }

    /// Drops the step and what it has produced but not shown.
    fn cancel(&mut self) {
        self.work.stop();
        while self.waiting().is_some() {}
    }

    /// Returns a piece that has come already.
    fn waiting(&mut self) -> Option<String> {
        self.way.as_mut()?.pieces.try_recv().ok()
    }

    /// Returns until when the answer to a message that begins to run now must have been taken whole.
    pub(super) fn taken_by(&self, said: &Said) -> Instant {
        let config = &self.steps.parts.config;
        said.read_at + config.llm.total + config.http.write_timeout
    }
}

/// Waits for the next piece, for ever if none is on its way. Cancellation-safe.
async fn next(way: &mut Option<Way>) -> String {
    let piece = match way {
        Some(way) => way.pieces.recv().await,
        None => None,
    };
    match piece {
        Some(piece) => piece,
        None => std::future::pending().await,
    }
}

/// Takes the price of a message.
async fn charge(steps: &Steps, caller: &Caller) -> Decision {
    let policy = &steps.parts.config.limits.messages;
    steps.parts.limits.take(PolicyName::Messages, policy, caller).await
}
