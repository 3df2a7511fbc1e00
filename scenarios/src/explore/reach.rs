//! What may be drawn: what the target can do, in the time that it has.

use crate::{line::Link, target::Target};

/// Steps of a clock that is virtual, from within an answer to beyond the end of a conversation.
const PAUSES: &[&str] = &["10ms", "300ms", "2s", "12s", "61s", "conversation.idle + 1s"];
/// Steps of a real one.
const SHORT_PAUSES: &[&str] = &["5ms", "50ms", "300ms"];

/// What the model does: how it paces its words, and what goes wrong.
const MOODS: &[&str] = &[
    "{ default = { pace = { gap = \"200ms\" } } }",
    "{ default = { pace = { gap = \"2s\" } } }",
    "{ default = { pace = { first_token = \"4s\" } } }",
    "{ default = { faults = [{ id = \"stall\", after_events = 3 }] } }",
    "{ default = { faults = [\"socket-open-after-done\"] } }",
    "{ default = { faults = [{ id = \"chunked-cut\", after_events = 3 }] } }",
    "{ default = { faults = [\"too-busy-503\"] } }",
    "{ }",
];
/// The same where nobody wants to wait.
const SHORT_MOODS: &[&str] = &[
    "{ default = { reply = { pieces = [\"Yes, \", \"it \", \"is.\"] }, pace = { gap = \"50ms\" } } }",
    "{ default = { reply = { pieces = [\"Yes.\"] }, pace = { first_token = \"300ms\" } } }",
    "{ default = { faults = [{ id = \"chunked-cut\", after_events = 3 }] } }",
    "{ default = { faults = [\"too-busy-503\"] } }",
    "{ }",
];

/// What lets all pass again.
pub(super) const RESTORED: &str = "do = \"restore\"";
/// What the network does, on lines that go through gauntlet.
const WEATHERS: &[(Link, &str)] = &[
    (Link::Database, "do = \"cut\""),
    (Link::Database, RESTORED),
    (Link::Llm, "do = \"cut\""),
    (Link::Llm, "do = \"stall\""),
    (Link::Llm, RESTORED),
];

/// What may be drawn.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) pauses: &'static [&'static str],
    pub(super) moods: &'static [&'static str],
    /// Lines, and what is done to them.
    pub(super) weathers: Vec<(Link, &'static str)>,
    /// Whether one of the devices speaks `chat.v1`.
    pub(super) newer: bool,
    pub(super) facts: bool,
    pub(super) conversations: bool,
}

impl Reach {
    pub(super) fn of(target: &Target) -> Self {
        let is_virtual = target.can("virtual-time");
        Self {
            pauses: if is_virtual { PAUSES } else { SHORT_PAUSES },
            moods: if is_virtual { MOODS } else { SHORT_MOODS },
            weathers: WEATHERS.iter().filter(|(link, _)| target.can(link.need())).copied().collect(),
            newer: target.can("chat-v1"),
            facts: target.can("facts"),
            conversations: target.can("conversations"),
        }
    }
}
