//! Frames of the chat as a stranger reads them: JSON, of which a few keys are looked at.

use std::borrow::Cow;

use scenarios::model::Protocol;
use serde::Deserialize;

/// A frame, as far as a user of a load looks. Keys that a protocol does not have may hold anything.
#[derive(Debug)]
pub(crate) enum Frame<'a> {
    V0(Older<'a>),
    V1(Newer<'a>),
}

/// A frame of v0.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Older<'a> {
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

/// A frame of `chat.v1`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Newer<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
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
    #[serde(borrow)]
    client_msg_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    epoch: Option<Cow<'a, str>>,
    offset: Option<u64>,
    #[serde(default)]
    recovered: bool,
}

/// Up to where a user has read a stream of `chat.v1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) epoch: String,
    pub(crate) offset: u64,
}

/// How a stream begins, or goes on.
#[derive(Debug)]
pub(crate) struct Welcome {
    pub(crate) place: Place,
    /// Whether all that was missed follows.
    pub(crate) recovered: bool,
}

/// A message by the ids that `chat.v1` gives it.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// What the client calls it.
    pub(crate) client: String,
    /// What the server calls the reply, once it has told.
    pub(crate) reply: Option<String>,
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
    /// The greeting of `chat.v1`.
    Welcome,
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
    pub(crate) fn read(text: &'a str, protocol: Protocol) -> Self {
        match protocol {
            Protocol::V0 => Self::V0(serde_json::from_str(text).unwrap_or_default()),
            Protocol::V1 => Self::V1(serde_json::from_str(text).unwrap_or_default()),
        }
    }

    pub(crate) fn meaning(&self) -> Meaning<'_> {
        match self {
            Self::V0(frame) => frame.meaning(),
            Self::V1(frame) => frame.meaning(),
        }
    }

    /// Returns the ids in it, which belong to one user.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        let ids = match self {
            Self::V0(frame) => [&frame.session, &frame.id, &None, &None],
            Self::V1(frame) => [&frame.session, &frame.id, &frame.message_id, &frame.reply_id],
        };
        ids.into_iter().filter_map(Option::as_deref)
    }

    /// Returns the welcome that it is.
    pub(crate) fn welcome(&self) -> Option<Welcome> {
        let Self::V1(frame) = self else { return None };
        let epoch = frame.epoch.as_ref().filter(|_| frame.kind == "welcome")?;
        let place = Place { epoch: epoch.clone().into_owned(), offset: frame.offset? };
        Some(Welcome { place, recovered: frame.recovered })
    }

    /// Returns where it stands in the stream, if it is kept for those who missed it.
    pub(crate) fn offset(&self) -> Option<u64> {
        let Self::V1(frame) = self else { return None };
        frame.offset
    }

    /// Says whether this is surely about a message that nobody waits for any more: it names that, or is told of its answer.
    pub(crate) fn is_of_left(&self, message: &mut Ids) -> bool {
        let Self::V1(frame) = self else { return false };
        if self.concerns(message) {
            return frame.is_piece() || frame.client_msg_id.is_some();
        }
        // Who left before the acknowledgement does not know what the reply is called.
        frame.is_piece() && message.reply.is_none()
    }

    /// Learns from an acknowledgement what the reply to a message is called, and says whether this is about that message.
    /// A turn of `chat.v1` goes on when its socket is lost, so that what comes may be about an earlier one.
    pub(crate) fn concerns(&self, message: &mut Ids) -> bool {
        let Self::V1(frame) = self else { return true };
        if let Some(id) = &frame.client_msg_id
            && *id != message.client
        {
            return false;
        }
        if frame.kind == "ack" {
            message.reply = frame.reply_id.as_deref().map(str::to_owned);
        }
        !frame.is_piece() || frame.message_id.as_deref() == message.reply.as_deref()
    }
}

impl Older<'_> {
    fn meaning(&self) -> Meaning<'_> {
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
}

impl Newer<'_> {
    fn is_piece(&self) -> bool {
        matches!(&*self.kind, "chunk" | "snapshot")
    }

    fn meaning(&self) -> Meaning<'_> {
        match (&*self.kind, self.role.as_deref()) {
            ("chunk", _) => Meaning::Piece(&self.text),
            ("snapshot", _) => Meaning::SoFar(&self.text),
            ("message", Some("assistant")) => Meaning::Instead,
            ("safety", _) => Meaning::Safety,
            ("calendar" | "notice", _) => Meaning::Aside,
            ("welcome", _) => Meaning::Welcome,
            ("message", Some("user")) | ("ack" | "session" | "suggestion" | "language", _) => Meaning::Sign,
            ("done", _) => match self.finish_reason.as_deref() {
                Some("answered" | "canned" | "fallback") => Meaning::Done,
                Some(other) => Meaning::Refused(other),
                None => Meaning::Garbage,
            },
            ("error", _) => Meaning::Refused(self.code.as_deref().unwrap_or("error")),
            _ => Meaning::Garbage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: &str = r#"{"type":"ack","client_msg_id":"1","message_id":"m","reply_id":"r"}"#;

    #[test]
    fn frames_are_read_by_what_they_mean_to_a_user() {
        let piece = r#"{"type":"message","content":"a \"b\"","turn":1,"kind":"answer","session":"s"}"#;
        for (text, wanted) in [
            (piece, Meaning::Piece("a \"b\"")),
            (r#"{"type":"error","content":"wait","code":"rate_limited"}"#, Meaning::Refused("rate_limited")),
            (r#"{"type":"message","content":"sorry","kind":"fallback"}"#, Meaning::Instead),
            (r#"{"type":"done"}"#, Meaning::Done),
            // What the protocol does not have may be anything.
            (r#"{"type":"done","message_id":17,"text":null}"#, Meaning::Done),
        ] {
            assert_eq!(Frame::read(text, Protocol::V0).meaning(), wanted, "{text}");
        }
        assert_eq!(Frame::read(piece, Protocol::V0).ids().collect::<Vec<_>>(), ["s"]);
        assert_eq!(Frame::read(r#"{"type":"done","message_id":"1"}"#, Protocol::V0).ids().count(), 0);
    }

    #[test]
    fn frames_of_the_newer_protocol_are_read_too_l3() {
        for (text, wanted) in [
            (ACK, Meaning::Sign),
            (r#"{"type":"message","role":"user","text":"hm"}"#, Meaning::Sign),
            (r#"{"type":"message","role":"assistant","kind":"fallback","text":"sorry"}"#, Meaning::Instead),
            (r#"{"type":"chunk","message_id":"r","index":0,"text":"a"}"#, Meaning::Piece("a")),
            (r#"{"type":"snapshot","message_id":"r","text":"ab","next_index":2}"#, Meaning::SoFar("ab")),
            (r#"{"type":"done","finish_reason":"answered"}"#, Meaning::Done),
            (r#"{"type":"done","finish_reason":"interrupted"}"#, Meaning::Refused("interrupted")),
            (r#"{"type":"error","code":"rate_limited","text":"wait"}"#, Meaning::Refused("rate_limited")),
            (r#"{"type":"done"}"#, Meaning::Garbage),
        ] {
            assert_eq!(Frame::read(text, Protocol::V1).meaning(), wanted, "{text}");
        }
        assert_eq!(Frame::read(ACK, Protocol::V1).ids().collect::<Vec<_>>(), ["m", "r"]);
    }

    #[test]
    fn a_welcome_says_where_a_stream_goes_on_l3() {
        let welcome = |text: &str| Frame::read(text, Protocol::V1).welcome();
        let told = welcome(r#"{"type":"welcome","epoch":"e","offset":7,"recovered":true}"#).unwrap();

        assert_eq!((told.place, told.recovered), (Place { epoch: "e".to_owned(), offset: 7 }, true));
        assert!(welcome(r#"{"type":"done","epoch":"e","offset":8}"#).is_none());
        assert!(welcome(r#"{"type":"welcome","epoch":"e"}"#).is_none(), "nobody could come back to that");
    }

    #[test]
    fn what_is_told_of_an_earlier_turn_is_not_about_this_one_l3() {
        let mut message = Ids { client: "1".to_owned(), reply: None };
        let mut concerns = |text: &str| Frame::read(text, Protocol::V1).concerns(&mut message);

        assert!(!concerns(r#"{"type":"chunk","message_id":"old","text":"a"}"#));
        assert!(!concerns(r#"{"type":"done","client_msg_id":"0","finish_reason":"answered"}"#));
        assert!(concerns(ACK));
        assert!(concerns(r#"{"type":"chunk","message_id":"r","text":"a"}"#));
        assert!(!concerns(r#"{"type":"snapshot","message_id":"old","text":"a"}"#));
        assert!(concerns(r#"{"type":"done","client_msg_id":"1","finish_reason":"answered"}"#));
        assert!(concerns(r#"{"type":"notice","text":"hm"}"#));
    }

    #[test]
    fn what_is_no_frame_is_garbage() {
        for text in ["", "[]", "{", r#"{"type":"dance"}"#] {
            for protocol in [Protocol::V0, Protocol::V1] {
                assert_eq!(Frame::read(text, protocol).meaning(), Meaning::Garbage, "{text}");
            }
        }
        let chunk = r#"{"type":"chunk","message_id":"r","index":0,"text":"a"}"#;
        assert_eq!(Frame::read(chunk, Protocol::V0).meaning(), Meaning::Garbage, "of the other protocol");
    }
}
