//! Proposes calendar entries.
//!
//! Only messages about symptoms and dates lead to a proposal, and nothing is ever entered by the server:
//! the user confirms or lets it pass. Whether the user may get another proposal is decided by the store
//! that keeps them, by the limits of the settings.
//!
//! Invariant: a proposal is never the answer to a sign of an emergency; who finds one does not ask here.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    classify::Intent,
    config,
    ids::{SuggestionId, UserId},
    storage::{NewSuggestion, Priority, SuggestionLimits, SuggestionType},
    texts::Texts,
    words,
};

/// A symptom is looked at again after so long.
const FOLLOW_UP: Duration = Duration::from_hours(24);
/// An appointment is proposed so far ahead; the user moves it.
const APPOINTMENT: Duration = Duration::from_hours(1);

/// Stems that make a symptom pressing, without making it an emergency.
const PRESSING: [&str; 22] = [
    "worse",
    "worsen",
    "strong",
    "bad",
    "badly",
    "unbearable",
    "sudden",
    "constant",
    "urgent",
    "peor",
    "fuerte",
    "empeor",
    "repentin",
    "urgente",
    "constante",
    "pire",
    "fort",
    "forte",
    "empir",
    "soudain",
    "insupportable",
    "intense",
];
/// Words that put a date near.
const NEAR: [&str; 12] = [
    "today", "tomorrow", "tonight", "asap", "soon", "hoy", "manana", "pronto", "aujourd", "demain",
    "bientot", "urgent",
];
/// Words that put a symptom in the background.
const SLIGHT: [&str; 10] =
    ["mild", "slight", "little", "bit", "leve", "poco", "ligero", "leger", "legere", "peu"];

/// Returns how pressing a proposal would be, or `None` where none is due.
pub fn should_suggest(intent: Intent, content: &str) -> Option<Priority> {
    let words = words::split(content);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.text.as_str()));
    match intent {
        Intent::SymptomReport if has(&PRESSING) => Some(Priority::Urgent),
        Intent::SymptomReport if has(&SLIGHT) => Some(Priority::Medium),
        Intent::SymptomReport => Some(Priority::High),
        Intent::SchedulingRelated if has(&NEAR) => Some(Priority::Medium),
        Intent::SchedulingRelated => Some(Priority::Low),
        Intent::PregnancyQuestion | Intent::SmallTalk | Intent::Unclear => None,
    }
}

/// For whom and when a proposal is made.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// For whom.
    pub user: UserId,
    /// The user's language.
    pub language: &'a str,
    /// Now.
    pub at: Timestamp,
    /// How long the proposal can be confirmed.
    pub life: Duration,
}

/// Makes the proposal for a message of this intent.
pub fn build(
    intent: Intent,
    priority: Priority,
    occasion: &Occasion<'_>,
    texts: &dyn Texts,
) -> NewSuggestion {
    let (kind, name, ahead) = match intent {
        Intent::SchedulingRelated => (SuggestionType::Appointment, "appointment", APPOINTMENT),
        _ => (SuggestionType::SymptomFollowup, "symptom_followup", FOLLOW_UP),
    };
    let text = |part: &str| texts.text(&format!("suggestion.{name}_{part}"), occasion.language, &[]).text;
    let after = |time: Duration| occasion.at.saturating_add(time).unwrap_or(Timestamp::MAX);
    NewSuggestion {
        id: SuggestionId::random(),
        user: occasion.user,
        kind,
        priority,
        title: text("title"),
        description: text("description"),
        suggested_time: after(ahead),
        at: occasion.at,
        expires_at: after(occasion.life),
    }
}

/// Returns how many proposals a user may get, by the settings.
pub const fn limits(settings: &config::Calendar) -> SuggestionLimits {
    SuggestionLimits {
        per_hour: settings.per_hour,
        per_day: settings.per_day,
        pending_per_type: settings.pending_per_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::FluentTexts;

    #[test]
    fn only_symptoms_and_dates_lead_to_a_proposal() {
        use Intent::{PregnancyQuestion, SchedulingRelated, SmallTalk, SymptomReport, Unclear};
        let table = [
            (SymptomReport, "I have a headache", Some(Priority::High)),
            (SymptomReport, "the headache gets worse", Some(Priority::Urgent)),
            (SymptomReport, "me duele fuerte la espalda", Some(Priority::Urgent)),
            (SymptomReport, "un léger mal de dos", Some(Priority::Medium)),
            (SchedulingRelated, "book a scan tomorrow", Some(Priority::Medium)),
            (SchedulingRelated, "when is my next visit", Some(Priority::Low)),
            (PregnancyQuestion, "is cheese safe, urgent", None),
            (SmallTalk, "hello", None),
            (Unclear, "hm", None),
        ];

        for (intent, content, priority) in table {
            assert_eq!(should_suggest(intent, content), priority, "{content}");
        }
    }

    #[test]
    fn a_proposal_has_text_in_the_users_language_and_a_time_ahead() {
        let occasion = Occasion {
            user: UserId::random(),
            language: "es",
            at: Timestamp::UNIX_EPOCH,
            life: Duration::from_mins(5),
        };

        let offer = build(Intent::SymptomReport, Priority::High, &occasion, &FluentTexts::built_in());

        assert_eq!(offer.kind, SuggestionType::SymptomFollowup);
        assert_eq!(offer.title, "Revisar cómo sigue el síntoma");
        assert_eq!(offer.suggested_time.as_second(), 24 * 3600);
        assert_eq!(offer.expires_at.as_second(), 300);
    }
}
