//! Keeps the model's own markup out of the text.
//!
//! Models that think mark their thinking by tags, and models that call tools mark the calls by tokens of
//! their own; the API should have read both, and now and then does not. Thinking that stands between its
//! tags at the beginning is taken out. A tag that closes what was never opened, or a mark of a tool call,
//! means that what came before it or after it was never meant for the user: that is an error.
//!
//! Invariant: the result depends on the text alone, never on how it was cut into pieces. At most as much
//! as might be the beginning of a mark is held back.

/// Before thinking.
const OPEN: &str = "<think>";
/// After it.
const CLOSE: &str = "</think>";
/// Begins every token of a tool call; the bar is not that of ASCII.
const TOKEN: &str = "<\u{ff5c}";

/// The text held markup that cannot be taken out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("text holds the model's own markup")]
pub struct Leak {
    /// The text before it.
    pub before: String,
}

/// A filter for one answer.
#[derive(Debug, Default)]
pub struct Filter {
    place: Place,
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Thinking,
    Text,
}

impl Filter {
    /// Takes the next piece and returns what may be shown by now.
    pub fn push(&mut self, piece: &str) -> Result<String, Leak> {
        self.held.push_str(piece);
        if self.place == Place::Start {
            self.start();
        }
        if self.place == Place::Thinking {
            self.think();
        }
        if self.place == Place::Text { self.text() } else { Ok(String::new()) }
    }

    /// Returns what was held back, once there is no more to come.
    pub fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        if self.place == Place::Thinking { String::new() } else { rest }
    }

    fn start(&mut self) {
        let text = self.held.trim_start();
        if let Some(rest) = text.strip_prefix(OPEN) {
            self.held = rest.to_owned();
            self.place = Place::Thinking;
        } else if !OPEN.starts_with(text) {
            self.place = Place::Text;
        }
    }

    fn think(&mut self) {
        if let Some(at) = self.held.find(CLOSE) {
            self.held.drain(..at + CLOSE.len());
            self.place = Place::Text;
        } else {
            let kept = self.held.len() - begun(&self.held, CLOSE);
            self.held.drain(..kept);
        }
    }

    fn text(&mut self) -> Result<String, Leak> {
        let leak = [CLOSE, TOKEN].iter().filter_map(|mark| self.held.find(mark)).min();
        if let Some(at) = leak {
            self.held.truncate(at);
            return Err(Leak { before: std::mem::take(&mut self.held) });
        }
        let kept = begun(&self.held, CLOSE).max(begun(&self.held, TOKEN));
        let rest = self.held.split_off(self.held.len() - kept);
        Ok(std::mem::replace(&mut self.held, rest))
    }
}

/// Returns how many bytes at the end of `text` may be the beginning of `mark`.
fn begun(text: &str, mark: &str) -> usize {
    let ends = mark.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
    ends.filter(|at| text.ends_with(&mark[..*at])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(pieces: &[&str]) -> Result<String, Leak> {
        let mut filter = Filter::default();
        let mut text = String::new();
        for piece in pieces {
            text += &filter.push(piece)?;
        }
        Ok(text + &filter.finish())
    }

    #[test]
    fn thinking_between_its_tags_is_taken_out() {
        assert_eq!(shown(&["<think>\n", "She ", "asks.", "\n</think>\n\n", "Yes."]).unwrap(), "\n\nYes.");
        assert_eq!(shown(&[" <th", "ink>a<b</thi", "nk>Yes."]).unwrap(), "Yes.");
    }

    #[test]
    fn thinking_without_an_end_is_no_text() {
        assert_eq!(shown(&["<think>", "on and on"]).unwrap(), "");
    }

    #[test]
    fn a_closing_tag_alone_is_a_leak_and_so_is_a_token_of_a_tool_call() {
        assert_eq!(shown(&["She asks.", "</think>", "Yes."]).unwrap_err(), Leak { before: String::new() });
        assert_eq!(shown(&["I look. <", "\u{ff5c}DSML"]).unwrap_err(), Leak { before: String::new() });
        assert_eq!(shown(&["Look: </think>"]).unwrap_err(), Leak { before: "Look: ".to_owned() });
    }

    #[test]
    fn what_only_begins_like_a_mark_is_shown() {
        assert_eq!(shown(&["2 <", " 3 and a </th", "is>"]).unwrap(), "2 < 3 and a </this>");
        assert_eq!(shown(&["<thin"]).unwrap(), "<thin");
        assert_eq!(shown(&["1 <"]).unwrap(), "1 <");
    }

    proptest! {
        #[test]
        fn text_without_marks_is_shown_as_it_is(pieces in prop::collection::vec("[a-z <>/\u{e9}]{0,6}", 0..8)) {
            let whole = pieces.concat();
            prop_assume!(!whole.contains(CLOSE) && !whole.trim_start().starts_with(OPEN));

            let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();

            prop_assert_eq!(shown(&pieces).unwrap(), whole);
        }
    }
}
