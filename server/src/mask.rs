//! Replaces personal data in what leaves for the model.
//!
//! Five kinds: e-mail addresses, phone numbers, US social security numbers, payment cards (by check
//! digit), medical record numbers. Weeks, pressures, dates, times and doses stay, for the answer depends
//! on them.
//!
//! Invariant: a masked text masked again is unchanged. It does not look for names or places.

mod hints;

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use hints::Hints;

/// Digits that a match of [`SSN`] has.
const SSN_DIGITS: usize = 9;
/// Digits that a match of [`CARD`] has at least.
const CARD_DIGITS_MIN: usize = 13;
/// Digits that a match of [`NUMBER`] has at least.
const NUMBER_DIGITS_MIN: usize = 7;

/// Returns the text with personal data replaced by tokens such as `<email>`.
///
/// Most texts hold none, so a look at their bytes comes before each search that it can rule out. An owned text in which
/// nothing is replaced is returned as it is.
pub fn mask<'a>(text: impl Into<Cow<'a, str>>) -> String {
    let mut text = text.into();
    let hints = Hints::of(&text);
    if hints.at_sign {
        text = replace(text, |text| EMAIL.replace_all(text, "<email>"));
    }
    if hints.record {
        text = replace(text, |text| RECORD.replace_all(text, "${label}<record>"));
    }
    if hints.digits >= SSN_DIGITS {
        text = replace(text, |text| SSN.replace_all(text, "<ssn>"));
    }
    if hints.digits >= CARD_DIGITS_MIN {
        text = replace(text, |text| CARD.replace_all(text, |found: &Captures<'_>| card(&found[0])));
    }
    if hints.digits >= NUMBER_DIGITS_MIN {
        text = replace(text, |text| NUMBER.replace_all(text, |found: &Captures<'_>| number(&found[0])));
    }
    text.into_owned()
}

/// Replaces something in a text, which is not copied where there is nothing to replace.
fn replace(text: Cow<'_, str>, with: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match with(&text) {
        Cow::Owned(replaced) => Cow::Owned(replaced),
        Cow::Borrowed(_) => text,
    }
}

#[expect(clippy::expect_used, reason = "patterns are constants, and a test compiles each")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)[\p{L}\p{N}._%+'-]+\s?(?:@|\(at\)|\[at\])\s?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}")
});

/// A label says that the number behind it is a record number: at least four characters, one digit.
static RECORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?xi)(?P<label>\b(?:mrn|medical\ record|patient\ (?:id|number|no)|record\ (?:number|no|id)
          |historia\ cl[ií]nica|expediente|n[uú]mero\ de\ paciente|dossier(?:\ m[eé]dical)?
          |num[eé]ro\ de\ (?:patient|dossier))
          [\ \t]*(?:number|no\.?|n[o°º]\.?|id|is|es|est|n[uú]mero)?[\ \t]*[:\#=]?[\ \t]*)
          [A-Z]{0,4}-?\d[A-Z0-9-]{3,}\b",
    )
});

static SSN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b\d{3}[- ]\d{2}[- ]\d{4}\b"));

/// Groups as they are printed on cards, or none.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?:\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}|\d{4}[ -]?\d{6}[ -]?\d{5}|\d{13,19})\b")
});

/// Any run of digits with the separators that phones and cards are written with.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:\+|\b00)?\(?\b?\d(?:[ \t().\-\u{a0}/]{0,3}\d){6,24}\b"));

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:(?:19|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])
          |(?:0?[1-9]|[12]\d|3[01])[-/.\ ](?:0?[1-9]|[12]\d|3[01])[-/.\ ](?:19|20)\d{2})
          (?:[\ \t]+\d{1,2}(?:[.:]\d{2})?)?$",
    )
});

/// Readings in a row, such as `120/80 130/85` or `1/2/3`.
static READINGS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\d{2,3}/\d{2,3}(?:[ \t-]+\d{2,3}/\d{2,3})*(?:[ \t]+\d{1,3})?$"));

fn card(found: &str) -> String {
    let digits: Vec<u32> = found.chars().filter_map(|c| c.to_digit(10)).collect();
    let is_card = (13..=19).contains(&digits.len()) && has_check_digit(&digits);
    if is_card { "<card>".to_owned() } else { found.to_owned() }
}

fn number(found: &str) -> String {
    let digits = found.chars().filter(char::is_ascii_digit).count();
    if DATE.is_match(found) || READINGS.is_match(found) {
        return found.to_owned();
    }
    if is_phone(found, digits) { "<phone>".to_owned() } else { found.to_owned() }
}

/// A phone number has 7 to 15 digits in groups of at least two, or a sign that it is one.
fn is_phone(found: &str, digits: usize) -> bool {
    if !(7..=15).contains(&digits) || found.contains('/') {
        return false;
    }
    if found.starts_with(['+', '(']) || found.starts_with("00") || found.starts_with('0') {
        return true;
    }
    let groups: Vec<usize> =
        found.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|n| *n > 0).collect();
    let is_long = digits >= 9 || groups.len() > 1 && groups.last().is_some_and(|n| *n == 4);
    // Lists of small numbers (`12 14 16 18`), and thousands (`1.500.000`), are no phone numbers.
    let longest = groups.iter().copied().max().unwrap_or(0);
    let is_list = groups.len() > 5 || longest < 3 && groups.len() != 5;
    let is_thousands = found.contains('.') && groups[1..].iter().all(|n| *n == 3) && groups[0] < 3;
    is_long && !is_list && !is_thousands
}

/// The Luhn check of payment cards.
fn has_check_digit(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests;
