//! When a conversation begins anew.
//!
//! Decided at every message, before its prompt is built: after more than the idle time without a
//! message of either side, when a turn no longer fits into the session, or after an end that the user
//! asked for, or when the matter changes ([`Shift`]). A reply never decides: it goes where its question went, even if that session has ended
//! meanwhile.
//!
//! Invariant: pure; facts about the user outlive every session.

mod shift;

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;

use crate::{
    config,
    storage::{Session, SessionReason},
    words,
};

pub use shift::{Family, Remark, Shift};

/// The rules of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// More than this without a message ends a session.
    pub idle: Duration,
    /// Stored messages of one session.
    pub messages: u32,
    /// Places that the coming turn may need: its question and what follows.
    pub places: u32,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Into the open session.
    Continue,
    /// Into a new one.
    Open(SessionReason),
}

impl Rules {
    /// Takes the rules from the settings, for a turn that stores up to `places` messages.
    pub const fn new(settings: &config::Conversation, places: u32) -> Self {
        Self { idle: settings.idle, messages: settings.session_messages, places }
    }

    /// Returns how full a session may be after the question is stored, so that the rest still fits.
    pub const fn capacity(&self) -> u32 {
        let capacity = self.messages.saturating_sub(self.places - 1);
        if capacity == 0 { 1 } else { capacity }
    }
}

/// Decides by the user's latest session, open or ended.
pub fn decide(latest: Option<&Session>, now: Timestamp, rules: &Rules) -> Decision {
    let Some(session) = latest else {
        return Decision::Open(SessionReason::First);
    };
    if session.ended_at.is_some() {
        return Decision::Open(SessionReason::Ended);
    }
    let quiet = Duration::try_from(now.duration_since(session.active_at)).unwrap_or_default();
    if quiet > rules.idle {
        return Decision::Open(SessionReason::Idle);
    }
    if session.messages >= rules.capacity() {
        return Decision::Open(SessionReason::Length);
    }
    Decision::Continue
}

/// What people say to end a conversation, folded.
const FAREWELLS: [&str; 17] = [
    "end conversation",
    "end the conversation",
    "end this conversation",
    "end chat",
    "end the chat",
    "new conversation",
    "start a new conversation",
    "terminar conversacion",
    "terminar la conversacion",
    "termina la conversacion",
    "finalizar conversacion",
    "finalizar la conversacion",
    "nueva conversacion",
    "terminer la conversation",
    "finir la conversation",
    "fin de la conversation",
    "nouvelle conversation",
];

/// Returns whether the whole message asks for the end of the conversation.
pub fn is_end_phrase(message: &str) -> bool {
    let folded = words::fold(message);
    let polite = |word: &Cow<'_, str>| {
        !matches!(word.as_ref(), "please" | "por" | "favor" | "svp" | "merci" | "thanks")
    };
    let said: Vec<_> = words::split(&folded).into_iter().map(|word| word.text).filter(polite).collect();
    FAREWELLS.contains(&said.join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ids::{SessionId, UserId};

    fn rules() -> Rules {
        Rules::new(&config::Conversation::default(), 2)
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn session(messages: u32) -> Session {
        Session {
            id: SessionId::random(),
            user: UserId::random(),
            number: 1,
            reason: SessionReason::First,
            started_at: at(0),
            active_at: at(0),
            ended_at: None,
            messages,
        }
    }

    #[test]
    fn an_hour_without_a_message_is_not_yet_too_long() {
        let decide = |millis| decide(Some(&session(4)), at(millis), &rules());

        assert_eq!(decide(3_599_900), Decision::Continue);
        assert_eq!(decide(3_600_000), Decision::Continue);
        assert_eq!(decide(3_600_100), Decision::Open(SessionReason::Idle));
    }

    #[test]
    fn without_a_session_the_first_one_is_opened() {
        assert_eq!(decide(None, at(0), &rules()), Decision::Open(SessionReason::First));
    }

    #[test]
    fn an_ended_session_is_never_continued() {
        let ended = Session { ended_at: Some(at(1)), ..session(2) };

        assert_eq!(decide(Some(&ended), at(2), &rules()), Decision::Open(SessionReason::Ended));
    }

    #[test]
    fn a_turn_that_would_not_fit_opens_a_new_session() {
        assert_eq!(decide(Some(&session(98)), at(1), &rules()), Decision::Continue);
        assert_eq!(decide(Some(&session(99)), at(1), &rules()), Decision::Open(SessionReason::Length));
        let flagged = Rules { places: 3, ..rules() };
        assert_eq!(decide(Some(&session(98)), at(1), &flagged), Decision::Open(SessionReason::Length));
    }

    #[test]
    fn the_end_is_asked_for_in_each_language_and_only_by_the_whole_message() {
        for phrase in ["End conversation", "Terminar la conversación, por favor.", "Fin de la conversation !"]
        {
            assert!(is_end_phrase(phrase), "{phrase}");
        }
        assert!(!is_end_phrase("how do I end the conversation with my boss"));
    }

    proptest! {
        #[test]
        fn a_continued_session_never_outgrows_its_limit(messages in 0u32..200, places in 2u32..4) {
            let rules = Rules { places, ..rules() };

            if decide(Some(&session(messages)), at(1), &rules) == Decision::Continue {
                prop_assert!(messages + places <= 100);
            }
        }

        #[test]
        fn idleness_alone_decides_while_there_is_room(millis in -10_000i64..10_000_000) {
            let wanted = if millis > 3_600_000 {
                Decision::Open(SessionReason::Idle)
            } else {
                Decision::Continue
            };

            prop_assert_eq!(decide(Some(&session(4)), at(millis), &rules()), wanted);
        }
    }
}
