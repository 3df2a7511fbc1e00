//! How medical terms are to be said in a language, and what is to be avoided, as administrators want it.
//!
//! Where a term occurs in what a user says, its line goes into the prompt. A glossary comes and goes as CSV ([`read`],
//! [`write`](fn@write)).
//!
//! Invariant: whatever stands in the rows, a prompt gets [`LINES_MAX`] lines at most, none longer than
//! [`LINE_CHARACTERS_MAX`] and none with a line break in it.

mod table;

use std::{cmp::Reverse, collections::BTreeMap};

use crate::{
    storage::GlossaryTerm,
    words::{self, Phrases},
};
pub use table::{
    AVOIDED_MAX, BadTable, COLUMNS, LineProblem, PROBLEMS_MAX, TERM_CHARACTERS_MAX, TERM_WORDS_MAX,
    WORDING_CHARACTERS_MAX, read, write,
};

/// Most lines of a glossary in one prompt.
pub const LINES_MAX: usize = 5;

/// Longest line of a glossary in a prompt, in characters; the rest is cut off.
pub const LINE_CHARACTERS_MAX: usize = 300;

/// The glossaries of all languages, as prompts need them.
#[derive(Clone, Debug, Default)]
pub struct Glossary(BTreeMap<String, Phrases<String>>);

impl Glossary {
    /// Adds a term to a language.
    pub fn add(&mut self, language: &str, term: &GlossaryTerm) {
        self.0.entry(language.to_owned()).or_default().insert(&term.term, line(term));
    }

    /// Returns the lines of the terms that occur in a message, in whatever case and with or without diacritics. Of too many
    /// those with the longest terms, which say most exactly what is meant.
    pub fn lines(&self, message: &str, language: &str) -> Vec<String> {
        let Some(phrases) = self.0.get(language) else { return Vec::new() };
        let folded = words::fold(message);
        let mut found: Vec<_> = phrases.found(&words::split(&folded)).into_iter().collect();
        found.sort_by_key(|(term, _)| (Reverse(term.chars().count()), *term));
        found.into_iter().take(LINES_MAX).map(|(_, line)| line.clone()).collect()
    }
}

fn line(term: &GlossaryTerm) -> String {
    let mut line = format!("- {}: say “{}”", term.term, term.preferred);
    for (before, avoided) in [", not “"].into_iter().chain(std::iter::repeat("”, “")).zip(&term.avoid) {
        line.push_str(before);
        line.push_str(avoided);
    }
    if !term.avoid.is_empty() {
        line.push('”');
    }
    let words = line.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LINE_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(term: &str, preferred: &str, avoid: &[&str]) -> GlossaryTerm {
        GlossaryTerm {
            folded: words::folded(term),
            term: term.to_owned(),
            preferred: preferred.to_owned(),
            avoid: avoid.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    #[test]
    fn the_lines_of_the_terms_that_occur_are_told_in_their_language_f63() {
        let mut glossary = Glossary::default();
        glossary.add("fr", &term("Pré-éclampsie", "prééclampsie", &["toxémie", "crise"]));
        glossary.add("fr", &term("col", "col de l'utérus", &[]));
        glossary.add("en", &term("cervix", "cervix", &["neck\nof the womb"]));

        let told = |message, language| glossary.lines(message, language).join("\n");

        insta::assert_snapshot!(told("Le COL ouvert, et la pre-eclampsie ? Le col !", "fr"), @"
        - Pré-éclampsie: say “prééclampsie”, not “toxémie”, “crise”
        - col: say “col de l'utérus”
        ");
        insta::assert_snapshot!(told("my cervix", "en"), @"- cervix: say “cervix”, not “neck of the womb”");
        assert_eq!(told("le col ouvert", "en"), "");
        assert_eq!(told("mes collègues", "fr"), "");
    }

    #[test]
    fn a_prompt_gets_few_lines_and_no_long_ones_f63() {
        let mut glossary = Glossary::default();
        let names: Vec<_> = (0..LINES_MAX + 3).map(|n| format!("term{}", "x".repeat(n))).collect();
        for name in &names {
            glossary.add("en", &term(name, &"é".repeat(LINE_CHARACTERS_MAX), &[]));
        }

        let lines = glossary.lines(&names.join(" "), "en");

        assert_eq!(lines.len(), LINES_MAX);
        assert!(lines[0].starts_with(&format!("- {}:", names[LINES_MAX + 2])));
        assert!(lines.iter().all(|line| line.chars().count() == LINE_CHARACTERS_MAX));
    }
}
