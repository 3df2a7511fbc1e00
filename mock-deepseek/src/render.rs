//! Turns a draft into the bytes that DeepSeek would send (DEEPSEEK A5, A6).
//!
//! What the model says (a [`Draft`]) does not know how it is told. A [`Dialect`] does: it tells each
//! [`Beat`] of the draft as an event, and the whole of it as one object. A further surface is a file
//! beside [`chat`] with a type that has `tell` and `whole`, and its line in [`Dialect`] and [`Teller`].
//! The events of a stream are rendered when the writer asks for them.
//! Invariant: what leaves here is sound; only faults break it.

mod anthropic;
mod chat;
mod completion;
mod envelope;
mod head;
mod logprobs;
mod responses;
mod stamp;

use std::collections::VecDeque;

use crate::{
    answer::{Answer, End, Ending, Form, Framing, Kind, Marks, Piece},
    chunks::Chunk,
    draft::{Beat, Draft},
    notice::Notice,
    pace::{self, Flush, Pacer, Pacing},
};

pub(crate) use chat::{ChatStyle, UsagePlace};
pub(crate) use completion::CompletionStyle;
pub(crate) use envelope::Envelope;
pub(crate) use responses::ResponsesStyle;
pub(crate) use stamp::{Stamp, hash};

/// The fingerprint that the API reports.
pub(crate) const FINGERPRINT: &str = "fp_eaab8d114b_prod0820_fp8_kvcache";

/// The form of API in which a reply is told, with what the request asked of that form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Chat completions.
    Chat(ChatStyle),
    /// Text completions (FIM).
    Completion(CompletionStyle),
    /// Anthropic's Messages format.
    Anthropic,
    /// OpenAI's Responses format.
    Responses(ResponsesStyle),
}

impl Dialect {
    /// Says whether its streams consist of chunks with choices.
    pub(crate) const fn has_chunks(&self) -> bool {
        matches!(self, Self::Chat(_) | Self::Completion(_))
    }
}

/// A dialect at work on one reply.
#[derive(Clone, Debug)]
enum Teller {
    Chat(chat::Chat),
    Completion(completion::Completion),
    Anthropic(anthropic::Anthropic),
    Responses(responses::Responses),
}

impl Teller {
    fn new(draft: &Draft, stamp: &Stamp) -> Self {
        match &draft.dialect {
            Dialect::Chat(style) => Self::Chat(chat::Chat::new(style, draft, stamp)),
            Dialect::Completion(style) => Self::Completion(completion::Completion::new(style, draft, stamp)),
            Dialect::Anthropic => Self::Anthropic(anthropic::Anthropic::new(draft, stamp)),
            Dialect::Responses(style) => Self::Responses(responses::Responses::new(style, draft, stamp)),
        }
    }

    /// Returns the frame that faults may put their own chunks into, in forms that consist of chunks.
    fn envelope(&self) -> Option<Envelope> {
        match self {
            Self::Chat(chat) => Some(chat.envelope.clone()),
            Self::Completion(completion) => Some(completion.envelope.clone()),
            Self::Anthropic(_) | Self::Responses(_) => None,
        }
    }

    /// Tells a beat as an event; what needs more than one puts the others into `more`.
    fn tell(&mut self, draft: &Draft, beat: Beat, more: &mut VecDeque<Piece>) -> Piece {
        match self {
            Self::Chat(chat) => chat.tell(draft, beat, more),
            Self::Completion(completion) => completion.tell(draft, beat, more),
            Self::Anthropic(anthropic) => anthropic.tell(draft, beat, more),
            Self::Responses(responses) => responses.tell(draft, beat, more),
        }
    }

    /// Tells all at once.
    fn whole(&self, draft: &Draft, stamp: &Stamp) -> String {
        match self {
            Self::Chat(chat) => chat.whole(draft, stamp),
            Self::Completion(completion) => completion.whole(draft, stamp),
            Self::Anthropic(anthropic) => anthropic.whole(draft),
            Self::Responses(responses) => responses.whole(draft),
        }
    }
}

/// Renders text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote(&mut json, text);
    json
}

/// Appends text as a JSON string.
fn quote(json: &mut String, text: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    // Without a way out of the loop it is done for many bytes at once.
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        json.push('"');
        json.push_str(text);
        json.push('"');
    } else {
        json.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// The events of a sound stream, rendered one by one.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    draft: Draft,
    teller: Teller,
    pacer: Pacer,
    next: Option<Beat>,
    /// The next event never comes.
    silent: bool,
    /// What the last beat said beyond its first event; empty in most dialects.
    more: VecDeque<Piece>,
}

impl Events {
    /// Says whether nothing follows.
    pub(crate) fn is_over(&self) -> bool {
        self.next.is_none() && self.more.is_empty()
    }

    /// Says whether the stream stopped before its end, because what follows never comes.
    pub(crate) const fn fell_silent(&self) -> bool {
        self.silent
    }
}

impl Iterator for Events {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if let Some(piece) = self.more.pop_front() {
            return Some(piece);
        }
        let beat = self.next?;
        self.next = self.draft.after(beat);
        let Some(wait) = self.pacer.before(pace_of(beat)) else {
            (self.next, self.silent) = (None, true);
            return None;
        };
        let piece = self.teller.tell(&self.draft, beat, &mut self.more);
        Some(Piece { wait, ..piece })
    }
}

/// Returns what the beat is as far as time goes: a call takes as long as text does.
fn pace_of(beat: Beat) -> Kind {
    match beat {
        Beat::Role => Kind::Role,
        Beat::Reasoning(_) => Kind::Reasoning,
        Beat::Content(_) | Beat::Call(_) | Beat::Arguments(..) => Kind::Content,
        Beat::Finish => Kind::Finish,
        Beat::Done => Kind::Done,
    }
}

/// Makes a piece that carries text.
fn said(kind: Kind, chunk: Option<Chunk>, render: impl FnOnce(&str) -> bytes::Bytes) -> Piece {
    let text = chunk.unwrap_or_default();
    Piece { text: text.clone(), ..Piece::event(kind, render(&text)) }
}

/// Returns the first of the pieces and puts the others into `more`.
fn first(mut told: VecDeque<Piece>, more: &mut VecDeque<Piece>) -> Piece {
    let first = told.pop_front();
    more.append(&mut told);
    first.unwrap_or_else(|| Piece::milestone(Marks::default()))
}

/// Renders the whole reply.
pub(crate) fn answer(draft: Draft, stamp: &Stamp, pacing: &Pacing) -> Answer {
    let (form, teller) = (draft.form, Teller::new(&draft, stamp));
    let (envelope, mut pacer) = (teller.envelope(), Pacer::new(pacing));
    let mut head = head::head(200, stamp);
    let mut end = complete();
    let (pieces, rest) = match form {
        Form::Stream => {
            head.set("content-type", Some("text/event-stream; charset=utf-8"));
            head.set("cache-control", Some("no-cache"));
            let (next, silent, more) = (Some(Beat::Role), false, VecDeque::new());
            (Vec::new(), Some(Box::new(Events { draft, teller, pacer, next, silent, more })))
        }
        Form::Single => {
            let whole = |wait| Piece {
                wait,
                marks: draft.marks,
                ..Piece::raw(Kind::Body, teller.whole(&draft, stamp))
            };
            let body = pacer.whole(draft.usage().completion).map(whole);
            if body.is_none() {
                end.how = Ending::Hang;
            }
            (body.into_iter().collect(), None)
        }
    };
    let mut answer = Answer { form, envelope, head: Some(head), pieces, rest, flush: pacing.pace.flush, end };
    pace::enliven(&mut answer, pacing);
    answer
}

/// Renders a body that is known at once: an error, a list of models, the balance.
pub(crate) fn plain(notice: &Notice, stamp: &Stamp) -> Answer {
    let mut head = head::head(notice.status, stamp);
    head.framing = Framing::Length;
    head.set("content-type", notice.content_type);
    Answer {
        form: Form::Single,
        envelope: None,
        head: Some(head),
        pieces: vec![Piece::raw(Kind::Body, notice.body(stamp.request_id().as_deref()))],
        rest: None,
        flush: Flush::Merge,
        end: complete(),
    }
}

fn complete() -> End {
    End { how: Ending::Complete, marks: Marks::default() }
}
