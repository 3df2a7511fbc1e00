//! Messages as plain words: what the word lists of [`safety`](crate::safety),
//! [`classify`](crate::classify) and [`extract`](crate::extract) are compared with.
//!
//! Folding makes `¿Sángro?` and `sangro` the same: lower case, without diacritics, without punctuation.
//! A clause ends where a mark or a contrasting conjunction stands, so that "no" in one does not reach
//! into the next.

mod phrases;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

pub(crate) use phrases::{Phrases, folded};

/// One word of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Lower-case letters or digits, without diacritics; numbers may hold one `.`.
    pub(crate) text: String,
    /// Number of the clause, from 0.
    pub(crate) clause: usize,
}

/// Conjunctions after which something else is said.
const TURNS: [&str; 10] =
    ["but", "however", "though", "pero", "aunque", "mais", "sino", "cependant", "because", "porque"];

/// Folds a text: lower case, no diacritics or ligatures, typographic apostrophes made plain.
pub(crate) fn fold(text: &str) -> String {
    text.replace(['œ', 'Œ'], "oe")
        .nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if matches!(c, '\u{2019}' | '\u{2018}' | '`' | '\u{b4}') { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// Splits a message into words.
pub(crate) fn split(text: &str) -> Vec<Word> {
    let folded = fold(text);
    let mut words: Vec<Word> = Vec::new();
    let (mut word, mut clause) = (String::new(), 0);
    let mut rest = folded.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, c)| *c);
        match c {
            _ if c.is_alphanumeric() => word.push(c),
            '\'' if joins(&word, &folded[at + 1..]) => {}
            '.' | ',' if is_decimal(&word, next) => word.push('.'),
            _ => {
                end_word(&mut words, &mut word, &mut clause);
                clause += usize::from(matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\n' | '(' | ')'));
            }
        }
    }
    end_word(&mut words, &mut word, &mut clause);
    words
}

fn end_word(words: &mut Vec<Word>, word: &mut String, clause: &mut usize) {
    if word.is_empty() {
        return;
    }
    let text = std::mem::take(word);
    *clause += usize::from(TURNS.contains(&text.as_str()));
    words.push(Word { text, clause: *clause });
}

/// `don't` and `I'm` stay one word, `j'ai` and `d'eau` become two.
fn joins(before: &str, after: &str) -> bool {
    let tail: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
    !before.is_empty() && matches!(tail.as_str(), "t" | "s" | "m" | "re" | "ve" | "ll" | "d")
}

fn is_decimal(word: &str, next: Option<char>) -> bool {
    let is_number = !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    is_number && next.is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(message: &str) -> Vec<String> {
        split(message).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn case_marks_and_diacritics_fall_away() {
        assert_eq!(texts("¿SÁNGRO mucho?  Où ça! Mon cœur"), ["sangro", "mucho", "ou", "ca", "mon", "coeur"]);
    }

    #[test]
    fn apostrophes_join_in_english_and_part_in_french() {
        assert_eq!(
            texts("I’m not, don't; j'ai perdu d'eau"),
            ["im", "not", "dont", "j", "ai", "perdu", "d", "eau"]
        );
    }

    #[test]
    fn numbers_keep_their_decimals() {
        assert_eq!(texts("38,5 or 100.4."), ["38.5", "or", "100.4"]);
    }

    #[test]
    fn marks_and_contrasts_begin_a_clause() {
        let clauses: Vec<_> = split("no, I bleed but little").into_iter().map(|word| word.clause).collect();

        assert_eq!(clauses, [0, 1, 1, 2, 2]);
    }
}
