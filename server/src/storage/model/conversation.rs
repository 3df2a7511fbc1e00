//! Sessions and their messages.

use jiff::Timestamp;
use serde::Serialize;

use crate::ids::{MessageId, SessionId, UserId};

/// Why a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionReason {
    /// The user's first message ever.
    First,
    /// More than the idle limit had passed.
    Idle,
    /// The session before was full.
    Length,
    /// The user had ended the session before.
    Ended,
    /// The matter had changed.
    Intent,
}

impl SessionReason {
    /// Returns the reason as text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Idle => "idle",
            Self::Length => "length",
            Self::Ended => "ended",
            Self::Intent => "intent",
        }
    }
}

/// One conversation session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Its place among all that its user had: a later one has a higher number.
    pub number: u32,
    /// Why it was opened.
    pub reason: SessionReason,
    /// When it was opened.
    pub started_at: Timestamp,
    /// When the last message (of either side) was stored in it; `started_at` before the first.
    pub active_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// Number of stored messages.
    pub messages: u32,
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Why it is opened.
    pub reason: SessionReason,
    /// When.
    pub at: Timestamp,
    /// The open session that it takes the place of.
    pub replacing: Option<SessionId>,
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user.
    User,
    /// The server.
    Assistant,
}

/// What a stored message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// What a user said.
    Said,
    /// A whole answer of the model.
    Answer,
    /// The part of an answer that had been shown when the model failed.
    Interrupted,
    /// A text in place of an answer.
    Fallback,
    /// A red-flag notice.
    Safety,
}

impl MessageKind {
    /// Returns whether the model may see messages of this kind as history (F26).
    pub const fn is_context(self) -> bool {
        matches!(self, Self::Said | Self::Answer)
    }

    /// Returns who says messages of this kind.
    pub const fn role(self) -> Role {
        if matches!(self, Self::Said) { Role::User } else { Role::Assistant }
    }
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The session it belongs to.
    pub session: SessionId,
    /// Whose conversation it is.
    pub user: UserId,
    /// Place in the session, from 1, without gaps.
    pub position: u32,
    /// Who said it.
    pub role: Role,
    /// What it is.
    pub kind: MessageKind,
    /// The language it was handled in.
    pub language: String,
    /// The text.
    pub text: String,
    /// When it was stored.
    pub at: Timestamp,
    /// The message that was asked instead, or whose answer stands instead.
    pub replaced_by: Option<MessageId>,
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// The session it belongs to.
    pub session: SessionId,
    /// Whose conversation it is.
    pub user: UserId,
    /// What it is; the role follows from it.
    pub kind: MessageKind,
    /// The language it was handled in.
    pub language: String,
    /// The text.
    pub text: String,
    /// When it was said.
    pub at: Timestamp,
}

/// Where in its session a message may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind all that is there, also when the session has ended: a reply stays where its question went.
    Last,
    /// Behind all that is there, while the session is open and holds so many messages at most with this one.
    Within(u32),
    /// At this position and no other, while the session is open: whoever knows the last message asks so whether it still
    /// is the last one.
    At(u32),
}

/// A question that is asked again, and the reply that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The question.
    pub question: MessageId,
    /// Its reply, stored or not.
    pub reply: MessageId,
}

/// What has become of a message that was to take the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// It stands in its place.
    Stored(Message),
    /// The session has ended or is full; nothing has changed.
    NoRoom,
    /// The user has no such question, it was replaced before, or it has a whole answer; nothing has changed.
    NotThere,
}

impl NewMessage {
    /// Returns who says a message of this kind.
    pub const fn role(&self) -> Role {
        match self.kind {
            MessageKind::Said => Role::User,
            _ => Role::Assistant,
        }
    }
}

/// A stretch of a session's messages.
#[derive(Clone, Debug)]
pub struct Page {
    /// Whose session it must be.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Only messages after this position.
    pub after: u32,
    /// At most so many.
    pub limit: u32,
}
