//! A chat completion request as DeepSeek reads it.
//!
//! The types are as lenient as the API: unknown fields are ignored. The errors of parsing are those
//! of serde, word for word, because DeepSeek's are too. Ranges are checked in
//! [`validate`](crate::validate), not here. Other surfaces read their own bodies and bring them into this
//! form.

mod anthropic;
mod completion;
mod message;
mod options;
mod responses;
mod text_or;
mod tools;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    profile::ApiProfile,
    render::{ChatStyle, Dialect, UsagePlace},
    tokens::Prompt,
};

pub(crate) use anthropic::MessagesRequest;
pub(crate) use completion::CompletionRequest;
pub(crate) use message::{Content, Message, Role};
pub(crate) use options::{Effort, FormatKind, ResponseFormat, Stop, StreamOptions, Thinking, ThinkingMode};
pub(crate) use responses::ResponsesRequest;
pub(crate) use tools::{Function, Tool, ToolChoice};

/// The body of a chat completion request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ChatRequest {
    pub(crate) messages: Vec<Message>,
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    pub(crate) stream_options: Option<StreamOptions>,
    #[serde(default)]
    pub(crate) thinking: Option<Thinking>,
    #[serde(default)]
    pub(crate) reasoning_effort: Option<Effort>,
    #[serde(default)]
    pub(crate) max_tokens: Option<i64>,
    #[serde(default)]
    pub(crate) n: Option<i64>,
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
    pub(crate) response_format: Option<ResponseFormat>,
    #[serde(default)]
    pub(crate) tools: Option<Vec<Tool>>,
    #[serde(default)]
    pub(crate) tool_choice: Option<ToolChoice>,
    #[serde(default)]
    pub(crate) logprobs: Option<bool>,
    #[serde(default)]
    pub(crate) top_logprobs: Option<u8>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    /// What the text must satisfy, in forms that take a schema.
    #[serde(skip)]
    pub(crate) schema: Option<Value>,
    /// What validation has worked out.
    #[serde(skip)]
    pub(crate) resolved: Resolved,
}

/// What follows from the request and the state of the API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) profile: ApiProfile,
    /// The model that the reply names.
    pub(crate) model: String,
    pub(crate) thinks: bool,
    /// So many tokens may be said; without a limit when it is left out.
    pub(crate) budget: Option<usize>,
    pub(crate) prompt: Prompt,
}

impl ChatRequest {
    /// Makes the request of somebody who says this, as if it had been checked.
    pub(crate) fn asking(text: &str) -> Self {
        let mut request = Self {
            messages: vec![Message::user(text)],
            model: "deepseek-flash".to_owned(),
            ..Self::default()
        };
        "deepseek-flash".clone_into(&mut request.resolved.model);
        request.resolved.prompt = Prompt::of(&request);
        request
    }

    /// Says whether a stream of events is asked for.
    pub(crate) fn streams(&self) -> bool {
        self.stream.unwrap_or_default()
    }

    /// Returns how chat completions tell the reply.
    pub(crate) fn dialect(&self) -> Dialect {
        let usage = match (self.includes_usage(), self.resolved.profile) {
            (false, ApiProfile::Current) => UsagePlace::Last,
            (true, ApiProfile::Current) => UsagePlace::LastAndNulls,
            (false, ApiProfile::Y2025) => UsagePlace::Nowhere,
            (true, ApiProfile::Y2025) => UsagePlace::Apart,
        };
        let logprobs = self.logprobs.unwrap_or_default().then(|| self.top_logprobs.unwrap_or_default());
        Dialect::Chat(ChatStyle { usage, logprobs })
    }

    /// Says whether `usage` is asked for in the stream.
    pub(crate) fn includes_usage(&self) -> bool {
        self.stream_options.is_some_and(|options| options.include_usage)
    }

    /// Says whether the text must be JSON.
    pub(crate) fn wants_json(&self) -> bool {
        self.response_format.is_some_and(|format| format.kind == FormatKind::JsonObject)
    }

    /// Returns the model without the faults that may be named behind it.
    pub(crate) fn base_model(&self) -> &str {
        self.model.split('+').next().unwrap_or_default()
    }

    /// Returns what the user said last; empty when they said nothing.
    pub(crate) fn last_user_text(&self) -> Cow<'_, str> {
        let last = self.messages.iter().rev().find(|message| message.role == Role::User);
        last.map(Message::text).unwrap_or_default()
    }

    /// Returns the tools that may be called.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &Function> {
        let none = self.tool_choice == Some(ToolChoice::None);
        let tools = self.tools.as_deref().filter(|_| !none).unwrap_or_default();
        tools.iter().map(|Tool::Function { function }| function)
    }

    /// Returns the beginning of the reply that the client has written already.
    pub(crate) fn prefix(&self) -> Option<String> {
        let last = self.messages.last().filter(|message| message.prefix == Some(true));
        last.map(|message| message.text().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_parts_of_a_list_are_joined() {
        let message: Message = serde_json::from_str(
            r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
        )
        .unwrap();

        assert_eq!(message.text(), "ab");
    }
}
