//! Section `[conversation]`: sessions, memory and facts (F27 to F46).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::span;

/// Rules of a conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conversation {
    /// Longest user message, in characters.
    pub message_characters: usize,
    /// More than this without a message begins a new session.
    #[serde(with = "span")]
    pub idle: Duration,
    /// Stored messages of one session, both sides.
    pub session_messages: u32,
    /// Messages of the session that the model sees, 2 to 50.
    pub window_messages: u32,
    /// Older messages leave the prompt even inside a session.
    #[serde(with = "span")]
    pub window_age: Duration,
    /// So many messages in a row about another matter (health or dates) begin a new session; 0 for never.
    pub shift_messages: usize,
    /// Messages of which it is less sure what they are about do not count for that, 0 to 1.
    pub shift_confidence: f64,
    /// Whether a new session for another matter begins with an empty memory, or only with a label.
    pub trim_on_new_intent: bool,
    /// Budget of the whole prompt, in estimated tokens.
    pub prompt_tokens: usize,
    /// Facts below this confidence stay out of the prompt, 0 to 1.
    pub fact_confidence: f64,
    /// Life of facts that pass by themselves, such as a symptom.
    #[serde(with = "span")]
    pub transient_life: Duration,
    /// Life of preferences.
    #[serde(with = "span")]
    pub preference_life: Duration,
    /// How long a fact that has expired or was deleted stays in the store with its history, which its user can read.
    #[serde(with = "span")]
    pub fact_retention: Duration,
    /// How long an optimistic write may keep trying.
    #[serde(with = "span")]
    pub fact_write_deadline: Duration,
    /// Messages of one user that may wait for their turn.
    pub queue: usize,
    /// Frames that a device of `chat.v1` may have missed and still resume.
    pub resume_frames: usize,
    /// How long it may have been away for that.
    #[serde(with = "span")]
    pub resume_life: Duration,
    /// Users whose frames are kept for that while none of their devices is there.
    pub resume_users: usize,
    /// Whether small talk gets a reply from a list, and is neither stored nor shown to the model.
    pub canned_small_talk: bool,
    /// Whether a message that cannot be stored is answered all the same: without memory, and with word of it.
    pub answer_unstored: bool,
}

impl Default for Conversation {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            message_characters: 4000,
            idle: Duration::from_hours(1),
            session_messages: 100,
            window_messages: 10,
            window_age: Duration::from_secs(DAY),
            shift_messages: 2,
            shift_confidence: 0.75,
            trim_on_new_intent: true,
            prompt_tokens: 3000,
            fact_confidence: 0.7,
            transient_life: Duration::from_secs(7 * DAY),
            preference_life: Duration::from_secs(90 * DAY),
            fact_retention: Duration::from_secs(30 * DAY),
            fact_write_deadline: Duration::from_secs(5),
            queue: 16,
            resume_frames: 500,
            resume_life: Duration::from_secs(DAY),
            resume_users: 10_000,
            canned_small_talk: true,
            answer_unstored: true,
        }
    }
}
