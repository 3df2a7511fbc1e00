//! Accounts in number, with a past, for a system that is to be tried before people come.
//!
//! Each user has a device of its own and a token for it. Nobody knows a password of theirs: it was made at random, once for
//! all, and thrown away. Their messages are such as no real person has written.
//!
//! Invariant: what is stored is what a life of chatting would have stored, by the same calls, so that nothing that reads
//! it can tell the difference.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{AccountError, Accounts};
use crate::{
    config::Conversation,
    facts,
    ids::{MessageId, SessionId, UserId},
    storage::{
        Expected, FactSource, FactWrite, MessageKind, NewMessage, NewSession, NewUser, Place, SessionReason,
        User,
    },
};

/// Users that are made at once: as many as a small pool of connections carries.
const AT_ONCE: usize = 8;
/// So far apart their messages lie, the last of them that far before now.
const APART: SignedDuration = SignedDuration::from_secs(10);
/// How sure their facts are: sure enough for every prompt.
const CONFIDENCE: f64 = 0.9;

/// What to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeding {
    /// Users.
    pub users: u32,
    /// Messages of each, questions and answers together.
    pub messages: u32,
    /// Facts of each.
    pub facts: u32,
}

impl Accounts {
    /// Makes users and returns a token for each, good for `auth.token_life`. Their addresses are of no earlier run. When
    /// the future is dropped or something fails, those that were made stay.
    pub async fn seed(&self, wanted: Seeding, settings: &Conversation) -> Result<Vec<String>, AccountError> {
        let nobody_knows = Uuid::new_v4().to_string();
        let password_hash = self.passwords.hash(nobody_knows.into()).await?;
        let (hash, run) = (password_hash.as_str(), Uuid::new_v4().simple());
        stream::iter(0..wanted.users)
            .map(async |n| {
                let user = self.newcomer(format!("seed-{run}-{n}@example.org"));
                let new = NewUser { user, password_hash: hash.to_owned() };
                let user = self.storage.create_user(new).await?.ok_or(AccountError::Taken)?;
                self.remember(user.id, wanted.facts, settings).await?;
                self.converse(user.id, wanted.messages, settings).await?;
                self.sign_in(user, None).await.map(|signed_in| signed_in.token)
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    fn newcomer(&self, email: String) -> User {
        User {
            id: UserId::random(),
            email,
            display_name: "Seeded".to_owned(),
            language: "en".to_owned(),
            is_admin: false,
            created_at: self.clock.wall(),
        }
    }

    async fn remember(&self, user: UserId, count: u32, settings: &Conversation) -> Result<(), AccountError> {
        let at = self.clock.wall();
        for n in 0..count {
            let key = format!("liking_{n}");
            let write = FactWrite {
                user,
                value: format!("number {n} of what this user likes"),
                confidence: CONFIDENCE,
                source: FactSource::UserEdit,
                at,
                expires_at: facts::expiry(&key, at, settings),
                expected: Expected::Absent,
                key,
            };
            self.storage.write_fact(write).await?;
        }
        Ok(())
    }

    /// Tells a user's conversations: each is ended half full and the next one begun, and the last is open and goes on.
    async fn converse(&self, user: UserId, count: u32, settings: &Conversation) -> Result<(), AccountError> {
        // An even number, so that each begins with a question.
        let half = (settings.session_messages / 2).max(2) & !1;
        let mut session = None;
        for n in 0..count {
            let at = before(self.clock.wall(), count - n);
            if n % half == 0 {
                session = Some(self.begin(user, session, at).await?);
            }
            let Some(session) = session else { continue };
            self.storage.append_message(message(user, session, (n, at)), Place::Last).await?;
        }
        Ok(())
    }

    async fn begin(
        &self,
        user: UserId,
        replacing: Option<SessionId>,
        at: Timestamp,
    ) -> Result<SessionId, AccountError> {
        let reason = if replacing.is_some() { SessionReason::Length } else { SessionReason::First };
        let new = NewSession { id: SessionId::random(), user, reason, at, replacing };
        Ok(self.storage.begin_session(new).await?.id)
    }
}

/// Returns the time of a message that lies so many messages back.
fn before(now: Timestamp, messages: u32) -> Timestamp {
    now.checked_sub(APART * i32::try_from(messages).unwrap_or(i32::MAX)).unwrap_or(Timestamp::MIN)
}

fn message(user: UserId, session: SessionId, (n, at): (u32, Timestamp)) -> NewMessage {
    let (kind, text) = if n.is_multiple_of(2) {
        (MessageKind::Said, format!("Question {n}: what is good to eat on a day like this?"))
    } else {
        (MessageKind::Answer, format!("Answer {n}: beans, bread, and fruit that is in season."))
    };
    NewMessage { id: MessageId::random(), session, user, kind, language: "en".to_owned(), text, at }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clock::{Clock as _, ManualClock};

    use super::*;
    use crate::{Config, storage::Database, storage::Storage as _};

    #[tokio::test]
    async fn seeded_users_get_in_and_have_the_past_that_was_asked_for_l3() {
        let (config, folder) = (Config::default(), tempfile::tempdir().unwrap());
        let database = Database::open(&format!("sqlite:{}/a.db", folder.path().display()), 2).await.unwrap();
        let clock = Arc::new(ManualClock::new("2030-01-01T00:00:00Z".parse().unwrap()));
        let accounts = Accounts::new(Arc::new(database.clone()), clock.clone(), &config.auth);
        let wanted = Seeding { users: 3, messages: 120, facts: 7 };

        let tokens = accounts.seed(wanted, &config.conversation).await.unwrap();

        assert_eq!(tokens.len(), 3);
        let mut users = std::collections::BTreeSet::new();
        for token in &tokens {
            let user = accounts.authenticate(Some(token)).await.unwrap().user.id;
            users.insert(user);
            assert_eq!(database.facts(user, clock.wall()).await.unwrap().len(), 7);
            let open = database.open_session(user).await.unwrap().unwrap();
            assert_eq!((open.messages, open.reason), (20, SessionReason::Length));
            assert_eq!(database.sessions(user, None, 9).await.unwrap().len(), 3);
        }
        assert_eq!(users.len(), 3);
    }
}
