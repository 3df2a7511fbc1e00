//! A text that lies in pieces in other bytes: a JSON string with escapes, or the deltas of a stream.
//!
//! Invariant: each stretch of the text knows the bytes that it was read from, so that what is found in
//! the text can be replaced in the bytes.

use std::ops::Range;

/// The text, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) text: String,
    runs: Vec<Run>,
}

/// A stretch of the text. An escape is a stretch of its own, which cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    start: usize,
    raw: Range<usize>,
    is_escape: bool,
}

impl View {
    /// Adds text that stands in the bytes as it is.
    pub(super) fn plain(&mut self, text: &str, raw_start: usize) {
        if !text.is_empty() {
            let raw = raw_start..raw_start + text.len();
            self.runs.push(Run { start: self.text.len(), raw, is_escape: false });
            self.text.push_str(text);
        }
    }

    /// Adds a character that is written as an escape.
    pub(super) fn escape(&mut self, character: char, raw: Range<usize>) {
        self.runs.push(Run { start: self.text.len(), raw, is_escape: true });
        self.text.push(character);
    }

    /// Adds another view behind.
    pub(super) fn append(&mut self, other: Self) {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        self.runs.extend(other.runs.into_iter().map(|run| Run { start: run.start + shift, ..run }));
    }

    /// Returns the bytes that a range of the text was read from; neighbours are joined.
    pub(super) fn raw(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let first = self.runs.partition_point(|run| run.start <= range.start).saturating_sub(1);
        let mut found: Vec<Range<usize>> = Vec::new();
        for (index, run) in self.runs.iter().enumerate().skip(first) {
            if run.start >= range.end {
                break;
            }
            let end = self.runs.get(index + 1).map_or(self.text.len(), |next| next.start);
            let raw = if run.is_escape {
                run.raw.clone()
            } else {
                let from = range.start.max(run.start) - run.start;
                let to = range.end.min(end) - run.start;
                run.raw.start + from..run.raw.start + to
            };
            match found.last_mut() {
                Some(last) if last.end == raw.start => last.end = raw.end,
                _ => found.push(raw),
            }
        }
        found
    }
}
