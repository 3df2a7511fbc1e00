//! The lists, taken apart once: what each word can be part of.
//!
//! A message is read in one pass over its words, for all languages at once; which languages count is decided
//! afterwards. So a message costs by its own length and not by that of the lists.
//!
//! Invariant: each entry of a list counts once for a message, however often it occurs.

use std::{collections::HashMap, sync::LazyLock};

use super::lists::{LISTS, WordList};
use crate::words::Word;

/// Something for each language, in the order of the lists.
pub(super) type PerLanguage<T> = [T; LISTS.len()];

/// What an entry of the lists speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Symptom,
    Scheduling,
    Pregnancy,
    Greeting,
    Thanks,
    Goodbye,
}

const TOPICS: usize = 6;

/// What the words of a message speak for.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// Words by which each language is known.
    pub(super) common: PerLanguage<usize>,
    /// For each word the languages in which it may stand in small talk.
    pub(super) small: Vec<PerLanguage<bool>>,
    weights: PerLanguage<[f64; TOPICS]>,
}

impl Reading {
    /// Returns the weight of what speaks for a topic in a language.
    pub(super) const fn weight(&self, language: usize, topic: Topic) -> f64 {
        self.weights[language][topic as usize]
    }
}

/// All lists, by words.
#[derive(Debug, Default)]
pub(super) struct Index {
    words: HashMap<&'static str, Entry>,
    /// Stems by their first letter, each with the phrase that it begins.
    stems: HashMap<u8, Vec<(&'static str, Phrase)>>,
    phrases: usize,
}

/// What a word can be.
#[derive(Debug, Default)]
struct Entry {
    is_common: PerLanguage<bool>,
    is_small: PerLanguage<bool>,
    begins: Vec<Phrase>,
}

/// A phrase without its first word.
#[derive(Debug)]
struct Phrase {
    number: usize,
    language: usize,
    topic: Topic,
    weight: f64,
    rest: Vec<&'static str>,
}

pub(super) static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut built = Index::default();
    for (language, list) in LISTS.iter().enumerate() {
        built.add(language, list);
    }
    built
});

impl Index {
    fn add(&mut self, language: usize, list: &WordList) {
        for word in list.common.split_whitespace() {
            self.words.entry(word).or_default().is_common[language] = true;
        }
        for words in [list.greeting, list.thanks, list.goodbye, list.filler] {
            for word in words.split([' ', '_']) {
                self.words.entry(word).or_default().is_small[language] = true;
            }
        }
        let weighed = [
            (Topic::Symptom, list.symptom),
            (Topic::Scheduling, list.scheduling),
            (Topic::Pregnancy, list.pregnancy),
        ];
        for (topic, entries) in weighed {
            let entries = entries.split_whitespace().filter_map(|entry| entry.split_once(':'));
            for (weight, phrase) in entries {
                self.add_phrase((language, topic), phrase, weight.parse().unwrap_or_default());
            }
        }
        let plain =
            [(Topic::Greeting, list.greeting), (Topic::Thanks, list.thanks), (Topic::Goodbye, list.goodbye)];
        for (topic, phrases) in plain {
            for phrase in phrases.split_whitespace() {
                self.add_phrase((language, topic), phrase, 1.0);
            }
        }
    }

    /// Adds a phrase `word_word`, in which `*` ends a stem.
    fn add_phrase(&mut self, (language, topic): (usize, Topic), phrase: &'static str, weight: f64) {
        let mut parts = phrase.split('_');
        let first = parts.next().unwrap_or_default();
        let phrase = Phrase { number: self.phrases, language, topic, weight, rest: parts.collect() };
        self.phrases += 1;
        match first.strip_suffix('*') {
            Some(stem) => self.stems.entry(first_byte(stem)).or_default().push((stem, phrase)),
            None => self.words.entry(first).or_default().begins.push(phrase),
        }
    }

    /// Reads a message.
    pub(super) fn read(&self, words: &[Word<'_>]) -> Reading {
        let mut reading = Reading { small: Vec::with_capacity(words.len()), ..Reading::default() };
        let mut is_counted = vec![false; self.phrases];
        for (at, word) in words.iter().enumerate() {
            let entry = self.words.get(&*word.text);
            if let Some(entry) = entry {
                for (count, is_common) in reading.common.iter_mut().zip(entry.is_common) {
                    *count += usize::from(is_common);
                }
            }
            reading.small.push(entry.map_or_else(Default::default, |entry| entry.is_small));
            let stems = self.stems.get(&first_byte(&word.text)).map(Vec::as_slice).unwrap_or_default();
            let stems =
                stems.iter().filter(|(stem, _)| word.text.starts_with(stem)).map(|(_, phrase)| phrase);
            for phrase in entry.map(|entry| entry.begins.iter()).unwrap_or_default().chain(stems) {
                if phrase.goes_on(&words[at + 1..])
                    && !std::mem::replace(&mut is_counted[phrase.number], true)
                {
                    reading.weights[phrase.language][phrase.topic as usize] += phrase.weight;
                }
            }
        }
        reading
    }
}

impl Phrase {
    /// Returns whether the words after the first one are those of the phrase.
    fn goes_on(&self, words: &[Word<'_>]) -> bool {
        self.rest.len() <= words.len()
            && self.rest.iter().zip(words).all(|(part, word)| match part.strip_suffix('*') {
                Some(stem) => word.text.starts_with(stem),
                None => word.text == *part,
            })
    }
}

fn first_byte(text: &str) -> u8 {
    text.bytes().next().unwrap_or_default()
}
