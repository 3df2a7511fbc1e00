//! Turns a draft into the bytes that DeepSeek would send (DEEPSEEK A5, A6).
//!
//! A chunk is spliced together from a front that is rendered once per reply, a delta and a back; no
//! JSON tree is built per chunk. The events of a stream are rendered when the writer asks for them.
//! Invariant: what leaves here is sound; only faults break it.

use std::borrow::Cow;

use bytes::Bytes;

use crate::{
    answer::{Answer, End, Ending, Form, Framing, Head, Kind, Marks, Piece},
    chunks::Chunk,
    draft::{Beat, Draft},
    notice::Notice,
    pace::Pacer,
    script::Pace,
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
#[derive(Clone, Debug)]
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
        self.splice(&[CHOICE, CONTENT, content, self.after_content(), RUNNING])
    }

    /// Renders the delta of a chunk of visible text; `content` is JSON.
    pub(crate) fn content_delta(&self, content: &str) -> String {
        [CONTENT, content, self.after_content()].concat()
    }

    fn role(&self) -> Bytes {
        self.delta(if self.thinks {
            r#"{"role":"assistant","content":null,"reasoning_content":""}"#
        } else {
            r#"{"role":"assistant","content":""}"#
        })
    }

    fn reasoning(&self, text: &str) -> Bytes {
        self.splice(&[CHOICE, r#"{"content":null,"reasoning_content":"#, &quoted(text), "}", RUNNING])
    }

    /// Renders the last chunk; `finish` is JSON, and usage rides on it unless there is none.
    pub(crate) fn finish(&self, finish: &str, usage: &str) -> Bytes {
        let delta = self.content_delta(r#""""#);
        let choice = format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}"#);
        [&self.front, choice.as_str(), r#"],"usage":"#, usage, "}"].concat().into()
    }

    fn after_content(&self) -> &'static str {
        if self.thinks { r#","reasoning_content":null}"# } else { "}" }
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

/// What stands before and after the delta of a choice that goes on.
const CHOICE: &str = r#"{"index":0,"delta":"#;
const RUNNING: &str = r#","logprobs":null,"finish_reason":null}"#;
const CONTENT: &str = r#"{"content":"#;

/// Renders text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        return ["\"", text, "\""].concat();
    }
    serde_json::Value::from(text).to_string()
}

/// The events of a sound stream, rendered one by one.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    draft: Draft,
    envelope: Envelope,
    pacer: Pacer,
    next: Option<Beat>,
}

impl Iterator for Events {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let beat = self.next?;
        self.next = self.draft.after(beat);
        let piece = self.piece(beat);
        Some(Piece { wait: self.pacer.before(piece.kind), ..piece })
    }
}

impl Events {
    fn piece(&self, beat: Beat) -> Piece {
        let Self { draft, envelope, .. } = self;
        match beat {
            Beat::Role => Piece::event(Kind::Role, envelope.role()),
            Beat::Reasoning(index) => {
                said(Kind::Reasoning, draft.reasoning.get(index), |text| envelope.reasoning(text))
            }
            Beat::Content(index) => {
                said(Kind::Content, draft.content.get(index), |text| envelope.content(&quoted(text)))
            }
            Beat::Finish => {
                let finish = envelope.finish(&quoted(&draft.finish), &draft.usage().json());
                Piece { marks: draft.marks, ..Piece::event(Kind::Finish, finish) }
            }
            Beat::Done => Piece::event(Kind::Done, "[DONE]"),
        }
    }
}

/// Makes a piece that carries text.
fn said(kind: Kind, chunk: Option<Chunk>, render: impl FnOnce(&str) -> Bytes) -> Piece {
    let text = chunk.unwrap_or_default();
    Piece { text: text.clone(), ..Piece::event(kind, render(&text)) }
}

/// Renders the whole reply.
pub(crate) fn answer(draft: Draft, stamp: &Stamp, pace: Pace) -> Answer {
    let (form, envelope) = (draft.form, Envelope::new(&draft, stamp));
    let pacer = Pacer::new(pace);
    let mut head = head(200, stamp);
    let (pieces, rest) = match form {
        Form::Stream => {
            head.set("content-type", Some("text/event-stream; charset=utf-8"));
            head.set("cache-control", Some("no-cache"));
            let events = Events { draft, envelope: envelope.clone(), pacer, next: Some(Beat::Role) };
            (Vec::new(), Some(Box::new(events)))
        }
        Form::Single => {
            let wait = pacer.whole(draft.usage().completion);
            (vec![Piece { wait, ..single(&draft, stamp) }], None)
        }
    };
    Answer { form, envelope, head: Some(head), pieces, rest, end: complete() }
}

fn single(draft: &Draft, stamp: &Stamp) -> Piece {
    let Stamp { id, created, .. } = stamp;
    let reasoning = if draft.thinks {
        format!(r#","reasoning_content":{}"#, quoted(draft.reasoning.text()))
    } else {
        String::new()
    };
    let body = format!(
        r#"{{"id":"{id}","object":"chat.completion","created":{created},"model":{},"choices":[{{"index":0,"message":{{"role":"assistant","content":{}{reasoning}}},"logprobs":null,"finish_reason":{}}}],"usage":{},"system_fingerprint":"{FINGERPRINT}"}}"#,
        quoted(&draft.model),
        quoted(draft.content.text()),
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
        envelope: Envelope { front: String::new(), back: "", thinks: false },
        head: Some(head),
        pieces: vec![Piece::raw(Kind::Body, notice.body.clone())],
        rest: None,
        end: complete(),
    }
}

/// The headers of every answer, as captured in public (DEEPSEEK A8).
fn head(status: u16, stamp: &Stamp) -> Head {
    let fixed = |name: &'static str, value: &'static str| (Cow::Borrowed(name), Cow::Borrowed(value));
    let headers = vec![
        (Cow::Borrowed("date"), Cow::Owned(stamp.date.clone())),
        fixed("content-type", "application/json"),
        fixed("vary", "origin, access-control-request-method, access-control-request-headers"),
        fixed("access-control-allow-credentials", "true"),
        (Cow::Borrowed("x-ds-trace-id"), Cow::Owned(stamp.trace.clone())),
        fixed("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
        fixed("x-content-type-options", "nosniff"),
        fixed("server", "elb"),
    ];
    Head { status, headers, framing: Framing::Chunked, marks: Marks::default() }
}

fn complete() -> End {
    End { how: Ending::Complete, marks: Marks::default() }
}
