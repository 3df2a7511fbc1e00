//! Turns a draft into the bytes that DeepSeek would send (DEEPSEEK A5, A6).
//!
//! A chunk is spliced together from a front that is rendered once per reply, a delta and a back; no
//! JSON tree is built per chunk. Invariant: what leaves here is sound; only faults break it.

use bytes::Bytes;

use crate::{
    answer::{Answer, End, Ending, Form, Framing, Head, Kind, Marks, Piece},
    draft::Draft,
    notice::Notice,
};

/// The fingerprint that the API reports.
pub(crate) const FINGERPRINT: &str = "fp_eaab8d114b_prod0820_fp8_kvcache";

/// What differs from one reply to the next beside its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// A bare UUID.
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    /// 32 hexadecimal digits for `x-ds-trace-id`.
    pub(crate) trace: String,
    /// The `Date` header.
    pub(crate) date: String,
    /// Varies the mock's own texts.
    pub(crate) seed: u64,
}

/// What all chunks of a reply have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Envelope {
    front: String,
    back: &'static str,
    thinks: bool,
}

impl Envelope {
    fn new(draft: &Draft, stamp: &Stamp) -> Self {
        let Stamp { id, created, .. } = stamp;
        let model = quoted(&draft.model);
        Self {
            front: format!(
                r#"{{"id":"{id}","object":"chat.completion.chunk","created":{created},"model":{model},"system_fingerprint":"{FINGERPRINT}","choices":["#
            ),
            back: if draft.usage_everywhere { r#"],"usage":null}"# } else { "]}" },
            thinks: draft.thinks,
        }
    }

    /// Takes what all chunks have in common from one that was recorded.
    pub(crate) fn of(chunk: &str, thinks: bool) -> Option<Self> {
        let mark = r#""choices":["#;
        let end = chunk.find(mark)? + mark.len();
        Some(Self { front: chunk[..end].to_owned(), back: "]}", thinks })
    }

    /// Renders a chunk whose `choices` are exactly these; an empty text for none.
    pub(crate) fn chunk(&self, choices: &str) -> Bytes {
        [&self.front, choices, self.back].concat().into()
    }

    /// Renders a chunk with one running choice whose `delta` is this JSON.
    pub(crate) fn delta(&self, delta: &str) -> Bytes {
        let choice = [r#"{"index":0,"delta":"#, delta, r#","logprobs":null,"finish_reason":null}"#];
        [&self.front, choice[0], choice[1], choice[2], self.back].concat().into()
    }

    /// Renders a chunk of visible text; `content` is JSON.
    pub(crate) fn content(&self, content: &str) -> Bytes {
        self.delta(&self.content_delta(content))
    }

    /// Renders the delta of a chunk of visible text; `content` is JSON.
    pub(crate) fn content_delta(&self, content: &str) -> String {
        let rest = if self.thinks { r#","reasoning_content":null}"# } else { "}" };
        [r#"{"content":"#, content, rest].concat()
    }

    fn role(&self) -> Bytes {
        self.delta(if self.thinks {
            r#"{"role":"assistant","content":null,"reasoning_content":""}"#
        } else {
            r#"{"role":"assistant","content":""}"#
        })
    }

    fn reasoning(&self, text: &str) -> Bytes {
        self.delta(&[r#"{"content":null,"reasoning_content":"#, &quoted(text), "}"].concat())
    }

    /// Renders the last chunk; `finish` is JSON, and usage rides on it unless there is none.
    pub(crate) fn finish(&self, finish: &str, usage: &str) -> Bytes {
        let delta = self.content_delta(r#""""#);
        let choice = format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}"#);
        [&self.front, choice.as_str(), r#"],"usage":"#, usage, "}"].concat().into()
    }
}

/// Renders text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Renders the whole reply.
pub(crate) fn answer(draft: &Draft, stamp: &Stamp) -> Answer {
    let envelope = Envelope::new(draft, stamp);
    let (pieces, content_type) = match draft.form {
        Form::Stream => (events(draft, &envelope), "text/event-stream; charset=utf-8"),
        Form::Single => (vec![single(draft, stamp)], "application/json"),
    };
    let mut head = head(200, stamp);
    head.set("content-type", Some(content_type));
    if draft.form == Form::Stream {
        head.set("cache-control", Some("no-cache"));
    }
    Answer { form: draft.form, envelope, head: Some(head), pieces, end: complete() }
}

fn events(draft: &Draft, envelope: &Envelope) -> Vec<Piece> {
    let text = |kind, payload, text: &String| Piece { text: text.clone(), ..Piece::event(kind, payload) };
    let finish = envelope.finish(&quoted(&draft.finish), &draft.usage().json());
    let mut pieces = vec![Piece::event(Kind::Role, envelope.role())];
    pieces.extend(draft.reasoning.iter().map(|t| text(Kind::Reasoning, envelope.reasoning(t), t)));
    pieces.extend(draft.content.iter().map(|t| text(Kind::Content, envelope.content(&quoted(t)), t)));
    pieces.push(Piece { marks: draft.marks, ..Piece::event(Kind::Finish, finish) });
    pieces.push(Piece::event(Kind::Done, "[DONE]"));
    pieces
}

fn single(draft: &Draft, stamp: &Stamp) -> Piece {
    let Stamp { id, created, .. } = stamp;
    let reasoning = if draft.thinks {
        format!(r#","reasoning_content":{}"#, quoted(&draft.reasoning.concat()))
    } else {
        String::new()
    };
    let body = format!(
        r#"{{"id":"{id}","object":"chat.completion","created":{created},"model":{},"choices":[{{"index":0,"message":{{"role":"assistant","content":{}{reasoning}}},"logprobs":null,"finish_reason":{}}}],"usage":{},"system_fingerprint":"{FINGERPRINT}"}}"#,
        quoted(&draft.model),
        quoted(&draft.content.concat()),
        quoted(&draft.finish),
        draft.usage().json(),
    );
    Piece { marks: draft.marks, ..Piece::raw(Kind::Body, body) }
}

/// Renders a body that is known at once: an error, a list of models, the balance.
pub(crate) fn plain(notice: &Notice, stamp: &Stamp) -> Answer {
    let mut head = head(notice.status, stamp);
    head.framing = Framing::Length;
    head.set("content-type", notice.content_type);
    Answer {
        form: Form::Single,
        envelope: Envelope::default(),
        head: Some(head),
        pieces: vec![Piece::raw(Kind::Body, notice.body.clone())],
        end: complete(),
    }
}

/// The headers of every answer, as captured in public (DEEPSEEK A8).
fn head(status: u16, stamp: &Stamp) -> Head {
    let headers = [
        ("date", stamp.date.as_str()),
        ("content-type", "application/json"),
        ("vary", "origin, access-control-request-method, access-control-request-headers"),
        ("access-control-allow-credentials", "true"),
        ("x-ds-trace-id", stamp.trace.as_str()),
        ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        ("x-content-type-options", "nosniff"),
        ("server", "elb"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Head { status, headers, framing: Framing::Chunked, marks: Marks::default() }
}

fn complete() -> End {
    End { how: Ending::Complete, marks: Marks::default() }
}
