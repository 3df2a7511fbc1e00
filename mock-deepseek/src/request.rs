//! A chat completion request as DeepSeek reads it.
//!
//! The types are as lenient as the API: unknown fields are ignored. The errors of parsing are those
//! of serde, word for word, because DeepSeek's are too. Ranges are checked in
//! [`validate`](crate::validate), not here.

use serde::Deserialize;
use serde_json::Value;

use crate::render::{ChatStyle, Dialect, UsagePlace};

/// The body of a chat completion request.
#[derive(Clone, Debug, Deserialize)]
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
    pub(crate) max_tokens: Option<i64>,
    #[serde(default)]
    pub(crate) temperature: Option<f64>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message {
    pub(crate) role: Role,
    #[serde(default)]
    pub(crate) content: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    Tool,
    LatestReminder,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Thinking {
    #[serde(rename = "type")]
    pub(crate) mode: ThinkingMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ThinkingMode {
    Enabled,
    Disabled,
}

impl ChatRequest {
    /// Says whether a stream of events is asked for.
    pub(crate) fn streams(&self) -> bool {
        self.stream.unwrap_or_default()
    }

    /// Says whether `usage` is asked for in every chunk.
    pub(crate) fn includes_usage(&self) -> bool {
        self.stream_options.is_some_and(|options| options.include_usage)
    }

    /// Says whether the model thinks first: by request, else by the model's default.
    pub(crate) fn thinks(&self) -> bool {
        match self.thinking {
            Some(thinking) => thinking.mode == ThinkingMode::Enabled,
            None => self.base_model() != "deepseek-chat",
        }
    }

    /// Returns how chat completions tell the reply.
    pub(crate) fn dialect(&self) -> Dialect {
        let usage = if self.includes_usage() { UsagePlace::LastAndNulls } else { UsagePlace::Last };
        Dialect::Chat(ChatStyle { usage })
    }

    /// Returns the model without the faults that may be named behind it.
    pub(crate) fn base_model(&self) -> &str {
        self.model.split('+').next().unwrap_or_default()
    }

    /// Returns what the user said last; empty when they said nothing.
    pub(crate) fn last_user_text(&self) -> String {
        let last = self.messages.iter().rev().find(|message| message.role == Role::User);
        last.map(Message::text).unwrap_or_default()
    }
}

impl Message {
    /// Returns the text of the content; the text parts of a list are joined.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(extra: &str) -> ChatRequest {
        let body =
            format!(r#"{{"model":"deepseek-flash","messages":[{{"role":"user","content":"hi"}}]{extra}}}"#);
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn thinking_is_on_unless_it_is_switched_off_or_the_old_chat_model_is_asked() {
        assert!(request("").thinks());
        assert!(!request(r#","thinking":{"type":"disabled"}"#).thinks());
        assert!(!ChatRequest { model: "deepseek-chat+stall".into(), ..request("") }.thinks());
    }

    #[test]
    fn text_parts_of_a_list_are_joined() {
        let message: Message = serde_json::from_str(
            r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
        )
        .unwrap();

        assert_eq!(message.text(), "ab");
    }
}
