//! Chat completions: `chat.completion.chunk` events, or one `chat.completion` (DEEPSEEK A5, A6).

use std::{borrow::Cow, collections::VecDeque, fmt::Write as _};

use bytes::Bytes;

use super::{
    FINGERPRINT, Stamp,
    envelope::{Envelope, Shape},
    logprobs, quote, quoted, said,
};
use crate::{
    answer::{Form, Kind, Piece},
    draft::{Beat, Draft},
};

/// Room for a whole reply beside its texts, as it usually is.
const WHOLE_USUAL: usize = 640;

/// What a request asked of this form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChatStyle {
    pub(crate) usage: UsagePlace,
    /// How many alternatives to tell for each token; `None` for no probabilities at all.
    pub(crate) logprobs: Option<u8>,
}

/// Where a stream tells its usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsagePlace {
    /// On the chunk with the finish reason.
    Last,
    /// There, and `null` in all chunks before it.
    LastAndNulls,
    /// On a chunk of its own without choices, and `null` in all others, as OpenAI has it.
    Apart,
    /// Nowhere.
    Nowhere,
}

/// Chat completions at work on one reply.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    pub(super) envelope: Envelope,
    style: ChatStyle,
    /// The ids of the tool calls.
    ids: Vec<String>,
}

impl Chat {
    pub(super) fn new(style: &ChatStyle, draft: &Draft, stamp: &Stamp) -> Self {
        let shape = if draft.thinks { Shape::Thinking } else { Shape::Plain };
        let nulls = matches!(style.usage, UsagePlace::LastAndNulls | UsagePlace::Apart);
        Self {
            envelope: match draft.form {
                Form::Stream => Envelope::new(stamp, &draft.model, shape, nulls),
                Form::Single => Envelope::default(),
            },
            style: style.clone(),
            ids: (0..draft.calls.len()).map(|index| stamp.call_id(index)).collect(),
        }
    }

    pub(super) fn tell(&self, draft: &Draft, beat: Beat, more: &mut VecDeque<Piece>) -> Piece {
        let envelope = &self.envelope;
        match beat {
            Beat::Role => Piece::event(Kind::Role, envelope.role()),
            Beat::Reasoning(index) => said(Kind::Reasoning, draft.reasoning.get(index), |text| {
                let logprobs = self.logprobs(|top| logprobs::of_chat("", text, top));
                envelope.reasoning(&quoted(text), &logprobs)
            }),
            Beat::Content(index) => said(Kind::Content, draft.content.get(index), |text| {
                let logprobs = self.logprobs(|top| logprobs::of_chat(text, "", top));
                envelope.content_with(&quoted(text), &logprobs)
            }),
            Beat::Call(call) => Piece::event(Kind::Call, self.call(draft, call)),
            Beat::Arguments(call, index) => {
                let chunk = draft.calls.get(call).and_then(|call| call.arguments.get(index));
                said(Kind::Call, chunk, |text| self.arguments(call, text))
            }
            Beat::Finish => self.finish(draft, more),
            Beat::Done => Piece::event(Kind::Done, "[DONE]"),
        }
    }

    /// Renders probabilities if they were asked for.
    fn logprobs(&self, render: impl FnOnce(u8) -> String) -> Cow<'static, str> {
        self.style.logprobs.map_or(Cow::Borrowed("null"), |top| Cow::Owned(render(top)))
    }

    /// Renders the delta that names a call.
    fn call(&self, draft: &Draft, index: usize) -> Bytes {
        let (id, name) = (&self.ids[index], quoted(&draft.calls[index].name));
        self.envelope.delta(&format!(
            r#"{{"tool_calls":[{{"index":{index},"id":"{id}","type":"function","function":{{"name":{name},"arguments":""}}}}]}}"#
        ))
    }

    /// Renders a fragment of a call's arguments.
    fn arguments(&self, index: usize, text: &str) -> Bytes {
        let text = quoted(text);
        self.envelope
            .delta(&format!(r#"{{"tool_calls":[{{"index":{index},"function":{{"arguments":{text}}}}}]}}"#))
    }

    fn finish(&self, draft: &Draft, more: &mut VecDeque<Piece>) -> Piece {
        let (finish, usage) = (quoted(&draft.finish), || draft.usage().json());
        let last = match self.style.usage {
            UsagePlace::Last | UsagePlace::LastAndNulls => self.envelope.finish(&finish, &usage()),
            UsagePlace::Nowhere => self.envelope.finish(&finish, ""),
            UsagePlace::Apart => {
                more.push_back(Piece::event(Kind::Usage, self.envelope.with_usage("", &usage())));
                self.envelope.finish(&finish, "")
            }
        };
        Piece { marks: draft.marks, ..Piece::event(Kind::Finish, last) }
    }

    pub(super) fn whole(&self, draft: &Draft, stamp: &Stamp) -> String {
        let Stamp { id, created, .. } = stamp;
        let texts = draft.content.text().len() + draft.reasoning.text().len();
        let mut json = String::with_capacity(WHOLE_USUAL + texts);
        // Writing to a text cannot fail.
        let _ = write!(json, r#"{{"id":"{id}","object":"chat.completion","created":{created},"model":"#);
        quote(&mut json, &draft.model);
        json.push_str(r#","choices":[{"index":0,"message":"#);
        self.message(&mut json, draft);
        json.push_str(r#","logprobs":"#);
        json.push_str(
            &self.logprobs(|top| logprobs::of_chat(draft.content.text(), draft.reasoning.text(), top)),
        );
        json.push_str(r#","finish_reason":"#);
        quote(&mut json, &draft.finish);
        let usage = draft.usage().json();
        let _ = write!(json, r#"}}],"usage":{usage},"system_fingerprint":"{FINGERPRINT}"}}"#);
        json
    }

    fn message(&self, json: &mut String, draft: &Draft) {
        json.push_str(r#"{"role":"assistant","content":"#);
        quote(json, draft.content.text());
        if draft.thinks {
            json.push_str(r#","reasoning_content":"#);
            quote(json, draft.reasoning.text());
        }
        for (index, (call, id)) in draft.calls.iter().zip(&self.ids).enumerate() {
            let open = if index == 0 { r#","tool_calls":["# } else { "," };
            let (name, arguments) = (quoted(&call.name), quoted(call.arguments.text()));
            // Writing to a text cannot fail.
            let _ = write!(
                json,
                r#"{open}{{"index":{index},"id":"{id}","type":"function","function":{{"name":{name},"arguments":{arguments}}}}}"#
            );
        }
        json.push_str(if draft.calls.is_empty() { "}" } else { "]}" });
    }
}
