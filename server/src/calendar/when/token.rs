//! Messages as words and numbers, with what stands between numbers: `9:30` is a time, `9. 30` is not.

use crate::words::fold;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lower-case letters without diacritics.
    Word(String),
    /// Digits, as they were written; at most [`DIGITS_MAX`].
    Number(String),
}

/// A word or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    kind: Kind,
    /// The one mark that joins it to what stands before, without a space; NUL where nothing at all
    /// stands between, a space otherwise.
    joint: char,
}

/// Longest number that can be part of a time: a year.
const DIGITS_MAX: usize = 4;

impl Token {
    /// Returns whether this is the word.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(text) if text == word)
    }

    /// Returns whether this is one of the words.
    pub(super) fn is_in(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(text) => Some(text),
            Kind::Number(_) => None,
        }
    }

    /// Returns the number in digits.
    pub(super) fn digits(&self) -> Option<&str> {
        match &self.kind {
            Kind::Number(digits) => Some(digits),
            Kind::Word(_) => None,
        }
    }

    /// Returns the number, in digits or in words.
    pub(super) fn number(&self) -> Option<i64> {
        match &self.kind {
            Kind::Number(digits) => digits.parse().ok(),
            Kind::Word(word) => in_words(word),
        }
    }

    /// Returns whether it follows what stands before with only this mark between.
    pub(super) fn is_joined_by(&self, marks: &[char]) -> bool {
        marks.contains(&self.joint)
    }
}

/// Returns whether tokens begin with these words.
pub(super) fn starts_with(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| token.is(word))
}

/// Splits a message into sentences of tokens. Longer digits are no tokens.
pub(super) fn sentences(message: &str) -> Vec<Vec<Token>> {
    let folded = fold(message);
    let mut sentences = vec![Vec::new()];
    let mut rest = folded.as_str();
    let mut between = String::from(" ");
    while let Some(first) = rest.chars().next() {
        let length = run(rest);
        if length == 0 {
            let (mark, after) = rest.split_at(first.len_utf8());
            if ends_sentence(first, after) {
                sentences.push(Vec::new());
            }
            between.push_str(mark);
            rest = after;
            continue;
        }
        let (text, after) = rest.split_at(length);
        let joint = joint(&between);
        let kind = if first.is_ascii_digit() {
            (text.len() <= DIGITS_MAX).then(|| Kind::Number(text.to_owned()))
        } else {
            Some(Kind::Word(text.to_owned()))
        };
        if let (Some(kind), Some(sentence)) = (kind, sentences.last_mut()) {
            sentence.push(Token { kind, joint });
        }
        between.clear();
        rest = after;
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

fn joint(between: &str) -> char {
    let mut marks = between.chars();
    match (marks.next(), marks.next()) {
        (None, _) => '\0',
        (Some(mark), None) => mark,
        _ => ' ',
    }
}

/// Length in bytes of the letters, or of the digits, that a text begins with.
fn run(text: &str) -> usize {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let same = |c: char| if is_digit { c.is_ascii_digit() } else { c.is_alphabetic() };
    text.find(|c| !same(c)).unwrap_or(text.len())
}

/// A full stop ends a sentence only before a space or the end: `9.30`, `a.m` go on.
fn ends_sentence(mark: char, after: &str) -> bool {
    match mark {
        '!' | '?' | ';' | '\n' => true,
        '.' => after.is_empty() || after.starts_with(char::is_whitespace),
        _ => false,
    }
}

/// Numbers in words: English, Spanish, French. "One" is also the article, as in "in a week".
const IN_WORDS: [(i64, &[&str]); 21] = [
    (1, &["one", "a", "an", "una", "un", "uno", "une"]),
    (2, &["two", "dos", "deux"]),
    (3, &["three", "tres", "trois"]),
    (4, &["four", "cuatro", "quatre"]),
    (5, &["five", "cinco", "cinq"]),
    (6, &["six", "seis"]),
    (7, &["seven", "siete", "sept"]),
    (8, &["eight", "ocho", "huit"]),
    (9, &["nine", "nueve", "neuf"]),
    (10, &["ten", "diez", "dix"]),
    (11, &["eleven", "once", "onze"]),
    (12, &["twelve", "doce", "douze"]),
    (13, &["thirteen", "trece", "treize"]),
    (14, &["fourteen", "catorce", "quatorze"]),
    (15, &["fifteen", "quince", "quinze"]),
    (16, &["sixteen", "dieciseis", "seize"]),
    (17, &["seventeen", "diecisiete"]),
    (18, &["eighteen", "dieciocho"]),
    (19, &["nineteen", "diecinueve"]),
    (20, &["twenty", "veinte", "vingt"]),
    (30, &["thirty", "treinta", "trente"]),
];

fn in_words(word: &str) -> Option<i64> {
    IN_WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(number, _)| *number)
}
