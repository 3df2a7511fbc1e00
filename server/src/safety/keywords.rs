//! The detector by lists.
//!
//! Every word of the message is looked up once; a pattern then only compares the places of its groups.

use std::collections::HashMap;

use super::{
    RedFlag, RedFlags,
    lists::{self, Line},
};
use crate::words::{self, Word};

/// Words between the first and the last word of a pattern, beside its own.
const SLACK: usize = 5;
/// So many words before a pattern a denial still reaches it.
const DENIAL_REACH: usize = 4;
/// Shorter words are not compared with tolerance: too many others lie near.
const TYPO_LENGTH: usize = 6;
/// At most so many places of one group are compared in one message.
const PLACES_MAX: usize = 64;

/// Finds signs by lists of words, with a tolerance for typing errors.
#[derive(Debug)]
pub struct KeywordRedFlags {
    patterns: Vec<Pattern>,
    exact: HashMap<&'static str, Vec<usize>>,
    stems: HashMap<char, Vec<(&'static str, usize)>>,
    tolerant: HashMap<char, Vec<(&'static str, usize)>>,
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
        };
        let mut groups = 0;
        for line in lists::lines() {
            built.add(&line, &mut groups);
        }
        built
    }

    fn add(&mut self, line: &Line, groups: &mut usize) {
        let first = *groups;
        for choices in &line.groups {
            for choice in choices {
                self.add_choice(choice, *groups);
            }
            *groups += 1;
        }
        let groups = (first..*groups).collect();
        self.patterns.push(Pattern { sign: line.sign, is_negative: line.is_negative, groups });
    }

    fn add_choice(&mut self, choice: &'static str, group: usize) {
        let first = choice.chars().next().unwrap_or_default();
        if let Some(stem) = choice.strip_suffix('*') {
            self.stems.entry(first).or_default().push((stem, group));
            return;
        }
        self.exact.entry(choice).or_default().push(group);
        if choice.len() >= TYPO_LENGTH {
            self.tolerant.entry(first).or_default().push((choice, group));
        }
    }

    fn places(&self, words: &[Word]) -> Places {
        let mut places = Places::new();
        for (at, word) in words.iter().enumerate() {
            for group in self.groups_of(&word.text) {
                let places = places.entry(group).or_default();
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
        let of = |table: &HashMap<char, Vec<(&'static str, usize)>>, fits: &dyn Fn(&str) -> bool| {
            let entries = table.get(&first).map(Vec::as_slice).unwrap_or_default();
            entries.iter().filter(|(known, _)| fits(known)).map(|(_, group)| *group).collect::<Vec<_>>()
        };
        let mut groups = self.exact.get(word).cloned().unwrap_or_default();
        groups.extend(of(&self.stems, &|stem| word.starts_with(stem)));
        if groups.is_empty() && word.len() >= TYPO_LENGTH - 1 && !INNOCENT.contains(&word) {
            groups = of(&self.tolerant, &|known| is_typo(word, known));
        }
        groups
    }
}

impl Pattern {
    fn matches(&self, words: &[Word], places: &Places) -> bool {
        let Some(of_groups) = self.groups.iter().map(|group| places.get(group)).collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        of_groups[0].iter().any(|first| {
            span(*first, &of_groups, words).is_some_and(|(from, to)| {
                self.is_negative || !is_denied(&words[..from]) && !is_harmless(&words[from..], to - from)
            })
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
        let places = self.places(&words);
        let found = self.patterns.iter().find(|pattern| pattern.matches(&words, &places))?;
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

/// Returns whether the words before a pattern deny it: "no", "sin", "ne" in the same clause.
fn is_denied(before: &[Word]) -> bool {
    let clause = |word: &&Word| before.last().is_some_and(|last| last.clause == word.clause);
    let near: Vec<&str> =
        before.iter().rev().take_while(clause).take(DENIAL_REACH).map(|word| word.text.as_str()).collect();
    let Some(denial) = near.iter().rposition(|word| DENIALS.contains(word)) else {
        return false;
    };
    let between = &near[..denial];
    !between.iter().any(|word| REVERSALS.contains(word) || word.starts_with("stop"))
}

/// Returns whether what stands around a fever makes it harmless: a low reading, or another fever.
fn is_harmless(words: &[Word], length: usize) -> bool {
    if !FEVERS.contains(&words[0].text.as_str()) {
        return false;
    }
    let clause = words[0].clause;
    let reading = words[length..]
        .iter()
        .take(DENIAL_REACH + SLACK)
        .take_while(|word| word.clause == clause)
        .find_map(|word| word.text.parse::<f64>().ok().filter(|n| (34.0..=110.0).contains(n)));
    reading.is_some_and(|degrees| if degrees < 45.0 { degrees < 38.0 } else { degrees < 100.4 })
}

const FEVERS: [&str; 5] = ["fever", "feverish", "fiebre", "calentura", "fievre"];

const DENIALS: [&str; 32] = [
    "no", "not", "dont", "didnt", "doesnt", "isnt", "arent", "wasnt", "havent", "hasnt", "never", "without",
    "nor", "neither", "nothing", "sin", "nunca", "tampoco", "ni", "ningun", "ninguna", "pas", "ne", "n",
    "sans", "aucun", "aucune", "jamais", "hay", "yellow", "stopped", "prevent",
];

/// Words between a denial and a sign that take the denial back: "can't stop bleeding", "never had such
/// pain", "no appetite and a fever".
const REVERSALS: [&str; 28] = [
    "stop",
    "such",
    "this",
    "so",
    "like",
    "and",
    "only",
    "just",
    "parar",
    "para",
    "paro",
    "deja",
    "dejo",
    "dejar",
    "tan",
    "tanto",
    "tanta",
    "y",
    "solo",
    "arrete",
    "arreter",
    "cesse",
    "tel",
    "telle",
    "autant",
    "et",
    "seulement",
    "with",
];

/// Words that lie near a word of the lists and mean something else.
const INNOCENT: [&str; 22] = [
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

/// Returns whether one letter is missing, added, wrong, or two neighbours are swapped.
fn is_typo(word: &str, known: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), known.chars().collect());
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (rest, wanted) = (&a[same..], &b[same..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Equal => {
            rest.is_empty()
                || rest[1..] == wanted[1..]
                || rest.len() > 1 && rest[0] == wanted[1] && rest[1] == wanted[0] && rest[2..] == wanted[2..]
        }
        std::cmp::Ordering::Greater => rest[1..] == *wanted,
        std::cmp::Ordering::Less => *rest == wanted[1..],
    }
}

#[cfg(test)]
mod tests;
