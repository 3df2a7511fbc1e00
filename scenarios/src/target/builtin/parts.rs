//! Parts of the server, wrapped: watched by the laboratory, or weakened on purpose.
//!
//! Each weakening is narrow: it breaks one promise and leaves the rest of the server sound.

mod access;
mod calendar;
mod consents;
mod facts;
mod languages;
mod lexicon;
mod sessions;
mod spending;
mod twist;
mod words;

use std::{sync::atomic::AtomicU64, time::Duration};

use async_trait::async_trait;
use clock::Timestamp;
use server::{
    ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId},
    storage::{
        Credentials, Fact, FactClosing, FactOutcome, FactRevision, FactWrite, Message, NewFeed, NewMessage,
        NewReminder, NewSession, NewSuggestion, NewUser, Offered, Page, Place, Preferences,
        PreferencesOutcome, PreferencesWrite, Reminder, ReminderChange, ReminderOutcome, Replaced, Replacing,
        Restoration, RestoreOutcome, Rollback, Session, SharedStorage, Storage, Stored, Suggestion,
        SuggestionLimits, TypeReception, User,
    },
};

use super::{
    blame, bucket, exchange,
    front::habit,
    relay,
    under::{self, Does, Under},
    weeks,
};
use access::Access;
use facts::Memory;
use languages::Tongues;
use sessions::Sessions;
use twist::TWISTS;
pub(super) use twist::Twist;
pub(super) use words::{red_flags, texts};

/// A text that is missing in the user's language is shown as its key.
pub(super) const KEYS_AS_TEXTS: &str = "keys-as-texts";
/// Everybody reads English.
pub(super) const ENGLISH_ONLY: &str = "english-only";
/// Dates are written in English, whatever the sentence around them.
pub(super) const ENGLISH_DATES: &str = "english-dates";
/// A message that begins with a greeting is not looked at for signs of an emergency.
pub(super) const GREETING_HIDES: &str = "greeting-hides-emergency";
/// No message is looked at for signs of an emergency.
pub(super) const NO_RED_FLAGS: &str = "no-red-flags";
/// A sign that is denied counts like one that is not.
pub(super) const DENIALS_IGNORED: &str = "denials-ignored";
/// Only the first sentence of a message is looked at for signs of an emergency.
pub(super) const FIRST_SENTENCE_ONLY: &str = "first-sentence-only";

/// Parts beside the storage that can be weakened.
const OTHERS: &[&str] = &[
    bucket::ONE_BUCKET,
    weeks::LAST_DIGIT,
    weeks::BIRTH_UNHEARD,
    relay::SAYS_IT_TWICE,
    KEYS_AS_TEXTS,
    ENGLISH_ONLY,
    ENGLISH_DATES,
    GREETING_HIDES,
    NO_RED_FLAGS,
    DENIALS_IGNORED,
    FIRST_SENTENCE_ONLY,
    blame::HANG_UPS_COUNT,
    blame::OWN_MISTAKES_COUNT,
    blame::REFUSAL_FORGIVEN,
    blame::SLOWING_IGNORED,
    relay::STRICT_READER,
    relay::READS_ARE_LINES,
    relay::UNICODE_LINE_ENDS,
    relay::EVERY_STRING_IS_TEXT,
    relay::UNREADABLE_IS_TEXT,
    relay::ANY_END_IS_WHOLE,
    relay::ANYTHING_IS_AN_ANSWER,
    relay::TWO_ANSWERS_SPLICED,
    relay::WAITS_FOR_THE_END,
    relay::KEEPS_CONNECTIONS,
    relay::LOST_IN_A_CROWD,
    habit::FRAMES_PUT_RIGHT,
    habit::FRAGMENTS_ARE_MESSAGES,
    habit::CONTROLS_CUT_MESSAGES,
    habit::NOTHING_IS_NO_FRAME,
    habit::DEAF_TO_CONTROLS,
    habit::ANSWERS_FOR_THE_DEAD,
    habit::KEEPS_THE_DEAD,
    habit::ENDLESS_BUFFER,
    habit::NO_GOODBYE,
    habit::ALL_FOR_ONE,
    habit::ANY_HANDSHAKE,
    habit::FORGETS_WHERE_YOU_WERE,
    habit::TAKES_ALL_FOR_NEW,
    habit::DEAF_TO_STOP,
    habit::PIECES_TWICE,
    habit::CLAIMS_RECOVERY,
    habit::HIDES_DECISIONS,
    bucket::BUCKETS_APART,
    exchange::NO_EXCHANGE,
    exchange::TURNS_AT_ONCE,
    exchange::STOP_STAYS_HERE,
    exchange::OUTAGE_FORGOTTEN,
    exchange::WAITS_FOR_EXCHANGE,
    exchange::RIGHT_FOR_EVER,
];

/// Returns the names of all parts that can be weakened.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    TWISTS.iter().map(|(name, _)| *name).chain(OTHERS.iter().copied())
}

/// A storage whose calls the laboratory waits for: the database works on threads of its own.
#[derive(Debug)]
pub(super) struct WatchedStorage {
    inner: SharedStorage,
    under: Under,
    twist: Twist,
    /// The idle limit of sessions.
    idle: Duration,
    writes: AtomicU64,
    memory: Memory,
    sessions: Sessions,
    access: Access,
    tongues: Tongues,
}

impl WatchedStorage {
    pub(super) fn new(inner: SharedStorage, under: Under, twist: Twist, idle: Duration) -> Self {
        Self {
            inner,
            under,
            twist,
            idle,
            writes: AtomicU64::new(0),
            memory: Memory::default(),
            sessions: Sessions::default(),
            access: Access::default(),
            tongues: Tongues::default(),
        }
    }

    /// Takes somebody who cannot be looked up for nobody, if that is the twist.
    fn or_nobody<T>(&self, found: Stored<Option<T>>) -> Stored<Option<T>> {
        match found {
            Err(_) if self.twist == Twist::NobodyWhileAway => Ok(None),
            found => found,
        }
    }

    /// Returns whether a write is only said to be done.
    fn says_yes(&self) -> bool {
        self.twist == Twist::SaysYes && self.under.takes_no_writes()
    }
}

/// Hands a call on, as far as the line lets it.
macro_rules! handed_on {
    ($does:ident, $self:ident.$call:ident($($argument:expr),*)) => {
        match $self.under.pass(Does::$does).await {
            Ok(_under_way) => $self.inner.$call($($argument),*).await,
            Err(error) => Err(error),
        }
    };
}

// The children take it by its path.
use handed_on;

#[async_trait]
impl Storage for WatchedStorage {
    async fn ping(&self) -> Stored<()> {
        match handed_on!(Read, self.ping()) {
            Err(_) if matches!(self.twist, Twist::ReadyWhatever) => Ok(()),
            answer => answer,
        }
    }

    async fn create_user(&self, user: NewUser) -> Stored<Option<User>> {
        handed_on!(Write, self.create_user(user))
    }

    async fn credentials(&self, email: &str) -> Stored<Option<Credentials>> {
        self.or_nobody(handed_on!(Read, self.credentials(email)))
    }

    async fn user(&self, id: UserId) -> Stored<Option<User>> {
        let found = self.or_nobody(handed_on!(Read, self.user(id)));
        found.map(|user| user.map(|user| self.as_first_seen(user)))
    }

    async fn open_session(&self, user: UserId) -> Stored<Option<Session>> {
        let _under_way = self.under.pass(Does::Read).await?;
        match self.begun().last().filter(|_| matches!(self.twist, Twist::SessionOfTheLast)) {
            Some(session) => Ok(Some(session.clone())),
            None => self.inner.open_session(user).await,
        }
    }

    async fn begin_session(&self, session: NewSession) -> Stored<Session> {
        let _under_way = self.under.pass(Does::Write).await?;
        let begun = self.inner.begin_session(session).await?;
        self.remember(begun.clone());
        Ok(begun)
    }

    async fn end_session(&self, id: SessionId, at: Timestamp) -> Stored<bool> {
        match self.twist {
            Twist::NeverEnds => Ok(true),
            _ => handed_on!(Write, self.end_session(id, at)),
        }
    }

    async fn delete_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        match self.twist {
            Twist::SessionKept => Ok(true),
            _ => handed_on!(Write, self.delete_session(user, id)),
        }
    }

    async fn sessions(&self, user: UserId, before: Option<u32>, limit: u32) -> Stored<Vec<Session>> {
        handed_on!(Read, self.sessions(user, before, limit))
    }

    async fn has_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        handed_on!(Read, self.has_session(user, id))
    }

    async fn append_message(&self, message: NewMessage, place: Place) -> Stored<Option<Message>> {
        if self.says_yes() {
            return Ok(Some(under::pretended_message(message)));
        }
        if self.twist == Twist::TellsTheLog {
            tracing::info!(text = message.text, "message");
        }
        let _under_way = self.under.pass(Does::Write).await?;
        self.append_twisted(message, place).await
    }

    async fn replace_message(&self, message: NewMessage, capacity: u32, old: Replaced) -> Stored<Replacing> {
        if self.twist == Twist::ReplacedStays {
            let stored = self.append_message(message, Place::Within(capacity)).await?;
            return Ok(stored.map_or(Replacing::NoRoom, Replacing::Stored));
        }
        handed_on!(Write, self.replace_message(message, capacity, old))
    }

    async fn context(&self, session: SessionId, since: Timestamp, limit: u32) -> Stored<Vec<Message>> {
        let _under_way = self.under.pass(Does::Read).await?;
        match self.twist {
            Twist::ContextOfAll => self.context_of_all(since, limit).await,
            _ => self.inner.context(session, since, limit).await,
        }
    }

    async fn messages(&self, page: Page) -> Stored<Vec<Message>> {
        handed_on!(Read, self.messages(page))
    }

    async fn message(&self, id: MessageId) -> Stored<Option<Message>> {
        handed_on!(Read, self.message(id))
    }

    async fn facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
        let _under_way = self.under.pass(Does::Read).await?;
        self.read_facts(user, at).await
    }

    async fn fact(&self, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>> {
        let _under_way = self.under.pass(Does::Read).await?;
        self.read_fact((user, key), at).await
    }

    async fn write_fact(&self, write: FactWrite) -> Stored<FactOutcome> {
        if self.says_yes() {
            return Ok(FactOutcome::Written(under::pretended_fact(write)));
        }
        let _under_way = self.under.pass(Does::Write).await?;
        self.write_twisted(write).await
    }

    async fn purge_facts(&self, ended_by: Timestamp, limit: u32) -> Stored<usize> {
        match self.twist {
            Twist::NothingPurged => Ok(0),
            _ => handed_on!(Write, self.purge_facts(ended_by, limit)),
        }
    }

    async fn close_fact(&self, closing: FactClosing) -> Stored<FactOutcome> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.close_twisted(closing).await
    }

    async fn fact_history(&self, user: UserId, key: &str) -> Stored<Vec<FactRevision>> {
        let _under_way = self.under.pass(Does::Read).await?;
        let mut history = self.inner.fact_history(user, key).await?;
        if matches!(self.twist, Twist::HistoryCut) && history.len() > 1 {
            history.remove(0);
        }
        Ok(history)
    }

    async fn offer_suggestion(&self, offer: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.offer(offer, limits).await
    }

    async fn suggestions_received(&self, since: Timestamp, at: Timestamp) -> Stored<Vec<TypeReception>> {
        handed_on!(Read, self.suggestions_received(since, at))
    }

    async fn pending_suggestions(&self, user: UserId, at: Timestamp) -> Stored<Vec<Suggestion>> {
        handed_on!(Read, self.pending_suggestions(user, at))
    }

    async fn dismiss_suggestion(
        &self,
        user: UserId,
        id: SuggestionId,
        at: Timestamp,
    ) -> Stored<Option<Suggestion>> {
        let _under_way = self.under.pass(Does::Write).await?;
        match self.twist {
            Twist::DismissalForgotten => self.forget_dismissal((user, id), at).await,
            _ => self.inner.dismiss_suggestion(user, id, at).await,
        }
    }

    async fn create_reminder(&self, reminder: NewReminder) -> Stored<ReminderOutcome> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.confirm(reminder).await
    }

    async fn reminders(&self, user: UserId) -> Stored<Vec<Reminder>> {
        let _under_way = self.under.pass(Does::Read).await?;
        let mut reminders = self.inner.reminders(user).await?;
        if matches!(self.twist, Twist::LastMadeFirst) {
            reminders.reverse();
            reminders.sort_by_key(|reminder| reminder.time);
        }
        Ok(reminders)
    }

    async fn reminder(&self, user: UserId, id: ReminderId) -> Stored<Option<Reminder>> {
        handed_on!(Read, self.reminder(user, id))
    }

    async fn update_reminder(&self, change: ReminderChange) -> Stored<Option<Reminder>> {
        handed_on!(Write, self.update_reminder(change))
    }

    async fn delete_reminder(&self, user: UserId, id: ReminderId, at: Timestamp) -> Stored<bool> {
        handed_on!(Write, self.delete_reminder(user, id, at))
    }

    async fn restore_reminder(&self, restoration: Restoration) -> Stored<RestoreOutcome> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.restore(restoration).await
    }

    async fn roll_back_reminders(&self, rollback: Rollback) -> Stored<Vec<ReminderId>> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.roll_back(rollback).await
    }

    async fn preferences(&self, user: UserId) -> Stored<Preferences> {
        let _under_way = self.under.pass(Does::Read).await?;
        self.choices(user).await
    }

    async fn write_preferences(&self, write: PreferencesWrite) -> Stored<PreferencesOutcome> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.write_choices(write).await
    }

    async fn open_feed(&self, feed: NewFeed) -> Stored<()> {
        let _under_way = self.under.pass(Does::Write).await?;
        self.replace_feed(feed).await
    }

    async fn close_feed(&self, user: UserId) -> Stored<bool> {
        handed_on!(Write, self.close_feed(user))
    }

    async fn feed(&self, user: UserId) -> Stored<Option<Timestamp>> {
        handed_on!(Read, self.feed(user))
    }

    async fn feed_owner(&self, secret_hash: &str) -> Stored<Option<UserId>> {
        handed_on!(Read, self.feed_owner(secret_hash))
    }
}
