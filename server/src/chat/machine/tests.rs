//! Every edge of the conversation, and random ones.

use std::time::Duration;

use clock::Instant;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{
    chat::event::Ids,
    classify::{Intent, Meaning, SmallTalk},
    ids::{MessageId, SuggestionId, UserId},
    safety::RedFlag,
    storage::{Priority, SuggestionType},
    texts::FluentTexts,
};

fn machine() -> Machine {
    let voice = Voice::new(Arc::new(FluentTexts::built_in()), "en");
    Machine::new(voice, Rules { message_characters: 4000, suggestions: true })
}

fn said(turn: u64, intent: Intent) -> Said {
    let small_talk = (intent == Intent::SmallTalk).then_some(SmallTalk::Greeting);
    Said {
        turn,
        text: "words".to_owned(),
        wish: Wish::Answer,
        meaning: Meaning { intent, confidence: 0.9, small_talk },
        flag: None,
        read_at: Instant::ZERO,
        at: Timestamp::UNIX_EPOCH,
        ids: Ids { question: MessageId::random(), safety: MessageId::random(), reply: MessageId::random() },
    }
}

fn question(turn: u64) -> Arc<Said> {
    Arc::new(said(turn, Intent::PregnancyQuestion))
}

fn did(machine: &mut Machine, outcome: Outcome) -> Vec<Effect> {
    machine.on(Event::Did(outcome))
}

/// Brings a message up to the point at which the model is asked.
fn ask(machine: &mut Machine, said: &Arc<Said>) -> Vec<Effect> {
    machine.on(Event::Heard(Arc::clone(said)));
    machine.on(Event::Admitted(Arc::clone(said)));
    did(machine, Outcome::Granted);
    did(machine, Outcome::Opened(SessionId::random()))
}

/// The effects in short: types of frames and names of steps.
fn brief(effects: &[Effect]) -> String {
    let short = |effect: &Effect| match effect {
        Effect::Send(Frame { frame: FrameType::Message, kind: Some(kind), .. }) => format!("{kind:?}"),
        Effect::Send(Frame { frame: FrameType::Done, finish: Some(finish), .. }) => {
            format!("done:{finish:?}")
        }
        Effect::Send(Frame { frame: FrameType::Error, code: Some(code), .. }) => format!("error:{code:?}"),
        Effect::Send(frame) => format!("{:?}", frame.frame),
        Effect::Run(Step::Reply(reply)) => format!("Reply:{:?}", reply.kind),
        Effect::Run(step) => format!("{step:?}").split('(').next().unwrap().to_owned(),
        Effect::Admit(_) => "Admit".to_owned(),
        other => format!("{other:?}"),
    };
    effects.iter().map(short).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_question_is_stored_asked_answered_stored_and_learned_from() {
    let (mut machine, said) = (machine(), question(1));

    assert_eq!(brief(&machine.on(Event::Heard(Arc::clone(&said)))), "Admit");
    assert_eq!(brief(&machine.on(Event::Admitted(said))), "Wait");
    assert_eq!(brief(&did(&mut machine, Outcome::Granted)), "Open");
    assert_eq!(brief(&did(&mut machine, Outcome::Opened(SessionId::random()))), "Ask");
    assert_eq!(brief(&machine.on(Event::Text("Yes".to_owned()))), "Answer");
    assert_eq!(brief(&did(&mut machine, Outcome::Answered)), "Reply:Answer");
    assert_eq!(brief(&did(&mut machine, Outcome::Stored)), "Learn");
    assert_eq!(brief(&did(&mut machine, Outcome::Learned)), "Release done:Answered");
}

#[test]
fn small_talk_gets_a_canned_reply_and_nothing_is_stored() {
    let (mut machine, said) = (machine(), Arc::new(said(1, Intent::SmallTalk)));
    machine.on(Event::Admitted(said));

    assert_eq!(brief(&did(&mut machine, Outcome::Granted)), "Canned Release done:Canned");
}

#[test]
fn a_sign_of_an_emergency_is_answered_before_the_limits_are_asked() {
    let flag = Some(RedFlag { sign: "bleeding" });
    let (mut machine, said) = (machine(), Arc::new(Said { flag, ..said(1, Intent::SymptomReport) }));

    assert_eq!(brief(&machine.on(Event::Heard(Arc::clone(&said)))), "Safety Admit");
    let refusal = Refusal::RateLimited { retry_after: Duration::from_secs(6) };
    assert_eq!(brief(&machine.on(Event::Refused(said, refusal))), "error:RateLimited");
}

#[test]
fn a_sign_of_an_emergency_is_stored_and_never_becomes_a_suggestion() {
    let flag = Some(RedFlag { sign: "bleeding" });
    let (mut machine, said) = (machine(), Arc::new(Said { flag, ..said(1, Intent::SymptomReport) }));
    machine.on(Event::Admitted(said));

    let open = did(&mut machine, Outcome::Granted);

    assert!(matches!(&open[..], [Effect::Run(Step::Open(_, Some(_)))]));
    assert_eq!(brief(&did(&mut machine, Outcome::Opened(SessionId::random()))), "Ask");
}

#[test]
fn a_symptom_is_offered_a_calendar_entry_before_the_answer() {
    let (mut machine, said) = (machine(), Arc::new(said(1, Intent::SymptomReport)));

    assert_eq!(brief(&ask(&mut machine, &said)), "Offer");
    let suggestion = Suggestion {
        id: SuggestionId::random(),
        user: UserId::random(),
        kind: SuggestionType::SymptomFollowup,
        priority: Priority::High,
        title: "t".to_owned(),
        description: "d".to_owned(),
        suggested_time: Timestamp::UNIX_EPOCH,
        suggested_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
        confirmed_at: None,
        dismissed_at: None,
        reminder: None,
    };
    assert_eq!(brief(&did(&mut machine, Outcome::Offered(Some(suggestion)))), "Calendar Ask");
}

#[test]
fn a_failure_before_any_text_is_a_fallback_with_an_action() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);

    let effects = did(&mut machine, Outcome::Failed(Failure::FirstToken));

    assert_eq!(brief(&effects), "Fallback Reply:Fallback");
    let Effect::Send(frame) = &effects[0] else { panic!("no frame") };
    assert!(frame.content.as_deref().unwrap().contains("longer than usual"));
    assert_eq!(frame.action, Some(Action::Retry));
    did(&mut machine, Outcome::Stored);
    assert_eq!(brief(&did(&mut machine, Outcome::Learned)), "Release done:Fallback");
}

#[test]
fn an_open_circuit_sends_a_symptom_to_the_doctor() {
    let (mut machine, said) = (machine(), Arc::new(said(1, Intent::SymptomReport)));
    ask(&mut machine, &said);
    did(&mut machine, Outcome::Offered(None));

    let failure = Failure::CircuitOpen { retry_after: Some(Duration::from_secs(9)) };
    let effects = did(&mut machine, Outcome::Failed(failure));

    let Effect::Send(frame) = &effects[0] else { panic!("no frame") };
    assert_eq!(frame.action, Some(Action::Emergency));
    assert!(frame.content.as_deref().unwrap().contains("technical trouble"));
}

#[test]
fn a_failure_after_text_interrupts_and_never_starts_anew() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);
    machine.on(Event::Text("Half an".to_owned()));

    let effects = did(&mut machine, Outcome::Failed(Failure::CutShort));

    assert_eq!(brief(&effects), "Notice Reply:Interrupted");
    assert!(matches!(&effects[1], Effect::Run(Step::Reply(reply)) if reply.text == "Half an"));
    did(&mut machine, Outcome::Stored);
    assert_eq!(brief(&did(&mut machine, Outcome::Learned)), "Release done:Interrupted");
}

#[test]
fn a_refusal_during_a_turn_is_delivered_after_its_end_and_before_the_next_turn() {
    let (mut machine, first, second, third) = (machine(), question(1), question(2), question(3));
    ask(&mut machine, &first);

    assert_eq!(brief(&machine.on(Event::Admitted(second))), "");
    assert_eq!(brief(&machine.on(Event::Refused(third, Refusal::QueueFull))), "");
    assert_eq!(brief(&machine.on(Event::Unreadable(Code::BadRequest))), "");
    did(&mut machine, Outcome::Answered);
    did(&mut machine, Outcome::Stored);

    let effects = did(&mut machine, Outcome::Learned);
    assert_eq!(brief(&effects), "Release done:Answered error:QueueFull error:BadRequest Wait");
}

#[test]
fn reading_stops_when_too_many_refusals_are_held_back() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);

    for _ in 0..HELD_MAX {
        assert!(machine.reads());
        machine.on(Event::Unreadable(Code::BadRequest));
    }

    assert!(!machine.reads());
}

#[test]
fn a_message_over_the_limit_is_refused_without_asking_anybody() {
    let mut machine = machine();
    let long = Arc::new(Said { text: "é".repeat(4001), ..said(1, Intent::Unclear) });

    assert_eq!(brief(&machine.on(Event::Heard(long))), "error:TooLong");
}

#[test]
fn a_client_that_leaves_cancels_the_model_and_keeps_what_it_saw() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);
    machine.on(Event::Text("Half".to_owned()));

    assert_eq!(brief(&machine.on(Event::Gone)), "Cancel Reply:Interrupted");
    assert_eq!(brief(&did(&mut machine, Outcome::Stored)), "Learn");
    assert_eq!(brief(&did(&mut machine, Outcome::Learned)), "Release");
    assert!(machine.is_over());
}

#[test]
fn a_client_that_leaves_before_any_text_leaves_no_reply() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);

    assert_eq!(brief(&machine.on(Event::Gone)), "Cancel Learn");
}

#[test]
fn a_store_that_fails_is_told_before_and_after_the_answer() {
    let (mut machine, said) = (machine(), question(1));
    machine.on(Event::Admitted(Arc::clone(&said)));
    did(&mut machine, Outcome::Granted);
    assert_eq!(brief(&did(&mut machine, Outcome::Broken)), "Release error:Internal");

    ask(&mut machine, &said);
    did(&mut machine, Outcome::Answered);
    assert_eq!(brief(&did(&mut machine, Outcome::Broken)), "Release error:NotStored");
}

#[test]
fn the_end_of_a_conversation_is_said_and_done() {
    let (mut machine, said) = (machine(), Arc::new(Said { wish: Wish::End, ..said(1, Intent::Unclear) }));
    machine.on(Event::Admitted(said));

    assert_eq!(brief(&did(&mut machine, Outcome::Granted)), "End");
    assert_eq!(brief(&did(&mut machine, Outcome::Ended(None))), "Notice Release done:Ended");
}

#[test]
fn a_message_whose_time_is_over_before_its_place_comes_gets_an_end() {
    let (mut machine, said) = (machine(), question(1));
    machine.on(Event::Admitted(said));

    let effects = did(&mut machine, Outcome::TooLate);

    assert_eq!(brief(&effects), "Fallback Release done:Fallback");
    let ids = effects.iter().filter_map(|effect| match effect {
        Effect::Send(frame) => frame.id,
        _ => None,
    });
    assert_eq!(ids.count(), 0, "nothing was stored that an id could stand for");
}

#[test]
fn a_client_that_leaves_while_it_waits_for_its_turn_gives_up_its_place_at_once() {
    let (mut machine, said) = (machine(), question(1));
    assert_eq!(brief(&machine.on(Event::Admitted(said))), "Wait");

    assert_eq!(brief(&machine.on(Event::Gone)), "Cancel Release");
    assert!(machine.is_over());
}

#[test]
fn unreadable_frames_over_the_limit_are_told_when_to_come_again() {
    let effects = machine().on(Event::Flooded { retry_after: Duration::from_secs(6) });

    let [Effect::Send(frame)] = &effects[..] else { panic!("no frame") };
    assert_eq!((frame.turn, frame.code, frame.retry_after_ms), (0, Some(Code::RateLimited), Some(6000)));
}

#[test]
fn a_draining_server_refuses_who_waits_and_lets_the_running_turn_end() {
    let (mut machine, first, second) = (machine(), question(1), question(2));
    ask(&mut machine, &first);
    machine.on(Event::Admitted(second));

    assert_eq!(brief(&machine.on(Event::Draining)), "");
    assert!(!machine.reads());
    did(&mut machine, Outcome::Answered);
    did(&mut machine, Outcome::Stored);
    let effects = did(&mut machine, Outcome::Learned);

    assert_eq!(brief(&effects), "Release done:Answered error:ShuttingDown Close");
    assert!(machine.is_over());
}

#[test]
fn a_draining_server_closes_an_idle_connection_at_once() {
    assert_eq!(brief(&machine().on(Event::Draining)), "Close");
}

/// Plays the driver: does what the machine wants in some way, and keeps count.
struct Player {
    machine: Machine,
    spoken: u64,
    step: Option<Step>,
    /// Messages that were heard and have no terminal frame yet.
    open: Vec<u64>,
    ended: Vec<u64>,
    is_closed: bool,
}

impl Player {
    fn apply(&mut self, event: Event, chance: u8) {
        let is_gone = matches!(event, Event::Gone);
        for effect in self.machine.on(event) {
            match effect {
                Effect::Send(frame) => self.sent(&frame),
                Effect::Admit(said) => self.admit(said, chance),
                Effect::Run(step) => assert!(self.step.replace(step).is_none(), "two steps at a time"),
                Effect::Cancel => assert!(self.step.take().is_some(), "nothing to cancel"),
                Effect::Release => assert!(self.step.is_none()),
                Effect::Close => self.is_closed = true,
            }
        }
        self.is_closed |= is_gone;
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
            Step::Open(..) | Step::Reply(_) | Step::End if fails => Outcome::Broken,
            Step::Open(..) => Outcome::Opened(SessionId::random()),
            Step::Offer(..) => Outcome::Offered(None),
            Step::Ask(..) if fails => Outcome::Failed(Failure::Gap),
            Step::Ask(..) => Outcome::Answered,
            Step::Reply(_) => Outcome::Stored,
            Step::Learn(_) => Outcome::Learned,
            Step::End => Outcome::Ended(None),
        };
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
            15 if chance < 16 => self.apply(Event::Gone, chance),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn every_message_gets_one_end_and_nothing_follows_it(moves in proptest::collection::vec(any::<(u8, u8)>(), 0..200)) {
        let mut player = Player {
            machine: machine(),
            spoken: 0,
            step: None,
            open: Vec::new(),
            ended: Vec::new(),
            is_closed: false,
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
