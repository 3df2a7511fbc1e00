//! Tokens: how text is cut into deltas, and how usage adds up.
//!
//! DeepSeek's tokenizer is not imitated; a token is a word with the space before it, a punctuation
//! mark, or one character of a script that is written without spaces. What is exact is the
//! arithmetic: the sums of [`Usage`] always hold, and joining the tokens gives the text back.

use crate::{
    render::hash,
    request::{ChatRequest, Message},
};

/// Tokens that each message costs beside its text.
const MESSAGE_OVERHEAD: usize = 4;
/// DeepSeek's prompt cache works in blocks of so many tokens.
pub(crate) const CACHE_BLOCK: usize = 64;

/// Cuts text into tokens; their concatenation is the text.
pub(crate) fn split(text: &str) -> Vec<&str> {
    each(text).collect()
}

/// Goes through the tokens of a text.
pub(crate) fn each(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (token, after) = rest.split_at(first(rest));
        rest = after;
        (!token.is_empty()).then_some(token)
    })
}

/// Returns how long the first token is.
fn first(text: &str) -> usize {
    let mut previous = Class::Space;
    for (at, character) in text.char_indices() {
        let class = Class::of(character);
        let joins = match (previous, class) {
            (Class::Word | Class::Space, Class::Word) | (Class::Space, Class::Space) => true,
            _ => at == 0,
        };
        if !joins {
            return at;
        }
        previous = class;
    }
    text.len()
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

/// What goes into the model, as far as the bill is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) tokens: usize,
    /// For each whole block from the beginning, what stands for everything up to its end.
    pub(crate) blocks: Vec<u64>,
}

impl Prompt {
    /// Counts tools and messages in their order. Conversations of different users share nothing.
    pub(crate) fn of(request: &ChatRequest) -> Self {
        let mut count =
            Count { state: hash(request.user_id.as_deref().unwrap_or_default()), ..Count::default() };
        for tool in request.tools() {
            count.text(&tool.name);
            count.text(tool.description.as_deref().unwrap_or_default());
            count.text(&tool.parameters.as_ref().map(ToString::to_string).unwrap_or_default());
        }
        for message in &request.messages {
            count.message(message);
        }
        count.prompt
    }
}

#[derive(Default)]
struct Count {
    prompt: Prompt,
    state: u64,
}

impl Count {
    fn message(&mut self, message: &Message) {
        for _ in 0..MESSAGE_OVERHEAD {
            self.token(message.role as u64);
        }
        message.texts().for_each(|text| self.text(text));
        for call in message.calls() {
            self.text(&call.function.name);
            self.text(&call.function.arguments);
        }
    }

    fn text(&mut self, text: &str) {
        each(text).for_each(|token| self.token(hash(token)));
    }

    fn token(&mut self, value: u64) {
        self.state = (self.state.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.prompt.tokens += 1;
        if self.prompt.tokens.is_multiple_of(CACHE_BLOCK) {
            self.prompt.blocks.push(self.state);
        }
    }
}

/// The prompt's share of the usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PromptUsage {
    pub(crate) tokens: usize,
    pub(crate) cached: usize,
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

/// Room for a bill as JSON.
const JSON_USUAL: usize = 256;

impl Usage {
    /// Renders the `usage` object.
    pub(crate) fn json(&self) -> String {
        let PromptUsage { tokens, cached } = self.prompt;
        let mut json = String::with_capacity(JSON_USUAL);
        let mut put = |key: &str, number: usize| {
            json.push_str(key);
            json.push_str(itoa::Buffer::new().format(number));
        };
        put(r#"{"prompt_tokens":"#, tokens);
        put(r#","completion_tokens":"#, self.completion);
        put(r#","total_tokens":"#, tokens + self.completion);
        put(r#","prompt_tokens_details":{"cached_tokens":"#, cached);
        if let Some(reasoning) = self.reasoning {
            put(r#"},"completion_tokens_details":{"reasoning_tokens":"#, reasoning);
        }
        put(r#"},"prompt_cache_hit_tokens":"#, cached);
        put(r#","prompt_cache_miss_tokens":"#, tokens - cached);
        json.push('}');
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
    }
}
