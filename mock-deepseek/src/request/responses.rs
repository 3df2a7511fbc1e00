//! A request in OpenAI's Responses format: what is read of it, and the same in the common form.
//!
//! DeepSeek keeps no state there: `store`, `previous_response_id` and whatever else it does not support is
//! ignored without a word, and so are tools that are not functions and items that are not known.
//! Invariant: items keep their order; thinking and calls of one turn become one message.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ChatRequest, Content, Effort, FormatKind, Function, Message, ResponseFormat, Role, Tool, ToolChoice,
    message::{CalledFunction, Part, ToolCall},
    text_or::{Listed, TextOr},
};
use crate::render::{Dialect, ResponsesStyle};

/// The body of a request.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ResponsesRequest {
    model: String,
    input: TextOr<Item>,
    #[serde(default)]
    instructions: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    max_output_tokens: Option<i64>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    top_p: Option<f64>,
    #[serde(default)]
    tools: Option<Vec<Value>>,
    #[serde(default)]
    tool_choice: Option<Value>,
    #[serde(default)]
    text: Option<TextOptions>,
    #[serde(default)]
    reasoning: Option<Reasoning>,
    #[serde(default)]
    parallel_tool_calls: Option<bool>,
    #[serde(default)]
    metadata: Option<Map<String, Value>>,
}

/// An item; which fields it has depends on its type, which is `message` if it is left out.
#[derive(Clone, Debug, Deserialize)]
struct Item {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    role: Option<Speaker>,
    #[serde(default)]
    content: Option<TextOr<ItemPart>>,
    #[serde(default)]
    call_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
    #[serde(default)]
    output: Option<TextOr<ItemPart>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Speaker {
    User,
    Assistant,
    System,
    Developer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ItemPart {
    InputText {
        text: String,
    },
    OutputText {
        text: String,
    },
    ReasoningText {
        text: String,
    },
    Refusal {
        refusal: String,
    },
    /// An image; it is counted and not looked at.
    InputImage {},
    /// A file; it is counted and not looked at.
    InputFile {},
}

#[derive(Clone, Debug, Deserialize)]
struct TextOptions {
    #[serde(default)]
    format: Option<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Reasoning {
    #[serde(default)]
    effort: Option<Effort>,
}

impl ResponsesRequest {
    /// Brings it into the form of chat completions, and says how the reply is told.
    pub(crate) fn into_chat(self) -> (ChatRequest, Dialect) {
        let dialect = self.dialect();
        let format = self.text.as_ref().and_then(|text| text.format.as_ref());
        let kind = format.and_then(|format| format["type"].as_str());
        let schema = format.filter(|_| kind == Some("json_schema"));
        let json = kind == Some("json_object");
        let mut messages: Vec<_> = self.instructions.as_deref().map(Message::system).into_iter().collect();
        match self.input {
            TextOr::Text(text) => messages.push(Message::user(&text)),
            TextOr::List(items) => converse(items, &mut messages),
        }
        let mut chat = ChatRequest {
            messages,
            model: self.model,
            stream: self.stream,
            reasoning_effort: self.reasoning.and_then(|reasoning| reasoning.effort),
            max_tokens: self.max_output_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            tools: self.tools.map(|tools| tools.into_iter().filter_map(function).collect()),
            tool_choice: self.tool_choice.as_ref().and_then(choice),
            response_format: json.then_some(ResponseFormat { kind: FormatKind::JsonObject }),
            ..ChatRequest::default()
        };
        chat.schema = schema.map(|format| format["schema"].clone());
        (chat, dialect)
    }

    /// Each event that tells of the whole response repeats the settings.
    fn dialect(&self) -> Dialect {
        let format = self.text.as_ref().and_then(|text| text.format.clone());
        let effort = self.reasoning.and_then(|reasoning| reasoning.effort).unwrap_or(Effort::High);
        let settings = json!({
            "instructions": self.instructions,
            "max_output_tokens": self.max_output_tokens,
            "metadata": self.metadata.clone().unwrap_or_default(),
            "parallel_tool_calls": self.parallel_tool_calls.unwrap_or(true),
            "previous_response_id": null,
            "reasoning": {"effort": effort.level().as_str(), "summary": null},
            "store": false,
            "temperature": self.temperature.unwrap_or(1.0),
            "text": {"format": format.unwrap_or_else(|| json!({"type": "text"}))},
            "tool_choice": self.tool_choice.clone().unwrap_or_else(|| json!("auto")),
            "tools": self.tools.as_deref().unwrap_or_default(),
            "top_p": self.top_p.unwrap_or(1.0),
            "truncation": "disabled",
        });
        let settings = settings.to_string();
        let inner = settings.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
        Dialect::Responses(ResponsesStyle { settings: inner.into() })
    }
}

/// Makes a conversation of items.
fn converse(items: Vec<Item>, messages: &mut Vec<Message>) {
    let mut thought = None;
    for item in items {
        match item.kind.as_deref() {
            None | Some("message") => {
                let message = item.into_message(&mut thought);
                messages.push(message);
            }
            Some("reasoning") => thought = Some(item.content.map(TextOr::said).unwrap_or_default()),
            Some("function_call") => item.call(&mut thought, messages),
            Some("function_call_output") => {
                let output = item.output.map(TextOr::said).unwrap_or_default();
                messages.push(Message::tool(&item.call_id.unwrap_or_default(), &output));
            }
            Some(_) => {}
        }
    }
}

impl Item {
    fn into_message(self, thought: &mut Option<String>) -> Message {
        let role = self.role.unwrap_or(Speaker::User);
        let content = match self.content {
            Some(TextOr::Text(text)) => Content::Text(text),
            Some(TextOr::List(parts)) => Content::List(parts.into_iter().map(ItemPart::into_part).collect()),
            None => Content::Text(String::new()),
        };
        let reasoning_content = if role == Speaker::Assistant { thought.take() } else { None };
        let message = match role {
            Speaker::User => Message::user(""),
            Speaker::Assistant => Message::assistant(""),
            Speaker::System | Speaker::Developer => Message::system(""),
        };
        Message { content: Some(content), reasoning_content, ..message }
    }

    /// Adds a call to what the model said last, or lets it begin anew.
    fn call(self, thought: &mut Option<String>, messages: &mut Vec<Message>) {
        if messages.last().is_none_or(|last| last.role != Role::Assistant) {
            messages.push(Message::assistant(""));
        }
        let Some(last) = messages.last_mut() else { return };
        if let Some(thought) = thought.take() {
            last.reasoning_content.get_or_insert_default().push_str(&thought);
        }
        last.tool_calls.get_or_insert_default().push(ToolCall {
            id: self.call_id.unwrap_or_default(),
            function: CalledFunction {
                name: self.name.unwrap_or_default(),
                arguments: self.arguments.unwrap_or_default(),
            },
        });
    }
}

impl Listed for Item {}

impl Listed for ItemPart {}

impl TextOr<ItemPart> {
    fn said(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::List(parts) => parts.into_iter().filter_map(ItemPart::into_text).collect(),
        }
    }
}

impl ItemPart {
    fn into_text(self) -> Option<String> {
        match self {
            Self::InputText { text } | Self::OutputText { text } | Self::ReasoningText { text } => Some(text),
            Self::Refusal { refusal } => Some(refusal),
            Self::InputImage {} | Self::InputFile {} => None,
        }
    }

    fn into_part(self) -> Part {
        match self {
            Self::InputImage {} => Part::ImageUrl {},
            Self::InputFile {} => Part::File {},
            text => Part::Text { text: text.into_text().unwrap_or_default() },
        }
    }
}

/// Reads a function; tools of other kinds are ignored, and so is what `strict` asks.
fn function(tool: Value) -> Option<Tool> {
    let is_function = tool["type"] == "function";
    let function = serde_json::from_value::<Function>(tool).ok().filter(|_| is_function)?;
    Some(Tool::Function { function: Function { strict: None, ..function } })
}

/// Reads which tool is to be called; what is not understood is ignored.
fn choice(choice: &Value) -> Option<ToolChoice> {
    match (choice.as_str(), choice["type"].as_str()) {
        (Some("none"), _) => Some(ToolChoice::None),
        (Some("required"), _) => Some(ToolChoice::Required),
        (None, Some("function")) => choice["name"].as_str().map(|name| ToolChoice::Named(name.to_owned())),
        _ => None,
    }
}
