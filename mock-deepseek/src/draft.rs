//! What the model says, before it has a form on the wire.
//!
//! A [`Draft`] is made from the script's reply and the request; faults of meaning (a torso, thinking
//! without an answer, an odd finish) shape it. Invariant: usage is computed from what is in the
//! draft in the end, so that it adds up under every fault.

mod arguments;
mod call;
mod pattern;
mod prepared;

use crate::{
    answer::{Form, Marks},
    chunks::Chunks,
    render::Dialect,
    request::{ChatRequest, Stop},
    script::FinishReason,
    texts,
    tokens::{PromptUsage, Usage},
};

pub(crate) use call::Call;
pub(crate) use prepared::Prepared;

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
    /// The text of `stop` that ended it, if one did.
    pub(crate) stopped_by: Option<String>,
    /// How many tokens the request allows.
    pub(crate) budget: Option<usize>,
    pub(crate) prompt: PromptUsage,
    /// Faults that show in the last event.
    pub(crate) marks: Marks,
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
    pub(crate) fn new(request: &ChatRequest, dialect: Dialect, said: &Prepared, seed: u64) -> Self {
        let resolved = &request.resolved;
        let thinking = said.thinking(resolved.thinks);
        let calls = call::calls(request, &said.reply, said.per_chunk);
        let finish = if calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
        let mut draft = Self {
            form: if request.streams() { Form::Stream } else { Form::Single },
            dialect,
            model: resolved.model.clone(),
            thinks: thinking.is_some(),
            reasoning: thinking.unwrap_or_default(),
            content: content(request, said, seed, !calls.is_empty()),
            calls,
            finish: said.reply.finish.unwrap_or(finish).as_str().to_owned(),
            stopped_by: None,
            budget: request.max_tokens.and_then(|tokens| usize::try_from(tokens).ok()),
            prompt: PromptUsage { tokens: resolved.prompt.tokens, cached: 0 },
            marks: Marks::default(),
        };
        if let Some(Stop(texts)) = &request.stop {
            draft.stop_before(texts);
        }
        if let Some(budget) = resolved.budget {
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

    /// Ends the visible text where the first of these begins in it; what would have followed is not said.
    fn stop_before(&mut self, texts: &[String]) {
        let stops = texts.iter().filter(|stop| !stop.is_empty());
        let found = stops.filter_map(|stop| Some((self.content.text().find(stop.as_str())?, stop)));
        if let Some((place, stop)) = found.min_by_key(|(place, _)| *place) {
            self.stopped_by = Some(stop.clone());
            self.content.keep_bytes(place);
            self.calls.clear();
            FinishReason::Stop.as_str().clone_into(&mut self.finish);
        }
    }

    /// Cuts the reply as `max_tokens` does: thinking counts too, and the finish tells.
    fn keep_tokens(&mut self, budget: usize) {
        if self.usage().completion <= budget {
            return;
        }
        self.reasoning.keep_tokens(budget);
        let mut left = budget - self.reasoning.tokens();
        self.content.keep_tokens(left);
        left -= self.content.tokens();
        self.calls.retain_mut(|call| {
            let fits = call.keep_tokens(left);
            left -= if fits { call.tokens() } else { left };
            fits
        });
        FinishReason::Length.as_str().clone_into(&mut self.finish);
    }

    /// Returns the bill.
    pub(crate) fn usage(&self) -> Usage {
        let reasoning = self.reasoning.tokens();
        Usage {
            prompt: self.prompt,
            completion: reasoning
                + self.content.tokens()
                + self.calls.iter().map(Call::tokens).sum::<usize>(),
            reasoning: self.thinks.then_some(reasoning),
        }
    }
}

/// Returns the visible text: the script's, as it is, or the mock's own in the form that was asked for.
fn content(request: &ChatRequest, said: &Prepared, seed: u64, calls: bool) -> Chunks {
    let prefix = request.prefix();
    match &said.text {
        Some(text) => match prefix.as_deref().and_then(|prefix| text.text().strip_prefix(prefix)) {
            Some(rest) => Chunks::of(rest, said.per_chunk),
            None => text.clone(),
        },
        None if calls => Chunks::default(),
        None if request.schema.is_some() => {
            let example = request.schema.as_ref().map(arguments::example).unwrap_or_default();
            Chunks::of(&example.to_string(), said.per_chunk)
        }
        None => {
            let text = texts::reply(seed, &request.last_user_text());
            let text = if request.wants_json() { texts::as_json(&text, prefix.as_deref()) } else { text };
            Chunks::of(&text, said.per_chunk)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::ApiProfile,
        script::Reply,
        validate::{self, Door},
    };

    fn draft(extra: &str, reply: &Reply) -> Draft {
        let body = format!(
            r#"{{"model":"deepseek-flash","messages":[{{"role":"user","content":"hi json"}}]{extra}}}"#
        );
        let door = Door { profile: ApiProfile::Current, beta: true };
        let request = validate::chat(body.as_bytes(), door).unwrap();
        Draft::new(&request, request.dialect(), &Prepared::of(reply.clone()), 0)
    }

    fn text(text: &str) -> Reply {
        Reply { text: Some(text.into()), thinking: Some(String::new()), ..Reply::default() }
    }

    #[test]
    fn max_tokens_counts_thinking_and_ends_with_length() {
        let reply = Reply { thinking: Some("a b".into()), ..text("one two three") };

        let draft = draft(r#","max_tokens":3"#, &reply);

        assert_eq!((draft.reasoning.text(), draft.content.text()), ("a b", "one"));
        assert_eq!((draft.finish.as_str(), draft.usage().completion), ("length", 3));
    }

    #[test]
    fn empty_thinking_means_none_whatever_the_model_does() {
        let draft = draft("", &text("x"));

        assert!(!draft.thinks && draft.reasoning.is_empty());
        assert_eq!(draft.usage().reasoning, None);
    }

    #[test]
    fn thinking_is_on_unless_it_is_switched_off_in_words_or_by_effort() {
        let thinks = |extra: &str| draft(extra, &Reply::default()).thinks;

        assert!(thinks("") && thinks(r#","reasoning_effort":"low""#));
        assert!(!thinks(r#","thinking":{"type":"disabled"}"#) && !thinks(r#","reasoning_effort":"none""#));
    }

    #[test]
    fn pieces_are_exact() {
        let pieces = vec!["a b c".to_owned(), String::new(), "d".to_owned()];

        let draft = draft("", &Reply { pieces: Some(pieces.clone()), ..Reply::default() });

        assert_eq!(draft.content, Chunks::exactly(&pieces));
    }

    #[test]
    fn a_stop_text_ends_the_reply_before_it_m3() {
        let draft = draft(r#","stop":["three","wo t"]"#, &text("one two three four"));

        assert_eq!((draft.content.text(), draft.finish.as_str()), ("one t", "stop"));
    }

    #[test]
    fn without_a_script_json_mode_says_json_m3() {
        let asked = r#","response_format":{"type":"json_object"}"#;

        let own = draft(asked, &Reply::default());
        let scripted = draft(asked, &text("not json"));

        assert!(serde_json::from_str::<serde_json::Value>(own.content.text()).unwrap().is_object());
        assert_eq!(scripted.content.text(), "not json");
    }
}
