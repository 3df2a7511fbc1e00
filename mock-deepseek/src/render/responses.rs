//! OpenAI's Responses format: one `response`, or named and numbered events that build it item by item
//! (DEEPSEEK A1, A6). It has no `[DONE]`.
//!
//! Thinking is told as `reasoning_text`, never as a summary (deepseek-ai/awesome-deepseek-integration#738).

use std::{collections::VecDeque, sync::Arc};

use super::{Stamp, first, quoted};
use crate::{
    answer::{Kind, Marks, Piece},
    chunks::Chunk,
    draft::{Beat, Draft},
    tokens::Usage,
};

/// What a request asked of this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResponsesStyle {
    /// The settings that a response repeats: members of an object, without its braces.
    pub(crate) settings: Arc<str>,
}

/// Responses at work on one reply.
#[derive(Clone, Debug)]
pub(super) struct Responses {
    /// What makes the ids of the response and its items: 32 hexadecimal digits.
    id: String,
    created: i64,
    settings: Arc<str>,
    /// The ids of the tool calls.
    calls: Vec<String>,
    /// The item that is being told.
    open: Option<Item>,
    /// How many items have been begun.
    begun: usize,
    /// The number of the next event.
    sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Reasoning,
    Message,
    Call(usize),
}

impl Item {
    /// Returns the type of its only part; a call has none.
    const fn part(self) -> Option<&'static str> {
        match self {
            Self::Reasoning => Some("reasoning_text"),
            Self::Message => Some("output_text"),
            Self::Call(_) => None,
        }
    }
}

impl Responses {
    pub(super) fn new(style: &ResponsesStyle, draft: &Draft, stamp: &Stamp) -> Self {
        Self {
            id: stamp.id.replace('-', ""),
            created: stamp.created,
            settings: Arc::clone(&style.settings),
            calls: (0..draft.calls.len()).map(|index| stamp.call_id(index)).collect(),
            open: None,
            begun: 0,
            sequence: 0,
        }
    }

    pub(super) fn tell(&mut self, draft: &Draft, beat: Beat, more: &mut VecDeque<Piece>) -> Piece {
        let mut told = VecDeque::new();
        match beat {
            Beat::Role => {
                let response = self.response(draft, &State::running());
                told.push_back(self.event(Kind::Role, "response.created", &response));
                told.push_back(self.event(Kind::Part, "response.in_progress", &response));
            }
            Beat::Reasoning(index) => {
                self.turn_to(Some(Item::Reasoning), draft, &mut told);
                let name = "response.reasoning_text.delta";
                told.push_back(self.delta(Kind::Reasoning, name, draft.reasoning.get(index)));
            }
            Beat::Content(index) => {
                self.turn_to(Some(Item::Message), draft, &mut told);
                let name = "response.output_text.delta";
                told.push_back(self.delta(Kind::Content, name, draft.content.get(index)));
            }
            Beat::Call(call) => self.turn_to(Some(Item::Call(call)), draft, &mut told),
            Beat::Arguments(call, index) => {
                let chunk = draft.calls.get(call).and_then(|call| call.arguments.get(index));
                told.push_back(self.delta(Kind::Call, "response.function_call_arguments.delta", chunk));
            }
            Beat::Finish => {
                self.turn_to(None, draft, &mut told);
                let state = State::of(draft);
                let response = self.response(draft, &state);
                let last = self.event(Kind::Finish, state.event, &response);
                told.push_back(Piece { marks: draft.marks, ..last });
            }
            // The last event says that it is the last.
            Beat::Done => told.push_back(Piece::milestone(Marks::default())),
        }
        first(told, more)
    }

    /// Ends the item that is open, unless it is this one, and begins this one.
    fn turn_to(&mut self, item: Option<Item>, draft: &Draft, told: &mut VecDeque<Piece>) {
        if self.open == item {
            return;
        }
        if let Some(open) = self.open {
            self.close(open, draft, told);
        }
        self.open = item;
        let Some(item) = item else { return };
        self.begun += 1;
        let kind = if matches!(item, Item::Call(_)) { Kind::Call } else { Kind::Part };
        let added = format!(r#""output_index":{},"item":{}"#, self.index(), self.empty(item, draft));
        told.push_back(self.event(kind, "response.output_item.added", &added));
        if let Some(part) = item.part() {
            let place = self.place(item);
            let added = format!(r#"{place},"content_index":0,"part":{}"#, content(part, ""));
            told.push_back(self.event(Kind::Part, "response.content_part.added", &added));
        }
    }

    fn close(&mut self, item: Item, draft: &Draft, told: &mut VecDeque<Piece>) {
        let (place, whole) = (self.place(item), self.item(item, draft));
        match (item, item.part()) {
            (Item::Call(call), _) => {
                let (name, arguments) = call_text(draft, call);
                let done = format!(r#"{place},"name":{name},"arguments":{arguments}"#);
                told.push_back(self.event(Kind::Part, "response.function_call_arguments.done", &done));
            }
            (_, Some(part)) => {
                let text =
                    if item == Item::Reasoning { draft.reasoning.text() } else { draft.content.text() };
                let name = match item {
                    Item::Reasoning => "response.reasoning_text.done",
                    _ => "response.output_text.done",
                };
                let logprobs = if item == Item::Message { r#","logprobs":[]"# } else { "" };
                let done = format!(r#"{place},"content_index":0{logprobs},"text":{}"#, quoted(text));
                told.push_back(self.event(Kind::Part, name, &done));
                let done = format!(r#"{place},"content_index":0,"part":{}"#, content(part, text));
                told.push_back(self.event(Kind::Part, "response.content_part.done", &done));
            }
            (_, None) => {}
        }
        let done = format!(r#""output_index":{},"item":{whole}"#, self.index());
        told.push_back(self.event(Kind::Part, "response.output_item.done", &done));
    }

    fn index(&self) -> usize {
        self.begun.saturating_sub(1)
    }

    /// Renders where in the response something belongs.
    fn place(&self, item: Item) -> String {
        format!(r#""item_id":"{}","output_index":{}"#, self.item_id(item), self.index())
    }

    fn item_id(&self, item: Item) -> String {
        match item {
            Item::Reasoning => format!("rs_{}", self.id),
            Item::Message => format!("msg_{}", self.id),
            Item::Call(index) => format!("fc_{}_{index}", self.id),
        }
    }

    fn delta(&mut self, kind: Kind, name: &'static str, chunk: Option<Chunk>) -> Piece {
        let text = chunk.unwrap_or_default();
        let place = self.open.map(|item| self.place(item)).unwrap_or_default();
        let rest = match kind {
            Kind::Call => "",
            Kind::Content => r#","content_index":0,"logprobs":[]"#,
            _ => r#","content_index":0"#,
        };
        let members = format!(r#"{place}{rest},"delta":{}"#, quoted(&text));
        Piece { text, ..self.event(kind, name, &members) }
    }

    /// Makes an event of these members, with the next number.
    fn event(&mut self, kind: Kind, name: &'static str, members: &str) -> Piece {
        let payload = format!(r#"{{"type":"{name}","sequence_number":{},{members}}}"#, self.sequence);
        self.sequence += 1;
        Piece::named(kind, name, payload)
    }

    /// Renders an item as it begins.
    fn empty(&self, item: Item, draft: &Draft) -> String {
        let id = self.item_id(item);
        match item {
            Item::Reasoning => format!(
                r#"{{"id":"{id}","type":"reasoning","status":"in_progress","summary":[],"content":[]}}"#
            ),
            Item::Message => format!(
                r#"{{"id":"{id}","type":"message","status":"in_progress","role":"assistant","content":[]}}"#
            ),
            Item::Call(index) => {
                let (call, (name, _)) = (&self.calls[index], call_text(draft, index));
                format!(
                    r#"{{"id":"{id}","type":"function_call","status":"in_progress","call_id":"{call}","name":{name},"arguments":""}}"#
                )
            }
        }
    }

    /// Renders an item as it is in the end.
    fn item(&self, item: Item, draft: &Draft) -> String {
        let (id, status) = (self.item_id(item), status(item, draft));
        match item {
            Item::Reasoning => {
                let part = content("reasoning_text", draft.reasoning.text());
                format!(
                    r#"{{"id":"{id}","type":"reasoning","status":"{status}","summary":[],"content":[{part}]}}"#
                )
            }
            Item::Message => {
                let part = content("output_text", draft.content.text());
                format!(
                    r#"{{"id":"{id}","type":"message","status":"{status}","role":"assistant","content":[{part}]}}"#
                )
            }
            Item::Call(index) => {
                let (call, (name, arguments)) = (&self.calls[index], call_text(draft, index));
                format!(
                    r#"{{"id":"{id}","type":"function_call","status":"{status}","call_id":"{call}","name":{name},"arguments":{arguments}}}"#
                )
            }
        }
    }

    pub(super) fn whole(&self, draft: &Draft) -> String {
        let response = self.response(draft, &State::of(draft));
        response.strip_prefix(r#""response":"#).unwrap_or_default().to_owned()
    }

    /// Renders the response as it is now, as a member of an event.
    fn response(&self, draft: &Draft, state: &State) -> String {
        let Self { id, created, settings, .. } = self;
        let State { status, error, incomplete, .. } = state;
        let (output, usage) = match *status {
            "in_progress" => (String::new(), "null".to_owned()),
            _ => (self.output(draft), bill(&draft.usage())),
        };
        let model = quoted(&draft.model);
        format!(
            r#""response":{{"id":"resp_{id}","object":"response","created_at":{created},"status":"{status}","error":{error},"incomplete_details":{incomplete},"model":{model},"output":[{output}],{settings},"usage":{usage},"user":null}}"#
        )
    }

    fn output(&self, draft: &Draft) -> String {
        let reasoning = (!draft.reasoning.is_empty()).then_some(Item::Reasoning);
        let message = (!draft.content.is_empty()).then_some(Item::Message);
        let items = reasoning.into_iter().chain(message).chain((0..draft.calls.len()).map(Item::Call));
        items.map(|item| self.item(item, draft)).collect::<Vec<_>>().join(",")
    }
}

/// How the response stands, and why, as JSON.
struct State {
    /// The event that tells it.
    event: &'static str,
    status: &'static str,
    error: String,
    incomplete: &'static str,
}

impl State {
    fn running() -> Self {
        let (event, status) = ("response.in_progress", "in_progress");
        Self { event, status, error: "null".to_owned(), incomplete: "null" }
    }

    fn of(draft: &Draft) -> Self {
        let (event, status, incomplete) = match draft.finish.as_str() {
            "stop" | "tool_calls" => ("response.completed", "completed", "null"),
            "length" => ("response.incomplete", "incomplete", r#"{"reason":"max_output_tokens"}"#),
            "content_filter" => ("response.incomplete", "incomplete", r#"{"reason":"content_filter"}"#),
            _ => ("response.failed", "failed", "null"),
        };
        let error = match status {
            "failed" => format!(r#"{{"code":"server_error","message":{}}}"#, quoted(&draft.finish)),
            _ => "null".to_owned(),
        };
        Self { event, status, error, incomplete }
    }
}

/// Returns how an item ended: the last one with the response, those before it well.
fn status(item: Item, draft: &Draft) -> &'static str {
    let last = match (draft.calls.len().checked_sub(1), draft.content.is_empty()) {
        (Some(last), _) => Item::Call(last),
        (None, false) => Item::Message,
        (None, true) => Item::Reasoning,
    };
    let whole = matches!(draft.finish.as_str(), "stop" | "tool_calls") || item != last;
    if whole { "completed" } else { "incomplete" }
}

/// Renders a part of an item.
fn content(kind: &str, text: &str) -> String {
    let text = quoted(text);
    match kind {
        "output_text" => format!(r#"{{"type":"{kind}","annotations":[],"logprobs":[],"text":{text}}}"#),
        _ => format!(r#"{{"type":"{kind}","text":{text}}}"#),
    }
}

/// Renders name and arguments of a call.
fn call_text(draft: &Draft, index: usize) -> (String, String) {
    let call = draft.calls.get(index);
    call.map(|call| (quoted(&call.name), quoted(call.arguments.text()))).unwrap_or_default()
}

fn bill(usage: &Usage) -> String {
    let (input, cached, output) = (usage.prompt.tokens, usage.prompt.cached, usage.completion);
    let (reasoning, total) = (usage.reasoning.unwrap_or_default(), input + output);
    format!(
        r#"{{"input_tokens":{input},"input_tokens_details":{{"cached_tokens":{cached}}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":{reasoning}}},"total_tokens":{total}}}"#
    )
}
