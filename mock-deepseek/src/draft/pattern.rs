//! Makes up a text that a regular expression of the usual kind matches.
//!
//! It knows literals, classes, groups, alternatives, repetition and anchors; what it does not know gives
//! nothing, and the caller takes another text. Invariant: the first alternative and the fewest
//! repetitions are taken, so that the text is short and always the same.

use std::{iter::Peekable, str::Chars};

/// The longest text.
const LENGTH_MAX: usize = 1024;
/// Groups nested deeper are not read.
const DEPTH_MAX: usize = 16;

/// Returns a text that matches the pattern.
pub(super) fn example(pattern: &str) -> Option<String> {
    let mut reader = Reader { rest: pattern.chars().peekable(), depth: 0 };
    let text = reader.alternatives()?;
    reader.rest.peek().is_none().then_some(text)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    depth: usize,
}

impl Reader<'_> {
    /// Reads to the end or to the bracket that closes the group; the first alternative counts.
    fn alternatives(&mut self) -> Option<String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let first = self.sequence()?;
        while self.rest.next_if_eq(&'|').is_some() {
            self.sequence()?;
        }
        self.depth -= 1;
        Some(first)
    }

    fn sequence(&mut self) -> Option<String> {
        let mut text = String::new();
        while let Some(&next) = self.rest.peek() {
            if next == '|' || next == ')' {
                break;
            }
            self.rest.next();
            let unit = match next {
                '^' | '$' => continue,
                '(' => self.group()?,
                '[' => self.class()?.to_string(),
                '.' => "a".to_owned(),
                '\\' => escaped(self.rest.next()?)?.to_string(),
                '*' | '+' | '?' | '{' => return None,
                literal => literal.to_string(),
            };
            let count = self.repetition()?;
            if text.len() + unit.len() * count > LENGTH_MAX {
                return None;
            }
            text.push_str(&unit.repeat(count));
        }
        Some(text)
    }

    fn group(&mut self) -> Option<String> {
        if self.rest.next_if_eq(&'?').is_some() {
            // Only groups that do not capture are plain; looking around is beyond us.
            self.rest.next_if_eq(&':')?;
        }
        let text = self.alternatives()?;
        self.rest.next_if_eq(&')')?;
        Some(text)
    }

    /// Reads a class and returns a character of it.
    fn class(&mut self) -> Option<char> {
        if self.rest.next_if_eq(&'^').is_some() {
            return self.other_than();
        }
        let first = match self.rest.next()? {
            '\\' => escaped(self.rest.next()?)?,
            character => character,
        };
        loop {
            match self.rest.next()? {
                ']' => return Some(first),
                '\\' => drop(self.rest.next()?),
                _ => {}
            }
        }
    }

    /// Reads the rest of a negated class and returns a character that is not in it.
    fn other_than(&mut self) -> Option<char> {
        let mut ranges = Vec::new();
        loop {
            let low = match self.rest.next()? {
                ']' => break,
                // A class within the class, such as all digits: taken as everything of its sort.
                '\\' => match self.rest.next()? {
                    'd' => {
                        ranges.push('0'..='9');
                        continue;
                    }
                    'w' => {
                        ranges.extend(['a'..='z', 'A'..='Z', '0'..='9', '_'..='_']);
                        continue;
                    }
                    other => escaped(other)?,
                },
                character => character,
            };
            let is_range = self.rest.next_if_eq(&'-').is_some();
            match self.rest.peek() {
                Some(']') if is_range => ranges.extend([low..=low, '-'..='-']),
                Some(_) if is_range => ranges.push(low..=self.rest.next()?),
                _ => ranges.push(low..=low),
            }
        }
        let named = |character: &char| ranges.iter().any(|range| range.contains(character));
        ('a'..='z').chain('0'..='9').chain('!'..='/').find(|character| !named(character))
    }

    /// Reads how often the unit before is repeated, and returns the fewest times.
    fn repetition(&mut self) -> Option<usize> {
        let count = match self.rest.peek() {
            Some('*' | '?') => 0,
            Some('+') => 1,
            Some('{') => return self.counted(),
            _ => return Some(1),
        };
        self.rest.next();
        self.rest.next_if_eq(&'?');
        Some(count)
    }

    fn counted(&mut self) -> Option<usize> {
        self.rest.next();
        let mut digits = String::new();
        let mut least = None;
        loop {
            match self.rest.next()? {
                '}' => break,
                ',' => least = Some(std::mem::take(&mut digits)),
                digit if digit.is_ascii_digit() => digits.push(digit),
                _ => return None,
            }
        }
        self.rest.next_if_eq(&'?');
        least.unwrap_or(digits).parse().ok().filter(|count| *count <= LENGTH_MAX)
    }
}

/// Returns a character of an escaped class, or the character itself.
fn escaped(character: char) -> Option<char> {
    match character {
        'd' => Some('1'),
        'w' => Some('a'),
        's' => Some(' '),
        'n' => Some('\n'),
        't' => Some('\t'),
        character if character.is_ascii_alphanumeric() => None,
        character => Some(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_patterns_are_matched() {
        let cases = [
            ("^[A-Z]{3}-\\d{2,4}$", "AAA-11"),
            ("^(week|day) [0-9]+$", "week 0"),
            ("^(?:a|b)*c?d\\.$", "d."),
            ("[^a-c-]x", "dx"),
            ("^[^\\w\\]]$", "!"),
        ];

        for (pattern, text) in cases {
            assert_eq!(example(pattern).as_deref(), Some(text), "{pattern}");
        }
    }

    #[test]
    fn what_is_beyond_it_gives_nothing() {
        for pattern in ["(?=a)b", "a{2000}", "\\p{L}", "(a", "*", "[a"] {
            assert_eq!(example(pattern), None, "{pattern}");
        }
    }
}
