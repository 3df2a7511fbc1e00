//! What the earlier messages of a conversation say about its matter, and what of them is still seen when the
//! matter has changed.

use jiff::Timestamp;

use super::{Steps, or_nothing};
use crate::{
    chat::event::Said,
    classify::classify,
    ids::SessionId,
    memory::MemoryPolicy,
    session::Shift,
    storage::{Message, Role, SessionReason, Stored},
};

/// So many earlier messages of both sides are looked at.
const LOOKED_AT_MAX: u32 = 40;

/// So many conversations may be joined by labels.
const JOINED_MAX: u32 = 10;

impl Steps {
    /// Returns whether a new conversation begins with this message, by its matter.
    pub(super) async fn has_shifted(&self, said: &Said, session: SessionId) -> bool {
        let policy = MemoryPolicy::new(&self.parts.config.conversation);
        let now = policy.shift.remark(&said.meaning, said.flag.is_some());
        if policy.shift.messages == 0 || !now.can_shift() {
            return false;
        }
        let since = policy.since(said.at);
        let read = self.parts.storage.context(session, since, LOOKED_AT_MAX).await;
        let earlier = or_nothing(read, "matter of the conversation");
        let of_user = earlier.iter().filter(|message| message.role == Role::User);
        let mut remarks: Vec<_> = of_user.map(|message| self.remark(&policy.shift, message)).collect();
        remarks.push(now);
        policy.shift.is_at_the_end_of(&remarks)
    }

    fn remark(&self, shift: &Shift, message: &Message) -> crate::session::Remark {
        let flag = self.parts.red_flags.find(&message.text);
        shift.remark(&classify(&message.text, &message.language, flag.as_ref()), flag.is_some())
    }

    /// Reads what was said in a conversation and, unless it is to be forgotten, in those before it from which
    /// only a change of matter parts it. Oldest first, at most `limit`.
    pub(super) async fn context(
        &self,
        session: SessionId,
        since: Timestamp,
        limit: u32,
    ) -> Stored<Vec<Message>> {
        let storage = &self.parts.storage;
        let mut context = storage.context(session, since, limit).await?;
        if self.parts.config.conversation.trim_on_new_intent {
            return Ok(context);
        }
        let sessions = storage.sessions(self.user, JOINED_MAX).await?;
        let mut newest_first = sessions.into_iter().skip_while(|one| one.id != session).peekable();
        while let Some(one) = newest_first.next() {
            let left = limit.saturating_sub(u32::try_from(context.len()).unwrap_or(u32::MAX));
            let Some(before) = newest_first.peek().filter(|_| one.reason == SessionReason::Intent) else {
                break;
            };
            if left == 0 {
                break;
            }
            let earlier = storage.context(before.id, since, left).await?;
            context = [earlier, context].concat();
        }
        Ok(context)
    }
}
