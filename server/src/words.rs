//! Messages as plain words: what the word lists of [`safety`](crate::safety),
//! [`classify`](crate::classify) and [`extract`](crate::extract) are compared with.
//!
//! Folding makes `¿Sángro?` and `sangro` the same: lower case, without diacritics, without punctuation.
//! A clause ends where a mark or a contrasting conjunction stands, so that "no" in one does not reach
//! into the next.

mod phrases;

use std::borrow::Cow;

use unicode_normalization::char::{decompose_canonical, is_combining_mark};

pub(crate) use phrases::{Phrases, folded};

/// One word of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Lower-case letters or digits, without diacritics; numbers may hold one `.`. A part of the folded text, but where
    /// an apostrophe or a decimal comma stood in it.
    pub(crate) text: Cow<'a, str>,
    /// Number of the clause, from 0.
    pub(crate) clause: usize,
}

/// Conjunctions after which something else is said.
const TURNS: [&str; 10] =
    ["but", "however", "though", "pero", "aunque", "mais", "sino", "cependant", "because", "porque"];

/// Folds a text: lower case, no diacritics or ligatures, typographic apostrophes made plain.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '`' => folded.push('\''),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ﬁ' => folded.push_str("fi"),
            'ﬂ' => folded.push_str("fl"),
            _ if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            _ => decompose_canonical(c, |part| fold_part(part, &mut folded)),
        }
    }
    folded
}

/// Folds a letter, or a mark that stood on one.
fn fold_part(part: char, folded: &mut String) {
    match part {
        _ if is_apostrophe(part) => folded.push('\''),
        _ if is_combining_mark(part) || is_invisible(part) => {}
        _ => folded.extend(part.to_lowercase()),
    }
}

/// Returns whether a sign is one of those that keyboards and programs write for an apostrophe.
const fn is_apostrophe(c: char) -> bool {
    matches!(c, '`' | '\u{b4}' | '\u{2bc}' | '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{ff07}')
}

/// Returns whether a sign takes no room: nobody sees that a word holds it.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// Splits a folded message into words.
pub(crate) fn split(folded: &str) -> Vec<Word<'_>> {
    /// A guess that is rarely too low.
    const BYTES_PER_WORD: usize = 4;
    let mut words = Vec::with_capacity(folded.len() / BYTES_PER_WORD + 1);
    let (mut word, mut clause, mut rest) = (Cow::Borrowed(""), 0, folded);
    loop {
        let letters = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        word += &rest[..letters];
        let mut after = rest[letters..].chars();
        let mark = after.next();
        rest = after.as_str();
        match mark {
            Some('\'') if joins(&word, rest) => {}
            Some('.' | ',') if is_decimal(&word, rest) => word += ".",
            _ => {
                end_word(&mut words, &mut word, &mut clause);
                clause +=
                    usize::from(matches!(mark, Some('.' | ',' | ';' | ':' | '!' | '?' | '\n' | '(' | ')')));
            }
        }
        if mark.is_none() {
            return words;
        }
    }
}

fn end_word<'a>(words: &mut Vec<Word<'a>>, word: &mut Cow<'a, str>, clause: &mut usize) {
    if word.is_empty() {
        return;
    }
    let text = std::mem::take(word);
    *clause += usize::from(TURNS.contains(&&*text));
    words.push(Word { text, clause: *clause });
}

/// `don't` and `I'm` stay one word, `j'ai` and `d'eau` become two.
fn joins(before: &str, after: &str) -> bool {
    let tail = after.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    !before.is_empty() && matches!(tail, "t" | "s" | "m" | "re" | "ve" | "ll" | "d")
}

fn is_decimal(word: &str, after: &str) -> bool {
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    is_number && after.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    fn texts(message: &str) -> Vec<String> {
        split(&fold(message)).into_iter().map(|word| word.text.into_owned()).collect()
    }

    /// Folding by the book, over the whole text at once.
    fn fold_by_the_book(text: &str) -> String {
        let text = text.replace(['œ', 'Œ'], "oe").replace('ﬁ', "fi").replace('ﬂ', "fl");
        let letters = text.nfd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c));
        letters.map(|c| if is_apostrophe(c) { '\'' } else { c }).flat_map(char::to_lowercase).collect()
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
    fn no_apostrophe_and_nothing_invisible_hides_a_word() {
        for apostrophe in ['\'', '`', '\u{b4}', '\u{2bc}', '\u{2019}', '\u{201b}', '\u{2032}', '\u{ff07}'] {
            assert_eq!(
                texts(&format!("I can{apostrophe}t breathe")),
                ["i", "cant", "breathe"],
                "{apostrophe}"
            );
        }
        assert_eq!(texts("blee\u{ad}d\u{200b}ing, \u{feff}ﬁèvre"), ["bleeding", "fievre"]);
    }

    #[test]
    fn numbers_keep_their_decimals() {
        assert_eq!(texts("38,5 or 100.4."), ["38.5", "or", "100.4"]);
    }

    #[test]
    fn marks_and_contrasts_begin_a_clause() {
        let clauses: Vec<_> = split("no, i bleed but little").into_iter().map(|word| word.clause).collect();

        assert_eq!(clauses, [0, 1, 1, 2, 2]);
    }
    #[test]
    fn a_decimal_ends_after_its_second_number() {
        assert_eq!(
            texts("1,2,3 4.5.6 7.x .8 a.9 'tis o'clock rock'n'roll we'd've"),
            [
                "1.2", "3", "4.5", "6", "7", "x", "8", "a", "9", "tis", "o", "clock", "rock", "n", "roll",
                "wedve"
            ]
        );
    }

    proptest! {
        #[test]
        fn letters_are_folded_one_by_one_as_the_whole_text_is(text in "(\\PC|[a-zœŒ`´’é\u{300}\u{1fef}\u{1e9b}\u{323}]){0,40}") {
            prop_assert_eq!(fold(&text), fold_by_the_book(&text));
        }
    }
}
