//! Chat replies, whole and in chunks.

use serde::Deserialize;

use super::{present, read};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Completion {
    id: String,
    object: String,
    created: u64,
    model: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) usage: Usage,
    system_fingerprint: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    index: u32,
    pub(crate) message: Message,
    #[serde(deserialize_with = "present")]
    pub(crate) logprobs: Option<Logprobs>,
    pub(crate) finish_reason: Finish,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) role: Role,
    #[serde(deserialize_with = "present")]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) reasoning_content: Option<String>,
    #[serde(default)]
    pub(crate) tool_calls: Vec<Call>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Assistant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finish {
    Stop,
    Length,
    ContentFilter,
    ToolCalls,
    InsufficientSystemResource,
    Aborted,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) index: usize,
    pub(crate) id: String,
    #[serde(rename = "type")]
    kind: FunctionType,
    pub(crate) function: Function,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FunctionType {
    Function,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) arguments: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Usage {
    prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    prompt_cache_hit_tokens: u64,
    prompt_cache_miss_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logprobs {
    #[serde(deserialize_with = "present")]
    pub(crate) content: Option<Vec<Token>>,
    #[serde(deserialize_with = "present")]
    pub(crate) reasoning_content: Option<Vec<Token>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Token {
    #[serde(flatten)]
    guess: Guess,
    top_logprobs: Vec<Guess>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Guess {
    token: String,
    logprob: f64,
    bytes: Vec<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chunk {
    id: String,
    object: String,
    created: u64,
    model: String,
    system_fingerprint: String,
    pub(crate) choices: Vec<Running>,
    #[serde(default)]
    pub(crate) usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Running {
    index: u32,
    pub(crate) delta: Delta,
    #[serde(deserialize_with = "present")]
    pub(crate) logprobs: Option<Logprobs>,
    #[serde(deserialize_with = "present")]
    pub(crate) finish_reason: Option<Finish>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delta {
    #[serde(default)]
    pub(crate) role: Option<Role>,
    #[serde(default)]
    pub(crate) content: Option<String>,
    #[serde(default)]
    pub(crate) reasoning_content: Option<String>,
    #[serde(default)]
    pub(crate) tool_calls: Vec<CallDelta>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallDelta {
    pub(crate) index: usize,
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<FunctionType>,
    pub(crate) function: FunctionDelta,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionDelta {
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) arguments: String,
}

/// Reads a chat chunk strictly.
pub(crate) fn chunk(json: &str) -> Chunk {
    let chunk: Chunk = read(json);
    assert_eq!((chunk.object.as_str(), chunk.id.len()), ("chat.completion.chunk", 36), "{json}");
    assert!(chunk.created > 0 && !chunk.model.is_empty() && chunk.system_fingerprint.starts_with("fp_"));
    for choice in &chunk.choices {
        assert_eq!(choice.index, 0);
        choice.logprobs.iter().for_each(Logprobs::check);
        for call in &choice.delta.tool_calls {
            assert_eq!(call.id.is_some(), call.kind.is_some(), "{json}");
            assert_eq!(call.id.is_some(), call.function.name.is_some(), "{json}");
        }
    }
    chunk.usage.iter().for_each(Usage::check);
    chunk
}

/// Reads a whole chat reply strictly.
pub(crate) fn completion(json: &str) -> Completion {
    let reply: Completion = read(json);
    assert_eq!((reply.object.as_str(), reply.id.len(), reply.choices.len()), ("chat.completion", 36, 1));
    assert!(reply.created > 0 && !reply.model.is_empty() && reply.system_fingerprint.starts_with("fp_"));
    assert_eq!(reply.choices[0].index, 0);
    reply.choices[0].logprobs.iter().for_each(Logprobs::check);
    reply.usage.check();
    reply
}

impl Usage {
    pub(super) fn check(&self) {
        assert_eq!(self.prompt_cache_hit_tokens + self.prompt_cache_miss_tokens, self.prompt_tokens);
        assert_eq!(self.prompt_tokens + self.completion_tokens, self.total_tokens);
        assert_eq!(self.prompt_tokens_details.cached_tokens, self.prompt_cache_hit_tokens);
        assert_eq!(self.prompt_cache_hit_tokens % 64, 0);
        let reasoning = self.completion_tokens_details.as_ref().map_or(0, |details| details.reasoning_tokens);
        assert!(reasoning <= self.completion_tokens);
    }

    pub(crate) fn cached(&self) -> u64 {
        self.prompt_cache_hit_tokens
    }
}

impl Logprobs {
    fn check(&self) {
        for token in self.content.iter().chain(&self.reasoning_content).flatten() {
            for guess in std::iter::once(&token.guess).chain(&token.top_logprobs) {
                assert_eq!(guess.token.as_bytes(), guess.bytes);
                assert!(guess.logprob.is_finite() && guess.logprob < 0.0);
            }
            assert!(token.top_logprobs.is_sorted_by(|likelier, other| likelier.logprob > other.logprob));
            assert!(token.top_logprobs.first().is_none_or(|first| *first == token.guess));
        }
    }

    pub(crate) fn text(tokens: Option<&Vec<Token>>) -> String {
        tokens.into_iter().flatten().map(|token| token.guess.token.as_str()).collect()
    }
}
