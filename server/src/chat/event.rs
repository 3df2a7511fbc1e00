//! What happens to a conversation.

use std::{sync::Arc, time::Duration};

use clock::Instant;
use jiff::Timestamp;

use super::protocol::Code;
use crate::{
    classify::Meaning,
    ids::{MessageId, SessionId},
    llm::{Failure, Route},
    safety::RedFlag,
    storage::{SessionReason, Suggestion},
};

/// A message of the user, with what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Number of the message on this connection, from 1.
    pub turn: u64,
    /// Its text; empty for the command that ends the conversation.
    pub text: String,
    /// What the user wants.
    pub wish: Wish,
    /// What it is about; unclear until it is admitted, for what is refused need not be understood.
    pub meaning: Meaning,
    /// The sign of an emergency in it.
    pub flag: Option<RedFlag>,
    /// When its frame was read: the turn's time counts from here.
    pub read_at: Instant,
    /// The same on the calendar.
    pub at: Timestamp,
    /// The ids of the rows that the turn may store.
    pub ids: Ids,
    /// The message that it is to take the place of, as its answer failed.
    pub replaces: Option<MessageId>,
    /// Whether its client calls it by an id, so that it may have been taken before.
    pub is_named: bool,
}

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// An answer.
    Answer,
    /// The end of the conversation.
    End,
}

/// Ids of a turn, drawn before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Of the user's message.
    pub question: MessageId,
    /// Of the safety text.
    pub safety: MessageId,
    /// Of the reply.
    pub reply: MessageId,
}

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many in a short time.
    RateLimited {
        /// Until the next one is taken.
        retry_after: Duration,
    },
    /// Too many wait already.
    QueueFull,
}

/// Something that happened. Each has its method in the machine.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message came.
    Heard(Arc<Said>),
    /// A frame came that cannot be read; it is paid for like a message.
    Unreadable(Code),
    /// A frame came that cannot be read, and there were too many messages already.
    Flooded {
        /// Until the next one is taken.
        retry_after: Duration,
    },
    /// The message is taken.
    Admitted(Arc<Said>),
    /// The message is not taken.
    Refused(Arc<Said>, Refusal),
    /// A piece of the answer came.
    Text(String),
    /// The step under way has ended.
    Did(Outcome),
    /// The answer with this id is to stop.
    Stopped(MessageId),
    /// The client has gone.
    Gone,
    /// The server is about to stop.
    Draining,
}

impl Event {
    /// Returns whether a frame was refused by it.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(..) | Self::Unreadable(_) | Self::Flooded { .. })
    }
}

/// How a step ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is this user's and this connection's turn.
    Granted,
    /// The turn's time was over before its place came.
    TooLate,
    /// The user agrees to what the model would be told.
    Agreed,
    /// The user does not agree to it, or not any more.
    NotAgreed,
    /// The message is stored in this session, which was begun for it if there is a reason.
    Opened(SessionId, Option<SessionReason>),
    /// The message was stored before.
    Known,
    /// The message that it is to take the place of is not there to be replaced.
    NotThere,
    /// A calendar entry is proposed, or not.
    Offered(Option<Suggestion>),
    /// The model has answered in full.
    Answered(Route),
    /// The model has failed.
    Failed(Failure),
    /// The reply is stored.
    Stored,
    /// What the user said about itself is stored.
    Learned,
    /// The session has ended, if one was open.
    Ended(Option<SessionId>),
    /// The store failed; the cause is in the log.
    Broken,
}
