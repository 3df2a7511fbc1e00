//! What a user may rely on, whatever the load.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A promise; each time that it is broken counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// A message gets an end.
    Ended,
    /// It gets one end, and nothing comes after it.
    OneEnd,
    /// What reaches a user belongs to that user.
    OwnFrames,
    /// An answer that is told as whole is what the model said, to the letter.
    WholeText,
    /// Every frame is one that the protocol has.
    CleanFrames,
    /// What a stream of `chat.v1` keeps is told once and without a gap, also across sockets.
    NoGap,
    /// A socket stays open until its user leaves.
    StaysOpen,
    /// Whoever has a token gets in.
    LetsIn,
    /// Of a flood as many messages are handled as the limit lets through, and all others are refused.
    ExactLimit,
    /// Whoever tells of an emergency reads what to do, before anything else.
    Safety,
    /// What was acknowledged is stored, and no write undoes another that it has not seen.
    KeepsFacts,
}

impl Promise {
    /// Returns what was seen when it was broken.
    pub const fn broken(self) -> &'static str {
        match self {
            Self::Ended => "a message got no end in time",
            Self::OneEnd => "something came after the end of a turn",
            Self::OwnFrames => "what belongs to one user reached another",
            Self::WholeText => "an answer told as whole was not what the model said",
            Self::CleanFrames => "a frame was none that the protocol has",
            Self::NoGap => "a stream had a gap, or told something twice",
            Self::StaysOpen => "a socket was closed although its user stayed",
            Self::LetsIn => "a user with a token did not get in",
            Self::ExactLimit => "a flood was not handled as the limit says",
            Self::Safety => "an emergency was not answered by what to do, before anything else",
            Self::KeepsFacts => "an acknowledged fact was lost, or the history is not one of facts",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.broken())
    }
}
