//! Text completions (FIM): `text_completion`, streamed or whole (DEEPSEEK A1).

use std::collections::VecDeque;

use super::{
    FINGERPRINT, Stamp,
    envelope::{Envelope, Shape},
    quoted, said,
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
}

/// Text completions at work on one reply.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) envelope: Envelope,
    style: CompletionStyle,
}

impl Completion {
    pub(super) fn new(style: &CompletionStyle, draft: &Draft, stamp: &Stamp) -> Self {
        let envelope = Envelope::new(stamp, &draft.model, Shape::Text, style.usage);
        Self { envelope, style: style.clone() }
    }

    pub(super) fn tell(&self, draft: &Draft, beat: Beat, more: &mut VecDeque<Piece>) -> Piece {
        match beat {
            Beat::Content(index) => {
                said(Kind::Content, draft.content.get(index), |text| self.envelope.content(&quoted(text)))
            }
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
            Beat::Role | Beat::Reasoning(_) | Beat::Call(_) | Beat::Arguments(..) => {
                Piece::milestone(Marks::default())
            }
        }
    }

    pub(super) fn whole(draft: &Draft, stamp: &Stamp) -> String {
        let Stamp { id, created, .. } = stamp;
        format!(
            r#"{{"id":"{id}","object":"text_completion","created":{created},"model":{},"choices":[{{"index":0,"text":{},"logprobs":null,"finish_reason":{}}}],"usage":{},"system_fingerprint":"{FINGERPRINT}"}}"#,
            quoted(&draft.model),
            quoted(draft.content.text()),
            quoted(&draft.finish),
            draft.usage().json(),
        )
    }
}
