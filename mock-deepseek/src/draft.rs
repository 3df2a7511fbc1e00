//! What the model says, before it has a form on the wire.
//!
//! A [`Draft`] is made from the script's reply and the request; faults of meaning (a torso, thinking
//! without an answer, an odd finish) shape it. Invariant: usage is computed from what is in the
//! draft in the end, so that it adds up under every fault.

use crate::{
    answer::{Form, Marks},
    chunks::Chunks,
    render::Dialect,
    request::ChatRequest,
    script::{FinishReason, Reply},
    texts,
    tokens::{PromptUsage, Usage},
};

/// The reply of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) form: Form,
    /// How it is told; nothing here depends on it.
    pub(crate) dialect: Dialect,
    pub(crate) model: String,
    /// Whether there is a place for thinking, even if none is said.
    pub(crate) thinks: bool,
    pub(crate) reasoning: Chunks,
    pub(crate) content: Chunks,
    /// The tools that are to be called, after the visible text.
    pub(crate) calls: Vec<Call>,
    pub(crate) finish: String,
    /// How many tokens the request allows.
    pub(crate) budget: Option<usize>,
    pub(crate) prompt: PromptUsage,
    /// Faults that show in the last event.
    pub(crate) marks: Marks,
}

/// A tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// JSON, unless the script wants it otherwise.
    pub(crate) arguments: Chunks,
}

/// A moment of the reply: what is said with one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// The role is named.
    Role,
    /// This delta of thinking.
    Reasoning(usize),
    /// This delta of the visible text.
    Content(usize),
    /// This tool is named.
    Call(usize),
    /// Of this call, this part of the arguments.
    Arguments(usize, usize),
    /// The finish reason, with the bill.
    Finish,
    /// The stream is over.
    Done,
}

impl Draft {
    /// Returns what is said after `beat`.
    pub(crate) fn after(&self, beat: Beat) -> Option<Beat> {
        let reasoning = |index| (index < self.reasoning.len()).then_some(Beat::Reasoning(index));
        let call = |index| if index < self.calls.len() { Beat::Call(index) } else { Beat::Finish };
        let content = |index| if index < self.content.len() { Beat::Content(index) } else { call(0) };
        let arguments = |of: usize, index| match self.calls.get(of) {
            Some(call) if index < call.arguments.len() => Beat::Arguments(of, index),
            _ => call(of + 1),
        };
        match beat {
            Beat::Role => Some(reasoning(0).unwrap_or_else(|| content(0))),
            Beat::Reasoning(index) => Some(reasoning(index + 1).unwrap_or_else(|| content(0))),
            Beat::Content(index) => Some(content(index + 1)),
            Beat::Call(index) => Some(arguments(index, 0)),
            Beat::Arguments(of, index) => Some(arguments(of, index + 1)),
            Beat::Finish => Some(Beat::Done),
            Beat::Done => None,
        }
    }

    /// Fills in what the script leaves open. `seed` varies the mock's own text.
    pub(crate) fn new(request: &ChatRequest, dialect: Dialect, reply: &Reply, seed: u64) -> Self {
        let per_chunk = reply.tokens_per_chunk.unwrap_or(1).max(1);
        let said = reply.thinking.clone();
        let thinks = said.as_ref().map_or_else(|| request.thinks(), |thinking| !thinking.is_empty());
        let thinking = said.filter(|_| thinks).or_else(|| thinks.then(|| texts::THINKING.to_owned()));
        let text = || reply.text.clone().unwrap_or_else(|| texts::reply(seed, &request.last_user_text()));
        let texts: Vec<_> = request.messages.iter().map(crate::request::Message::text).collect();
        let mut draft = Self {
            form: if request.streams() { Form::Stream } else { Form::Single },
            dialect,
            model: request.base_model().to_owned(),
            thinks,
            reasoning: thinking.map(|text| Chunks::of(&text, per_chunk)).unwrap_or_default(),
            content: match &reply.pieces {
                Some(pieces) => Chunks::exactly(pieces),
                None => Chunks::of(&text(), per_chunk),
            },
            calls: Vec::new(),
            finish: reply.finish.unwrap_or(FinishReason::Stop).as_str().to_owned(),
            budget: request.max_tokens.and_then(|tokens| usize::try_from(tokens).ok()),
            prompt: PromptUsage::count(texts.iter().map(String::as_str)),
            marks: Marks::default(),
        };
        if let Some(budget) = draft.budget {
            draft.keep_tokens(budget);
        }
        draft
    }

    /// Makes sure that there is thinking, whatever the request says.
    pub(crate) fn think(&mut self) {
        if self.reasoning.is_empty() {
            self.thinks = true;
            self.reasoning = Chunks::of(texts::THINKING, 1);
        }
    }

    /// Cuts the reply as `max_tokens` does: thinking counts too, and the finish tells.
    fn keep_tokens(&mut self, budget: usize) {
        if self.usage().completion <= budget {
            return;
        }
        self.reasoning.keep_tokens(budget);
        self.content.keep_tokens(budget - self.reasoning.tokens());
        FinishReason::Length.as_str().clone_into(&mut self.finish);
    }

    /// Returns the bill.
    pub(crate) fn usage(&self) -> Usage {
        let reasoning = self.reasoning.tokens();
        Usage {
            prompt: self.prompt,
            completion: reasoning + self.content.tokens(),
            reasoning: self.thinks.then_some(reasoning),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{ChatStyle, UsagePlace};

    const CHAT: Dialect = Dialect::Chat(ChatStyle { usage: UsagePlace::Last });

    fn request(extra: &str) -> ChatRequest {
        let body =
            format!(r#"{{"model":"deepseek-flash","messages":[{{"role":"user","content":"hi"}}]{extra}}}"#);
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn max_tokens_counts_thinking_and_ends_with_length() {
        let reply =
            Reply { text: Some("one two three".into()), thinking: Some("a b".into()), ..Reply::default() };

        let draft = Draft::new(&request(r#","max_tokens":3"#), CHAT, &reply, 0);

        assert_eq!((draft.reasoning.text(), draft.content.text()), ("a b", "one"));
        assert_eq!((draft.finish.as_str(), draft.usage().completion), ("length", 3));
    }

    #[test]
    fn empty_thinking_means_none_whatever_the_model_does() {
        let draft =
            Draft::new(&request(""), CHAT, &Reply { thinking: Some(String::new()), ..Reply::default() }, 0);

        assert!(!draft.thinks && draft.reasoning.is_empty());
        assert_eq!(draft.usage().reasoning, None);
    }

    #[test]
    fn pieces_are_exact() {
        let pieces = vec!["a b c".to_owned(), String::new(), "d".to_owned()];

        let draft =
            Draft::new(&request(""), CHAT, &Reply { pieces: Some(pieces.clone()), ..Reply::default() }, 0);

        assert_eq!(draft.content, Chunks::exactly(&pieces));
    }
}
