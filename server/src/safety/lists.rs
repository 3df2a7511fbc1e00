//! The lists as data, compiled in: `signs.txt` and `harmless.txt`.
//!
//! One line is one pattern: groups of words parted by spaces, the choices of a group by `|`. All groups
//! must occur in one clause, close together, in any order. A choice that ends in `*` is a stem. A line
//! that begins with `!` holds its own negation ("no movement") and is not cancelled by one. `<fever>` is any
//! number that is a fever's reading.
//!
//! A line of `harmless.txt` is a phrase, whose groups stand one after the other.

/// A line of the lists.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) sign: &'static str,
    pub(super) is_negative: bool,
    pub(super) groups: Groups,
}

/// Groups of choices.
pub(super) type Groups = Vec<Vec<&'static str>>;

/// The phrases of `harmless.txt`, by section.
#[derive(Debug, Default)]
pub(super) struct Phrases {
    pub(super) covered: Vec<Groups>,
    pub(super) past: Vec<Groups>,
    pub(super) general: Vec<Groups>,
    pub(super) others: Vec<Groups>,
}

const SIGNS: &str = include_str!("signs.txt");
const HARMLESS: &str = include_str!("harmless.txt");

/// Returns all lines of the signs in order.
pub(super) fn lines() -> Vec<Line> {
    let line = |(sign, text): (&'static str, &'static str)| {
        let (is_negative, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        Line { sign, is_negative, groups: groups(text) }
    };
    sections(SIGNS).map(line).collect()
}

/// Returns the phrases that make words of the signs harmless.
pub(super) fn phrases() -> Phrases {
    let of = |name: &str| {
        sections(HARMLESS).filter(|(section, _)| *section == name).map(|(_, text)| groups(text)).collect()
    };
    Phrases { covered: of("covered"), past: of("past"), general: of("general"), others: of("others") }
}

/// Returns the lines of a list, each with the name of its section.
fn sections(list: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut section = "";
    let lines = list.lines().map(str::trim).filter(|text| !text.is_empty() && !text.starts_with('#'));
    lines.filter_map(move |text| match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(name) => {
            section = name;
            None
        }
        None => Some((section, text)),
    })
}

fn groups(text: &'static str) -> Groups {
    text.split_whitespace().map(|group| group.split('|').collect()).collect()
}
