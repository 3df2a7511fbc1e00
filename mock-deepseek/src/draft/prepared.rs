//! A reply of the script, cut into its deltas once and said many times.
//!
//! Invariant: making a draft from it copies no text. Whoever keeps replies keeps them in this form.

use std::sync::LazyLock;

use crate::{chunks::Chunks, script::Reply, texts};

/// What the script says, ready to be said.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(super) reply: Reply,
    pub(super) per_chunk: usize,
    /// The visible text, if the script has one.
    pub(super) text: Option<Chunks>,
    thinking: Chunks,
}

impl Default for Prepared {
    fn default() -> Self {
        Self::of(Reply::default())
    }
}

/// The mock's own thinking, a token at a time.
static THINKING: LazyLock<Chunks> = LazyLock::new(|| Chunks::of(texts::THINKING, 1));

impl Prepared {
    /// Cuts the texts of a reply.
    pub(crate) fn of(reply: Reply) -> Self {
        let per_chunk = reply.tokens_per_chunk.unwrap_or(1).max(1);
        let text = match (&reply.pieces, &reply.text) {
            (Some(pieces), _) => Some(Chunks::exactly(pieces)),
            (None, Some(text)) => Some(Chunks::of(text, per_chunk)),
            (None, None) => None,
        };
        let thinking = match (reply.thinking.as_deref(), per_chunk) {
            (None, 1) => THINKING.clone(),
            (said, _) => Chunks::of(said.unwrap_or(texts::THINKING), per_chunk),
        };
        Self { reply, per_chunk, text, thinking }
    }

    /// Returns the visible text, if the script has one.
    #[cfg(test)]
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_ref().map(Chunks::text)
    }

    /// Returns the thinking, if there is to be any; a script that has some (or none) decides, else the request.
    pub(super) fn thinking(&self, asked: bool) -> Option<Chunks> {
        let thinks = self.reply.thinking.as_ref().map_or(asked, |thinking| !thinking.is_empty());
        thinks.then(|| self.thinking.clone())
    }
}
