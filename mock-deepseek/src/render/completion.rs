//! Text completions (FIM): `text_completion`, streamed or whole (DEEPSEEK A1).

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{
    FINGERPRINT, Stamp,
    envelope::{Envelope, Shape},
    logprobs, quoted, said,
};
use crate::{
    answer::{Kind, Marks, Piece},
    draft::{Beat, Draft},
};

/// What a request asked of this form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CompletionStyle {
    /// Whether a stream ends with a chunk that holds the usage.
    pub(crate) usage: bool,
    /// The prompt, if it is to be said again before the reply.
    pub(crate) echo: Option<Arc<str>>,
    /// How many alternatives to tell for each token; `None` for no probabilities at all.
    pub(crate) logprobs: Option<u8>,
}

/// Text completions at work on one reply.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) envelope: Envelope,
    style: CompletionStyle,
    /// Where in the whole text the next delta begins, in characters.
    offset: usize,
}

impl Completion {
    pub(super) fn new(style: &CompletionStyle, draft: &Draft, stamp: &Stamp) -> Self {
        let envelope = Envelope::new(stamp, &draft.model, Shape::Text, style.usage);
        Self { envelope, style: style.clone(), offset: 0 }
    }

    pub(super) fn tell(&mut self, draft: &Draft, beat: Beat, more: &mut VecDeque<Piece>) -> Piece {
        match beat {
            Beat::Role => match self.style.echo.take() {
                Some(prompt) => Piece::event(Kind::Content, self.text(&prompt)),
                None => Piece::milestone(Marks::default()),
            },
            Beat::Content(index) => said(Kind::Content, draft.content.get(index), |text| self.text(text)),
            Beat::Finish => {
                if self.style.usage {
                    let usage = self.envelope.with_usage("", &draft.usage().json());
                    more.push_back(Piece::event(Kind::Usage, usage));
                }
                let last = self.envelope.finish(&quoted(&draft.finish), "");
                Piece { marks: draft.marks, ..Piece::event(Kind::Finish, last) }
            }
            Beat::Done => Piece::event(Kind::Done, "[DONE]"),
            // This form knows no roles, no thinking and no tools: nothing is said, in the same time.
            Beat::Reasoning(_) | Beat::Call(_) | Beat::Arguments(..) => Piece::milestone(Marks::default()),
        }
    }

    fn text(&mut self, text: &str) -> Bytes {
        let logprobs = self.logprobs(text);
        self.offset += text.chars().count();
        self.envelope.content_with(&quoted(text), &logprobs)
    }

    fn logprobs(&self, text: &str) -> Cow<'static, str> {
        let render = |top| Cow::Owned(logprobs::of_text(text, self.offset, top));
        self.style.logprobs.map_or(Cow::Borrowed("null"), render)
    }

    pub(super) fn whole(&self, draft: &Draft, stamp: &Stamp) -> String {
        let Stamp { id, created, .. } = stamp;
        let text = [self.style.echo.as_deref().unwrap_or_default(), draft.content.text()].concat();
        format!(
            r#"{{"id":"{id}","object":"text_completion","created":{created},"model":{},"choices":[{{"index":0,"text":{},"logprobs":{},"finish_reason":{}}}],"usage":{},"system_fingerprint":"{FINGERPRINT}"}}"#,
            quoted(&draft.model),
            quoted(&text),
            self.logprobs(&text),
            quoted(&draft.finish),
            draft.usage().json(),
        )
    }
}
