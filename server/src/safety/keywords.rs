//! The detector by lists.
//!
//! Every word of the message is looked up once; a pattern then only compares the places of its groups. A word that is in
//! no list is compared with those that sound alike at the beginning, nearly all of which its outline rules out.

use std::{collections::HashMap, ops::Range};

use super::{
    RedFlag, RedFlags,
    harmless::{self, Excuses, Harmless},
    lists::{self, Line},
    sound::{Outline, is_typo, sound},
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
/// A guess of how many groups a word is in.
const GROUPS_PER_WORD: usize = 16;

/// Finds signs by lists of words, with a tolerance for typing errors.
#[derive(Debug)]
pub struct KeywordRedFlags {
    patterns: Vec<Pattern>,
    exact: HashMap<&'static str, Vec<usize>>,
    stems: HashMap<char, Vec<(&'static str, usize)>>,
    /// By the first letter of how they sound.
    tolerant: HashMap<char, Vec<Tolerant>>,
    harmless: Harmless,
    /// Groups of all patterns.
    groups: usize,
}

/// A word of the lists that is also known when it is misspelt.
#[derive(Debug)]
struct Tolerant {
    word: &'static str,
    sound: String,
    outlines: (Outline, Outline),
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
    groups: Range<usize>,
}

/// Places of each group in a message, in order.
#[derive(Debug)]
struct Places {
    /// Of all groups, one group after the other.
    places: Vec<usize>,
    /// Where those of each group end.
    ends: Vec<usize>,
}

impl KeywordRedFlags {
    /// Builds the detector from the lists that are compiled in.
    pub fn new() -> Self {
        let mut built = Self {
            patterns: Vec::new(),
            exact: HashMap::new(),
            stems: HashMap::new(),
            tolerant: HashMap::new(),
            harmless: Harmless::new(),
            groups: 0,
        };
        for line in &lists::lines() {
            built.add(line);
        }
        built
    }

    fn add(&mut self, line: &Line) {
        let first = self.groups;
        let tolerated = if line.groups.len() > 1 { TYPO_LENGTH_AMONG_OTHERS } else { TYPO_LENGTH };
        for choices in &line.groups {
            for choice in choices {
                self.add_choice(choice, self.groups, tolerated);
            }
            self.groups += 1;
        }
        let groups = first..self.groups;
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
            let outlines = (Outline::of(word), Outline::of(&sound));
            alike.push(Tolerant { word, sound, outlines, groups: vec![group], forgiving });
        }
    }

    fn places(&self, words: &[Word<'_>], excuses: &Excuses) -> Places {
        let mut found = Vec::with_capacity(words.len() * GROUPS_PER_WORD);
        let mut groups = Vec::new();
        let counted = words.iter().enumerate().filter(|(at, _)| !excuses.covered[*at]);
        for (at, word) in counted {
            groups.clear();
            self.groups_of(&word.text, &mut groups);
            found.extend(groups.iter().map(|group| (*group, at)));
        }
        Places::new(self.groups, &found)
    }

    /// Adds the groups that a word belongs to. A word that is known is not taken for another one.
    fn groups_of(&self, word: &str, groups: &mut Vec<usize>) {
        match self.exact.get(word) {
            Some(exact) => groups.extend(exact),
            None if word.len() >= SOUND_LENGTH => self.groups_nearly(word, groups),
            None => {}
        }
        let first = word.chars().next().unwrap_or_default();
        let stems = self.stems.get(&first).map(Vec::as_slice).unwrap_or_default();
        groups.extend(stems.iter().filter(|(stem, _)| word.starts_with(stem)).map(|(_, group)| group));
        if word.parse().is_ok_and(harmless::is_fever) {
            groups.extend(self.exact.get(FEVER_READING).into_iter().flatten());
        }
    }

    /// Adds the groups of the words that sound the same, or are written nearly so.
    fn groups_nearly(&self, word: &str, groups: &mut Vec<usize>) {
        let heard = sound(word);
        let first = heard.chars().next().unwrap_or_default();
        let near = self.tolerant.get(&first).map(Vec::as_slice).unwrap_or_default();
        let (written, spoken) = (Outline::of(word), Outline::of(&heard));
        for known in near {
            let (near_written, near_spoken) =
                (written.is_near(known.outlines.0), spoken.is_near(known.outlines.1));
            if near_spoken && known.sound == heard {
                groups.extend(&known.groups);
            } else if near_spoken && is_typo(&heard, &known.sound)
                || near_written && is_typo(word, known.word)
            {
                groups.extend(&known.forgiving);
            }
        }
        if !groups.is_empty() && INNOCENT.contains(&word) {
            groups.clear();
        }
    }
}

impl Places {
    /// Sorts what was found, group and place, by groups; of each group the first places are kept.
    fn new(groups: usize, found: &[(usize, usize)]) -> Self {
        let mut ends = vec![0; groups];
        for (group, _) in found {
            ends[*group] = (ends[*group] + 1).min(PLACES_MAX);
        }
        let mut end = 0;
        for of_group in &mut ends {
            end += std::mem::replace(of_group, end);
        }
        // Each entry stands where its group begins now, and moves on to where it ends.
        let (mut places, starts) = (vec![0; end], ends.clone());
        for (group, at) in found {
            let next = &mut ends[*group];
            if *next < starts.get(group + 1).copied().unwrap_or(end) {
                places[*next] = *at;
                *next += 1;
            }
        }
        Self { places, ends }
    }

    /// Returns the places of a group.
    fn of(&self, group: usize) -> &[usize] {
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.places[start..self.ends[group]]
    }
}

impl Pattern {
    fn matches(&self, words: &[Word<'_>], places: &Places, excuses: &Excuses) -> bool {
        if self.groups.clone().any(|group| places.of(group).is_empty()) {
            return false;
        }
        let mut taken = Vec::with_capacity(self.groups.len());
        places.of(self.groups.start).iter().any(|first| {
            taken.clear();
            taken.push(*first);
            self.span(&mut taken, words, places)
                .is_some_and(|(from, to)| self.is_negative || !excuses.cover(words, from..to + 1))
        })
    }

    /// Returns the first and last place of a set of words, one of each group, near the one that is taken.
    fn span(&self, taken: &mut Vec<usize>, words: &[Word<'_>], places: &Places) -> Option<(usize, usize)> {
        for group in self.groups.clone().skip(1) {
            let near = nearest(places.of(group), taken, words)?;
            taken.push(near);
        }
        let (from, to) = (*taken.iter().min()?, *taken.iter().max()?);
        (to - from < self.groups.len() + SLACK).then_some((from, to))
    }
}

/// Returns the place that is nearest to the first one taken, in its clause and not taken itself; of two the earlier one.
fn nearest(places: &[usize], taken: &[usize], words: &[Word<'_>]) -> Option<usize> {
    let first = *taken.first()?;
    let in_clause = |at: &&usize| words[**at].clause == words[first].clause;
    let is_free = |at: &&usize| !taken.contains(at);
    let (before, after) = places.split_at(places.partition_point(|at| *at < first));
    let before = before.iter().rev().take_while(in_clause).find(is_free);
    let after = after.iter().take_while(in_clause).find(is_free);
    before.into_iter().chain(after).min_by_key(|at| at.abs_diff(first)).copied()
}

impl Default for KeywordRedFlags {
    fn default() -> Self {
        Self::new()
    }
}

impl RedFlags for KeywordRedFlags {
    fn find(&self, message: &str) -> Option<RedFlag> {
        let folded = words::fold(message);
        let words = words::split(&folded);
        let excuses = self.harmless.excuses(&words);
        let places = self.places(&words, &excuses);
        let found = self.patterns.iter().find(|pattern| pattern.matches(&words, &places, &excuses))?;
        Some(RedFlag { sign: found.sign })
    }
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
