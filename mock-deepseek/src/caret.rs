//! Shows a place in a text: line, column, the line itself and a caret under it.
//!
//! Invariant: a place is found for every span, also for one beyond the end of the text; what is shown
//! is one line of bounded length.

use std::{fmt::Write as _, ops::Range};

/// Of a long line, so many characters are shown.
const SHOWN_MAX: usize = 120;
/// Of what stands before the place, so many of them.
const BEFORE_MAX: usize = 60;

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    source: String,
    /// Characters under which the caret stands; one at least.
    width: usize,
}

impl Place {
    /// Finds the place of a span of bytes.
    pub(crate) fn of(text: &str, span: &Range<usize>) -> Self {
        let start = floor(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let source = text[line_start..].lines().next().unwrap_or_default();
        let line_end = line_start + source.len();
        let end = floor(text, span.end).clamp(start, line_end.max(start));
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            source: source.to_owned(),
            width: text[start..end].trim_end().chars().count().max(1),
        }
    }

    /// Draws the line with the caret under it, and a note behind the caret.
    pub(crate) fn draw(&self, note: &str) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let skipped = (self.column - 1).saturating_sub(BEFORE_MAX);
        let shown: String = self.source.chars().skip(skipped).take(SHOWN_MAX).map(visible).collect();
        let before = self.column - 1 - skipped;
        let carets = "^".repeat(self.width.min(SHOWN_MAX.saturating_sub(before)).max(1));
        let mut text = String::new();
        let _ = writeln!(text, "{margin} |");
        let _ = writeln!(text, "{number} | {shown}");
        let line = format!("{margin} | {}{carets} {note}", " ".repeat(before));
        text.push_str(line.trim_end());
        text
    }
}

/// Control characters, tabs among them, take one column each.
fn visible(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

/// Moves a place to the text and to the start of a character.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_span_also_behind_tabs_and_wide_characters() {
        let text = "a = 1\n\tb = \"ü\" # ✓\nc = 2";
        let start = text.find("\"ü\"").unwrap();

        let place = Place::of(text, &(start..start + "\"ü\"".len()));

        assert_eq!((place.line, place.column), (2, 6));
        insta::assert_snapshot!(place.draw("here"), @r#"
          |
        2 |  b = "ü" # ✓
          |      ^^^ here
        "#);
    }

    #[test]
    fn a_span_beyond_the_end_points_behind_the_last_character() {
        let place = Place::of("abc", &(90..95));

        assert_eq!((place.line, place.column), (1, 4));
        assert_eq!(place.draw(""), "  |\n1 | abc\n  |    ^");
    }

    #[test]
    fn a_span_over_several_lines_is_shown_on_its_first() {
        assert_eq!(Place::of("[[a]]\nb = 1\n", &(0..11)).draw(""), "  |\n1 | [[a]]\n  | ^^^^^");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{}X{}", "a".repeat(500), "b".repeat(500));

        let drawn = Place::of(&text, &(500..501)).draw("");

        assert!(drawn.lines().all(|line| line.chars().count() <= SHOWN_MAX + 4), "{drawn}");
        let lines: Vec<_> = drawn.lines().collect();
        assert_eq!(lines[1].find('X'), lines[2].find('^'));
    }
}
