//! Finds secrets and personal data in a text.
//!
//! Invariant: what is found does not overlap and comes in the order of the text. In doubt the longer
//! and the earlier kind wins: a thing too many is replaced rather than one too few.

use std::{collections::BTreeMap, ops::Range, sync::LazyLock};

use regex::Regex;

use super::Kind;

/// The digits of a payment card.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// The digits of a telephone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// A run with more groups of digits is a table, not a card.
const GROUPS_MAX: usize = 64;

/// Something to be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// Two things are the same when this is.
    pub(super) identity: String,
}

static PLACEHOLDER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"<(key|secret|user|email|card|phone)-([0-9]{1,9})>"));
/// Keys by their well-known beginnings, bearer tokens, signed tokens, private keys.
static KEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:sk|pk|rk|ak)[-_][A-Za-z0-9_-]{8,}",
        r"|\b(?:gh[pousr]_|github_pat_|xox[abeprs]-|glpat-|hf_)[A-Za-z0-9_-]{10,}",
        r"|\bAKIA[0-9A-Z]{16}|\bAIza[0-9A-Za-z_-]{30,}",
        r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
        r"|(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))",
    ))
});
static BEARER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bbearer\s+([A-Za-z0-9._~+/=-]{8,})"));
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[\p{L}\p{N}._%+'-]+(?:@|%40)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+"));
static DIGITS: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9](?:[ -]?[0-9]){12,}"));
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        // With the country: +49 (0)30 1234-567, 0049 30 1234567.
        r"(?:\+|\b00)[1-9](?:[ ./()-]{0,3}[0-9]){6,14}",
        // With an area code that begins with 0: 030 1234567, 0171-123 45 67.
        r"|\b0[1-9][0-9]{1,4}[ /-]{0,3}[0-9]{3,}(?:[ -]?[0-9]{2,})*",
        // North America: (415) 555-2671, 415-555-2671, 415.555.2671.
        r"|\([2-9][0-9]{2}\) ?[0-9]{3}[ .-][0-9]{4}|\b[2-9][0-9]{2}[ .-][0-9]{3}[ .-][0-9]{4}",
        // Mobile numbers of China: 138 1234 5678.
        r"|\b1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}",
    ))
});

#[expect(clippy::expect_used, reason = "patterns are constants, and the tests compile each")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

/// Finds everything. `known` are values to be found wherever they stand as words.
pub(super) fn find(text: &str, known: &[(String, Kind)]) -> Vec<Found> {
    let mut all = Findings::default();
    for capture in PLACEHOLDER.captures_iter(text) {
        if let (Some(whole), Some(kind)) = (capture.get(0), kind(&capture[1])) {
            all.add(whole.range(), kind, whole.as_str().to_owned());
        }
    }
    for (value, kind) in known {
        let hits = text.match_indices(value.as_str()).map(|(start, _)| start..start + value.len());
        // A secret is one wherever it stands; a user's name may be part of an innocent word.
        for range in hits.filter(|range| *kind != Kind::User || is_word(text, range)) {
            all.add(range, *kind, value.clone());
        }
    }
    for hit in KEY.find_iter(text) {
        all.add(hit.range(), Kind::Key, hit.as_str().to_owned());
    }
    for token in BEARER.captures_iter(text).filter_map(|capture| capture.get(1)) {
        all.add(token.range(), Kind::Key, token.as_str().to_owned());
    }
    for hit in EMAIL.find_iter(text) {
        all.add(hit.range(), Kind::Email, hit.as_str().to_lowercase());
    }
    for range in DIGITS.find_iter(text).flat_map(|run| cards(text, run.range())) {
        let digits = digits(&text[range.clone()]);
        all.add(range, Kind::Card, digits);
    }
    for hit in PHONE.find_iter(text) {
        let digits = digits(hit.as_str());
        if PHONE_DIGITS.contains(&digits.len()) && stands_alone(text, &hit.range()) {
            all.add(hit.range(), Kind::Phone, digits);
        }
    }
    all.0.into_values().collect()
}

/// Says whether the text is a placeholder and nothing else.
pub(super) fn is_placeholder(text: &str) -> bool {
    PLACEHOLDER.find(text).is_some_and(|hit| hit.range() == (0..text.len()))
}

/// Returns the placeholders of a text.
pub(super) fn placeholders(text: &str) -> impl Iterator<Item = (Kind, usize)> {
    PLACEHOLDER.captures_iter(text).filter_map(|hit| Some((kind(&hit[1])?, hit[2].parse().ok()?)))
}

fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name)
}

/// What was found, by where it begins.
#[derive(Default)]
struct Findings(BTreeMap<usize, Found>);

impl Findings {
    /// Adds what overlaps with nothing that was found before.
    fn add(&mut self, range: Range<usize>, kind: Kind, identity: String) {
        let before = self.0.range(..range.end).next_back();
        if before.is_none_or(|(_, other)| other.range.end <= range.start) {
            self.0.insert(range.start, Found { range, kind, identity });
        }
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Finds the cards in a run of digits whose groups may be parted by blanks or dashes.
fn cards(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = run.start;
    for end in (run.start..run.end).filter(|&at| !text.as_bytes()[at].is_ascii_digit()).chain([run.end]) {
        groups.push(start..end);
        start = end + 1;
    }
    groups.truncate(GROUPS_MAX);
    let mut found = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        let range = |last: usize| groups[first].start..groups[last].end;
        match (first..groups.len()).rev().find(|&last| is_card(&text[range(last)])) {
            Some(last) => {
                found.push(range(last));
                first = last + 1;
            }
            None => first += 1,
        }
    }
    found
}

/// Checks the length and the sum of Luhn.
fn is_card(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(10)).collect();
    let sum: u32 = digits.iter().rev().enumerate().map(|(place, digit)| weighed(place, *digit)).sum();
    CARD_DIGITS.contains(&digits.len()) && sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

fn weighed(place: usize, digit: u32) -> u32 {
    match (place % 2, digit * 2) {
        (0, _) => digit,
        (_, doubled) if doubled > 9 => doubled - 9,
        (_, doubled) => doubled,
    }
}

fn is_word(text: &str, range: &Range<usize>) -> bool {
    let joins = |near: Option<char>| near.is_some_and(char::is_alphanumeric);
    !joins(text[..range.start].chars().next_back()) && !joins(text[range.end..].chars().next())
}

/// Says whether digits are no part of a longer thing, such as a UUID, a version or a decimal number.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let (before, after) = (text[..range.start].chars().rev(), text[range.end..].chars());
    !runs_on(before) && !runs_on(after)
}

/// Says whether the next characters belong to the same word.
fn runs_on(mut next: impl Iterator<Item = char>) -> bool {
    match next.next() {
        Some('.' | ',' | '-' | '_' | ':' | '/') => next.next().is_some_and(char::is_alphanumeric),
        near => near.is_some_and(char::is_alphanumeric),
    }
}
