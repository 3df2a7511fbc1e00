//! The messages of a conversation.

use std::borrow::Cow;

use serde::Deserialize;

use super::text_or::{Listed, TextOr};

/// One message.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Raw")]
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) content: Option<Content>,
    pub(crate) reasoning_content: Option<String>,
    pub(crate) tool_calls: Option<Vec<ToolCall>>,
    pub(crate) tool_call_id: Option<String>,
    pub(crate) prefix: Option<bool>,
}

/// A message before it is known whether it has what its role demands.
#[derive(Deserialize)]
struct Raw {
    role: Role,
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    reasoning_content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolCall>>,
    #[serde(default)]
    tool_call_id: Option<String>,
    #[serde(default)]
    prefix: Option<bool>,
}

impl TryFrom<Raw> for Message {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, &'static str> {
        let Raw { role, content, reasoning_content, tool_calls, tool_call_id, prefix } = raw;
        if role == Role::Tool && tool_call_id.is_none() {
            return Err("missing field `tool_call_id`");
        }
        if role != Role::Assistant && content.is_none() {
            return Err("missing field `content`");
        }
        Ok(Self { role, content, reasoning_content, tool_calls, tool_call_id, prefix })
    }
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

/// A call that the model made earlier.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) function: CalledFunction,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct CalledFunction {
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// Text, or parts of several kinds.
pub(crate) type Content = TextOr<Part>;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Part {
    Text {
        text: String,
    },
    /// An image; it is counted and not looked at.
    ImageUrl {},
    /// A file; it is counted and not looked at.
    File {},
}

impl Listed for Part {
    const EXPECTED: &'static str = "a string or a list of content parts";
}

impl Message {
    /// Makes what a user says.
    pub(crate) fn user(text: &str) -> Self {
        Self::said(Role::User, text)
    }

    /// Makes what stands above the conversation.
    pub(super) fn system(text: &str) -> Self {
        Self::said(Role::System, text)
    }

    /// Makes what the model said.
    pub(super) fn assistant(text: &str) -> Self {
        Self::said(Role::Assistant, text)
    }

    /// Makes what the call of this id gave.
    pub(super) fn tool(id: &str, text: &str) -> Self {
        Self { tool_call_id: Some(id.to_owned()), ..Self::said(Role::Tool, text) }
    }

    fn said(role: Role, text: &str) -> Self {
        Self {
            role,
            content: Some(Content::Text(text.to_owned())),
            reasoning_content: None,
            tool_calls: None,
            tool_call_id: None,
            prefix: None,
        }
    }

    /// Returns the text of the content; the text parts of a list are joined.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match &self.content {
            Some(Content::Text(text)) => Cow::Borrowed(text),
            _ => self.texts().collect::<String>().into(),
        }
    }

    /// Goes through the texts of the content.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let (text, parts) = match &self.content {
            Some(Content::Text(text)) => (Some(text.as_str()), [].as_slice()),
            Some(Content::List(parts)) => (None, parts.as_slice()),
            None => (None, [].as_slice()),
        };
        text.into_iter().chain(parts.iter().filter_map(|part| match part {
            Part::Text { text } => Some(text.as_str()),
            Part::ImageUrl {} | Part::File {} => None,
        }))
    }

    /// Returns the calls that it makes.
    pub(crate) fn calls(&self) -> &[ToolCall] {
        self.tool_calls.as_deref().unwrap_or_default()
    }
}
