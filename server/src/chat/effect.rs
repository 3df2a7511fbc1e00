//! What a conversation wants to be done.

use std::sync::Arc;

use super::{event::Said, protocol::Frame};
use crate::{
    calendar::Idea,
    ids::{MessageId, SessionId},
    storage::MessageKind,
};

/// Something to be done by the driver, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this frame.
    Send(Frame),
    /// Ask the limits whether this message is taken; report `Admitted` or `Refused`.
    Admit(Arc<Said>),
    /// Do this and report how it ended. Never two at a time.
    Run(Step),
    /// Drop the step under way, and with it the connection to the model.
    Cancel,
    /// Let the user's next turn begin, on whatever connection.
    Release,
    /// Close the connection in order.
    Close,
}

/// A step of a turn that takes time.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Wait until no other turn of this user runs.
    Wait(Arc<Said>),
    /// Look up whether the user agrees to what the model would be told.
    Consent(Arc<Said>),
    /// Find or open the session; store the message and the safety text, if there is one.
    Open(Arc<Said>, Option<String>),
    /// Propose a calendar entry.
    Offer(Arc<Said>, Idea),
    /// Ask the model; pieces come as `Text`. Without a session it is asked without memory.
    Ask(Arc<Said>, Option<SessionId>),
    /// Store what the user got.
    Reply(Reply),
    /// Store what the user said about itself.
    Learn(Arc<Said>),
    /// End the open session.
    End,
}

/// A message to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Its id.
    pub id: MessageId,
    /// Where it belongs; for a reply even if that session has ended.
    pub session: SessionId,
    /// What it is.
    pub kind: MessageKind,
    /// The text.
    pub text: String,
}
