//! What is remembered, and for how long: one value, and which messages of a session the model still sees.
//!
//! Invariant: the window is a run of the newest messages, in order, at most `max_messages` long and none
//! older than `max_age`. The message that is being answered is not part of it. What a session is, is
//! decided in [`session`](crate::session); what a fact is, in [`facts`](crate::facts).

mod table;

use std::time::Duration;

use jiff::Timestamp;

use crate::{config, session::Shift, storage::Message};

/// The rules of memory, as they are in force. [`table`](Self::table) tells them to people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryPolicy {
    /// At most so many messages, of both sides together.
    pub max_messages: usize,
    /// None that is older.
    pub max_age: Duration,
    /// More than this without a message begins a new session.
    pub idle: Duration,
    /// Stored messages of one session, both sides.
    pub session_messages: u32,
    /// When another matter begins a new session.
    pub shift: Shift,
    /// Whether a session that begins for another matter begins with an empty memory.
    pub trim_on_new_intent: bool,
    /// Budget of the whole prompt, in estimated tokens.
    pub prompt_tokens: usize,
    /// Facts below this confidence stay out of the prompt.
    pub fact_confidence: f64,
    /// Life of facts that pass by themselves.
    pub transient_life: Duration,
    /// Life of preferences.
    pub preference_life: Duration,
    /// How long what has ended stays in the history.
    pub fact_retention: Duration,
}

impl MemoryPolicy {
    /// The range that [`max_messages`](Self::max_messages) is held in.
    pub const MESSAGES: std::ops::RangeInclusive<usize> = 2..=50;

    /// Takes the rules from the settings.
    pub fn new(settings: &config::Conversation) -> Self {
        let wanted = settings.window_messages as usize;
        Self {
            max_messages: wanted.clamp(*Self::MESSAGES.start(), *Self::MESSAGES.end()),
            max_age: settings.window_age,
            idle: settings.idle,
            session_messages: settings.session_messages,
            shift: Shift { messages: settings.shift_messages, confidence: settings.shift_confidence },
            trim_on_new_intent: settings.trim_on_new_intent,
            prompt_tokens: settings.prompt_tokens,
            fact_confidence: settings.fact_confidence,
            transient_life: settings.transient_life,
            preference_life: settings.preference_life,
            fact_retention: settings.fact_retention,
        }
    }

    /// Returns the moment before which messages are forgotten.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.max_age).unwrap_or(Timestamp::MIN)
    }

    /// Returns what is left of the messages, which come oldest first.
    pub fn window(&self, mut messages: Vec<Message>, now: Timestamp) -> Vec<Message> {
        let since = self.since(now);
        messages.retain(|message| message.at >= since);
        let surplus = messages.len().saturating_sub(self.max_messages);
        messages.drain(..surplus);
        messages
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ids::{MessageId, SessionId, UserId},
        storage::{MessageKind, Role},
    };

    fn message(second: i64) -> Message {
        Message {
            id: MessageId::random(),
            session: SessionId::random(),
            user: UserId::random(),
            position: 1,
            role: Role::User,
            kind: MessageKind::Said,
            language: "en".to_owned(),
            text: second.to_string(),
            at: Timestamp::from_second(second).unwrap(),
            replaced_by: None,
        }
    }

    fn window(seconds: impl IntoIterator<Item = i64>, now: i64) -> Vec<i64> {
        let messages = seconds.into_iter().map(message).collect();
        let policy = MemoryPolicy::new(&config::Conversation::default());
        let window = policy.window(messages, Timestamp::from_second(now).unwrap());
        window.into_iter().map(|message| message.at.as_second()).collect()
    }

    #[test]
    fn of_twelve_messages_the_last_ten_stay_in_order() {
        assert_eq!(window(1..=12, 12), (3..=12).collect::<Vec<_>>());
    }

    #[test]
    fn messages_older_than_a_day_leave() {
        assert_eq!(window([0, 1, 50], 24 * 3600 + 1), [1, 50]);
    }

    #[test]
    fn the_setting_is_held_in_its_range() {
        for (wanted, held) in [(0, 2), (10, 10), (1000, 50)] {
            let settings = config::Conversation { window_messages: wanted, ..Default::default() };
            assert_eq!(MemoryPolicy::new(&settings).max_messages, held);
        }
    }

    proptest! {
        #[test]
        fn the_window_is_a_short_fresh_suffix(mut seconds in proptest::collection::vec(0i64..200_000, 0..40)) {
            seconds.sort_unstable();

            let kept = window(seconds.clone(), 200_000);

            prop_assert!(kept.len() <= 10);
            prop_assert!(seconds.ends_with(&kept));
            prop_assert!(kept.iter().all(|second| *second >= 200_000 - 24 * 3600));
            let fresh = seconds.iter().filter(|second| **second >= 200_000 - 24 * 3600).count();
            prop_assert_eq!(kept.len(), fresh.min(10));
        }
    }
}
