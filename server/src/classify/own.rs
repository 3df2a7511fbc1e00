//! Words of symptoms that administrators add to the compiled lists.
//!
//! A word of a language counts in messages of that language, as its list does; a language without a list of its own has
//! no messages that could be told from others, and its words count for its users.
//!
//! Invariant: none of these words can make less of a message: a symptom stays one, and a sign of an emergency is not
//! looked for here.

use std::collections::BTreeMap;

use super::{index::PerLanguage, lists::LISTS};
use crate::words::{self, Phrases, Word};

/// Longest word or phrase, in characters.
pub const SYMPTOM_CHARACTERS_MAX: usize = 40;

/// Most words of a phrase.
pub const SYMPTOM_PHRASE_MAX: usize = 4;

/// Fewest letters and digits of a word or phrase.
pub const SYMPTOM_LETTERS_MIN: usize = 2;

/// What one of these words weighs, as much as a symptom of the lists.
const WEIGHT: f64 = 2.0;

/// The words of all languages.
#[derive(Clone, Debug, Default)]
pub struct SymptomWords(BTreeMap<String, Phrases<()>>);

/// Why a word is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// There is nothing to look for.
    #[error("word is empty; write what users call the symptom")]
    Empty,
    /// It is too long.
    #[error(
        "word has {characters} characters and may have {SYMPTOM_CHARACTERS_MAX}; write what is typed, not a sentence"
    )]
    TooLong {
        /// How many it has.
        characters: usize,
    },
    /// It has too many words.
    #[error(
        "phrase has {words} words and may have {SYMPTOM_PHRASE_MAX}; write the part that names the symptom"
    )]
    TooManyWords {
        /// How many it has.
        words: usize,
    },
    /// So few letters stand in many messages.
    #[error("word needs at least {SYMPTOM_LETTERS_MIN} letters; write it out")]
    TooShort,
    /// A character is no part of a word.
    #[error("word holds `{}` (U+{:04X}); write letters, digits, spaces, hyphens and apostrophes", found.escape_debug(), u32::from(*.found))]
    Sign {
        /// The first such character.
        found: char,
    },
    /// It says nothing about how somebody feels.
    #[error("`{word}` stands in messages of every kind; write a word that names a symptom")]
    Common {
        /// The word in its folded form.
        word: String,
    },
}

/// Checks a word that is to be added, and returns the form by which it is known.
pub fn check_symptom(word: &str) -> Result<String, WordError> {
    let characters = word.trim().chars().count();
    if characters > SYMPTOM_CHARACTERS_MAX {
        return Err(WordError::TooLong { characters });
    }
    if let Some(found) = word.chars().find(|c| !is_part(*c)) {
        return Err(WordError::Sign { found });
    }
    let folded = words::folded(word);
    let parts = folded.split_whitespace().count();
    match folded.chars().filter(|c| c.is_alphanumeric()).count() {
        0 => Err(WordError::Empty),
        letters if letters < SYMPTOM_LETTERS_MIN => Err(WordError::TooShort),
        _ if parts > SYMPTOM_PHRASE_MAX => Err(WordError::TooManyWords { words: parts }),
        _ if is_common(&folded) || folded.split(' ').all(is_of_every_sentence) => {
            Err(WordError::Common { word: folded })
        }
        _ => Ok(folded),
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric()
        || unicode_normalization::char::is_combining_mark(c)
        || matches!(c, ' ' | '-' | '\'' | '\u{2019}')
}

/// Returns whether a word is one of those by which a language is known: a phrase of such words alone names nothing.
fn is_of_every_sentence(word: &str) -> bool {
    LISTS.iter().any(|list| list.common.split_whitespace().any(|common| common == word))
}

/// Returns whether a word or phrase says nothing by itself, in any language.
fn is_common(folded: &str) -> bool {
    let phrase = folded.replace(' ', "_");
    let lists =
        LISTS.iter().flat_map(|list| [list.common, list.greeting, list.thanks, list.goodbye, list.filler]);
    lists.flat_map(str::split_whitespace).any(|entry| entry == phrase)
}

impl SymptomWords {
    /// Adds a word to a language.
    pub fn add(&mut self, language: &str, word: &str) {
        self.0.entry(language.to_owned()).or_default().insert(word, ());
    }

    /// Sums the weights of the words that occur, of the languages whose lists count and of the user's own.
    pub(super) fn weight(&self, words: &[Word<'_>], (counts, language): (PerLanguage<bool>, &str)) -> f64 {
        let is_counted = |code: &str| match LISTS.iter().position(|list| list.language == code) {
            Some(at) => counts[at],
            None => code == language,
        };
        let of_these = self.0.iter().filter(|(code, _)| is_counted(code));
        // The same word in two languages counts once.
        of_these.map(|(_, phrases)| phrases.found(words).values().map(|()| WEIGHT).sum()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classify::{Intent, classify};

    fn with(words: &[(&str, &str)]) -> SymptomWords {
        let mut own = SymptomWords::default();
        for (language, word) in words {
            own.add(language, word);
        }
        own
    }

    fn intent(message: &str, language: &str, own: &SymptomWords) -> Intent {
        classify(message, language, None, own).intent
    }

    #[test]
    fn a_word_that_was_added_makes_a_symptom_however_it_is_written_f64() {
        let own = with(&[("fr", "Jambes agitées"), ("fr", "zébrures")]);

        for message in ["j'ai les jambes agitees", "J’ai les JAMBES AGITÉES", "des zebrures"] {
            assert_eq!(intent(message, "fr", &SymptomWords::default()), Intent::Unclear, "{message}");
            assert_eq!(intent(message, "fr", &own), Intent::SymptomReport, "{message}");
        }
        assert_eq!(intent("j'ai des jambes", "fr", &own), Intent::Unclear);
    }

    #[test]
    fn a_word_counts_in_its_language_alone_f64() {
        let own = with(&[("fr", "gene"), ("pt", "azia")]);

        assert_eq!(intent("what is this gene and how does it matter", "fr", &own), Intent::Unclear);
        assert_eq!(intent("j'ai une gêne depuis hier", "en", &own), Intent::SymptomReport);
        assert_eq!(intent("estou com azia", "pt", &own), Intent::SymptomReport);
        assert_eq!(intent("estou com azia", "es", &own), Intent::Unclear);
    }

    #[test]
    fn what_names_no_symptom_is_refused_in_words_f64() {
        let wrong = [
            "",
            " - ",
            "z",
            "mi\u{7}graine",
            "pain!",
            "a b c d e",
            &"x".repeat(SYMPTOM_CHARACTERS_MAX + 1),
            "The",
            "Très",
            "good morning",
            "I am",
        ];

        let said: Vec<_> = wrong.iter().map(|word| check_symptom(word).unwrap_err().to_string()).collect();

        insta::assert_snapshot!(said.join("\n"), @r#"
        word is empty; write what users call the symptom
        word is empty; write what users call the symptom
        word needs at least 2 letters; write it out
        word holds `\u{7}` (U+0007); write letters, digits, spaces, hyphens and apostrophes
        word holds `!` (U+0021); write letters, digits, spaces, hyphens and apostrophes
        phrase has 5 words and may have 4; write the part that names the symptom
        word has 41 characters and may have 40; write what is typed, not a sentence
        `the` stands in messages of every kind; write a word that names a symptom
        `tres` stands in messages of every kind; write a word that names a symptom
        `good morning` stands in messages of every kind; write a word that names a symptom
        `i am` stands in messages of every kind; write a word that names a symptom
        "#);
        let folded = ["Nausée", "nause\u{301}e", "  brain-zaps ", "not well"].map(check_symptom);
        assert_eq!(folded.map(Result::unwrap), ["nausee", "nausee", "brain zaps", "not well"]);
    }

    proptest! {
        #[test]
        fn a_word_that_is_taken_is_found_where_it_stands_alone_f64(word in "\\PC{0,12}|[a-zé' -]{2,20}") {
            if check_symptom(&word).is_ok() {
                let (own, folded) = (with(&[("pt", &word)]), words::fold(&word));

                let weight = own.weight(&words::split(&folded), (PerLanguage::default(), "pt"));

                prop_assert!(weight >= WEIGHT);
            }
        }
    }
}
