//! Text cut into the deltas of a stream, shared and never copied.
//!
//! Thousands of streams say the same text at once; each of them holds two pointers and a length.
//! Invariant: the deltas join to the text, and each knows how many tokens have been said with it.

use std::{ops::Deref, sync::Arc};

use crate::tokens;

/// A text and its deltas. Cloning it is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Chunks {
    text: Arc<str>,
    /// The end of each delta: bytes and tokens from the beginning.
    ends: Arc<[(usize, usize)]>,
    /// So many deltas count; the rest has been cut off.
    kept: usize,
}

/// One delta. It derefs to its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunk {
    text: Arc<str>,
    from: usize,
    to: usize,
}

impl Chunks {
    /// Cuts a text into deltas of `per_chunk` tokens.
    pub(crate) fn of(text: &str, per_chunk: usize) -> Self {
        let tokens = tokens::split(text);
        let (mut bytes, mut said) = (0, 0);
        let ends = tokens.chunks(per_chunk.max(1)).map(|tokens| {
            bytes += tokens.iter().map(|token| token.len()).sum::<usize>();
            said += tokens.len();
            (bytes, said)
        });
        Self::new(text, ends.collect())
    }

    /// Takes the deltas as they are; empty ones stay.
    pub(crate) fn exactly<T: AsRef<str>>(pieces: &[T]) -> Self {
        let (mut bytes, mut said) = (0, 0);
        let ends = pieces.iter().map(|piece| {
            bytes += piece.as_ref().len();
            said += tokens::split(piece.as_ref()).len();
            (bytes, said)
        });
        let ends = ends.collect();
        Self::new(&pieces.iter().map(AsRef::as_ref).collect::<String>(), ends)
    }

    fn new(text: &str, ends: Arc<[(usize, usize)]>) -> Self {
        Self { text: text.into(), kept: ends.len(), ends }
    }

    /// Returns how many deltas there are.
    pub(crate) fn len(&self) -> usize {
        self.kept
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept == 0
    }

    /// Returns the whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text[..self.end().0]
    }

    /// Returns how many tokens the deltas hold together.
    pub(crate) fn tokens(&self) -> usize {
        self.end().1
    }

    /// Returns the delta at `index`.
    pub(crate) fn get(&self, index: usize) -> Option<Chunk> {
        let &(to, _) = self.ends[..self.kept].get(index)?;
        let from = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        Some(Chunk { text: Arc::clone(&self.text), from, to })
    }

    /// Goes through the deltas.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Chunk> + '_ {
        (0..self.kept).filter_map(|index| self.get(index))
    }

    /// Keeps the first `count` deltas.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.kept = self.kept.min(count);
    }

    /// Drops all deltas.
    pub(crate) fn clear(&mut self) {
        self.kept = 0;
    }

    /// Keeps the first `budget` tokens, cutting within a delta where they end there.
    pub(crate) fn keep_tokens(&mut self, budget: usize) {
        let whole = self.ends[..self.kept].partition_point(|&(_, said)| said <= budget);
        let said = whole.checked_sub(1).map_or(0, |last| self.ends[last].1);
        let part: String = match self.get(whole) {
            Some(cut) => tokens::split(&cut).into_iter().take(budget - said).collect(),
            None => String::new(),
        };
        self.truncate(whole);
        if !part.is_empty() {
            let mut pieces: Vec<_> = self.iter().map(|chunk| chunk.as_ref().to_owned()).collect();
            pieces.push(part);
            *self = Self::exactly(&pieces);
        }
    }

    /// Keeps the first `length` bytes, cutting within a delta where they end there.
    pub(crate) fn keep_bytes(&mut self, length: usize) {
        let whole = self.ends[..self.kept].partition_point(|&(bytes, _)| bytes <= length);
        let said = whole.checked_sub(1).map_or(0, |last| self.ends[last].0);
        let part = self.get(whole).filter(|_| said < length);
        self.truncate(whole);
        if let Some(part) = part {
            let mut pieces: Vec<_> = self.iter().map(|chunk| chunk.as_ref().to_owned()).collect();
            pieces.push(part[..length - said].to_owned());
            *self = Self::exactly(&pieces);
        }
    }

    fn end(&self) -> (usize, usize) {
        self.kept.checked_sub(1).map_or((0, 0), |last| self.ends[last])
    }
}

impl<T: AsRef<str>> FromIterator<T> for Chunks {
    fn from_iter<I: IntoIterator<Item = T>>(pieces: I) -> Self {
        Self::exactly(&pieces.into_iter().collect::<Vec<_>>())
    }
}

impl Default for Chunks {
    fn default() -> Self {
        Self::new("", Arc::default())
    }
}

impl PartialEq for Chunks {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.ends[..self.kept] == other.ends[..other.kept]
    }
}

impl Eq for Chunks {}

impl Deref for Chunk {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text[self.from..self.to]
    }
}

impl From<&str> for Chunk {
    fn from(text: &str) -> Self {
        Self { text: text.into(), from: 0, to: text.len() }
    }
}

impl AsRef<str> for Chunk {
    fn as_ref(&self) -> &str {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(chunks: &Chunks) -> Vec<String> {
        chunks.iter().map(|chunk| chunk.as_ref().to_owned()).collect()
    }

    #[test]
    fn tokens_are_grouped() {
        let chunks = Chunks::of("one two three", 2);

        assert_eq!(words(&chunks), ["one two", " three"]);
        assert_eq!((chunks.text(), chunks.tokens()), ("one two three", 3));
    }

    #[test]
    fn given_deltas_are_kept_also_empty_ones() {
        let chunks = Chunks::exactly(&["a b c", "", "d"]);

        assert_eq!(words(&chunks), ["a b c", "", "d"]);
        assert_eq!(chunks.tokens(), 4);
    }

    #[test]
    fn a_budget_may_end_within_a_delta() {
        let mut chunks = Chunks::of("one two three four", 3);

        chunks.keep_tokens(2);

        assert_eq!((words(&chunks), chunks.tokens()), (vec!["one two".to_owned()], 2));
        chunks.keep_tokens(0);
        assert!(chunks.is_empty());
    }

    #[test]
    fn a_text_may_end_within_a_delta() {
        let mut chunks = Chunks::of("one two three four", 3);

        chunks.keep_bytes(7);

        assert_eq!((chunks.text(), chunks.len(), chunks.tokens()), ("one two", 1, 2));
        chunks.keep_bytes(100);
        assert_eq!(chunks.text(), "one two");
    }

    #[test]
    fn what_was_cut_off_is_gone() {
        let mut chunks = Chunks::of("one two three", 1);

        chunks.truncate(1);

        assert_eq!((chunks.text(), chunks.len(), chunks.get(1).is_none()), ("one", 1, true));
    }
}
