//! Text completions, whole and in chunks.

use serde::Deserialize;
use serde_json::Value;

use super::{
    chat::{Finish, Usage},
    present, read,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextCompletion {
    id: String,
    object: String,
    created: u64,
    model: String,
    pub(crate) choices: Vec<TextChoice>,
    #[serde(default)]
    pub(crate) usage: Option<Usage>,
    system_fingerprint: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextChoice {
    index: u32,
    pub(crate) text: String,
    #[serde(deserialize_with = "present")]
    logprobs: Option<TextLogprobs>,
    #[serde(deserialize_with = "present")]
    pub(crate) finish_reason: Option<Finish>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextLogprobs {
    text_offset: Vec<usize>,
    token_logprobs: Vec<f64>,
    tokens: Vec<String>,
    top_logprobs: Vec<serde_json::Map<String, Value>>,
}

/// Reads a text reply, or a chunk of one, strictly.
pub(crate) fn text_completion(json: &str) -> TextCompletion {
    let reply: TextCompletion = read(json);
    assert_eq!((reply.object.as_str(), reply.id.len()), ("text_completion", 36), "{json}");
    assert!(reply.created > 0 && !reply.model.is_empty() && reply.system_fingerprint.starts_with("fp_"));
    for choice in &reply.choices {
        assert_eq!(choice.index, 0);
        if let Some(logprobs) = &choice.logprobs {
            let count = logprobs.tokens.len();
            assert_eq!(logprobs.tokens.concat(), choice.text);
            assert_eq!((logprobs.text_offset.len(), logprobs.token_logprobs.len()), (count, count));
            assert_eq!(logprobs.top_logprobs.len(), count);
            assert!(logprobs.token_logprobs.iter().all(|value| value.is_finite() && *value < 0.0));
            assert!(logprobs.text_offset.is_sorted());
        }
    }
    reply.usage.iter().for_each(Usage::check);
    reply
}
