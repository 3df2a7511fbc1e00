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

mod lists;
mod own;

use serde::Serialize;

use crate::{safety::RedFlag, words};
use lists::{LISTS, WordList};
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

/// Classifies a message of a user whose language is `language`, by the lists and by words that were added to them.
pub fn classify(message: &str, language: &str, flag: Option<&RedFlag>, own: &SymptomWords) -> Meaning {
    let words: Vec<String> = words::split(message).into_iter().map(|word| word.text).collect();
    let lists = lists_for(&words, language);
    let weigh = |pick: fn(&WordList) -> &'static str| -> f64 {
        // The same word in two lists counts once.
        lists.iter().map(|list| weight(&words, pick(list))).fold(0.0, f64::max)
    };
    if flag.is_some() {
        return meaning(Intent::SymptomReport, 0.95);
    }
    let added = own.weight(&words, (&lists, language));
    if added == 0.0
        && let Some(kind) = small_talk(&words, &lists)
    {
        let confidence = if kind == SmallTalk::Thanks { 0.85 } else { 0.9 };
        return Meaning { small_talk: Some(kind), ..meaning(Intent::SmallTalk, confidence) };
    }
    let scores = [
        (Intent::SymptomReport, weigh(|list| list.symptom) + added, 0.70),
        (Intent::SchedulingRelated, weigh(|list| list.scheduling), 0.70),
        (Intent::PregnancyQuestion, weigh(|list| list.pregnancy), 0.65),
    ];
    let (intent, score, base) =
        scores.into_iter().fold(scores[0], |best, next| if next.1 > best.1 { next } else { best });
    if score >= 1.0 {
        return meaning(intent, (base + 0.05 * score).min(0.95));
    }
    meaning(Intent::Unclear, if words.is_empty() { 0.1 } else { 0.3 })
}

const fn meaning(intent: Intent, confidence: f64) -> Meaning {
    Meaning { intent, confidence, small_talk: None }
}

/// Returns the lists of the message's language, or all where it cannot be told.
fn lists_for(words: &[String], language: &str) -> Vec<&'static WordList> {
    let hits = |list: &WordList| {
        let common: Vec<&str> = list.common.split_whitespace().collect();
        words.iter().filter(|word| common.contains(&word.as_str())).count()
    };
    let scores: Vec<usize> = LISTS.iter().map(hits).collect();
    let best = scores.iter().copied().max().unwrap_or(0);
    if best == 0 {
        return LISTS.iter().collect();
    }
    let leaders: Vec<_> =
        LISTS.iter().zip(&scores).filter(|(_, score)| **score == best).map(|(list, _)| list).collect();
    match leaders.iter().find(|list| list.language == language) {
        Some(own) if leaders.len() > 1 && best > 1 => vec![own],
        _ => leaders,
    }
}

/// Sums the weights of the entries that occur. An entry is `weight:word_word`, `*` ends a stem.
fn weight(words: &[String], entries: &str) -> f64 {
    entries
        .split_whitespace()
        .filter_map(|entry| entry.split_once(':'))
        .filter(|(_, phrase)| occurs(words, phrase))
        .filter_map(|(weight, _)| weight.parse::<f64>().ok())
        .sum()
}

fn occurs(words: &[String], phrase: &str) -> bool {
    let parts: Vec<&str> = phrase.split('_').collect();
    words.windows(parts.len()).any(|window| {
        window.iter().zip(&parts).all(|(word, part)| match part.strip_suffix('*') {
            Some(stem) => word.starts_with(stem),
            None => word == part,
        })
    })
}

/// A message is small talk when every word of it belongs to small talk and one says which.
fn small_talk(words: &[String], lists: &[&WordList]) -> Option<SmallTalk> {
    /// Longer messages say more than hello.
    const WORDS_MAX: usize = 8;
    if words.is_empty() || words.len() > WORDS_MAX {
        return None;
    }
    let has = |phrases: fn(&WordList) -> &'static str| {
        lists.iter().flat_map(|list| phrases(list).split_whitespace()).any(|phrase| occurs(words, phrase))
    };
    let is_filler = |word: &String| {
        lists.iter().any(|list| {
            [list.greeting, list.thanks, list.goodbye, list.filler]
                .iter()
                .flat_map(|phrases| phrases.split([' ', '_', '\n']))
                .any(|known| known == word)
        })
    };
    if !words.iter().all(is_filler) {
        return None;
    }
    if has(|list| list.goodbye) {
        Some(SmallTalk::Goodbye)
    } else if has(|list| list.thanks) {
        Some(SmallTalk::Thanks)
    } else if has(|list| list.greeting) {
        Some(SmallTalk::Greeting)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
