//! Parts of the server, wrapped: watched by the laboratory, or weakened on purpose.
//!
//! Each weakening is narrow: it breaks one promise and leaves the rest of the server sound.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use clock::{Activity, Timestamp};
use server::{
    ids::{MessageId, ReminderId, SessionId, SuggestionId, UserId},
    safety::{RedFlag, RedFlags},
    storage::{
        Credentials, Expected, Fact, FactOutcome, FactRevision, FactWrite, Language, Message, MessageKind,
        NewMessage, NewReminder, NewSession, NewSuggestion, NewUser, Offered, Page, Reminder, ReminderChange,
        ReminderOutcome, Session, SharedStorage, Storage, Stored, Suggestion, SuggestionLimits, User,
    },
    texts::{Text, Texts},
};

use super::{blame, front::habit, relay};

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
}

impl WatchedStorage {
    pub(super) fn new(inner: SharedStorage, activity: Activity, twist: Twist) -> Self {
        Self { inner, activity, twist, writes: AtomicU64::new(0) }
    }

    /// Writes on top of whatever is there.
    async fn overwrite(&self, mut write: FactWrite) -> Stored<FactOutcome> {
        loop {
            match self.inner.write_fact(write.clone()).await? {
                FactOutcome::Conflict(Some(current)) => write.expected = Expected::Version(current.version),
                FactOutcome::Conflict(None) => write.expected = Expected::Absent,
                written @ FactOutcome::Written(_) => return Ok(written),
            }
        }
    }

    /// Says of every hundredth value that it is stored, and forgets it.
    async fn drop_some(&self, write: FactWrite) -> Stored<FactOutcome> {
        let number = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        match self.inner.fact(write.user, &write.key, write.at).await? {
            Some(fact) if number.is_multiple_of(100) && write.expected == Expected::Version(fact.version) => {
                Ok(FactOutcome::Written(Fact { value: write.value, version: fact.version + 1, ..fact }))
            }
            _ => self.inner.write_fact(write).await,
        }
    }

    /// Says that the value is stored, and keeps the one that is there.
    async fn keep_first(&self, write: FactWrite) -> Stored<FactOutcome> {
        match self.inner.fact(write.user, &write.key, write.at).await? {
            Some(first) => Ok(FactOutcome::Written(first)),
            None => self.inner.write_fact(write).await,
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

/// Returns the texts, weakened if the part is one of theirs.
pub(super) fn texts(part: Option<&str>, sound: Arc<dyn Texts>) -> Arc<dyn Texts> {
    match part {
        Some(KEYS_AS_TEXTS) => Arc::new(KeysAsTexts(sound)),
        Some(ENGLISH_ONLY) => Arc::new(EnglishOnly(sound)),
        _ => sound,
    }
}

/// Returns the detector of red flags, weakened if the part is one of its.
pub(super) fn red_flags(part: Option<&str>, sound: Arc<dyn RedFlags>) -> Arc<dyn RedFlags> {
    match part {
        Some(GREETING_HIDES) => Arc::new(GreetingHides(sound)),
        Some(NO_RED_FLAGS) => Arc::new(NoRedFlags),
        _ => sound,
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
        watched!(self.open_session(user))
    }

    async fn begin_session(&self, session: NewSession) -> Stored<Session> {
        watched!(self.begin_session(session))
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
        watched!(self.context(session, since, limit))
    }

    async fn messages(&self, page: Page) -> Stored<Vec<Message>> {
        watched!(self.messages(page))
    }

    async fn message(&self, id: MessageId) -> Stored<Option<Message>> {
        watched!(self.message(id))
    }

    async fn facts(&self, user: UserId, at: Timestamp) -> Stored<Vec<Fact>> {
        watched!(self.facts(user, at))
    }

    async fn fact(&self, user: UserId, key: &str, at: Timestamp) -> Stored<Option<Fact>> {
        watched!(self.fact(user, key, at))
    }

    async fn write_fact(&self, write: FactWrite) -> Stored<FactOutcome> {
        let _under_way = self.activity.begin();
        match self.twist {
            Twist::LastWriterWins => self.overwrite(write).await,
            Twist::FirstValueWins => self.keep_first(write).await,
            Twist::AckWithoutStoring => self.drop_some(write).await,
            _ => self.inner.write_fact(write).await,
        }
    }

    async fn fact_history(&self, user: UserId, key: &str) -> Stored<Vec<FactRevision>> {
        watched!(self.fact_history(user, key))
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
        watched!(self.dismiss_suggestion(user, id, at))
    }

    async fn create_reminder(&self, reminder: NewReminder) -> Stored<ReminderOutcome> {
        let _under_way = self.activity.begin();
        match self.twist {
            Twist::ConfirmedManyTimes => {
                self.inner.create_reminder(NewReminder { suggestion: None, ..reminder }).await
            }
            _ => self.inner.create_reminder(reminder).await,
        }
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

/// Shows the key where the user's language has no text.
#[derive(Debug)]
struct KeysAsTexts(Arc<dyn Texts>);

impl Texts for KeysAsTexts {
    fn text(&self, key: &str, language: &str, arguments: &[(&str, String)]) -> Text {
        let sound = self.0.text(key, language, arguments);
        if sound.fell_back { Text { text: key.to_owned(), ..sound } } else { sound }
    }

    fn resolve(&self, tag: &str) -> String {
        tag.to_owned()
    }
}

/// Looks away when a message begins with a greeting.
#[derive(Debug)]
struct GreetingHides(Arc<dyn RedFlags>);

impl RedFlags for GreetingHides {
    fn find(&self, message: &str) -> Option<RedFlag> {
        let first = message.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
        if ["hi", "hello", "hola", "bonjour"].contains(&first.as_str()) { None } else { self.0.find(message) }
    }
}

/// Finds nothing.
#[derive(Debug)]
struct NoRedFlags;

impl RedFlags for NoRedFlags {
    fn find(&self, _message: &str) -> Option<RedFlag> {
        None
    }
}

/// Knows no language but English.
#[derive(Debug)]
struct EnglishOnly(Arc<dyn Texts>);

impl Texts for EnglishOnly {
    fn text(&self, key: &str, _language: &str, arguments: &[(&str, String)]) -> Text {
        self.0.text(key, "en", arguments)
    }

    fn resolve(&self, tag: &str) -> String {
        self.0.resolve(tag)
    }
}
