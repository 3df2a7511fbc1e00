//! Protocol `chat.v1`: JSON text frames with ids, places and resuming.
//!
//! In: `resume` first, then `send`, `stop`, `end_conversation`, `ack`, `pong`. Out: [`Outgoing`]. What must not be missed
//! is *durable*: it carries an `offset`, is kept for a while and sent again to whoever resumes. Pieces of a running
//! answer are not; a `snapshot` stands for all of them.
//!
//! Invariants: every message that is taken is acknowledged by one `ack` to its sender and ends, for all devices, with
//! one `done`; one that is not taken gets one `error` with its `client_msg_id`, and nothing else.
//!
//! Unknown keys are skipped, unknown types answered by an `error`.

mod device;
mod incoming;
mod schema;

use std::num::NonZeroU32;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::protocol::{Action, Code, Entry, Finish, Kind};
use crate::ids::{MessageId, SessionId, SuggestionId};
pub(super) use device::{Device, Terms};
pub use incoming::{CLIENT_ID_MAX, Incoming, Wrong, parse};
pub use schema::schema;

/// The WebSocket subprotocol that asks for it.
pub const NAME: &str = "chat.v1";

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user, on any device.
    User,
    /// The server.
    Assistant,
}

/// What has become of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is a reminder now.
    Confirmed,
    /// It was turned down.
    Dismissed,
}

/// What has become of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Messages go there now.
    Open,
    /// The next message begins another one.
    Ended,
    /// It is gone, with all that was said in it: take that off the page.
    Deleted,
}

/// What a client may count on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Limits {
    /// Longest message, in characters.
    pub message_characters: usize,
    /// Largest frame, in bytes.
    pub frame_bytes: usize,
    /// Messages that may be sent at once.
    pub burst: NonZeroU32,
}

/// A frame out. Absent keys are not sent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outgoing {
    /// The first frame. With `recovered`, everything that was missed follows; without, the client must read the history.
    Welcome {
        /// Which stream the offsets belong to.
        epoch: String,
        /// The offset of the last durable frame so far.
        offset: u64,
        /// Whether nothing was lost since the offset that the client named.
        recovered: bool,
        /// The open session, if one is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        session: Option<SessionId>,
        /// What the client may count on.
        limits: Limits,
        /// How often the server pings, in milliseconds.
        ping_ms: u64,
    },
    /// A message is taken. To its sender only.
    Ack {
        /// The client's id of it.
        client_msg_id: String,
        /// Its id in the history; absent if it is not stored.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        message_id: Option<MessageId>,
        /// The id that the answer will have; `stop` takes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        reply_id: Option<MessageId>,
        /// Whether it was taken before: then nothing more follows.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        duplicate: bool,
    },
    /// A message that is whole: the user's, or one that the server did not ask the model for. Durable.
    Message {
        /// Its id in the history; absent if it is not stored.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        message_id: Option<MessageId>,
        /// The client's id, if the user sent it by this protocol.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_msg_id: Option<String>,
        /// Who wrote it.
        role: Role,
        /// What it is; absent of the user's.
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<Kind>,
        /// Its text.
        text: String,
        /// What the user can do.
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
        /// The messages that it takes the place of: a question, and what there is of its failed reply.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "Vec<String>")]
        replaces: Vec<MessageId>,
    },
    /// A piece of the running answer.
    Chunk {
        /// The answer.
        #[schemars(with = "String")]
        message_id: MessageId,
        /// Where the piece begins in the answer, in characters.
        index: usize,
        /// The piece.
        text: String,
    },
    /// All that there is of an answer: it takes the place of its pieces.
    Snapshot {
        /// The answer.
        #[schemars(with = "String")]
        message_id: MessageId,
        /// All of its text so far.
        text: String,
        /// Where the next piece begins, in characters.
        next_index: usize,
    },
    /// What to do in an emergency. Durable; never held back.
    Safety {
        /// The sign that was found.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_msg_id: Option<String>,
        /// How serious.
        level: &'static str,
        /// What to do.
        text: String,
        /// What the client is to offer.
        actions: Vec<Action>,
    },
    /// A proposed calendar entry. Durable.
    Calendar {
        /// The entry.
        suggestion: Entry,
    },
    /// A proposed entry was decided upon, on whatever device. Durable.
    Suggestion {
        /// Which one.
        #[schemars(with = "String")]
        id: SuggestionId,
        /// What has become of it.
        state: Fate,
    },
    /// Something about the conversation itself. Durable.
    Notice {
        /// What for programs.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        /// What for the user.
        text: String,
        /// What the user can do.
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
    },
    /// A frame was not taken, or a message could not be handled. To its sender only.
    Error {
        /// What for programs.
        code: Code,
        /// What for the user.
        text: String,
        /// When the next one will be taken, in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// The message that it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_msg_id: Option<String>,
        /// What the user can do.
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
    },
    /// A session has begun, has ended or was deleted. Durable.
    Session {
        /// Which one.
        #[schemars(with = "String")]
        id: SessionId,
        /// What has become of it.
        state: SessionState,
        /// Why it has begun: `first`, `idle`, `length`, `ended` or `intent`, after the one before; absent if that is not
        /// known.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    },
    /// The user has chosen another language, on whatever device. Durable.
    Language {
        /// What the user wants, as a tag such as `pt-BR`.
        preferred: String,
        /// What the user gets: the code of an enabled language.
        language: String,
    },
    /// A turn is over. Durable.
    Done {
        /// The answer; absent if none is stored.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        message_id: Option<MessageId>,
        /// The message that it answers, if it was sent by this protocol.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_msg_id: Option<String>,
        /// The failed reply that this one takes the place of.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        replaces: Option<MessageId>,
        /// How.
        finish_reason: Finish,
        /// Whether the user got less than an answer.
        degraded: bool,
        /// Whether the user was spoken to in another language than the preferred one.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        used_fallback: bool,
        /// What for programs, where something went wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        /// What the user can do.
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
        /// When asking again may help, in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// The session of the turn.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        session: Option<SessionId>,
        /// When it ended.
        #[schemars(with = "String")]
        at: Timestamp,
    },
}

/// The types of frames that are not kept, and carry no offset.
pub(super) const PASSING: [&str; 5] = ["welcome", "ack", "chunk", "snapshot", "error"];

impl Outgoing {
    /// The end of a turn that its replica did not live to tell.
    pub(super) const fn broken_off(at: Timestamp) -> Self {
        Self::Done {
            message_id: None,
            client_msg_id: None,
            finish_reason: Finish::Interrupted,
            degraded: true,
            used_fallback: false,
            code: None,
            action: None,
            retry_after_ms: None,
            session: None,
            replaces: None,
            at,
        }
    }

    /// Returns whether it carries an offset and is sent again to whoever resumes.
    pub const fn is_durable(&self) -> bool {
        !matches!(
            self,
            Self::Welcome { .. }
                | Self::Ack { .. }
                | Self::Chunk { .. }
                | Self::Snapshot { .. }
                | Self::Error { .. }
        )
    }

    /// Returns the frame as it goes over the wire, without a place in the stream.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_else(|_| r#"{"type":"error","code":"internal","text":""}"#.to_owned())
    }
}
