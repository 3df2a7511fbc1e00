//! Tokens: how text is cut into deltas, and how usage adds up.
//!
//! DeepSeek's tokenizer is not imitated; a token is a word with the space before it, a punctuation
//! mark, or one character of a script that is written without spaces. What is exact is the
//! arithmetic: the sums of [`Usage`] always hold, and joining the tokens gives the text back.

use std::fmt::Write as _;

/// Tokens that each message costs beside its text.
const MESSAGE_OVERHEAD: usize = 4;
/// DeepSeek's prompt cache works in blocks of so many tokens.
const CACHE_BLOCK: usize = 64;

/// Cuts text into tokens; their concatenation is the text.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let (mut start, mut previous) = (0, Class::Space);
    for (at, character) in text.char_indices() {
        let class = Class::of(character);
        let joins = match (previous, class) {
            (Class::Word | Class::Space, Class::Word) => true,
            (Class::Space, Class::Space | Class::Mark) => at == start || class == Class::Space,
            _ => false,
        };
        if !joins && at > start {
            tokens.push(&text[start..at]);
            start = at;
        }
        previous = class;
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Word,
    Mark,
    /// A character that is a token by itself.
    Single,
}

impl Class {
    fn of(character: char) -> Self {
        match character {
            c if c.is_whitespace() => Self::Space,
            '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' => Self::Single,
            c if c.is_alphanumeric() || c == '\'' || c == '\u{2019}' => Self::Word,
            _ => Self::Mark,
        }
    }
}

/// The prompt's share of the usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PromptUsage {
    pub(crate) tokens: usize,
    pub(crate) cached: usize,
}

impl PromptUsage {
    /// Counts the messages, oldest first. All but the last of a running conversation is taken as cached,
    /// in whole blocks.
    pub(crate) fn count<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let sizes: Vec<_> = texts.map(|text| split(text).len() + MESSAGE_OVERHEAD).collect();
        let tokens = sizes.iter().sum();
        let last = sizes.last().copied().unwrap_or_default();
        Self { tokens, cached: (tokens - last) / CACHE_BLOCK * CACHE_BLOCK }
    }
}

/// The bill of one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: PromptUsage,
    /// Everything that was generated, thinking included.
    pub(crate) completion: usize,
    /// `None` while thinking is off: the field is left out then.
    pub(crate) reasoning: Option<usize>,
}

impl Usage {
    /// Renders the `usage` object.
    pub(crate) fn json(&self) -> String {
        let PromptUsage { tokens, cached } = self.prompt;
        let mut json = format!(
            r#"{{"prompt_tokens":{tokens},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{cached}}}"#,
            self.completion,
            tokens + self.completion,
        );
        if let Some(reasoning) = self.reasoning {
            let _ = write!(json, r#","completion_tokens_details":{{"reasoning_tokens":{reasoning}}}"#);
        }
        let _ = write!(
            json,
            r#","prompt_cache_hit_tokens":{cached},"prompt_cache_miss_tokens":{}}}"#,
            tokens - cached
        );
        json
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_carry_the_space_before_them() {
        assert_eq!(split("It’s week 12, fine."), ["It’s", " week", " 12", ",", " fine", "."]);
        assert_eq!(split("你好 you"), ["你", "好", " you"]);
        assert_eq!(split(""), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn tokens_join_to_the_text(text in "\\PC{0,80}") {
            prop_assert_eq!(split(&text).concat(), text);
        }

        #[test]
        fn usage_adds_up_m13(texts in prop::collection::vec("\\PC{0,400}", 1..8), completion in 0_usize..5000) {
            let prompt = PromptUsage::count(texts.iter().map(String::as_str));
            let usage = Usage { prompt, completion, reasoning: Some(completion / 2) };

            let json: serde_json::Value = serde_json::from_str(&usage.json()).unwrap();
            let field = |name: &str| json[name].as_u64().unwrap();

            prop_assert_eq!(field("prompt_cache_hit_tokens") + field("prompt_cache_miss_tokens"), field("prompt_tokens"));
            prop_assert_eq!(field("prompt_tokens") + field("completion_tokens"), field("total_tokens"));
            prop_assert_eq!(&json["prompt_tokens_details"]["cached_tokens"], &json["prompt_cache_hit_tokens"]);
        }
    }
}
