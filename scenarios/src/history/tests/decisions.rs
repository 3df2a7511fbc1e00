//! Suggestions that many decide upon: sound ones are never accused, each anomaly is.

use proptest::prelude::*;

use super::{super::*, drawn::span};

fn decision(device: usize, choice: Choice, told: Told, span: Span) -> Decision {
    Decision { device: format!("device {device}"), is_strangers: false, choice, told, span }
}

fn confirmed() -> Told {
    Told::Confirmed("reminder 1".to_owned())
}

/// One device confirms, one comes too late.
fn sound() -> SuggestionHistory {
    SuggestionHistory {
        name: "headache".to_owned(),
        decisions: vec![
            decision(0, Choice::Confirm, confirmed(), span(1, 4)),
            decision(1, Choice::Confirm, Told::Used(Some("reminder 1".to_owned())), span(2, 3)),
        ],
        reminders: vec!["reminder 1".to_owned()],
        is_offered: false,
    }
}

type Change = fn(&mut SuggestionHistory);

/// What goes wrong, and how.
const ANOMALIES: [Change; 11] = [
    |history| history.decisions[1].told = Told::Confirmed("reminder 2".to_owned()),
    |history| history.reminders.clear(),
    |history| history.reminders.push("reminder 2".to_owned()),
    |history| {
        history.decisions.push(decision(2, Choice::Dismiss, Told::Dismissed, span(5, 6)));
    },
    |history| history.decisions[0].told = Told::Gone,
    |history| history.decisions[1].told = Told::Used(Some("reminder 7".to_owned())),
    |history| {
        history.decisions.push(decision(2, Choice::Confirm, Told::Gone, span(5, 6)));
    },
    |history| {
        history.decisions.push(Decision {
            is_strangers: true,
            ..decision(9, Choice::Confirm, Told::Used(None), span(5, 6))
        });
    },
    |history| history.is_offered = true,
    |history| {
        for decision in &mut history.decisions {
            decision.told = Told::Refused(500);
        }
        history.reminders.clear();
    },
    |history| {
        history.decisions[0].span = span(5, 6);
    },
];

#[test]
fn each_anomaly_of_a_decision_is_told_in_words_s11() {
    let told = ANOMALIES.map(|change| {
        let mut history = sound();
        change(&mut history);
        decided_once(&history).unwrap_err().told
    });

    insta::assert_snapshot!(told.join("\n"), @"
    device 0 confirmed it as reminder 1 (#1 to #4, 1 to 4 ms), and device 1 confirmed it as reminder 2 (#2 to #3, 2 to 3 ms): confirmed twice
    device 0 confirmed it as reminder 1 (#1 to #4, 1 to 4 ms), and it is not there: lost
    reminder 1 and reminder 2 are both there: confirmed twice
    device 0 confirmed it as reminder 1 (#1 to #4, 1 to 4 ms), and device 2 dismissed it (#5 to #6, 5 to 6 ms): both
    reminder 1 is there, and nobody was told that it was made: phantom
    device 1 was told that it is reminder 7 (#2 to #3, 2 to 3 ms), which is not there
    device 0 confirmed it as reminder 1 (#1 to #4, 1 to 4 ms), and later device 2 was told that it is gone (#5 to #6, 5 to 6 ms)
    device 9 was told that it is used (#5 to #6, 5 to 6 ms), and it is somebody else's
    device 0 confirmed it as reminder 1 (#1 to #4, 1 to 4 ms), and it is still offered
    device 0 was refused with 500 (#1 to #4, 1 to 4 ms), and so were all: nobody could decide
    device 1 was told that it is reminder 1 (#2 to #3, 2 to 3 ms) before device 0 confirmed it as reminder 1 (#5 to #6, 5 to 6 ms)
    ");
}

#[test]
fn what_was_dismissed_or_is_gone_needs_no_reminder_s11() {
    let told = |told: [Told; 2]| {
        let [one, other] = told;
        let decisions = vec![
            decision(0, Choice::Dismiss, one, span(1, 3)),
            decision(1, Choice::Confirm, other, span(2, 4)),
        ];
        decided_once(&SuggestionHistory { decisions, ..SuggestionHistory::default() })
    };

    assert_eq!(told([Told::Dismissed, Told::Gone]), Ok(()));
    assert_eq!(told([Told::Refused(404), Told::Gone]), Ok(()), "it has expired");
    assert_eq!(told([Told::Nothing, Told::Nothing]), Ok(()), "nobody knows");
}

proptest! {
    #[test]
    fn decisions_upon_a_sound_suggestion_are_never_accused_s11(
        calls in prop::collection::vec((any::<bool>(), 0_u64..50, 1_u64..50, any::<bool>()), 1..20), expires in 0_u64..150
    ) {
        let mut acts: Vec<_> = calls
            .iter()
            .enumerate()
            .map(|(n, (confirms, wait, lasts, is_lost))| {
                // Moments are unique.
                let unique = |place: u64| place * 64 + n as u64;
                let act = wait + lasts;
                (act, n, if *confirms { Choice::Confirm } else { Choice::Dismiss }, span(unique(*wait), unique(act + lasts)), *is_lost)
            })
            .collect();
        acts.sort_by_key(|(act, n, ..)| (*act, *n));
        let mut history = SuggestionHistory { is_offered: true, ..SuggestionHistory::default() };
        for (act, n, choice, span, is_lost) in acts {
            let is_expired = act >= expires;
            let told = match (choice, history.reminders.first()) {
                (Choice::Confirm, Some(reminder)) => Told::Used(Some(reminder.clone())),
                (Choice::Confirm, None) if is_expired || !history.is_offered => Told::Gone,
                (Choice::Dismiss, _) if is_expired || !history.is_offered => Told::Refused(404),
                (Choice::Confirm, None) => {
                    history.reminders.push("reminder 1".to_owned());
                    history.is_offered = false;
                    confirmed()
                }
                (Choice::Dismiss, _) => {
                    history.is_offered = false;
                    Told::Dismissed
                }
            };
            history.decisions.push(decision(n, choice, if is_lost { Told::Nothing } else { told }, span));
        }
        history.is_offered = false;
        prop_assert_eq!(decided_once(&history), Ok(()));
    }
}
