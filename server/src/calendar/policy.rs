//! What may be made without asking, and what needs a time that the user has confirmed.
//!
//! | | asks first | needs `confirmed_time` |
//! |---|---|---|
//! | low priority, no appointment | unless `auto_create_low_priority` (F81) | no |
//! | medium and high priority, no appointment | always | no |
//! | appointment | always | always (F77) |
//! | urgent | always | unless `require_confirm_for_urgent` is off (F82) |
//!
//! Invariant: pure. Nothing else decides this; the store that makes reminders holds the same rule once more, so
//! that no way around this module makes an urgent entry or an appointment by itself.

use crate::storage::{Choices, Priority, SuggestionType, TimeRule};

/// Returns whether a proposal is entered at once, as its user has asked for.
pub fn is_auto_created(kind: SuggestionType, priority: Priority, choices: &Choices) -> bool {
    choices.auto_create_low_priority && priority == Priority::Low && kind != SuggestionType::Appointment
}

/// Returns which suggestions need a confirmed time before they become a reminder.
pub const fn time_rule(choices: &Choices) -> TimeRule {
    TimeRule { appointments: true, urgent: choices.require_confirm_for_urgent }
}

/// The rule for what is made without asking: it can never be weakened by a choice.
pub const AUTO_RULE: TimeRule = TimeRule { appointments: true, urgent: true };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_combination_of_choices_bypasses_the_confirmation_f77_f81_f82() {
        use Priority::{High, Low, Medium, Urgent};
        use SuggestionType::{Appointment, Reminder, SymptomFollowup};
        let mut table = Vec::new();
        for (auto, confirm) in [(false, true), (false, false), (true, true), (true, false)] {
            let choices = Choices {
                auto_create_low_priority: auto,
                require_confirm_for_urgent: confirm,
                ..Choices::default()
            };
            for kind in [Reminder, SymptomFollowup, Appointment] {
                let word = |priority| {
                    let made = is_auto_created(kind, priority, &choices);
                    let asked = time_rule(&choices).asks(kind, priority);
                    assert!(!(made && AUTO_RULE.asks(kind, priority)), "{kind:?} {priority:?} {choices:?}");
                    if made {
                        "made"
                    } else if asked {
                        "time"
                    } else {
                        "ask"
                    }
                };
                let words = [Low, Medium, High, Urgent].map(word).join(" ");
                table.push(format!("auto {auto}, confirm {confirm}, {kind:?}: {words}"));
            }
        }

        insta::assert_snapshot!(table.join("\n"), @"
        auto false, confirm true, Reminder: ask ask ask time
        auto false, confirm true, SymptomFollowup: ask ask ask time
        auto false, confirm true, Appointment: time time time time
        auto false, confirm false, Reminder: ask ask ask ask
        auto false, confirm false, SymptomFollowup: ask ask ask ask
        auto false, confirm false, Appointment: time time time time
        auto true, confirm true, Reminder: made ask ask time
        auto true, confirm true, SymptomFollowup: made ask ask time
        auto true, confirm true, Appointment: time time time time
        auto true, confirm false, Reminder: made ask ask ask
        auto true, confirm false, SymptomFollowup: made ask ask ask
        auto true, confirm false, Appointment: time time time time
        ");
    }
}
