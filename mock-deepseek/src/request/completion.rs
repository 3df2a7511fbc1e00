//! A text completion request (FIM): what stands before the gap, and what after it.

use serde::Deserialize;

use super::{ChatRequest, Message, Stop, StreamOptions, Thinking, ThinkingMode};
use crate::render::{CompletionStyle, Dialect};

/// The body of a text completion request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct CompletionRequest {
    pub(crate) model: String,
    pub(crate) prompt: String,
    #[serde(default)]
    pub(crate) suffix: Option<String>,
    #[serde(default)]
    pub(crate) echo: Option<bool>,
    #[serde(default)]
    pub(crate) logprobs: Option<u8>,
    #[serde(default)]
    pub(crate) max_tokens: Option<i64>,
    #[serde(default)]
    pub(crate) temperature: Option<f64>,
    #[serde(default)]
    pub(crate) top_p: Option<f64>,
    #[serde(default)]
    pub(crate) frequency_penalty: Option<f64>,
    #[serde(default)]
    pub(crate) presence_penalty: Option<f64>,
    #[serde(default)]
    pub(crate) stop: Option<Stop>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    pub(crate) stream_options: Option<StreamOptions>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
}

impl CompletionRequest {
    /// Returns how text completions tell the reply.
    pub(crate) fn dialect(&self) -> Dialect {
        let echo = self.echo.unwrap_or_default().then(|| self.prompt.as_str().into());
        let usage = self.stream_options.is_some_and(|options| options.include_usage);
        Dialect::Completion(CompletionStyle { usage, echo, logprobs: self.logprobs })
    }

    /// Brings it into the form of a conversation: prompt and suffix are said by the user.
    pub(crate) fn into_chat(self) -> ChatRequest {
        let mut messages = vec![Message::user(&self.prompt)];
        if let Some(suffix) = self.suffix.filter(|suffix| !suffix.is_empty()) {
            messages.insert(0, Message::user(&suffix));
        }
        ChatRequest {
            messages,
            model: self.model,
            stream: self.stream,
            stream_options: self.stream_options,
            thinking: Some(Thinking { mode: ThinkingMode::Disabled }),
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            stop: self.stop,
            user_id: self.user_id,
            ..ChatRequest::default()
        }
    }
}
