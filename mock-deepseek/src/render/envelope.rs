//! The frame of a chunk: what all chunks of a reply have in common, rendered once.
//!
//! Invariant: a chunk is one allocation; no JSON tree is built for it. Faults splice their own
//! choices into the same frame.

use std::sync::Arc;

use bytes::Bytes;

use super::{FINGERPRINT, Stamp, quoted};

/// What stands before and after the delta of a choice that goes on.
const CHOICE: &str = r#"{"index":0,"delta":"#;
const RUNNING: &str = r#","logprobs":null,"finish_reason":null}"#;
const LOGPROBS: &str = r#","logprobs":"#;
const UNFINISHED: &str = r#","finish_reason":null}"#;
const CONTENT: &str = r#"{"content":"#;
/// What ends a chunk.
const BACK: &str = "]}";
const NULLS: &str = r#"],"usage":null}"#;

/// What surrounds the chunks of one reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    front: Arc<str>,
    back: &'static str,
    shape: Shape,
}

/// How a choice carries its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In a `delta`.
    #[default]
    Plain,
    /// In a `delta` that names `reasoning_content` too.
    Thinking,
    /// In `text`.
    Text,
}

impl Envelope {
    /// Makes the frame of a reply's chunks; with `usage_everywhere`, `usage: null` stands in each.
    pub(super) fn new(stamp: &Stamp, model: &str, shape: Shape, usage_everywhere: bool) -> Self {
        let Stamp { id, created, .. } = stamp;
        let object = if shape == Shape::Text { "text_completion" } else { "chat.completion.chunk" };
        let model = quoted(model);
        Self {
            front: format!(
                r#"{{"id":"{id}","object":"{object}","created":{created},"model":{model},"system_fingerprint":"{FINGERPRINT}","choices":["#
            )
            .into(),
            back: if usage_everywhere { NULLS } else { BACK },
            shape,
        }
    }

    /// Takes what all chunks have in common from one that was recorded.
    pub(crate) fn of(chunk: &str) -> Option<Self> {
        const MARK: &str = r#""choices":["#;
        let (before, choice) = chunk.split_once(MARK)?;
        let shape = match choice {
            _ if choice.contains(r#""reasoning_content":"#) => Shape::Thinking,
            _ if choice.contains(r#""delta":"#) => Shape::Plain,
            _ => Shape::Text,
        };
        let back = if choice.ends_with(NULLS) { NULLS } else { BACK };
        Some(Self { front: [before, MARK].concat().into(), back, shape })
    }

    /// Renders a chunk whose `choices` are exactly these; an empty text for none.
    pub(crate) fn chunk(&self, choices: &str) -> Bytes {
        self.splice(&[choices])
    }

    /// Renders a chunk with one running choice whose `delta` is this JSON.
    pub(crate) fn delta(&self, delta: &str) -> Bytes {
        self.splice(&[CHOICE, delta, RUNNING])
    }

    /// Renders a chunk of visible text; `content` is JSON.
    pub(crate) fn content(&self, content: &str) -> Bytes {
        self.content_with(content, "null")
    }

    /// Renders a chunk of visible text with its probabilities; both are JSON.
    pub(super) fn content_with(&self, content: &str, logprobs: &str) -> Bytes {
        match self.shape {
            Shape::Text => self.splice(&[r#"{"index":0,"text":"#, content, LOGPROBS, logprobs, UNFINISHED]),
            _ => {
                self.splice(&[CHOICE, CONTENT, content, self.after_content(), LOGPROBS, logprobs, UNFINISHED])
            }
        }
    }

    /// Renders the delta of a chunk of visible text; `content` is JSON.
    pub(crate) fn content_delta(&self, content: &str) -> String {
        [CONTENT, content, self.after_content()].concat()
    }

    /// Renders a chunk of thinking with its probabilities; both are JSON.
    pub(super) fn reasoning(&self, content: &str, logprobs: &str) -> Bytes {
        let delta = r#"{"content":null,"reasoning_content":"#;
        self.splice(&[CHOICE, delta, content, "}", LOGPROBS, logprobs, UNFINISHED])
    }

    /// Renders the chunk that names the role.
    pub(super) fn role(&self) -> Bytes {
        self.delta(match self.shape {
            Shape::Thinking => r#"{"role":"assistant","content":null,"reasoning_content":""}"#,
            _ => r#"{"role":"assistant","content":""}"#,
        })
    }

    /// Renders the last chunk; `finish` is JSON, and usage rides on it unless it is empty.
    pub(crate) fn finish(&self, finish: &str, usage: &str) -> Bytes {
        let said = match self.shape {
            Shape::Text => r#""text":"""#.to_owned(),
            _ => format!(r#""delta":{}"#, self.content_delta(r#""""#)),
        };
        let choice = format!(r#"{{"index":0,{said},"logprobs":null,"finish_reason":{finish}}}"#);
        self.with_usage(&choice, usage)
    }

    /// Renders a chunk with these choices and the bill; without a bill it is a chunk like others.
    pub(super) fn with_usage(&self, choices: &str, usage: &str) -> Bytes {
        if usage.is_empty() {
            return self.chunk(choices);
        }
        [&*self.front, choices, r#"],"usage":"#, usage, "}"].concat().into()
    }

    fn after_content(&self) -> &'static str {
        if self.shape == Shape::Thinking { r#","reasoning_content":null}"# } else { "}" }
    }

    /// Puts the parts between front and back, in one piece of memory.
    fn splice(&self, parts: &[&str]) -> Bytes {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut chunk = Vec::with_capacity(self.front.len() + length + self.back.len());
        chunk.extend_from_slice(self.front.as_bytes());
        for part in parts {
            chunk.extend_from_slice(part.as_bytes());
        }
        chunk.extend_from_slice(self.back.as_bytes());
        chunk.into()
    }
}
