//! A request in Anthropic's Messages format: what is read of it, and the same in the common form.
//!
//! What DeepSeek ignores there (`top_k`, `container`, `mcp_servers`, `service_tier`, `cache_control`, the
//! budget of thinking, all of `metadata` but `user_id`) is not even named here. Invariant: blocks keep their
//! order, and nothing that the model would read is lost.

use serde::Deserialize;
use serde_json::Value;

use super::{
    ChatRequest, Content, Effort, Function, Message, Stop, Thinking, ThinkingMode, Tool, ToolChoice,
    message::{CalledFunction, Part, ToolCall},
    text_or::{Listed, TextOr},
};
use crate::{profile::ApiProfile, render::Dialect};

/// The body of a request.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MessagesRequest {
    model: String,
    max_tokens: i64,
    messages: Vec<Turn>,
    #[serde(default)]
    system: Option<Blocks>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    top_p: Option<f64>,
    #[serde(default)]
    stop_sequences: Option<Vec<String>>,
    #[serde(default)]
    tools: Option<Vec<Offer>>,
    #[serde(default)]
    tool_choice: Option<Choice>,
    #[serde(default)]
    thinking: Option<Thought>,
    #[serde(default)]
    output_config: Option<Output>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Clone, Debug, Deserialize)]
struct Turn {
    role: Speaker,
    content: Blocks,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    User,
    Assistant,
}

/// Text, or blocks of several kinds.
type Blocks = TextOr<Block>;

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    /// An image; it is counted and not looked at.
    Image {},
    /// A document; it is counted and not looked at.
    Document {},
    Thinking {
        thinking: String,
    },
    RedactedThinking {},
    ToolUse {
        id: String,
        name: String,
        input: Value,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(default)]
        content: Option<Blocks>,
    },
    /// A search that the server made; nothing of it is read.
    ServerToolUse {},
    WebSearchToolResult {},
}

/// A tool. Those that the server would run have no schema.
#[derive(Clone, Debug, Deserialize)]
struct Offer {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    input_schema: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Choice {
    Auto {},
    Any {},
    None {},
    Tool { name: String },
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Thought {
    #[serde(rename = "type")]
    mode: ThoughtMode,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ThoughtMode {
    Enabled,
    Adaptive,
    Disabled,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Output {
    #[serde(default)]
    effort: Option<Effort>,
}

#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    user_id: Option<String>,
}

impl MessagesRequest {
    /// Returns how the reply is told.
    pub(crate) const fn dialect() -> Dialect {
        Dialect::Anthropic
    }

    /// Brings it into the form of chat completions.
    pub(crate) fn into_chat(self, profile: ApiProfile) -> ChatRequest {
        let system = self.system.map(|blocks| Message::system(&blocks.text()));
        let turns = self.messages.into_iter().flat_map(Turn::into_messages);
        ChatRequest {
            messages: system.into_iter().chain(turns).collect(),
            model: mapped(&self.model, profile),
            stream: self.stream,
            thinking: self.thinking.map(|thought| Thinking { mode: thought.mode.into() }),
            reasoning_effort: self.output_config.and_then(|output| output.effort),
            max_tokens: Some(self.max_tokens),
            temperature: self.temperature,
            top_p: self.top_p,
            stop: self.stop_sequences.map(Stop),
            tools: self.tools.map(|tools| tools.into_iter().map(Offer::into_tool).collect()),
            tool_choice: self.tool_choice.map(Choice::into_choice),
            user_id: self.metadata.and_then(|metadata| metadata.user_id),
            ..ChatRequest::default()
        }
    }
}

/// Returns the model that answers for Anthropic's. What is not one of theirs is left as it is, except that
/// the API of 2025 took any name. Faults that are named behind a model stay there.
fn mapped(asked: &str, profile: ApiProfile) -> String {
    let (name, faults) = asked.split_at(asked.find('+').unwrap_or(asked.len()));
    let known = |name: &str| profile.models().iter().any(|model| model.name == name);
    let name = match profile {
        ApiProfile::Current if name.starts_with("claude-opus") => "deepseek-v4-pro",
        ApiProfile::Current if name.starts_with("claude") => "deepseek-flash",
        ApiProfile::Y2025 if !known(name) => "deepseek-chat",
        _ => name,
    };
    [name, faults].concat()
}

impl Turn {
    /// Results of tools are messages of their own, before what the user says with them.
    fn into_messages(self) -> Vec<Message> {
        let blocks = match self.content {
            TextOr::Text(text) => vec![Block::Text { text }],
            TextOr::List(blocks) => blocks,
        };
        match self.role {
            Speaker::User => said_by_user(blocks),
            Speaker::Assistant => vec![said_by_assistant(blocks)],
        }
    }
}

fn said_by_user(blocks: Vec<Block>) -> Vec<Message> {
    let (mut messages, mut parts) = (Vec::new(), Vec::new());
    for block in blocks {
        match block {
            Block::ToolResult { tool_use_id, content } => {
                let text = content.map(|blocks| blocks.text()).unwrap_or_default();
                messages.push(Message::tool(&tool_use_id, &text));
            }
            Block::Text { text } => parts.push(Part::Text { text }),
            Block::Image {} => parts.push(Part::ImageUrl {}),
            Block::Document {} => parts.push(Part::File {}),
            _ => {}
        }
    }
    if !parts.is_empty() || messages.is_empty() {
        messages.push(Message { content: Some(Content::List(parts)), ..Message::user("") });
    }
    messages
}

fn said_by_assistant(blocks: Vec<Block>) -> Message {
    let (mut text, mut thinking, mut calls) = (String::new(), None, Vec::new());
    for block in blocks {
        match block {
            Block::Text { text: more } => text.push_str(&more),
            Block::Thinking { thinking: more } => thinking.get_or_insert_with(String::new).push_str(&more),
            // What was thought there cannot be read, but it was sent back.
            Block::RedactedThinking {} => drop(thinking.get_or_insert_with(String::new)),
            Block::ToolUse { id, name, input } => {
                let arguments = input.to_string();
                calls.push(ToolCall { id, function: CalledFunction { name, arguments } });
            }
            _ => {}
        }
    }
    Message {
        reasoning_content: thinking,
        tool_calls: (!calls.is_empty()).then_some(calls),
        ..Message::assistant(&text)
    }
}

impl Listed for Block {}

impl TextOr<Block> {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(blocks) => blocks.iter().filter_map(Block::text).collect(),
        }
    }
}

impl Block {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            _ => None,
        }
    }
}

impl Offer {
    fn into_tool(self) -> Tool {
        let Self { name, description, input_schema } = self;
        Tool::Function { function: Function { name, description, parameters: input_schema, strict: None } }
    }
}

impl Choice {
    fn into_choice(self) -> ToolChoice {
        match self {
            Self::Auto {} => ToolChoice::Auto,
            Self::Any {} => ToolChoice::Required,
            Self::None {} => ToolChoice::None,
            Self::Tool { name } => ToolChoice::Named(name),
        }
    }
}

impl From<ThoughtMode> for ThinkingMode {
    fn from(mode: ThoughtMode) -> Self {
        match mode {
            ThoughtMode::Enabled | ThoughtMode::Adaptive => Self::Enabled,
            ThoughtMode::Disabled => Self::Disabled,
        }
    }
}
