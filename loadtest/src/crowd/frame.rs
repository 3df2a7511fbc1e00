//! Frames of the chat as a stranger reads them: JSON, of which a few keys are looked at.

use std::borrow::Cow;

use serde::Deserialize;

/// A frame of protocol v0, as far as a user of a load looks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Cow<'a, str>,
    #[serde(rename = "kind", borrow)]
    text_kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

/// What a frame is to the user who waits for an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// A piece of the model's answer.
    Piece(&'a str),
    /// A text in the place of an answer.
    Instead,
    /// What to do in an emergency.
    Safety,
    /// Something else beside the answer: a notice, a proposed entry.
    Aside,
    /// The end of the turn.
    Done,
    /// The message was refused, or failed; ends the turn too.
    Refused(&'a str),
    /// Nothing that the protocol has.
    Garbage,
}

impl<'a> Frame<'a> {
    /// Reads a frame; what is no JSON object is garbage.
    pub(crate) fn read(text: &'a str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(crate) fn meaning(&self) -> Meaning<'_> {
        match (&*self.kind, self.text_kind.as_deref()) {
            ("message", None | Some("answer")) => Meaning::Piece(&self.content),
            ("message", Some("canned" | "fallback")) => Meaning::Instead,
            ("message", Some("safety")) => Meaning::Safety,
            ("message", Some("notice")) | ("calendar", _) => Meaning::Aside,
            ("done", _) => Meaning::Done,
            ("error", _) => Meaning::Refused(self.code.as_deref().unwrap_or("error")),
            _ => Meaning::Garbage,
        }
    }

    /// Returns the ids in it, which belong to one user.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        [self.session.as_deref(), self.id.as_deref()].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_by_what_they_mean_to_a_user() {
        let piece =
            Frame::read(r#"{"type":"message","content":"a \"b\"","turn":1,"kind":"answer","session":"s"}"#);
        assert_eq!(piece.meaning(), Meaning::Piece("a \"b\""));
        assert_eq!(piece.ids().collect::<Vec<_>>(), ["s"]);

        let refused = Frame::read(r#"{"type":"error","content":"wait","code":"rate_limited"}"#);
        assert_eq!(refused.meaning(), Meaning::Refused("rate_limited"));
        let fallback = Frame::read(r#"{"type":"message","content":"sorry","kind":"fallback"}"#);
        assert_eq!(fallback.meaning(), Meaning::Instead);
        assert_eq!(Frame::read(r#"{"type":"done"}"#).meaning(), Meaning::Done);
    }

    #[test]
    fn what_is_no_frame_is_garbage() {
        for text in ["", "[]", "{", r#"{"type":"dance"}"#] {
            assert_eq!(Frame::read(text).meaning(), Meaning::Garbage, "{text}");
        }
    }
}
