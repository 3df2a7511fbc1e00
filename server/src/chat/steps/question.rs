//! The step that stores a question: in which session, and at which place.
//!
//! As long as nobody else stores anything for this user, it takes one call: the session is known from the turn before.

use super::{Outcome, Said, Steps};
use crate::{
    chat::effect::Reply,
    ids::SessionId,
    session::{self, Decision, Remark, Rules},
    storage::{
        Message, MessageKind, NewMessage, NewSession, Place, Replaced, Replacing, Session, SessionReason,
        StorageError, Stored,
    },
};

/// Tries of finding a session with room; each lost race means that another replica was faster.
const OPEN_TRIES_MAX: u32 = 8;

impl Steps {
    pub(super) async fn open(&self, said: &Said, safety: Option<String>) -> Stored<Outcome> {
        let places = if safety.is_some() { 3 } else { 2 };
        let until = self.deadline(said).answer_by();
        if said.is_named && self.within(until, self.parts.storage.message(said.ids.question)).await?.is_some()
        {
            return Ok(Outcome::Known);
        }
        let Some((session, begun)) = self.within(until, self.question(said, places)).await? else {
            return Ok(Outcome::NotThere);
        };
        tracing::Span::current().record("session", tracing::field::display(session));
        self.tuner.note(said.at).await;
        if let Some(text) = safety {
            let (id, kind) = (said.ids.safety, MessageKind::Safety);
            let message = self.message(Reply { id, session, kind, text });
            let stored = self.within(until, self.append(message, Place::Last, None)).await;
            if let Err(error) = stored {
                // The question is stored and the text was shown: the turn goes on.
                tracing::error!(%error, "safety text could not be stored");
            }
        }
        Ok(Outcome::Opened(session, begun))
    }

    /// Stores the message in a session that has room for so many; says why, if that session was begun for it. `None` where
    /// it was to take the place of something that is not there.
    async fn question(&self, said: &Said, places: u32) -> Stored<Option<(SessionId, Option<SessionReason>)>> {
        let rules = Rules::new(&self.parts.config.conversation, places);
        if said.replaces.is_none()
            && let Some(session) = self.in_known_session(said, &rules).await?
        {
            return Ok(Some((session, None)));
        }
        self.recall.forget();
        for _ in 0..OPEN_TRIES_MAX {
            let (session, begun) = self.session(said, &rules).await?;
            let id = session.id;
            self.recall.begin(session);
            match self.take(said, id, rules.capacity()).await? {
                Replacing::Stored(_) => return Ok(Some((id, begun))),
                Replacing::NoRoom => {}
                Replacing::NotThere => return Ok(None),
            }
        }
        Err(StorageError::Other(format!("no session had room in {OPEN_TRIES_MAX} tries")))
    }

    /// Stores the message behind the last one that is known here; `None` where that is not the last one, or where the
    /// message begins a new session.
    async fn in_known_session(&self, said: &Said, rules: &Rules) -> Stored<Option<SessionId>> {
        let Some(known) = self.recall.session() else { return Ok(None) };
        let decision = session::decide(Some(&known), said.at, rules);
        if decision != Decision::Continue || self.has_shifted(said, known.id).await {
            return Ok(None);
        }
        let place = Place::At(known.messages + 1);
        let stored = self.append(self.asked(said, known.id), place, Some(self.says(said))).await?;
        Ok(stored.map(|_| known.id))
    }

    fn asked(&self, said: &Said, session: SessionId) -> NewMessage {
        let (id, kind, text) = (said.ids.question, MessageKind::Said, said.text.clone());
        self.message(Reply { id, session, kind, text })
    }

    /// Stores a question, in the place of another one if there is one.
    async fn take(&self, said: &Said, session: SessionId, capacity: u32) -> Stored<Replacing> {
        let question = self.asked(said, session);
        let Some(old) = said.replaces else {
            let stored = self.append(question, Place::Within(capacity), Some(self.says(said))).await?;
            return Ok(stored.map_or(Replacing::NoRoom, Replacing::Stored));
        };
        let old = Replaced { question: old, reply: old.reply() };
        self.recall.forget();
        self.parts.storage.replace_message(question, capacity, old).await
    }

    /// Stores a message and keeps it in mind, with what a message of the user says about the matter.
    pub(super) async fn append(
        &self,
        message: NewMessage,
        place: Place,
        says: Option<Remark>,
    ) -> Stored<Option<Message>> {
        let stored = self.parts.storage.append_message(message, place).await;
        match &stored {
            Ok(Some(message)) => self.recall.add(message, says, self.reach()),
            Ok(None) | Err(_) => self.recall.forget(),
        }
        stored
    }

    /// Finds the session of a message, or opens one.
    async fn session(&self, said: &Said, rules: &Rules) -> Stored<(Session, Option<SessionReason>)> {
        let storage = &self.parts.storage;
        let open = storage.open_session(self.user).await?;
        let latest = match &open {
            Some(_) => open.clone(),
            None => storage.sessions(self.user, None, 1).await?.into_iter().next(),
        };
        let mut decision = session::decide(latest.as_ref(), said.at, rules);
        if let (Decision::Continue, Some(session)) = (decision, &open)
            && self.has_shifted(said, session.id).await
        {
            decision = Decision::Open(SessionReason::Intent);
        }
        match (decision, open) {
            (Decision::Continue, Some(session)) => Ok((session, None)),
            (decision, open) => {
                let reason = match decision {
                    Decision::Open(reason) => reason,
                    Decision::Continue => SessionReason::Ended,
                };
                let new = NewSession {
                    id: SessionId::random(),
                    user: self.user,
                    reason,
                    at: self.parts.clock.wall(),
                    replacing: open.map(|session| session.id),
                };
                let id = new.id;
                let session = storage.begin_session(new).await?;
                let is_ours = session.id == id;
                if is_ours {
                    metrics::counter!("session_resets_total", "reason" => reason.name()).increment(1);
                    tracing::info!(session = %id, reason = ?reason, "session opened");
                }
                Ok((session, is_ours.then_some(reason)))
            }
        }
    }
}
