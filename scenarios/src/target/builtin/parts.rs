//! Parts of the server, wrapped: watched by the laboratory, or weakened on purpose.
//!
//! Each weakening is narrow: it breaks one promise and leaves the rest of the server sound.

mod calendar;
mod facts;
mod sessions;
mod words;

use std::{sync::atomic::AtomicU64, time::Duration};

use async_trait::async_trait;
use clock::{Activity, Timestamp};
use server::{
    ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId},
    storage::{
        Credentials, Fact, FactOutcome, FactRevision, FactWrite, Language, Message, MessageKind, NewMessage,
        NewReminder, NewSession, NewSuggestion, NewUser, Offered, Page, Reminder, ReminderChange,
        ReminderOutcome, Session, SharedStorage, Storage, Stored, Suggestion, SuggestionLimits, User,
    },
};

use super::{blame, bucket, relay};
use facts::Memory;
use sessions::Sessions;
pub(super) use words::{red_flags, texts};

/// A fact is written whatever version the writer had seen.
pub(super) const LAST_WRITER_WINS: &str = "last-writer-wins";
/// Every hundredth write of a fact is acknowledged and not stored.
pub(super) const ACK_WITHOUT_STORING: &str = "ack-without-storing";
/// A fact that has a value is never written again, though the writer is told so.
pub(super) const FIRST_VALUE_WINS: &str = "first-value-wins";
/// A reply cannot be stored once its session is older than the idle limit.
pub(super) const EXPIRY_CUTS_REPLIES: &str = "expiry-cuts-replies";
/// The part of an answer that was shown before the model failed is stored as an answer.
pub(super) const TORSO_AS_ANSWER: &str = "torso-as-answer";
/// A reminder is made without confirming its suggestion.
pub(super) const CONFIRMED_MANY_TIMES: &str = "confirmed-many-times";
/// A reminder that confirms a suggestion is acknowledged, and gone.
pub(super) const REMINDER_FORGOTTEN: &str = "reminder-forgotten";
/// A dismissal is acknowledged, and the suggestion stays open.
pub(super) const DISMISSAL_FORGOTTEN: &str = "dismissal-forgotten";
/// A suggestion can be confirmed ten minutes longer than it should.
pub(super) const LATE_CONFIRMATION: &str = "late-confirmation";
/// A suggestion that was confirmed is told as gone.
pub(super) const USED_IS_GONE: &str = "used-is-gone";
/// Whose suggestion it is does not matter.
pub(super) const ANYBODY_CONFIRMS: &str = "anybody-confirms";
/// Every eighth read of a fact brings the version before.
pub(super) const STALE_READS: &str = "stale-reads";
/// Every eighth read of a fact finds nothing.
pub(super) const GONE_NOW_AND_THEN: &str = "gone-now-and-then";
/// Every eighth read of a fact brings another one of the same user.
pub(super) const NEIGHBOURS_FACT: &str = "neighbours-fact";
/// Every eighth read of a fact brings what was written last under its key, by whomever.
pub(super) const ANYBODYS_FACT: &str = "anybodys-fact";
/// What the user wrote by hand has the rank of what was found in chat.
pub(super) const RANK_FORGOTTEN: &str = "rank-forgotten";
/// The facts for the prompt are those of the first time.
pub(super) const FROZEN_FACTS: &str = "frozen-facts";
/// The prompt holds what anybody said.
pub(super) const CONTEXT_OF_ALL: &str = "context-of-all";
/// Everybody's conversation is the one that was begun last.
pub(super) const SESSION_OF_THE_LAST: &str = "session-of-the-last";
/// The history of a fact begins with its second version.
pub(super) const HISTORY_CUT: &str = "history-cut";
/// A text that is missing in the user's language is shown as its key.
pub(super) const KEYS_AS_TEXTS: &str = "keys-as-texts";
/// Everybody reads English.
pub(super) const ENGLISH_ONLY: &str = "english-only";
/// A message that begins with a greeting is not looked at for signs of an emergency.
pub(super) const GREETING_HIDES: &str = "greeting-hides-emergency";
/// No message is looked at for signs of an emergency.
pub(super) const NO_RED_FLAGS: &str = "no-red-flags";

/// All of them.
pub(crate) const PARTS: &[&str] = &[
    LAST_WRITER_WINS,
    ACK_WITHOUT_STORING,
    FIRST_VALUE_WINS,
    EXPIRY_CUTS_REPLIES,
    TORSO_AS_ANSWER,
    CONFIRMED_MANY_TIMES,
    REMINDER_FORGOTTEN,
    DISMISSAL_FORGOTTEN,
    LATE_CONFIRMATION,
    USED_IS_GONE,
    ANYBODY_CONFIRMS,
    STALE_READS,
    GONE_NOW_AND_THEN,
    NEIGHBOURS_FACT,
    ANYBODYS_FACT,
    RANK_FORGOTTEN,
    FROZEN_FACTS,
    HISTORY_CUT,
    CONTEXT_OF_ALL,
    SESSION_OF_THE_LAST,
    bucket::ONE_BUCKET,
    KEYS_AS_TEXTS,
    ENGLISH_ONLY,
    GREETING_HIDES,
    NO_RED_FLAGS,
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
];

/// How a storage is weakened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Twist {
    None,
    LastWriterWins,
    AckWithoutStoring,
    FirstValueWins,
    ExpiryCutsReplies(Duration),
    TorsoAsAnswer,
    ConfirmedManyTimes,
    ReminderForgotten,
    DismissalForgotten,
    LateConfirmation,
    UsedIsGone,
    AnybodyConfirms,
    StaleReads,
    GoneNowAndThen,
    NeighboursFact,
    AnybodysFact,
    RankForgotten,
    FrozenFacts,
    HistoryCut,
    ContextOfAll,
    SessionOfTheLast,
}

impl Twist {
    /// Returns the twist of this name; none when the name is of another part.
    pub(super) fn named(part: Option<&str>, idle: Duration) -> Self {
        match part {
            Some(LAST_WRITER_WINS) => Self::LastWriterWins,
            Some(ACK_WITHOUT_STORING) => Self::AckWithoutStoring,
            Some(FIRST_VALUE_WINS) => Self::FirstValueWins,
            Some(EXPIRY_CUTS_REPLIES) => Self::ExpiryCutsReplies(idle),
            Some(TORSO_AS_ANSWER) => Self::TorsoAsAnswer,
            Some(CONFIRMED_MANY_TIMES) => Self::ConfirmedManyTimes,
            Some(REMINDER_FORGOTTEN) => Self::ReminderForgotten,
            Some(DISMISSAL_FORGOTTEN) => Self::DismissalForgotten,
            Some(LATE_CONFIRMATION) => Self::LateConfirmation,
            Some(USED_IS_GONE) => Self::UsedIsGone,
            Some(ANYBODY_CONFIRMS) => Self::AnybodyConfirms,
            Some(STALE_READS) => Self::StaleReads,
            Some(GONE_NOW_AND_THEN) => Self::GoneNowAndThen,
            Some(NEIGHBOURS_FACT) => Self::NeighboursFact,
            Some(ANYBODYS_FACT) => Self::AnybodysFact,
            Some(RANK_FORGOTTEN) => Self::RankForgotten,
            Some(FROZEN_FACTS) => Self::FrozenFacts,
            Some(HISTORY_CUT) => Self::HistoryCut,
            Some(CONTEXT_OF_ALL) => Self::ContextOfAll,
            Some(SESSION_OF_THE_LAST) => Self::SessionOfTheLast,
            _ => Self::None,
        }
    }
}

/// A storage whose calls the laboratory waits for: the database works on threads of its own.
#[derive(Debug)]
pub(super) struct WatchedStorage {
    inner: SharedStorage,
    activity: Activity,
    twist: Twist,
    writes: AtomicU64,
    memory: Memory,
    sessions: Sessions,
}

impl WatchedStorage {
    pub(super) fn new(inner: SharedStorage, activity: Activity, twist: Twist) -> Self {
        Self {
            inner,
            activity,
            twist,
            writes: AtomicU64::new(0),
            memory: Memory::default(),
            sessions: Sessions::default(),
        }
    }

    /// Returns whether the session of this reply is older than the idle limit.
    async fn is_old(&self, message: &NewMessage, idle: Duration) -> Stored<bool> {
        let open = self.inner.open_session(message.user).await?;
        let started = open.filter(|session| session.id == message.session).map(|session| session.started_at);
        let age = started.and_then(|started| Duration::try_from(message.at.duration_since(started)).ok());
        Ok(message.kind != MessageKind::Said && age.is_some_and(|age| age > idle))
    }
}

/// Hands a call on, counted as work under way: the database works on threads of its own.
macro_rules! watched {
    ($self:ident.$call:ident($($argument:expr),*)) => {{
        let _under_way = $self.activity.begin();
        $self.inner.$call($($argument),*).await
    }};
}

#[async_trait]
impl Storage for WatchedStorage {
    async fn ping(&self) -> Stored<()> {
        watched!(self.ping())
    }

    async fn create_user(&self, user: NewUser) -> Stored<Option<User>> {
        watched!(self.create_user(user))
    }

    async fn credentials(&self, email: &str) -> Stored<Option<Credentials>> {
        watched!(self.credentials(email))
    }

    async fn user(&self, id: UserId) -> Stored<Option<User>> {
        watched!(self.user(id))
    }

    async fn languages(&self) -> Stored<Vec<Language>> {
        watched!(self.languages())
    }

    async fn open_session(&self, user: UserId) -> Stored<Option<Session>> {
        let _under_way = self.activity.begin();
        match self.begun().last().filter(|_| matches!(self.twist, Twist::SessionOfTheLast)) {
            Some(session) => Ok(Some(session.clone())),
            None => self.inner.open_session(user).await,
        }
    }

    async fn begin_session(&self, session: NewSession) -> Stored<Session> {
        let _under_way = self.activity.begin();
        let begun = self.inner.begin_session(session).await?;
        self.remember(begun.clone());
        Ok(begun)
    }

    async fn end_session(&self, id: SessionId, at: Timestamp) -> Stored<bool> {
        watched!(self.end_session(id, at))
    }

    async fn sessions(&self, user: UserId, limit: u32) -> Stored<Vec<Session>> {
        watched!(self.sessions(user, limit))
    }

    async fn has_session(&self, user: UserId, id: SessionId) -> Stored<bool> {
        watched!(self.has_session(user, id))
    }

    async fn append_message(&self, message: NewMessage, capacity: Option<u32>) -> Stored<Option<Message>> {
        let _under_way = self.activity.begin();
        match self.twist {
            Twist::ExpiryCutsReplies(idle) if self.is_old(&message, idle).await? => Ok(None),
            Twist::TorsoAsAnswer if message.kind == MessageKind::Interrupted => {
                self.inner.append_message(NewMessage { kind: MessageKind::Answer, ..message }, capacity).await
            }
            _ => self.inner.append_message(message, capacity).await,
        }
    }

    async fn context(&self, session: SessionId, since: Timestamp, limit: u32) -> Stored<Vec<Message>> {
        let _under_way = self.activity.begin();
        match self.twist {
            Twist::ContextOfAll => self.context_of_all(since, limit).await,
            _ => self.inner.context(session, since, limit).await,
        }
    }

    async fn messages(&self, page: Page) -> Stored<Vec<Message>> {
        watched!(self.messages(page))
    }

    async fn message(&self, id: MessageId) -> Stored<Option<Message>> {
        watched!(self.message(id))
    }

    async fn facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
        let _under_way = self.activity.begin();
        self.read_facts(user, at).await
    }

    async fn fact(&self, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>> {
        let _under_way = self.activity.begin();
        self.read_fact((user, key), at).await
    }

    async fn write_fact(&self, write: FactWrite) -> Stored<FactOutcome> {
        let _under_way = self.activity.begin();
        self.write_twisted(write).await
    }

    async fn fact_history(&self, user: UserId, key: &str) -> Stored<Vec<FactRevision>> {
        let _under_way = self.activity.begin();
        let mut history = self.inner.fact_history(user, key).await?;
        if matches!(self.twist, Twist::HistoryCut) && history.len() > 1 {
            history.remove(0);
        }
        Ok(history)
    }

    async fn offer_suggestion(&self, offer: NewSuggestion, limits: SuggestionLimits) -> Stored<Offered> {
        watched!(self.offer_suggestion(offer, limits))
    }

    async fn pending_suggestions(&self, user: UserId, at: Timestamp) -> Stored<Vec<Suggestion>> {
        watched!(self.pending_suggestions(user, at))
    }

    async fn dismiss_suggestion(
        &self,
        user: UserId,
        id: SuggestionId,
        at: Timestamp,
    ) -> Stored<Option<Suggestion>> {
        let _under_way = self.activity.begin();
        match self.twist {
            Twist::DismissalForgotten => self.forget_dismissal((user, id), at).await,
            _ => self.inner.dismiss_suggestion(user, id, at).await,
        }
    }

    async fn create_reminder(&self, reminder: NewReminder) -> Stored<ReminderOutcome> {
        let _under_way = self.activity.begin();
        self.confirm(reminder).await
    }

    async fn reminders(&self, user: UserId) -> Stored<Vec<Reminder>> {
        watched!(self.reminders(user))
    }

    async fn reminder(&self, user: UserId, id: ReminderId) -> Stored<Option<Reminder>> {
        watched!(self.reminder(user, id))
    }

    async fn update_reminder(&self, change: ReminderChange) -> Stored<Option<Reminder>> {
        watched!(self.update_reminder(change))
    }

    async fn delete_reminder(&self, user: UserId, id: ReminderId) -> Stored<bool> {
        watched!(self.delete_reminder(user, id))
    }
}
