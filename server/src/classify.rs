//! What a message is about.
//!
//! Every word and phrase of the lists carries a weight for one intent; the heaviest intent wins, not the
//! first that fits. Small talk is only what holds no other word, so that a greeting hides nothing.
//! Lists are per language: "pain" is a symptom in English and bread in French, so the language of the
//! message is guessed first, and without a guess all lists count.
//!
//! Administrators may add words of symptoms to the lists ([`SymptomWords`]), never take any away.
//!
//! Invariant: pure; a sign of an emergency always makes a symptom report.

mod index;
mod lists;
mod own;

use serde::Serialize;

use crate::{safety::RedFlag, words};
use index::{INDEX, PerLanguage, Reading, Topic};
use lists::LISTS;
pub use own::{
    SYMPTOM_CHARACTERS_MAX, SYMPTOM_LETTERS_MIN, SYMPTOM_PHRASE_MAX, SymptomWords, WordError, check_symptom,
};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Greetings, thanks, goodbyes.
    SmallTalk,
    /// Something to know about pregnancy.
    PregnancyQuestion,
    /// Something that the user feels.
    SymptomReport,
    /// Dates and reminders.
    SchedulingRelated,
    /// None of these.
    Unclear,
}

impl Intent {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SmallTalk,
        Self::PregnancyQuestion,
        Self::SymptomReport,
        Self::SchedulingRelated,
        Self::Unclear,
    ];

    /// Returns the name, as in metrics and text keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmallTalk => "small_talk",
            Self::PregnancyQuestion => "pregnancy_question",
            Self::SymptomReport => "symptom_report",
            Self::SchedulingRelated => "scheduling_related",
            Self::Unclear => "unclear",
        }
    }
}

/// The kinds of small talk, each with its own reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallTalk {
    /// "Hello".
    Greeting,
    /// "Thank you".
    Thanks,
    /// "Bye".
    Goodbye,
}

/// The result of classifying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// What the message is about.
    pub intent: Intent,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Which small talk it is, if it is.
    pub small_talk: Option<SmallTalk>,
}

impl Meaning {
    /// That of a message that nobody has looked at.
    pub const UNCLEAR: Self = Self { intent: Intent::Unclear, confidence: 0.0, small_talk: None };
}

/// Classifies a message of a user whose language is `language`, by the lists and by words that were added to them.
pub fn classify(message: &str, language: &str, flag: Option<&RedFlag>, own: &SymptomWords) -> Meaning {
    if flag.is_some() {
        return meaning(Intent::SymptomReport, 0.95);
    }
    let folded = words::fold(message);
    let words = words::split(&folded);
    let reading = INDEX.read(&words);
    let counts = languages_of(&reading, language);
    let added = own.weight(&words, (counts, language));
    if added == 0.0
        && let Some(kind) = small_talk(&reading, counts)
    {
        let confidence = if kind == SmallTalk::Thanks { 0.85 } else { 0.9 };
        return Meaning { small_talk: Some(kind), ..meaning(Intent::SmallTalk, confidence) };
    }
    // The same word in two lists counts once.
    let weigh = |topic| weights(&reading, counts, topic).fold(0.0, f64::max);
    let scores = [
        (Intent::SymptomReport, weigh(Topic::Symptom) + added, 0.70),
        (Intent::SchedulingRelated, weigh(Topic::Scheduling), 0.70),
        (Intent::PregnancyQuestion, weigh(Topic::Pregnancy), 0.65),
    ];
    let (intent, score, base) =
        scores.into_iter().fold(scores[0], |best, next| if next.1 > best.1 { next } else { best });
    if score >= 1.0 {
        return meaning(intent, (base + 0.05 * score).min(0.95));
    }
    meaning(Intent::Unclear, if reading.small.is_empty() { 0.1 } else { 0.3 })
}

const fn meaning(intent: Intent, confidence: f64) -> Meaning {
    Meaning { intent, confidence, small_talk: None }
}

/// Returns which languages count: the message's, or all where it cannot be told.
fn languages_of(reading: &Reading, language: &str) -> PerLanguage<bool> {
    let best = reading.common.iter().copied().max().unwrap_or(0);
    let leads = reading.common.map(|hits| hits == best);
    let leaders = leads.iter().filter(|leads| **leads).count();
    let own = LISTS.iter().position(|list| list.language == language).filter(|own| leads[*own]);
    match own {
        Some(own) if leaders > 1 && best > 1 => std::array::from_fn(|at| at == own),
        _ => leads,
    }
}

/// Returns what speaks for a topic, in each of the languages that count.
fn weights(reading: &Reading, counts: PerLanguage<bool>, topic: Topic) -> impl Iterator<Item = f64> {
    let counted = counts.into_iter().enumerate().filter(|(_, counts)| *counts);
    counted.map(move |(language, _)| reading.weight(language, topic))
}

/// A message is small talk when every word of it belongs to small talk and one says which.
fn small_talk(reading: &Reading, counts: PerLanguage<bool>) -> Option<SmallTalk> {
    /// Longer messages say more than hello.
    const WORDS_MAX: usize = 8;
    if reading.small.is_empty() || reading.small.len() > WORDS_MAX {
        return None;
    }
    let is_small =
        |word: &PerLanguage<bool>| word.iter().zip(counts).any(|(is_small, counts)| *is_small && counts);
    if !reading.small.iter().all(is_small) {
        return None;
    }
    let kinds = [
        (Topic::Goodbye, SmallTalk::Goodbye),
        (Topic::Thanks, SmallTalk::Thanks),
        (Topic::Greeting, SmallTalk::Greeting),
    ];
    let said = |topic| weights(reading, counts, topic).any(|weight| weight > 0.0);
    kinds.into_iter().find(|(topic, _)| said(*topic)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests;
