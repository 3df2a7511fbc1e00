//! Proposes calendar entries.
//!
//! Only messages about symptoms, dates and things to be thought of lead to a proposal.
//!
//! **The AI never creates entries.** The model's answer is not looked at here; what the user says leads to a
//! proposal at most, and the user confirms it by `POST /api/reminders` or lets it pass. The one exception is the
//! user's own standing wish for entries of low priority ([`policy`]), and each of those can be taken back.
//!
//! Whether the user may get another proposal is decided by the store that keeps them, by the limits of the settings.
//!
//! Invariant: a proposal is never the answer to a sign of an emergency; who finds one does not ask here.

pub mod date;
pub mod feed;
pub mod policy;
pub mod slot;
pub mod when;

use std::time::Duration;

use jiff::{Timestamp, ToSpan, Zoned};

use crate::{
    classify::Intent,
    config,
    ids::{SuggestionId, UserId},
    storage::{Choices, NewSuggestion, Priority, SuggestionLimits, SuggestionType},
    texts::Texts,
    words,
};
use slot::Room;
use when::When;

/// Words that make a symptom pressing, without making it an emergency.
const PRESSING: [&str; 14] = [
    "worse",
    "strong",
    "bad",
    "badly",
    "constant",
    "urgent",
    "peor",
    "fuerte",
    "urgente",
    "constante",
    "pire",
    "fort",
    "forte",
    "intense",
];
/// Beginnings of words that do.
const GROWING: [&str; 8] =
    ["worsen", "unbearabl", "sudden", "empeor", "repentin", "empir", "soudain", "insupportable"];
/// Words that put a date near.
const NEAR: [&str; 12] = [
    "today", "tomorrow", "tonight", "asap", "soon", "hoy", "manana", "pronto", "aujourd", "demain",
    "bientot", "urgent",
];
/// Words that put a symptom in the background.
const SLIGHT: [&str; 10] =
    ["mild", "slight", "little", "bit", "leve", "poco", "ligero", "leger", "legere", "peu"];

/// So much of what the user said is repeated in a proposal, in characters.
const SAID_MAX: usize = 300;
/// Words of somebody who wants to be reminded of something.
const THINK_OF: [&str; 13] = [
    "remind",
    "reminder",
    "reminders",
    "recuerdame",
    "recuerdanos",
    "recordarme",
    "recordar",
    "recordatorio",
    "rappelle",
    "rappeler",
    "rappel",
    "rappelez",
    "rappelles",
];
/// Beginnings of words about a time that somebody else waits at.
const OTHERS_WAIT: [&str; 26] = [
    "appoint",
    "visit",
    "checkup",
    "check",
    "scan",
    "ultraso",
    "clinic",
    "doctor",
    "midwi",
    "hospit",
    "book",
    "schedul",
    "cita",
    "consult",
    "revision",
    "turno",
    "matron",
    "medico",
    "ecograf",
    "rendez",
    "rdv",
    "medecin",
    "echograph",
    "sage",
    "clini",
    "resch",
];
/// Beginnings of words about medicine: when to take it is not for us to say without asking.
const MEDICINE: [&str; 16] = [
    "medic", "pill", "tablet", "dose", "dosis", "insulin", "inject", "inyec", "antibiot", "pastill",
    "comprim", "cachet", "gotas", "gouttes", "drops", "piqur",
];

/// What a message could be entered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idea {
    /// What kind of entry.
    pub kind: SuggestionType,
    /// How pressing.
    pub priority: Priority,
}

/// Returns what a proposal would be of, or `None` where none is due.
pub fn should_suggest(intent: Intent, content: &str) -> Option<Idea> {
    use Priority::{High, Low, Medium, Urgent};
    let folded = words::fold(content);
    let words = words::split(&folded);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&&*word.text));
    let begins = |list: &[&str]| words.iter().any(|word| list.iter().any(|stem| word.text.starts_with(stem)));
    let kind = match intent {
        Intent::SymptomReport => SuggestionType::SymptomFollowup,
        Intent::SchedulingRelated if has(&THINK_OF) && !begins(&OTHERS_WAIT) => SuggestionType::Reminder,
        Intent::SchedulingRelated => SuggestionType::Appointment,
        Intent::PregnancyQuestion | Intent::SmallTalk | Intent::Unclear => return None,
    };
    let priority = match kind {
        SuggestionType::SymptomFollowup if has(&PRESSING) || begins(&GROWING) => Urgent,
        SuggestionType::SymptomFollowup if has(&SLIGHT) => Medium,
        SuggestionType::SymptomFollowup => High,
        SuggestionType::Appointment | SuggestionType::Reminder if has(&NEAR) || begins(&MEDICINE) => Medium,
        SuggestionType::Appointment | SuggestionType::Reminder => Low,
    };
    Some(Idea { kind, priority })
}

/// For whom and when a proposal is made.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// For whom.
    pub user: UserId,
    /// The user's language.
    pub language: &'a str,
    /// What the user said.
    pub said: &'a str,
    /// What the user chose.
    pub choices: &'a Choices,
    /// When the user has something else; empty where that does not matter.
    pub busy: &'a [Timestamp],
    /// How far from that a proposal must be.
    pub slot: Duration,
    /// Now.
    pub at: Timestamp,
    /// How long the proposal can be confirmed.
    pub life: Duration,
}

/// Makes the proposal of an idea.
pub fn build(idea: Idea, occasion: &Occasion<'_>, texts: &dyn Texts) -> NewSuggestion {
    let name = match idea.kind {
        SuggestionType::Appointment => "appointment",
        SuggestionType::Reminder => "reminder",
        SuggestionType::SymptomFollowup => "symptom_followup",
    };
    let suggested_time = time(occasion);
    let text = |part: &str| text(&format!("suggestion.{name}_{part}"), suggested_time, (occasion, texts));
    NewSuggestion {
        id: SuggestionId::random(),
        user: occasion.user,
        kind: idea.kind,
        priority: idea.priority,
        title: text("title"),
        description: text("description"),
        suggested_time,
        at: occasion.at,
        expires_at: occasion.at.saturating_add(occasion.life).unwrap_or(Timestamp::MAX),
    }
}

/// Returns a text of a proposal with its date in the same language, also where that is not the user's.
fn text(key: &str, time: Timestamp, (occasion, texts): (&Occasion<'_>, &dyn Texts)) -> String {
    let zone = &occasion.choices.time_zone;
    let said: String = occasion.said.chars().take(SAID_MAX).collect();
    let text = |language: &str| {
        let when = date::written(&zone.at(time), &zone.at(occasion.at), (texts, language));
        texts.text(key, language, &[("said", said.clone()), ("when", when)])
    };
    let own = text(occasion.language);
    if own.fell_back { text(&own.language).text } else { own.text }
}

/// Returns the proposed time: the one that the message names, exactly; else the user's usual time on the named
/// day, or tomorrow, moved out of quiet hours and to where nothing else is.
fn time(occasion: &Occasion<'_>) -> Timestamp {
    let now = occasion.choices.time_zone.at(occasion.at);
    let date = match when::named(occasion.said, &now) {
        Some(When::Moment(moment)) => return moment,
        Some(When::Day(date)) => Ok(date),
        None => now.date().tomorrow(),
    };
    let usual = |date: jiff::civil::Date| {
        date.to_datetime(occasion.choices.default_time.time()).to_zoned(now.time_zone().clone())
    };
    // Today's usual time may be over: then soon.
    let usual = date.and_then(usual).ok().filter(|time| *time > now);
    let wanted = usual.unwrap_or_else(|| next_hour(&now)).timestamp();
    let room = Room {
        zone: &occasion.choices.time_zone,
        quiet: occasion.choices.quiet,
        busy: occasion.busy,
        slot: occasion.slot,
    };
    room.first_free(wanted)
}

/// The full hour that is at least an hour away.
fn next_hour(now: &Zoned) -> Zoned {
    let hour = jiff::ZonedRound::new().smallest(jiff::Unit::Hour).mode(jiff::RoundMode::Ceil);
    now.checked_add(1.hour()).and_then(|later| later.round(hour)).unwrap_or_else(|_| now.clone())
}

/// Returns how many proposals a user may get, by the settings.
pub const fn limits(settings: &config::Calendar) -> SuggestionLimits {
    SuggestionLimits {
        per_hour: settings.per_hour,
        per_day: settings.per_day,
        pending_per_type: settings.pending_per_type,
        open_reminders: settings.open_reminders,
        ignored_in_row: settings.ignored_in_row,
        pause: settings.ignored_pause,
        quality_min: settings.quality_min,
        quality_window: settings.quality_window,
    }
}

#[cfg(test)]
mod tests;
