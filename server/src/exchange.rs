//! What replicas of one server tell each other quickly, so that a user's devices may sit at any of them.
//!
//! For each user there is a *log* of what all devices were told, the *draft* of an answer that is not told to its end,
//! those who listen, and the right to run a turn. The log is bounded; whatever lies before is in the database. Its
//! *epoch* is another one as soon as something may be missing in it.
//!
//! Whoever asks gets an answer in bounded time or [`Unreachable`]: then each replica goes on alone, as a server does that
//! shares nothing. [`MemoryExchange`] serves the servers of one process, [`RedisExchange`] those of several.
//!
//! Invariant: in one epoch, offsets are 1, 2, 3 … and an offset means one text for ever.

mod memory;
mod radio;
mod redis;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

pub use crate::shared::Unreachable;
use crate::{
    config::Conversation,
    ids::{MessageId, UserId},
};
pub use memory::MemoryExchange;
pub use redis::RedisExchange;

/// An exchange that many parts share.
pub type SharedExchange = Arc<dyn Exchange>;

/// Most bytes that a log keeps for one user.
pub const LOG_BYTES_MAX: usize = 256 * 1024;
/// News of one user that a listener may be behind; it is then told [`News::Missed`] and reads the log.
const NEWS_MAX: usize = 64;

/// Result of asking an exchange.
pub type Exchanged<T> = Result<T, Unreachable>;

/// The bounds of what is kept of a log.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Texts.
    pub frames: usize,
    /// Age.
    pub life: Duration,
}

impl Window {
    /// Takes them from the settings.
    pub const fn new(settings: &Conversation) -> Self {
        Self { frames: settings.resume_frames, life: settings.resume_life }
    }
}

/// A place in a user's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which log.
    pub epoch: String,
    /// How many texts came into it so far.
    pub offset: u64,
}

/// An answer so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which one.
    pub of: MessageId,
    /// Its text.
    pub text: String,
}

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// It is kept, and gets the next place.
    Kept {
        /// What is kept.
        text: String,
        /// The answer that ends with it, and with it its draft.
        ends: Option<MessageId>,
        /// Whether what was kept before it is forgotten.
        #[serde(default)]
        forgets: bool,
    },
    /// It lengthens the draft; at index 0 it begins it. One that does not fit leaves no draft: nobody knows it whole.
    Piece {
        /// The answer.
        of: MessageId,
        /// Where it begins in the answer, in characters.
        index: usize,
        /// The piece.
        text: String,
    },
}

/// What somebody who listens hears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// These were told behind a place.
    Told {
        /// The place before the first of them.
        behind: Place,
        /// The replica that told them.
        by: String,
        /// What it told.
        items: Vec<Item>,
    },
    /// The log was begun anew.
    Renewed,
    /// The answer is to be stopped by whoever runs it.
    Stop(MessageId),
    /// Something was said that was not heard.
    #[serde(skip)]
    Missed,
}

/// A text in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was told.
    pub at: Timestamp,
    /// What was told.
    pub text: String,
}

/// The end of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its last place.
    pub place: Place,
    /// The texts up to that place, those that were seen left out where the epoch is the same. Consecutive.
    pub entries: Vec<Entry>,
    /// The answer that is not told to its end.
    pub draft: Option<Draft>,
}

/// How a log took what was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Behind this offset.
    Behind(u64),
    /// Not at all: there is no log with this epoch any more.
    Gone,
}

/// What replicas share. All methods are cancellation-safe: a dropped call happened whole or not at all.
#[async_trait]
pub trait Exchange: std::fmt::Debug + Send + Sync {
    /// Returns the end of a user's log, behind the place that was seen. Where there is none, it is begun with the
    /// epoch `fresh`, or `None` is returned if that is not given.
    async fn open(&self, user: UserId, seen: &Place, fresh: Option<&str>) -> Exchanged<Option<Page>>;

    /// Adds to the log of this epoch what replica `by` tells, in order and with nothing between, and tells whoever
    /// listens.
    async fn append(&self, user: UserId, epoch: &str, told: (&str, &[Item])) -> Exchanged<Appended>;

    /// Begins the log anew at a place, since something is missing in it, and tells whoever listens.
    async fn renew(&self, user: UserId, place: &Place, draft: Option<&Draft>) -> Exchanged<()>;

    /// Listens to what is told of a user from now on.
    async fn listen(&self, user: UserId) -> Exchanged<Listening>;

    /// Asks whoever runs this answer to stop it.
    async fn stop(&self, user: UserId, reply: MessageId) -> Exchanged<()>;

    /// Takes the right to run a user's turn, or holds it longer, unless somebody else has it. It is lost after `life`.
    async fn hold(&self, user: UserId, holder: &str, life: Duration) -> Exchanged<bool>;

    /// Gives that right back, if it is this holder's.
    async fn release(&self, user: UserId, holder: &str) -> Exchanged<()>;
}

/// Hears what is told of a user, until it is dropped.
pub struct Listening {
    news: broadcast::Receiver<News>,
    /// Tidies up when nobody listens any more.
    _end: Box<dyn Send + Sync>,
}

impl Listening {
    /// Hears what comes from there; `end` is dropped with it.
    pub fn new(news: broadcast::Receiver<News>, end: Box<dyn Send + Sync>) -> Self {
        Self { news, _end: end }
    }

    /// Waits for the next news. Cancellation-safe.
    pub async fn next(&mut self) -> News {
        match self.news.recv().await {
            Ok(news) => news,
            Err(broadcast::error::RecvError::Lagged(_)) => News::Missed,
            // The exchange is gone, and nothing is ever said again.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}
