//! When the matter of a conversation changes.
//!
//! Health (symptoms, pregnancy) and dates are two families of matters. So many substantive messages in a row
//! of the other family begin a new conversation, with the last of them. Small talk, thanks and what is
//! unclear or unsure neither count nor interrupt. While what it is shown of the conversation holds a sign of an
//! emergency, it does not cut.
//!
//! Invariant: pure.

use crate::classify::{Intent, Meaning};

/// What belongs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Symptoms and pregnancy.
    Health,
    /// Appointments and reminders.
    Scheduling,
}

/// The rule of a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// So many messages in a row make a change; 0 for no change ever.
    pub messages: usize,
    /// Messages of which it is less sure what they are about do not count, 0 to 1.
    pub confidence: f64,
}

/// What one message says about the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remark {
    family: Option<Family>,
    is_flagged: bool,
}

impl Remark {
    /// Returns whether a change of matter can come with this message.
    pub const fn can_shift(self) -> bool {
        self.family.is_some() && !self.is_flagged
    }
}

impl Shift {
    /// Reads a message: what it means, and whether there is a sign of an emergency in it.
    pub fn remark(&self, meaning: &Meaning, is_flagged: bool) -> Remark {
        let family = match meaning.intent {
            _ if meaning.confidence < self.confidence => None,
            Intent::SymptomReport | Intent::PregnancyQuestion => Some(Family::Health),
            Intent::SchedulingRelated => Some(Family::Scheduling),
            Intent::SmallTalk | Intent::Unclear => None,
        };
        Remark { family, is_flagged }
    }

    /// Returns whether a new conversation begins with the last of these messages, of which the others stand
    /// in the present one, oldest first.
    pub fn is_at_the_end_of(&self, remarks: &[Remark]) -> bool {
        if self.messages == 0 || remarks.iter().any(|remark| remark.is_flagged) {
            return false;
        }
        let Some(Remark { family: Some(new), .. }) = remarks.last() else { return false };
        let families: Vec<_> = remarks.iter().filter_map(|remark| remark.family).collect();
        let in_a_row = families.iter().rev().take_while(|family| *family == new).count();
        (self.messages..families.len()).contains(&in_a_row)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::{
        classify::{SymptomWords, classify},
        safety::{KeywordRedFlags, RedFlags},
    };

    const SHIFT: Shift = Shift { messages: 2, confidence: 0.75 };
    const DIALOGUES: &str = include_str!("../../corpus/dialogues.toml");

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Dialogues {
        dialogue: Vec<Dialogue>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Dialogue {
        name: String,
        language: String,
        said: Vec<String>,
        begins: Vec<usize>,
    }

    /// Returns the numbers of the messages with which a conversation begins.
    fn begins(dialogue: &Dialogue) -> Vec<usize> {
        let flags = KeywordRedFlags::new();
        let (mut remarks, mut begins) = (Vec::new(), Vec::new());
        for (at, text) in dialogue.said.iter().enumerate() {
            let flag = flags.find(text);
            let meaning = classify(text, &dialogue.language, flag.as_ref(), &SymptomWords::default());
            remarks.push(SHIFT.remark(&meaning, flag.is_some()));
            if SHIFT.is_at_the_end_of(&remarks) {
                begins.push(at + 1);
                remarks.drain(..remarks.len() - 1);
            }
        }
        begins
    }

    #[test]
    fn scripted_dialogues_are_parted_where_they_should_be_f35() {
        let dialogues: Dialogues = toml::from_str(DIALOGUES).unwrap();

        assert!(dialogues.dialogue.len() >= 12);
        for dialogue in &dialogues.dialogue {
            assert_eq!(begins(dialogue), dialogue.begins, "{}", dialogue.name);
        }
    }

    fn remark(family: Option<Family>) -> Remark {
        Remark { family, is_flagged: false }
    }

    #[test]
    fn what_is_unsure_does_not_count_f35() {
        let meaning = |confidence| Meaning { intent: Intent::SymptomReport, confidence, small_talk: None };

        assert_eq!(SHIFT.remark(&meaning(0.74), false).family, None);
        assert_eq!(SHIFT.remark(&meaning(0.75), false).family, Some(Family::Health));
    }

    #[test]
    fn no_messages_at_all_is_no_change_ever_f35() {
        let never = Shift { messages: 0, ..SHIFT };
        let parted = [Family::Health, Family::Scheduling, Family::Scheduling].map(Some).map(remark);

        assert!(SHIFT.is_at_the_end_of(&parted));
        assert!(!never.is_at_the_end_of(&parted));
    }

    fn any_remark() -> impl Strategy<Value = Remark> {
        prop_oneof![
            Just(remark(None)),
            Just(remark(Some(Family::Health))),
            Just(remark(Some(Family::Scheduling))),
        ]
    }

    proptest! {
        #[test]
        fn an_open_emergency_is_never_cut_off_f35(
            mut remarks in proptest::collection::vec(any_remark(), 1..12), at in 0usize..12,
        ) {
            let at = at % remarks.len();
            remarks[at].is_flagged = true;

            prop_assert!(!SHIFT.is_at_the_end_of(&remarks));
        }

        #[test]
        fn what_does_not_count_changes_nothing_f35(
            remarks in proptest::collection::vec(any_remark(), 1..12), last in any_remark(),
        ) {
            let all = [remarks, vec![last]].concat();
            let counted: Vec<_> =
                all.iter().copied().filter(|remark| remark.family.is_some() || *remark == last).collect();

            prop_assert_eq!(SHIFT.is_at_the_end_of(&all), SHIFT.is_at_the_end_of(&counted));
        }

        #[test]
        fn a_conversation_of_one_family_is_never_parted_f35(n in 1usize..30) {
            prop_assert!(!SHIFT.is_at_the_end_of(&vec![remark(Some(Family::Health)); n]));
        }
    }
}
