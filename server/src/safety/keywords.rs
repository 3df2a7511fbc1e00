//! The detector by lists.
//!
//! Every word of the message is looked up once; a pattern then only compares the places of its groups.

use std::collections::HashMap;

use super::{
    RedFlag, RedFlags,
    harmless::{self, Excuses, Harmless},
    lists::{self, Line},
    sound::{is_typo, sound},
};
use crate::words::{self, Word};

/// Words between the first and the last word of a pattern, beside its own.
const SLACK: usize = 6;
/// Shorter words are not compared with tolerance, where nothing else is asked: too many others lie near.
const TYPO_LENGTH: usize = 6;
/// The same for a pattern of several groups.
const TYPO_LENGTH_AMONG_OTHERS: usize = 5;
/// Shorter words are not compared by sound.
const SOUND_LENGTH: usize = 4;
/// Stands for any number that is a fever's reading.
const FEVER_READING: &str = "<fever>";
/// At most so many places of one group are compared in one message.
const PLACES_MAX: usize = 64;

/// Finds signs by lists of words, with a tolerance for typing errors.
#[derive(Debug)]
pub struct KeywordRedFlags {
    patterns: Vec<Pattern>,
    exact: HashMap<&'static str, Vec<usize>>,
    stems: HashMap<char, Vec<(&'static str, usize)>>,
    /// By the first letter of how they sound.
    tolerant: HashMap<char, Vec<Tolerant>>,
    harmless: Harmless,
}

/// A word of the lists that is also known when it is misspelt.
#[derive(Debug)]
struct Tolerant {
    word: &'static str,
    sound: String,
    /// Groups of which it is known by its sound.
    groups: Vec<usize>,
    /// Groups of which it is known with a typing error, too.
    forgiving: Vec<usize>,
}

/// A pattern whose groups are numbers of groups of words.
#[derive(Debug)]
struct Pattern {
    sign: &'static str,
    is_negative: bool,
    groups: Vec<usize>,
}

/// Places of each group in a message.
type Places = HashMap<usize, Vec<usize>>;

impl KeywordRedFlags {
    /// Builds the detector from the lists that are compiled in.
    pub fn new() -> Self {
        let mut built = Self {
            patterns: Vec::new(),
            exact: HashMap::new(),
            stems: HashMap::new(),
            tolerant: HashMap::new(),
            harmless: Harmless::new(),
        };
        let mut groups = 0;
        for line in lists::lines() {
            built.add(&line, &mut groups);
        }
        built
    }

    fn add(&mut self, line: &Line, groups: &mut usize) {
        let first = *groups;
        let tolerated = if line.groups.len() > 1 { TYPO_LENGTH_AMONG_OTHERS } else { TYPO_LENGTH };
        for choices in &line.groups {
            for choice in choices {
                self.add_choice(choice, *groups, tolerated);
            }
            *groups += 1;
        }
        let groups = (first..*groups).collect();
        self.patterns.push(Pattern { sign: line.sign, is_negative: line.is_negative, groups });
    }

    fn add_choice(&mut self, choice: &'static str, group: usize, tolerated: usize) {
        let first = choice.chars().next().unwrap_or_default();
        if let Some(stem) = choice.strip_suffix('*') {
            self.stems.entry(first).or_default().push((stem, group));
            return;
        }
        self.exact.entry(choice).or_default().push(group);
        if choice.len() >= SOUND_LENGTH {
            self.add_tolerant(choice, group, tolerated);
        }
    }

    fn add_tolerant(&mut self, word: &'static str, group: usize, tolerated: usize) {
        let sound = sound(word);
        let forgiving = (sound.len() >= tolerated).then_some(group);
        let alike = self.tolerant.entry(sound.chars().next().unwrap_or_default()).or_default();
        if let Some(known) = alike.iter_mut().find(|known| known.word == word) {
            known.groups.push(group);
            known.forgiving.extend(forgiving);
        } else {
            let forgiving = forgiving.into_iter().collect();
            alike.push(Tolerant { word, sound, groups: vec![group], forgiving });
        }
    }

    fn places(&self, words: &[Word], excuses: &Excuses) -> Places {
        let (mut places, mut known) = (Places::new(), HashMap::new());
        let counted = words.iter().enumerate().filter(|(at, _)| !excuses.covered[*at]);
        for (at, word) in counted {
            let groups = known.entry(&*word.text).or_insert_with(|| self.groups_of(&word.text));
            for group in groups {
                let places = places.entry(*group).or_default();
                if places.len() < PLACES_MAX {
                    places.push(at);
                }
            }
        }
        places
    }

    /// Returns the groups that a word belongs to. A word that is known is not taken for another one.
    fn groups_of(&self, word: &str) -> Vec<usize> {
        let first = word.chars().next().unwrap_or_default();
        let mut groups = self.exact.get(word).cloned().unwrap_or_default();
        if groups.is_empty() && word.len() >= SOUND_LENGTH && !INNOCENT.contains(&word) {
            groups = self.groups_nearly(word);
        }
        let stems = self.stems.get(&first).map(Vec::as_slice).unwrap_or_default();
        groups.extend(stems.iter().filter(|(stem, _)| word.starts_with(stem)).map(|(_, group)| *group));
        if word.parse().is_ok_and(harmless::is_fever) {
            groups.extend(self.exact.get(FEVER_READING).into_iter().flatten());
        }
        groups
    }

    /// Returns the groups of the words that sound the same, or are written nearly so.
    fn groups_nearly(&self, word: &str) -> Vec<usize> {
        let heard = sound(word);
        let first = heard.chars().next().unwrap_or_default();
        let near = self.tolerant.get(&first).map(Vec::as_slice).unwrap_or_default();
        let near = near.iter().filter_map(|known| {
            if known.sound == heard {
                return Some(&known.groups);
            }
            let is_near = is_typo(&heard, &known.sound) || is_typo(word, known.word);
            (is_near && !known.forgiving.is_empty()).then_some(&known.forgiving)
        });
        near.flatten().copied().collect()
    }
}

impl Pattern {
    fn matches(&self, words: &[Word], places: &Places, excuses: &Excuses) -> bool {
        let Some(of_groups) = self.groups.iter().map(|group| places.get(group)).collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        of_groups[0].iter().any(|first| {
            span(*first, &of_groups, words)
                .is_some_and(|(from, to)| self.is_negative || !excuses.cover(words, from..to + 1))
        })
    }
}

impl Default for KeywordRedFlags {
    fn default() -> Self {
        Self::new()
    }
}

impl RedFlags for KeywordRedFlags {
    fn find(&self, message: &str) -> Option<RedFlag> {
        let words = words::split(message);
        let excuses = self.harmless.excuses(&words);
        let places = self.places(&words, &excuses);
        let found = self.patterns.iter().find(|pattern| pattern.matches(&words, &places, &excuses))?;
        Some(RedFlag { sign: found.sign })
    }
}

/// Returns the first and last place of a set of words, one of each group, near `first`.
fn span(first: usize, groups: &[&Vec<usize>], words: &[Word]) -> Option<(usize, usize)> {
    let mut taken = vec![first];
    for group in &groups[1..] {
        let near = group
            .iter()
            .filter(|at| words[**at].clause == words[first].clause && !taken.contains(at))
            .min_by_key(|at| at.abs_diff(first))?;
        taken.push(*near);
    }
    let (from, to) = (*taken.iter().min()?, *taken.iter().max()?);
    (to - from < groups.len() + SLACK).then_some((from, to))
}

/// Words that lie near a word of the lists and mean something else.
const INNOCENT: [&str; 25] = [
    "ceiling",
    "sealing",
    "seeing",
    "cooking",
    "cooling",
    "choosing",
    "checking",
    "blending",
    "breeding",
    "bleeping",
    "breathing",
    "breaking",
    "breading",
    "smelling",
    "spelling",
    "selling",
    "session",
    "version",
    "fighting",
    "feinting",
    "migraines",
    "painting",
    "convulse",
    "sangria",
    "saisine",
];

#[cfg(test)]
mod tests;
