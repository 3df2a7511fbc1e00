//! The prompt cache: what has been read before is billed as a hit.
//!
//! Like DeepSeek's it works on whole blocks from the beginning of the conversation, per `user_id`.
//! Invariant: it is bounded; the blocks that came first are forgotten first, as on a busy disk.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use crate::tokens::{CACHE_BLOCK, Prompt, PromptUsage};

/// The most blocks that are remembered.
const BLOCKS_MAX: usize = 16_384;

/// What has been read.
#[derive(Debug, Default)]
pub(crate) struct PromptCache(Mutex<Blocks>);

#[derive(Debug, Default)]
struct Blocks {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl PromptCache {
    /// Bills the prompt and remembers it.
    pub(crate) fn bill(&self, prompt: &Prompt) -> PromptUsage {
        let Prompt { tokens, blocks } = prompt;
        if blocks.is_empty() {
            return PromptUsage { tokens: *tokens, cached: 0 };
        }
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = blocks.iter().take_while(|block| cache.known.contains(block)).count();
        blocks[hits..].iter().for_each(|block| cache.learn(*block));
        PromptUsage { tokens: *tokens, cached: hits * CACHE_BLOCK }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Blocks::default();
    }
}

impl Blocks {
    fn learn(&mut self, block: u64) {
        if !self.known.insert(block) {
            return;
        }
        self.order.push_back(block);
        if self.order.len() > BLOCKS_MAX {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.known.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ChatRequest;

    fn prompt(words: usize, user: &str) -> Prompt {
        let request = ChatRequest::asking(&"word ".repeat(words));
        Prompt::of(&ChatRequest { user_id: Some(user.to_owned()), ..request })
    }

    #[test]
    fn what_was_read_before_is_a_hit_in_whole_blocks_m13() {
        let cache = PromptCache::default();

        let first = cache.bill(&prompt(100, "a"));
        let again = cache.bill(&prompt(200, "a"));
        let other = cache.bill(&prompt(200, "b"));

        assert_eq!((first.tokens, first.cached), (105, 0));
        assert_eq!((again.tokens, again.cached, other.cached), (205, 64, 0));
    }

    #[test]
    fn a_prompt_that_begins_otherwise_hits_nothing() {
        let cache = PromptCache::default();
        cache.bill(&prompt(100, "a"));

        let other = Prompt::of(&ChatRequest::asking(&format!("other {}", "word ".repeat(100))));

        assert_eq!(cache.bill(&other).cached, 0);
    }

    #[test]
    fn it_does_not_grow_beyond_its_bound() {
        let cache = PromptCache::default();

        cache.bill(&Prompt { tokens: 0, blocks: (0..3 * BLOCKS_MAX as u64).collect() });

        let blocks = cache.0.lock().unwrap();
        assert_eq!((blocks.known.len(), blocks.order.len()), (BLOCKS_MAX, BLOCKS_MAX));
    }
}
