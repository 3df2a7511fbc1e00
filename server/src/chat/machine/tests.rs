//! Every edge of the conversation, and random ones.

mod consent;
mod random;

use std::time::Duration;

use clock::Instant;
use jiff::Timestamp;

use super::*;
use crate::{
    chat::event::Ids,
    classify::{Intent, Meaning, SmallTalk},
    ids::{SuggestionId, UserId},
    llm::Route,
    safety::RedFlag,
    storage::{Priority, SuggestionType},
    texts::FluentTexts,
};

fn machine() -> Machine {
    let voice = Voice::new(Arc::new(FluentTexts::built_in()), "en");
    Machine::new(
        voice,
        Rules {
            message_characters: 4000,
            suggestions: true,
            answer_unstored: true,
            asks_consent: false,
            holds_refusals: true,
        },
    )
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
        replaces: None,
        is_named: false,
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
    did(machine, Outcome::Opened(SessionId::random(), None))
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
    assert_eq!(brief(&did(&mut machine, Outcome::Opened(SessionId::random(), None))), "Ask");
    assert_eq!(brief(&machine.on(Event::Text("Yes".to_owned()))), "Answer");
    assert_eq!(brief(&did(&mut machine, Outcome::Answered(Route::Main))), "Reply:Answer");
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
    assert_eq!(brief(&did(&mut machine, Outcome::Opened(SessionId::random(), None))), "Ask");
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
    did(&mut machine, Outcome::Answered(Route::Main));
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
    machine.rules.answer_unstored = false;
    assert_eq!(brief(&did(&mut machine, Outcome::Broken)), "Release error:Internal");

    ask(&mut machine, &said);
    did(&mut machine, Outcome::Answered(Route::Main));
    assert_eq!(brief(&did(&mut machine, Outcome::Broken)), "Release error:NotStored");
}

/// Brings a message that cannot be stored up to the point at which the model is asked.
fn ask_unstored(machine: &mut Machine, said: &Arc<Said>) -> Vec<Effect> {
    machine.on(Event::Admitted(Arc::clone(said)));
    did(machine, Outcome::Granted);
    did(machine, Outcome::Broken)
}

#[test]
fn a_question_that_cannot_be_stored_is_answered_without_memory_and_the_user_is_told() {
    let (mut machine, said) = (machine(), question(1));

    let ask = ask_unstored(&mut machine, &said);
    let text = machine.on(Event::Text("Yes".to_owned()));
    let end = did(&mut machine, Outcome::Answered(Route::Main));

    assert!(matches!(&ask[..], [Effect::Run(Step::Ask(_, None))]), "{ask:?}");
    assert!(matches!(&text[..], [Effect::Send(Frame { id: None, .. })]), "an id of nothing: {text:?}");
    assert_eq!(brief(&end), "Notice Release done:Answered");
    let Some(Effect::Send(done)) = end.last() else { panic!("{end:?}") };
    assert_eq!((done.code, done.degraded, done.id), (Some(Code::NotStored), true, None));
}

#[test]
fn an_answer_without_memory_that_fails_or_is_left_ends_its_turn() {
    let (mut machine, said) = (machine(), question(1));
    ask_unstored(&mut machine, &said);
    let failed = did(&mut machine, Outcome::Failed(Failure::Gap));
    assert_eq!(brief(&failed), "Fallback Release done:Fallback");

    ask_unstored(&mut machine, &said);
    machine.on(Event::Text("Yes".to_owned()));
    let interrupted = did(&mut machine, Outcome::Failed(Failure::Gap));
    assert_eq!(brief(&interrupted), "Notice Release done:Interrupted");

    ask_unstored(&mut machine, &said);
    assert_eq!(brief(&machine.on(Event::Gone)), "Cancel Release");
    assert!(machine.is_over());
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
    did(&mut machine, Outcome::Answered(Route::Main));
    did(&mut machine, Outcome::Stored);
    let effects = did(&mut machine, Outcome::Learned);

    assert_eq!(brief(&effects), "Release done:Answered error:ShuttingDown Close");
    assert!(machine.is_over());
}

#[test]
fn a_draining_server_closes_an_idle_connection_at_once() {
    assert_eq!(brief(&machine().on(Event::Draining)), "Close");
}

#[test]
fn an_answer_that_is_stopped_keeps_what_was_shown_and_ends() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);
    machine.on(Event::Text("half".to_owned()));
    assert_eq!(brief(&machine.on(Event::Stopped(MessageId::random()))), "", "another answer is meant");

    assert_eq!(brief(&machine.on(Event::Stopped(said.ids.reply))), "Cancel Reply:Interrupted");
    assert_eq!(brief(&machine.on(Event::Stopped(said.ids.reply))), "", "once is enough");
    did(&mut machine, Outcome::Stored);

    assert_eq!(brief(&did(&mut machine, Outcome::Learned)), "Release done:Stopped");
}

#[test]
fn a_message_that_is_to_replace_nothing_is_not_taken_f24() {
    let (mut machine, said) = (machine(), question(1));
    machine.on(Event::Admitted(said));
    did(&mut machine, Outcome::Granted);

    assert_eq!(brief(&did(&mut machine, Outcome::NotThere)), "Release error:NotReplaceable");
}

#[test]
fn a_message_that_was_stored_before_is_not_answered_again() {
    let (mut machine, said) = (machine(), question(1));
    machine.on(Event::Admitted(said));
    did(&mut machine, Outcome::Granted);

    assert_eq!(brief(&did(&mut machine, Outcome::Known)), "Release");
}
