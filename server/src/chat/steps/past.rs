//! What was said before in a conversation, what it says about its matter, and what of it is still seen when the matter
//! has changed.

use jiff::Timestamp;

use super::{
    Steps, or_nothing,
    recall::{Past, Reach},
};
use crate::{
    chat::event::Said,
    classify::classify,
    ids::SessionId,
    memory::MemoryPolicy,
    session::{Remark, Shift},
    storage::{Message, Session, SessionReason, Stored},
};

/// So many earlier messages of the user are looked at for the matter.
const LOOKED_AT_MAX: usize = 20;

/// Among so many of both sides.
const LOOKED_AMONG_MAX: usize = 2 * LOOKED_AT_MAX;

/// So many conversations may be joined by labels.
const JOINED_MAX: u32 = 10;

impl Steps {
    /// Returns whether a new conversation begins with this message, by its matter.
    pub(super) async fn has_shifted(&self, said: &Said, session: SessionId) -> bool {
        let (policy, now) = (self.policy(), self.says(said));
        if policy.shift.messages == 0 || !now.can_shift() {
            return false;
        }
        let since = policy.since(said.at);
        let past = self.past(session, since).await.unwrap_or_else(|error| {
            tracing::error!(%error, "matter of the conversation is not known");
            Past::default()
        });
        let earlier = past.remarks.iter().filter(|(at, _)| *at >= since).map(|(_, remark)| *remark);
        let remarks: Vec<_> = earlier.chain([now]).collect();
        policy.shift.is_at_the_end_of(&remarks)
    }

    /// Returns what was said in this session, as it is known here or as the store has it.
    async fn past(&self, session: SessionId, since: Timestamp) -> Stored<Past> {
        if let Some(past) = self.recall.past(session) {
            return Ok(past);
        }
        let (reach, shift) = (self.reach(), self.policy().shift);
        let limit = LOOKED_AMONG_MAX.max(reach.messages);
        let read =
            self.parts.storage.context(session, since, u32::try_from(limit).unwrap_or(u32::MAX)).await?;
        let past = Past::new(read, |message| self.remark(&shift, message), reach);
        self.recall.keep(session, past.clone());
        Ok(past)
    }

    /// Returns what a message that was just said says about the matter.
    pub(super) fn says(&self, said: &Said) -> Remark {
        self.policy().shift.remark(&said.meaning, said.flag.is_some())
    }

    /// Returns how far back the past matters. The question is stored already when its prompt is built, and is one more
    /// than the model sees of the past.
    pub(super) fn reach(&self) -> Reach {
        Reach { messages: self.policy().max_messages + 1, remarks: LOOKED_AT_MAX }
    }

    pub(super) fn policy(&self) -> MemoryPolicy {
        MemoryPolicy::new(&self.parts.config.conversation)
    }

    fn remark(&self, shift: &Shift, message: &Message) -> Remark {
        let flag = self.parts.red_flags.find(&message.text);
        let own = &self.parts.languages.lexicon().symptoms;
        shift.remark(&classify(&message.text, &message.language, flag.as_ref(), own), flag.is_some())
    }

    /// Returns what was said in a conversation and, unless it is to be forgotten, in those before it from which
    /// only a change of matter parts it. Oldest first, as much as the policy lets the model see and one more.
    pub(super) async fn history(&self, session: SessionId, at: Timestamp) -> Stored<Vec<Message>> {
        let policy = self.policy();
        let since = policy.since(at);
        let mut history = Vec::from(self.past(session, since).await?.messages);
        if policy.trim_on_new_intent {
            return Ok(history);
        }
        let storage = &self.parts.storage;
        let sessions = storage.sessions(self.user, None, JOINED_MAX).await?;
        let mut newest_first = sessions.into_iter().skip_while(|one| one.id != session).peekable();
        while let Some(one) = newest_first.next() {
            let left = self.reach().messages.saturating_sub(history.len());
            // Where one between was deleted, nothing is known of what parted the others.
            let is_joined =
                |before: &&Session| one.reason == SessionReason::Intent && before.number + 1 == one.number;
            let Some(before) = newest_first.peek().filter(is_joined) else { break };
            if left == 0 {
                break;
            }
            let limit = u32::try_from(left).unwrap_or(u32::MAX);
            let earlier = or_nothing(storage.context(before.id, since, limit).await, "history");
            history = [earlier, history].concat();
        }
        Ok(history)
    }
}
