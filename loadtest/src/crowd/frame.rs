//! Frames of the chat as a stranger reads them: JSON, of which a few keys are looked at.

use std::borrow::Cow;

use scenarios::model::Protocol;
use serde::Deserialize;

/// A frame of either protocol, as far as a user of a load looks.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Frame<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    /// What is to be read, as v0 names it.
    #[serde(borrow, default)]
    content: Cow<'a, str>,
    /// The same as `chat.v1` names it.
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(rename = "kind", borrow)]
    text_kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reply_id: Option<Cow<'a, str>>,
}

/// What a frame is to the user who waits for an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// A piece of the model's answer.
    Piece(&'a str),
    /// All of it so far.
    SoFar(&'a str),
    /// A text in the place of an answer.
    Instead,
    /// What to do in an emergency.
    Safety,
    /// Something else to be read beside the answer: a notice, a proposed entry.
    Aside,
    /// Nothing to be read: an acknowledgement, what the user has said, the beginning of a session.
    Sign,
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

    pub(crate) fn meaning(&self, protocol: Protocol) -> Meaning<'_> {
        match protocol {
            Protocol::V0 => self.meaning_in_v0(),
            Protocol::V1 => self.meaning_in_v1(),
        }
    }

    fn meaning_in_v0(&self) -> Meaning<'_> {
        match (&*self.kind, self.text_kind.as_deref()) {
            ("message", None | Some("answer")) => Meaning::Piece(&self.content),
            ("message", Some("canned" | "fallback")) => Meaning::Instead,
            ("message", Some("safety")) => Meaning::Safety,
            ("message", Some("notice")) | ("calendar", _) => Meaning::Aside,
            ("done", _) => Meaning::Done,
            ("error", _) => self.refusal(),
            _ => Meaning::Garbage,
        }
    }

    fn meaning_in_v1(&self) -> Meaning<'_> {
        match (&*self.kind, self.role.as_deref()) {
            ("chunk", _) => Meaning::Piece(&self.text),
            ("snapshot", _) => Meaning::SoFar(&self.text),
            ("message", Some("assistant")) => Meaning::Instead,
            ("safety", _) => Meaning::Safety,
            ("calendar" | "notice", _) => Meaning::Aside,
            ("message", Some("user")) | ("welcome" | "ack" | "session" | "suggestion" | "language", _) => {
                Meaning::Sign
            }
            ("done", _) => match self.finish_reason.as_deref() {
                Some("answered" | "canned" | "fallback") => Meaning::Done,
                Some(other) => Meaning::Refused(other),
                None => Meaning::Garbage,
            },
            ("error", _) => self.refusal(),
            _ => Meaning::Garbage,
        }
    }

    fn refusal(&self) -> Meaning<'_> {
        Meaning::Refused(self.code.as_deref().unwrap_or("error"))
    }

    /// Says whether this is how `chat.v1` greets who comes.
    pub(crate) fn welcomes(&self) -> bool {
        self.kind == "welcome"
    }

    /// Returns the ids in it, which belong to one user.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        [&self.session, &self.id, &self.message_id, &self.reply_id].into_iter().filter_map(Option::as_deref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_by_what_they_mean_to_a_user() {
        let meaning = |text: &str, wanted: &Meaning<'_>| {
            assert_eq!(Frame::read(text).meaning(Protocol::V0), *wanted, "{text}");
        };

        let piece = r#"{"type":"message","content":"a \"b\"","turn":1,"kind":"answer","session":"s"}"#;
        meaning(piece, &Meaning::Piece("a \"b\""));
        assert_eq!(Frame::read(piece).ids().collect::<Vec<_>>(), ["s"]);
        meaning(
            r#"{"type":"error","content":"wait","code":"rate_limited"}"#,
            &Meaning::Refused("rate_limited"),
        );
        meaning(r#"{"type":"message","content":"sorry","kind":"fallback"}"#, &Meaning::Instead);
        meaning(r#"{"type":"done"}"#, &Meaning::Done);
    }

    #[test]
    fn frames_of_the_newer_protocol_are_read_too_l3() {
        for (text, wanted) in [
            (r#"{"type":"ack","client_msg_id":"1","message_id":"m","reply_id":"r"}"#, Meaning::Sign),
            (r#"{"type":"message","role":"user","text":"hm"}"#, Meaning::Sign),
            (r#"{"type":"message","role":"assistant","kind":"fallback","text":"sorry"}"#, Meaning::Instead),
            (r#"{"type":"chunk","message_id":"r","index":0,"text":"a"}"#, Meaning::Piece("a")),
            (r#"{"type":"snapshot","message_id":"r","text":"ab","next_index":2}"#, Meaning::SoFar("ab")),
            (r#"{"type":"done","finish_reason":"answered"}"#, Meaning::Done),
            (r#"{"type":"done","finish_reason":"interrupted"}"#, Meaning::Refused("interrupted")),
            (r#"{"type":"error","code":"rate_limited","text":"wait"}"#, Meaning::Refused("rate_limited")),
            (r#"{"type":"done"}"#, Meaning::Garbage),
        ] {
            assert_eq!(Frame::read(text).meaning(Protocol::V1), wanted, "{text}");
        }
        let ack = Frame::read(r#"{"type":"ack","client_msg_id":"1","message_id":"m","reply_id":"r"}"#);
        assert_eq!(ack.ids().collect::<Vec<_>>(), ["m", "r"]);
    }

    #[test]
    fn what_is_no_frame_is_garbage() {
        for text in ["", "[]", "{", r#"{"type":"dance"}"#] {
            for protocol in [Protocol::V0, Protocol::V1] {
                assert_eq!(Frame::read(text).meaning(protocol), Meaning::Garbage, "{text}");
            }
        }
        let chunk = r#"{"type":"chunk","message_id":"r","index":0,"text":"a"}"#;
        assert_eq!(Frame::read(chunk).meaning(Protocol::V0), Meaning::Garbage, "of the other protocol");
    }
}
