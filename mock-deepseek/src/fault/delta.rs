//! Chunks of text whose choice is shaped wrongly.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, During, Kind, Marks},
    render::quoted,
};

/// Renders chunks of visible text in another shape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delta {
    shape: Shape,
    /// From this chunk of text on, counted from 0.
    from: usize,
    /// How many chunks, `0` for all.
    chunks: usize,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Shape {
    /// The choice has no `delta`.
    Missing,
    /// `delta` is null.
    Null,
    /// `content` is a list of parts.
    ContentList,
    /// `content` is an object.
    ContentObject,
    /// The role stands in each delta.
    WithRole,
}

impl Behaviour for Delta {
    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(start) = answer.place_after(self.from, During::Content) else { return };
        let limit = if self.chunks == 0 { usize::MAX } else { self.chunks };
        let Some(envelope) = &answer.envelope else { return };
        let chunks = answer.pieces[start..].iter_mut().filter(|piece| piece.kind == Kind::Content);
        for piece in chunks.take(limit) {
            let text = quoted(&piece.text);
            piece.payload = match self.shape {
                Shape::Missing => envelope.chunk(r#"{"index":0,"logprobs":null,"finish_reason":null}"#),
                Shape::Null => {
                    envelope.chunk(r#"{"index":0,"delta":null,"logprobs":null,"finish_reason":null}"#)
                }
                Shape::ContentObject => envelope.content(&format!(r#"{{"type":"text","text":{text}}}"#)),
                Shape::ContentList => envelope.content(&format!(r#"[{{"type":"text","text":{text}}}]"#)),
                Shape::WithRole => {
                    let delta = envelope.content_delta(&text);
                    envelope.delta(&delta.replacen('{', r#"{"role":"assistant","#, 1))
                }
            };
            piece.marks = piece.marks | marks;
        }
    }
}
