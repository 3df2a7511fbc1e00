//! One connection's conversation as a pure machine: events in, effects out as data.
//!
//! ```text
//! Heard → Admit → (waiting) → Wait → Consent → Open → Offer → Ask … Text … → Reply → Learn → done
//! ```
//!
//! What cannot be stored is answered without memory: `Wait → Open … Ask … Text … done`. Who does not agree to what the
//! model would be told is told how to: `Wait → Consent → done`.
//!
//! It does no I/O and has no clock; the driver does what the effects say and reports back. Old clients
//! take `error` for the end of a turn, so a refusal that comes while a turn runs is held back until that
//! turn has ended. A safety text is never held back.
//!
//! Invariants: each message gets exactly one terminal frame (none once the client has gone); a turn's
//! frames stop with its terminal frame; at most one step runs at a time; after [`Effect::Close`] or the
//! client's leaving nothing is sent.

mod answer;
mod ending;

use std::{collections::VecDeque, sync::Arc};

use super::{
    effect::{Effect, Step},
    event::{Event, Outcome, Refusal, Said, Wish},
    protocol::{Action, Code, Finish, Frame, FrameType, Kind},
    voice::Voice,
};
use crate::{
    calendar,
    ids::{MessageId, SessionId},
    llm::Failure,
    storage::{MessageKind, Suggestion},
};
use ending::done;

/// Refusals that may be held back; with so many, the driver stops reading.
pub(super) const HELD_MAX: usize = 256;

/// The state of a conversation.
#[derive(Debug)]
pub struct Machine {
    voice: Voice,
    rules: Rules,
    turn: Option<Turn>,
    waiting: VecDeque<Arc<Said>>,
    held: Vec<Frame>,
    presence: Presence,
}

/// What the settings say.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Longest message, in characters.
    pub message_characters: usize,
    /// Whether calendar entries are proposed.
    pub suggestions: bool,
    /// Whether a message that cannot be stored is answered all the same.
    pub answer_unstored: bool,
    /// Whether users must agree before the model is told anything.
    pub asks_consent: bool,
    /// Whether a refusal waits for the end of the running turn: clients of v0 take it for that end.
    pub holds_refusals: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    /// The running turn is the last one.
    Draining,
    Gone,
}

/// The running turn.
#[derive(Debug)]
struct Turn {
    said: Arc<Said>,
    session: Option<SessionId>,
    /// Whether nothing is in its way any more: no other turn of the user, no missing consent.
    is_granted: bool,
    /// What has been shown of the answer.
    text: String,
    /// Whether the question could not be stored: then nothing of the turn is.
    is_unstored: bool,
    /// How the turn ends, once that is known.
    end: Option<Frame>,
}

impl Turn {
    /// Returns whether the answer is awaited or runs.
    fn is_asking(&self) -> bool {
        let is_open = self.session.is_some() || self.is_unstored;
        is_open && self.end.is_none() && self.said.wish == Wish::Answer
    }
}

impl Machine {
    /// Makes a machine that has heard nothing yet.
    pub const fn new(voice: Voice, rules: Rules) -> Self {
        Self {
            voice,
            rules,
            turn: None,
            waiting: VecDeque::new(),
            held: Vec::new(),
            presence: Presence::Here,
        }
    }

    /// Returns whether more frames may be read.
    pub(super) fn reads(&self) -> bool {
        self.presence == Presence::Here && self.held.len() < HELD_MAX
    }

    /// Returns whether nothing will ever be done again.
    pub(super) const fn is_over(&self) -> bool {
        self.turn.is_none() && !matches!(self.presence, Presence::Here)
    }

    /// Returns whether no message runs or waits.
    pub(super) fn is_idle(&self) -> bool {
        self.turn.is_none() && self.waiting.is_empty()
    }

    /// Takes an event and returns what is to be done, in order.
    pub fn on(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = match event {
            Event::Heard(said) => self.heard(said),
            Event::Unreadable(code) => self.unreadable(code),
            Event::Admitted(said) => self.admitted(said),
            Event::Refused(said, refusal) => self.refused(said.turn, refusal),
            Event::Flooded { retry_after } => self.refused(0, Refusal::RateLimited { retry_after }),
            Event::Text(text) => self.text(&text),
            Event::Did(outcome) => self.did(outcome),
            Event::Stopped(reply) => self.stopped(reply),
            Event::Gone => self.gone(),
            Event::Draining => self.draining(),
        };
        if self.presence == Presence::Gone {
            effects.retain(|effect| !matches!(effect, Effect::Send(_) | Effect::Close));
        }
        effects
    }

    fn heard(&mut self, said: Arc<Said>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(flag) = &said.flag {
            metrics::counter!("safety_total", "sign" => flag.sign).increment(1);
            let frame = Frame::text(said.turn, Kind::Safety, self.voice.safety(flag));
            effects.push(Effect::Send(Frame { action: Some(Action::Emergency), ..frame }));
        }
        if said.text.chars().count() > self.rules.message_characters {
            let text = self.voice.too_long(self.rules.message_characters);
            effects.extend(self.refuse(Frame::error(said.turn, Code::TooLong, &text)));
        } else {
            effects.push(Effect::Admit(said));
        }
        effects
    }

    fn unreadable(&mut self, code: Code) -> Vec<Effect> {
        let text = self.voice.error(code);
        self.refuse(Frame::error(0, code, &text))
    }

    fn admitted(&mut self, said: Arc<Said>) -> Vec<Effect> {
        if self.presence != Presence::Here {
            return self.refuse_for_drain(&said);
        }
        self.waiting.push_back(said);
        if self.turn.is_some() { Vec::new() } else { self.next() }
    }

    fn refused(&mut self, turn: u64, refusal: Refusal) -> Vec<Effect> {
        let frame = match refusal {
            Refusal::RateLimited { retry_after } => Frame {
                retry_after_ms: Some(u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX)),
                action: Some(Action::Retry),
                ..Frame::error(turn, Code::RateLimited, &self.voice.wait(retry_after))
            },
            Refusal::QueueFull => Frame::error(turn, Code::QueueFull, &self.voice.error(Code::QueueFull)),
        };
        self.refuse(frame)
    }

    fn text(&mut self, text: &str) -> Vec<Effect> {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.end.is_none()) else {
            return Vec::new();
        };
        turn.text.push_str(text);
        let frame = Frame::text(turn.said.turn, Kind::Answer, text);
        vec![Effect::Send(Frame { id: (!turn.is_unstored).then_some(turn.said.ids.reply), ..frame })]
    }

    fn did(&mut self, outcome: Outcome) -> Vec<Effect> {
        match outcome {
            Outcome::Granted => self.granted(),
            Outcome::TooLate => self.too_late(),
            Outcome::Agreed => self.agreed(),
            Outcome::NotAgreed => self.not_agreed(),
            Outcome::Opened(session, _) => self.opened(session),
            Outcome::Offered(suggestion) => self.offered(suggestion),
            Outcome::Answered(route) => self.answered(route),
            Outcome::Failed(failure) => self.failed(&failure),
            Outcome::Stored => self.learn(),
            Outcome::Known | Outcome::Learned => self.finish(),
            Outcome::NotThere => self.not_there(),
            Outcome::Ended(session) => self.ended(session),
            Outcome::Broken => self.broken(),
        }
    }

    fn granted(&mut self) -> Vec<Effect> {
        match &self.turn {
            Some(Turn { said, .. }) if said.wish == Wish::Answer && self.rules.asks_consent => {
                vec![Effect::Run(Step::Consent(Arc::clone(said)))]
            }
            _ => self.agreed(),
        }
    }

    fn agreed(&mut self) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        turn.is_granted = true;
        if self.presence == Presence::Gone {
            return self.finish();
        }
        let said = Arc::clone(&turn.said);
        if said.wish == Wish::End {
            return vec![Effect::Run(Step::End)];
        }
        if let Some(kind) = said.meaning.small_talk {
            let canned = Frame::text(said.turn, Kind::Canned, self.voice.canned(kind));
            turn.end = Some(done(&said, Finish::Canned));
            return [vec![Effect::Send(canned)], self.finish()].concat();
        }
        let safety = said.flag.as_ref().map(|flag| self.voice.safety(flag));
        vec![Effect::Run(Step::Open(said, safety))]
    }

    /// Nothing can be stored without the user's turn, so no frame has an id; but the user gets an end.
    fn too_late(&mut self) -> Vec<Effect> {
        let frames = self.fallback(&Failure::Late).unwrap_or_default();
        let mut effects = [frames, self.finish()].concat();
        for effect in &mut effects {
            if let Effect::Send(frame) = effect {
                frame.id = None;
            }
        }
        effects
    }

    fn opened(&mut self, session: SessionId) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        turn.session = Some(session);
        if self.presence == Presence::Gone {
            return self.learn();
        }
        let said = Arc::clone(&turn.said);
        let idea = calendar::should_suggest(said.meaning.intent, &said.text);
        match idea {
            Some(idea) if self.rules.suggestions && said.flag.is_none() => {
                vec![Effect::Run(Step::Offer(said, idea))]
            }
            _ => vec![Effect::Run(Step::Ask(said, Some(session)))],
        }
    }

    fn offered(&mut self, suggestion: Option<Suggestion>) -> Vec<Effect> {
        let Some(Turn { said, session: Some(session), .. }) = &self.turn else { return Vec::new() };
        if self.presence == Presence::Gone {
            return self.learn();
        }
        let frame = suggestion.map(|suggestion| Effect::Send(Frame::calendar(said.turn, suggestion)));
        let ask = Effect::Run(Step::Ask(Arc::clone(said), Some(*session)));
        frame.into_iter().chain([ask]).collect()
    }

    fn learn(&self) -> Vec<Effect> {
        let said = self.turn.as_ref().map(|turn| Arc::clone(&turn.said));
        said.map(|said| Effect::Run(Step::Learn(said))).into_iter().collect()
    }

    fn ended(&mut self, session: Option<SessionId>) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        turn.session = session;
        turn.end = Some(done(&turn.said, Finish::Ended));
        let notice = Frame::text(turn.said.turn, Kind::Notice, self.voice.notice("ended"));
        [vec![Effect::Send(notice)], self.finish()].concat()
    }

    /// Ends the turn, delivers what was held back, and begins the next one.
    fn finish(&mut self) -> Vec<Effect> {
        let Some(turn) = self.turn.take() else { return Vec::new() };
        let mut effects = vec![Effect::Release];
        if let Some(end) = turn.end {
            let is_done = end.frame == FrameType::Done;
            let session = if is_done { turn.session } else { end.session };
            let used_fallback = is_done && self.voice.falls_back();
            effects.push(Effect::Send(Frame { used_fallback, session, ..end }));
        }
        effects.extend(self.held.drain(..).map(Effect::Send));
        if self.presence == Presence::Draining {
            effects.push(Effect::Close);
            return effects;
        }
        effects.extend(self.next());
        effects
    }

    fn next(&mut self) -> Vec<Effect> {
        let Some(said) = self.waiting.pop_front() else { return Vec::new() };
        let (turn, text) = (Arc::clone(&said), String::new());
        self.turn =
            Some(Turn { said: turn, session: None, is_granted: false, text, is_unstored: false, end: None });
        vec![Effect::Run(Step::Wait(said))]
    }

    /// Writing goes on to its end; waiting for somebody does not.
    fn gone(&mut self) -> Vec<Effect> {
        self.presence = Presence::Gone;
        self.waiting.clear();
        self.held.clear();
        let Some(turn) = &mut self.turn else { return Vec::new() };
        if !turn.is_granted || turn.is_unstored {
            return [vec![Effect::Cancel], self.finish()].concat();
        }
        if !turn.is_asking() {
            return Vec::new();
        }
        self.cut(Finish::Interrupted)
    }

    /// Returns whether the answer with this id is under way.
    pub(super) fn runs(&self, reply: MessageId) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.said.ids.reply == reply && turn.is_asking())
    }

    /// Ends the answer with this id where it is, if it runs.
    fn stopped(&mut self, reply: MessageId) -> Vec<Effect> {
        if self.runs(reply) { self.cut(Finish::Stopped) } else { Vec::new() }
    }

    /// Gives up the running answer; what was shown of it is stored.
    fn cut(&mut self, finish: Finish) -> Vec<Effect> {
        let Some(turn) = &mut self.turn else { return Vec::new() };
        let (is_shown, text) = (!turn.text.is_empty(), turn.text.clone());
        let end = done(&turn.said, finish);
        turn.end = Some(Frame { id: end.id.filter(|_| is_shown && !turn.is_unstored), ..end });
        let then = match (turn.is_unstored, is_shown) {
            (true, _) => self.finish(),
            (false, true) => self.store(MessageKind::Interrupted, text).into_iter().collect(),
            (false, false) => self.learn(),
        };
        [vec![Effect::Cancel], then].concat()
    }

    fn draining(&mut self) -> Vec<Effect> {
        if self.presence != Presence::Here {
            return Vec::new();
        }
        self.presence = Presence::Draining;
        let waiting: Vec<_> = self.waiting.drain(..).collect();
        let mut effects: Vec<_> = waiting.iter().flat_map(|said| self.refuse_for_drain(said)).collect();
        if self.turn.is_none() {
            effects.push(Effect::Close);
        }
        effects
    }

    fn refuse_for_drain(&mut self, said: &Said) -> Vec<Effect> {
        let text = self.voice.error(Code::ShuttingDown);
        let frame = Frame::error(said.turn, Code::ShuttingDown, &text);
        self.refuse(Frame { action: Some(Action::Retry), ..frame })
    }

    /// Sends a refusal, or holds it back while a turn runs.
    fn refuse(&mut self, frame: Frame) -> Vec<Effect> {
        let reason = frame.code.map_or("other", Code::name);
        metrics::counter!("ws_rejected_total", "reason" => reason).increment(1);
        if self.turn.is_some() && self.rules.holds_refusals {
            self.held.push(frame);
            return Vec::new();
        }
        vec![Effect::Send(frame)]
    }
}

#[cfg(test)]
mod tests;
