//! The phrases of `harmless.txt`, by the words that they begin with.
//!
//! Few words of a message begin a phrase, and only there the other words are looked at.

use std::{collections::HashMap, ops::Range};

use super::lists::{Groups, Phrases};
use crate::words::Word;

/// What a phrase says of the words around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its own words mean something else.
    Covered,
    /// Its clause tells of a time long gone, or of what may be.
    Elsewhen,
    /// What follows is told of somebody else.
    Others,
}

/// All phrases.
#[derive(Debug, Default)]
pub(super) struct Phrasebook {
    phrases: Vec<(Kind, Groups)>,
    /// Numbers of the phrases that begin with a word.
    begun: HashMap<&'static str, Vec<usize>>,
    /// Numbers of the phrases that any word may begin, or that begin with a stem.
    vague: Vec<usize>,
}

impl Phrasebook {
    pub(super) fn new(phrases: Phrases) -> Self {
        let mut built = Self::default();
        for (kind, of_kind) in [
            (Kind::Covered, phrases.covered),
            (Kind::Elsewhen, phrases.past),
            (Kind::Elsewhen, phrases.general),
            (Kind::Others, phrases.others),
        ] {
            for groups in of_kind {
                built.add(kind, groups);
            }
        }
        built
    }

    fn add(&mut self, kind: Kind, groups: Groups) {
        let (number, first) = (self.phrases.len(), groups.first().map(Vec::as_slice).unwrap_or_default());
        if first.iter().any(|choice| *choice == "_" || choice.ends_with('*')) {
            self.vague.push(number);
        } else {
            for choice in first {
                self.begun.entry(choice).or_default().push(number);
            }
        }
        self.phrases.push((kind, groups));
    }

    /// Returns the places of phrases in a message, none of which leaves its clause.
    pub(super) fn places(&self, words: &[Word<'_>]) -> impl Iterator<Item = (Kind, Range<usize>)> {
        words.iter().enumerate().flat_map(move |(at, word)| {
            let begun = self.begun.get(&*word.text).map(Vec::as_slice).unwrap_or_default();
            begun.iter().chain(&self.vague).filter_map(move |number| {
                let (kind, groups) = &self.phrases[*number];
                let place = at..at + groups.len();
                fits(groups, words.get(place.clone())?).then_some((*kind, place))
            })
        })
    }
}

fn fits(groups: &Groups, window: &[Word<'_>]) -> bool {
    let is_choice = |word: &Word<'_>, choice: &&str| match choice.strip_suffix('*') {
        Some(stem) => word.text.starts_with(stem),
        None => *choice == "_" || *choice == word.text,
    };
    let in_clause = window.first().map(|word| word.clause) == window.last().map(|word| word.clause);
    in_clause
        && groups
            .iter()
            .zip(window)
            .all(|(choices, word)| choices.iter().any(|choice| is_choice(word, choice)))
}
