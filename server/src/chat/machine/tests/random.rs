//! Conversations at random: whatever happens in whatever order, every message gets one end.

use std::sync::Arc;

use proptest::prelude::*;

use super::{machine, said};
use crate::{
    chat::{
        effect::{Effect, Step},
        event::{Event, Outcome, Refusal, Said, Wish},
        machine::{Machine, Presence},
        protocol::{Code, Frame},
    },
    classify::{Intent, Meaning},
    ids::{MessageId, SessionId},
    llm::{Failure, Route},
    safety::RedFlag,
};

/// Plays the driver: does what the machine wants in some way, and keeps count.
struct Player {
    machine: Machine,
    spoken: u64,
    step: Option<Step>,
    /// Messages that were heard and have no terminal frame yet.
    open: Vec<u64>,
    ended: Vec<u64>,
    is_closed: bool,
    /// Whether the user of the running turn was asked and agreed.
    has_agreed: bool,
}

impl Player {
    fn apply(&mut self, event: Event, chance: u8) {
        let is_gone = matches!(event, Event::Gone);
        for effect in self.machine.on(event) {
            match effect {
                Effect::Send(frame) => self.sent(&frame),
                Effect::Admit(said) => self.admit(said, chance),
                Effect::Run(step) => self.begin(step),
                Effect::Cancel => assert!(self.step.take().is_some(), "nothing to cancel"),
                Effect::Release => {
                    assert!(self.step.is_none());
                    self.has_agreed = false;
                }
                Effect::Close => self.is_closed = true,
            }
        }
        self.is_closed |= is_gone;
    }

    fn begin(&mut self, step: Step) {
        let asks_unasked = matches!(step, Step::Ask(..)) && self.machine.rules.asks_consent;
        assert!(self.has_agreed || !asks_unasked, "the model is asked without consent");
        assert!(self.step.replace(step).is_none(), "two steps at a time");
    }

    fn admit(&mut self, said: Arc<Said>, chance: u8) {
        let event = match chance % 4 {
            0 => Event::Refused(said, Refusal::QueueFull),
            _ => Event::Admitted(said),
        };
        self.apply(event, chance);
    }

    fn sent(&mut self, frame: &Frame) {
        assert!(!self.is_closed, "a frame after the end");
        assert!(!self.ended.contains(&frame.turn), "a frame after the end of its turn");
        if frame.is_terminal() && frame.turn > 0 {
            self.open.retain(|turn| *turn != frame.turn);
            self.ended.push(frame.turn);
        }
    }

    fn hear(&mut self, chance: u8) {
        self.spoken += 1;
        self.open.push(self.spoken);
        let intent = Intent::ALL[usize::from(chance) % 5];
        let flag = chance.is_multiple_of(7).then_some(RedFlag { sign: "fever" });
        let wish = if chance.is_multiple_of(11) { Wish::End } else { Wish::Answer };
        let small = said(self.spoken, intent).meaning.small_talk.filter(|_| flag.is_none());
        let meaning = Meaning { intent, confidence: 0.9, small_talk: small };
        let said = Said { wish, meaning, flag, ..said(self.spoken, intent) };
        self.apply(Event::Heard(Arc::new(said)), chance / 2);
    }

    /// Ends the step under way in one of its ways.
    fn end_step(&mut self, chance: u8) {
        let Some(step) = self.step.take() else { return };
        let fails = chance.is_multiple_of(3);
        let outcome = match step {
            Step::Wait(_) if fails => Outcome::TooLate,
            Step::Wait(_) => Outcome::Granted,
            Step::Consent(_) | Step::Open(..) | Step::Reply(_) | Step::End if fails => Outcome::Broken,
            Step::Consent(_) | Step::Ask(..) if chance.is_multiple_of(5) => Outcome::NotAgreed,
            Step::Consent(_) => Outcome::Agreed,
            Step::Open(..) if chance.is_multiple_of(13) => Outcome::NotThere,
            Step::Open(..) => Outcome::Opened(SessionId::random(), None),
            Step::Offer(..) => Outcome::Offered(None),
            Step::Ask(..) if fails => Outcome::Failed(Failure::Gap),
            Step::Ask(..) => Outcome::Answered(Route::Main),
            Step::Reply(_) => Outcome::Stored,
            Step::Learn(_) => Outcome::Learned,
            Step::End => Outcome::Ended(None),
        };
        self.has_agreed |= matches!(outcome, Outcome::Agreed);
        self.apply(Event::Did(outcome), chance);
    }

    fn play(&mut self, what: u8, chance: u8) {
        if self.is_closed && (what % 16 != 4) {
            return;
        }
        match what % 16 {
            0..=3 if self.machine.reads() => self.hear(chance),
            4..=9 => self.end_step(chance),
            10..=12 if matches!(self.step, Some(Step::Ask(..))) => {
                self.apply(Event::Text("x".to_owned()), chance);
            }
            13 if self.machine.reads() => self.apply(Event::Unreadable(Code::BadRequest), chance),
            14 if chance < 16 => self.apply(Event::Draining, chance),
            14 => {
                let running = self.machine.turn.as_ref().map(|turn| turn.said.ids.reply);
                self.apply(Event::Stopped(running.unwrap_or_else(MessageId::random)), chance);
            }
            15 if chance < 16 => self.apply(Event::Gone, chance),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn every_message_gets_one_end_and_nothing_follows_it(
        asks_consent: bool,
        moves in proptest::collection::vec(any::<(u8, u8)>(), 0..200),
    ) {
        let mut machine = machine();
        machine.rules.asks_consent = asks_consent;
        let mut player = Player {
            machine,
            spoken: 0,
            step: None,
            open: Vec::new(),
            ended: Vec::new(),
            is_closed: false,
            has_agreed: false,
        };
        for (what, chance) in moves {
            player.play(what, chance);
        }
        let was_gone = player.machine.presence == Presence::Gone;

        while player.step.is_some() {
            player.end_step(1);
        }

        prop_assert!(was_gone || player.open.is_empty(), "no end for {:?}", player.open);
        prop_assert!(player.machine.turn.is_none());
    }
}
