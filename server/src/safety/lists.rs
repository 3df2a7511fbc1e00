//! The lists of signs as data: `signs.txt`, compiled in.
//!
//! One line is one pattern: groups of words parted by spaces, the choices of a group by `|`. All groups
//! must occur in one clause, close together, in any order. A choice that ends in `*` is a stem. A line
//! that begins with `!` holds its own negation ("no movement") and is not cancelled by one.

/// A line of the lists.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) sign: &'static str,
    pub(super) is_negative: bool,
    /// Groups of choices.
    pub(super) groups: Vec<Vec<&'static str>>,
}

const SIGNS: &str = include_str!("signs.txt");

/// Returns all lines in order.
pub(super) fn lines() -> Vec<Line> {
    let mut sign = "";
    let mut lines = Vec::new();
    for text in SIGNS.lines().map(str::trim).filter(|text| !text.is_empty() && !text.starts_with('#')) {
        if let Some(name) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sign = name;
            continue;
        }
        let (is_negative, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let groups = text.split_whitespace().map(|group| group.split('|').collect()).collect();
        lines.push(Line { sign, is_negative, groups });
    }
    lines
}
