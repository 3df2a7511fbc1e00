//! What a line of a transcript looks like on a timeline.

use super::faults;
use crate::result::{Line, LineKind};

/// A kind of mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report::html) enum Mark {
    Socket,
    Sent,
    Call,
    Piece,
    End,
    Refusal,
    Asked,
    Answered,
    Fault,
    Moved,
    Note,
}

impl Mark {
    /// All of them, from the back to the front.
    pub(in crate::report::html) const ALL: [Self; 11] = [
        Self::Moved,
        Self::Socket,
        Self::Sent,
        Self::Call,
        Self::Piece,
        Self::End,
        Self::Refusal,
        Self::Asked,
        Self::Answered,
        Self::Fault,
        Self::Note,
    ];

    /// Returns the mark of a line.
    pub(super) fn of(line: &Line) -> Self {
        match line.kind {
            LineKind::Socket => Self::Socket,
            LineKind::Sent => Self::Sent,
            LineKind::Http => Self::Call,
            LineKind::Frame => Self::of_frame(line),
            LineKind::Upstream => Self::Asked,
            LineKind::UpstreamEnd if faults(line).is_empty() => Self::Answered,
            LineKind::Clock => Self::Moved,
            LineKind::Note if line.actor == "harness" => Self::Note,
            LineKind::UpstreamEnd | LineKind::Note => Self::Fault,
        }
    }

    fn of_frame(line: &Line) -> Self {
        match line.data.as_ref().and_then(|data| data.get("type")?.as_str()) {
            Some("done") => Self::End,
            Some("error") => Self::Refusal,
            _ => Self::Piece,
        }
    }

    /// Returns the class that gives it its colour.
    pub(in crate::report::html) const fn class(self) -> &'static str {
        match self {
            Self::Socket => "to",
            Self::Sent => "ts",
            Self::Call => "th",
            Self::Piece => "tf",
            Self::End => "td",
            Self::Refusal => "tr",
            Self::Asked => "tu",
            Self::Answered => "te",
            Self::Fault => "tb",
            Self::Moved => "tv",
            Self::Note => "tn",
        }
    }

    /// Returns its path around the place where the pen stands.
    pub(in crate::report::html) const fn shape(self) -> &'static str {
        match self {
            Self::Socket => "m0-8v16",
            Self::Sent => "m-4-5 9 5-9 5z",
            Self::Call => "m-4-4h8v8h-8z",
            Self::Piece => "m0-5v10",
            Self::End | Self::Note => "h0",
            Self::Refusal => "m-5 4 5-9 5 9z",
            Self::Asked => "m-5 0 5-6 5 6-5 6z",
            Self::Answered => "m0-6v12",
            Self::Fault => "m-4-4 8 8m0-8-8 8",
            Self::Moved => "m-3-4 4 4-4 4",
        }
    }

    /// Returns what it means.
    pub(in crate::report::html) const fn meaning(self) -> &'static str {
        match self {
            Self::Socket => "socket opens or closes",
            Self::Sent => "user says",
            Self::Call => "REST call",
            Self::Piece => "user reads",
            Self::End => "turn is done",
            Self::Refusal => "error frame",
            Self::Asked => "server asks the model",
            Self::Answered => "answer ends",
            Self::Fault => "fault strikes",
            Self::Moved => "time passes",
            Self::Note => "harness notes",
        }
    }
}
