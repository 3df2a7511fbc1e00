//! Words and phrases that are looked for in messages, all of them at once.

use std::collections::BTreeMap;

use super::{Word, fold, split};

/// A set of phrases, each with what it stands for. A phrase is known by its folded form.
#[derive(Clone, Debug)]
pub(crate) struct Phrases<T> {
    entries: BTreeMap<String, T>,
    /// Words of the longest phrase.
    longest: usize,
}

impl<T> Default for Phrases<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), longest: 0 }
    }
}

impl<T> Phrases<T> {
    /// Puts a phrase in the set. One without words is nothing that could be found, and is left out.
    pub(crate) fn insert(&mut self, phrase: &str, entry: T) {
        let words = split(&fold(phrase)).len();
        if words > 0 {
            self.longest = self.longest.max(words);
            self.entries.insert(folded(phrase), entry);
        }
    }

    /// Returns the entries that occur among the words of a message as whole words, by folded form and each once.
    pub(crate) fn found<'a>(&'a self, words: &[Word<'_>]) -> BTreeMap<&'a str, &'a T> {
        let windows = (1..=self.longest).flat_map(|length| words.windows(length));
        let entry = |window: &[Word<'_>]| self.entries.get_key_value(&joined(window));
        windows.filter_map(entry).map(|(phrase, entry)| (phrase.as_str(), entry)).collect()
    }
}

/// Returns the form by which a phrase is known: its words in lower case, without diacritics and marks.
pub(crate) fn folded(phrase: &str) -> String {
    joined(&split(&fold(phrase)))
}

fn joined(words: &[Word<'_>]) -> String {
    let texts: Vec<_> = words.iter().map(|word| &*word.text).collect();
    texts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str) -> Vec<u32> {
        let mut phrases = Phrases::default();
        for (number, phrase) in (0..).zip(["Nausée", "brain zaps", "zaps", "l'eau", "?!"]) {
            phrases.insert(phrase, number);
        }
        let folded = fold(message);
        phrases.found(&split(&folded)).into_values().copied().collect()
    }

    #[test]
    fn whole_words_are_found_however_they_are_written_f64() {
        assert_eq!(found("NAUSEE, nausée; nausée"), [0]);
        assert_eq!(found("nauseee or a nau-see"), [0_u32; 0]);
        assert_eq!(found("I had Brain-Zaps"), [1, 2]);
        assert_eq!(found("brain and zaps, de l’eau"), [3, 2]);
        assert_eq!(found("?!"), [0_u32; 0]);
        assert_eq!(found(""), [0_u32; 0]);
    }
}
