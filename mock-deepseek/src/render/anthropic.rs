//! Anthropic's Messages format: one `message`, or named events that build it block by block (DEEPSEEK A1, A6).
//!
//! As seen in public, the id is a bare UUID and signs the thinking too (NousResearch/hermes-agent#21048), and
//! a block of thinking begins without a signature (QuantumNous/new-api#4763).

use std::{collections::VecDeque, fmt::Write as _};

use super::{Stamp, first, quoted, said};
use crate::{
    answer::{Kind, Piece},
    chunks::Chunk,
    draft::{Beat, Draft},
    tokens::{PromptUsage, Usage},
};

/// Messages at work on one reply.
#[derive(Clone, Debug)]
pub(super) struct Anthropic {
    id: String,
    /// The ids of the tool calls.
    calls: Vec<String>,
    /// The block that is being told.
    open: Option<Block>,
    /// How many blocks have been begun.
    begun: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Thinking,
    Text,
    Call(usize),
}

impl Anthropic {
    pub(super) fn new(draft: &Draft, stamp: &Stamp) -> Self {
        let calls = (0..draft.calls.len()).map(|index| stamp.call_id(index)).collect();
        Self { id: stamp.id.clone(), calls, open: None, begun: 0 }
    }

    pub(super) fn tell(&mut self, draft: &Draft, beat: Beat, more: &mut VecDeque<Piece>) -> Piece {
        let mut told = VecDeque::new();
        match beat {
            Beat::Role => {
                let message = format!(
                    r#"{{"type":"message_start","message":{}}}"#,
                    self.message(draft, "[]", &End::pending(draft))
                );
                told.push_back(Piece::named(Kind::Role, "message_start", message));
                told.push_back(part("ping", r#"{"type":"ping"}"#));
            }
            Beat::Reasoning(index) => {
                self.turn_to(Some(Block::Thinking), draft, &mut told);
                told.push_back(self.delta(Kind::Reasoning, "thinking", draft.reasoning.get(index)));
            }
            Beat::Content(index) => {
                self.turn_to(Some(Block::Text), draft, &mut told);
                told.push_back(self.delta(Kind::Content, "text", draft.content.get(index)));
            }
            Beat::Call(call) => self.turn_to(Some(Block::Call(call)), draft, &mut told),
            Beat::Arguments(call, index) => {
                let chunk = draft.calls.get(call).and_then(|call| call.arguments.get(index));
                told.push_back(self.delta(Kind::Call, "input_json", chunk));
            }
            Beat::Finish => {
                self.turn_to(None, draft, &mut told);
                told.push_back(finish(draft));
            }
            Beat::Done => {
                told.push_back(Piece::named(Kind::Done, "message_stop", r#"{"type":"message_stop"}"#));
            }
        }
        first(told, more)
    }

    /// Tells a delta of the block that is open.
    fn delta(&self, kind: Kind, what: &str, chunk: Option<Chunk>) -> Piece {
        let block = self.begun.saturating_sub(1);
        let piece = said(kind, chunk, |text| delta(block, what, text));
        Piece { name: DELTA, ..piece }
    }

    /// Ends the block that is open, unless it is this one, and begins this one.
    fn turn_to(&mut self, block: Option<Block>, draft: &Draft, told: &mut VecDeque<Piece>) {
        if self.open == block {
            return;
        }
        let index = self.begun.saturating_sub(1);
        if self.open == Some(Block::Thinking) {
            told.push_back(part(DELTA, delta(index, "signature", &self.id)));
        }
        if self.open.is_some() {
            told.push_back(part(
                "content_block_stop",
                format!(r#"{{"type":"content_block_stop","index":{index}}}"#),
            ));
        }
        if let Some(block) = block {
            let (index, empty) = (self.begun, self.empty(block, draft));
            let payload =
                format!(r#"{{"type":"content_block_start","index":{index},"content_block":{empty}}}"#);
            let kind = if matches!(block, Block::Call(_)) { Kind::Call } else { Kind::Part };
            told.push_back(Piece::named(kind, "content_block_start", payload));
            self.begun += 1;
        }
        self.open = block;
    }

    /// Renders a block as it begins.
    fn empty(&self, block: Block, draft: &Draft) -> String {
        match block {
            Block::Thinking => r#"{"type":"thinking","thinking":""}"#.to_owned(),
            Block::Text => r#"{"type":"text","text":""}"#.to_owned(),
            Block::Call(index) => self.call(draft, index, "{}"),
        }
    }

    fn call(&self, draft: &Draft, index: usize, input: &str) -> String {
        let (id, name) = (&self.calls[index], quoted(&draft.calls[index].name));
        format!(r#"{{"type":"tool_use","id":"{id}","name":{name},"input":{input}}}"#)
    }

    pub(super) fn whole(&self, draft: &Draft) -> String {
        let mut blocks = Vec::new();
        if !draft.reasoning.is_empty() {
            let thinking = quoted(draft.reasoning.text());
            blocks.push(format!(r#"{{"type":"thinking","thinking":{thinking},"signature":"{}"}}"#, self.id));
        }
        if !draft.content.is_empty() {
            blocks.push(format!(r#"{{"type":"text","text":{}}}"#, quoted(draft.content.text())));
        }
        for (index, call) in draft.calls.iter().enumerate() {
            blocks.push(self.call(draft, index, &object(call.arguments.text())));
        }
        self.message(draft, &format!("[{}]", blocks.join(",")), &End::of(draft))
    }

    fn message(&self, draft: &Draft, content: &str, end: &End) -> String {
        let (id, model, End { reason, sequence, usage }) = (&self.id, quoted(&draft.model), end);
        format!(
            r#"{{"id":"{id}","type":"message","role":"assistant","model":{model},"content":{content},"stop_reason":{reason},"stop_sequence":{sequence},"usage":{usage}}}"#
        )
    }
}

/// The name of all events that carry a piece of a block.
const DELTA: &str = "content_block_delta";

/// Why the message ended, and the bill, as JSON.
struct End {
    reason: String,
    sequence: String,
    usage: String,
}

impl End {
    /// The message has not ended, and nothing of it has been said.
    fn pending(draft: &Draft) -> Self {
        let null = || "null".to_owned();
        Self { reason: null(), sequence: null(), usage: bill(&draft.usage(), 0) }
    }

    /// Reasons that this format has no word for are passed on as they are.
    fn of(draft: &Draft) -> Self {
        let reason = match draft.finish.as_str() {
            "stop" if draft.stopped_by.is_some() => "stop_sequence",
            "stop" => "end_turn",
            "length" => "max_tokens",
            "tool_calls" => "tool_use",
            "content_filter" => "refusal",
            other => other,
        };
        let sequence = draft.stopped_by.as_deref().filter(|_| reason == "stop_sequence");
        let usage = draft.usage();
        Self {
            reason: quoted(reason),
            sequence: sequence.map_or_else(|| "null".to_owned(), quoted),
            usage: bill(&usage, usage.completion),
        }
    }
}

fn finish(draft: &Draft) -> Piece {
    let End { reason, sequence, usage } = End::of(draft);
    let payload = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":{reason},"stop_sequence":{sequence}}},"usage":{usage}}}"#
    );
    Piece { marks: draft.marks, ..Piece::named(Kind::Finish, "message_delta", payload) }
}

/// Renders the bill: what comes from the cache is counted apart.
fn bill(usage: &Usage, output: usize) -> String {
    let PromptUsage { tokens, cached } = usage.prompt;
    let fresh = tokens - cached;
    format!(
        r#"{{"input_tokens":{fresh},"cache_creation_input_tokens":0,"cache_read_input_tokens":{cached},"output_tokens":{output}}}"#
    )
}

/// Returns arguments as an object. What a script wants to be no JSON cannot be told in this format but as text.
fn object(arguments: &str) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(arguments) {
        Ok(_) => arguments.to_owned(),
        Err(_) => quoted(arguments),
    }
}

fn delta(block: usize, what: &str, text: &str) -> bytes::Bytes {
    let field = if what == "input_json" { "partial_json" } else { what };
    let mut payload = String::with_capacity(110 + text.len());
    // Writing to a text cannot fail.
    let _ = write!(
        payload,
        r#"{{"type":"{DELTA}","index":{block},"delta":{{"type":"{what}_delta","{field}":{}}}}}"#,
        quoted(text)
    );
    payload.into()
}

/// Makes an event that opens or closes something.
fn part(name: &'static str, payload: impl Into<bytes::Bytes>) -> Piece {
    Piece::named(Kind::Part, name, payload)
}
