//! Who is asked for consent, when, and what follows.

use super::*;

/// A machine that asks for consent, with a message whose turn has come.
fn asking_for_consent(said: Said) -> (Machine, Vec<Effect>) {
    let mut machine = machine();
    machine.rules.asks_consent = true;
    machine.on(Event::Admitted(Arc::new(said)));
    let effects = did(&mut machine, Outcome::Granted);
    (machine, effects)
}

#[test]
fn without_consent_a_user_is_told_how_to_give_it_and_nothing_is_stored_f114() {
    for intent in [Intent::PregnancyQuestion, Intent::SmallTalk] {
        let (mut machine, asked) = asking_for_consent(said(1, intent));
        assert_eq!(brief(&asked), "Consent");

        let told = did(&mut machine, Outcome::NotAgreed);

        assert_eq!(brief(&told), "Canned Release done:Canned");
        let Some(Effect::Send(done)) = told.last() else { panic!("{told:?}") };
        assert_eq!((done.code, done.action), (Some(Code::ConsentNeeded), Some(Action::Consent)));
    }
}

#[test]
fn with_consent_a_turn_goes_on_and_ending_a_conversation_needs_none_f114() {
    let (mut machine, _) = asking_for_consent(said(1, Intent::PregnancyQuestion));
    assert_eq!(brief(&did(&mut machine, Outcome::Agreed)), "Open");

    let (_, asked) = asking_for_consent(Said { wish: Wish::End, ..said(1, Intent::Unclear) });
    assert_eq!(brief(&asked), "End");
}

#[test]
fn somebody_in_need_is_not_asked_for_consent_after_the_warning_f114() {
    let flag = Some(RedFlag { sign: "bleeding" });
    let (mut machine, _) = asking_for_consent(Said { flag, ..said(1, Intent::SymptomReport) });

    let effects = did(&mut machine, Outcome::NotAgreed);

    assert_eq!(brief(&effects), "Release done:Canned");
    assert!(effects.iter().all(|effect| !matches!(effect, Effect::Send(Frame { action: Some(_), .. }))));
}

#[test]
fn where_consent_cannot_be_looked_up_the_model_is_not_asked_f114() {
    let (mut machine, _) = asking_for_consent(said(1, Intent::PregnancyQuestion));
    assert_eq!(brief(&did(&mut machine, Outcome::Broken)), "Release error:Internal");

    let (mut machine, _) = asking_for_consent(said(1, Intent::PregnancyQuestion));
    assert_eq!(brief(&machine.on(Event::Gone)), "Cancel Release");
    assert!(machine.is_over());
}

#[test]
fn consent_that_is_withdrawn_ends_the_answer_where_it_is_f114() {
    let (mut machine, said) = (machine(), question(1));
    ask(&mut machine, &said);
    assert_eq!(brief(&did(&mut machine, Outcome::NotAgreed)), "Canned Learn");
    did(&mut machine, Outcome::Learned);

    ask(&mut machine, &said);
    machine.on(Event::Text("Half".to_owned()));
    assert_eq!(brief(&did(&mut machine, Outcome::NotAgreed)), "Notice Reply:Interrupted");
    did(&mut machine, Outcome::Stored);
    assert_eq!(brief(&did(&mut machine, Outcome::Learned)), "Release done:Interrupted");
}
