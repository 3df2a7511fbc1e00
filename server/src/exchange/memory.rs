//! An exchange in memory, for servers of one process. It is always there.
//!
//! Users whose log is too old and to whom nobody listens are forgotten when somebody is looked for and many are there.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use clock::{Instant, SharedClock};
use tokio::sync::broadcast;

use super::{
    Appended, Draft, Entry, Exchange, Exchanged, Item, LOG_BYTES_MAX, Listening, NEWS_MAX, News, Page, Place,
    Window,
};
use crate::ids::{MessageId, UserId};

/// With so many users, those are looked for who can be forgotten.
const USERS_MANY: usize = 10_000;

/// Logs and rights in memory. `Clone` shares them.
#[derive(Clone, Debug)]
pub struct MemoryExchange {
    clock: SharedClock,
    window: Window,
    users: Arc<Mutex<HashMap<UserId, Theirs>>>,
}

/// What there is of a user.
#[derive(Debug)]
struct Theirs {
    log: Option<Log>,
    listeners: broadcast::Sender<News>,
    held: Option<(String, Instant)>,
    used: Instant,
}

#[derive(Debug)]
struct Log {
    place: Place,
    entries: VecDeque<Entry>,
    bytes: usize,
    draft: Option<Draft>,
    /// Characters of the draft.
    length: usize,
}

impl MemoryExchange {
    /// Makes one without any logs.
    pub fn new(clock: SharedClock, window: Window) -> Self {
        Self { clock, window, users: Arc::default() }
    }

    /// Does something with a user's part.
    fn with<T>(&self, user: UserId, work: impl FnOnce(&mut Theirs) -> T) -> T {
        let now = self.clock.now();
        let mut users = self.users();
        if users.len() >= USERS_MANY && !users.contains_key(&user) {
            users.retain(|_, theirs| {
                theirs.listeners.receiver_count() > 0 || now.since(theirs.used) <= self.window.life
            });
        }
        let theirs = users.entry(user).or_insert_with(|| Theirs {
            log: None,
            listeners: broadcast::Sender::new(NEWS_MAX),
            held: None,
            used: now,
        });
        theirs.used = now;
        work(theirs)
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, Theirs>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Theirs {
    fn tell(&self, news: News) {
        // Nobody may listen.
        let _ = self.listeners.send(news);
    }
}

impl Log {
    fn new(place: Place, draft: Option<Draft>) -> Self {
        let length = draft.as_ref().map_or(0, |draft| draft.text.chars().count());
        Self { place, entries: VecDeque::new(), bytes: 0, draft, length }
    }

    fn take(&mut self, item: &Item, at: jiff::Timestamp) {
        match item {
            Item::Kept { text, ends, forgets } => {
                if *forgets {
                    (self.entries, self.bytes) = (VecDeque::new(), 0);
                }
                self.place.offset += 1;
                self.bytes += text.len();
                self.entries.push_back(Entry { at, text: text.clone() });
                self.draft.take_if(|draft| Some(draft.of) == *ends);
            }
            Item::Piece { of, index, text } => {
                match &mut self.draft {
                    draft if *index == 0 => *draft = Some(Draft { of: *of, text: text.clone() }),
                    Some(draft) if draft.of == *of && *index == self.length => draft.text.push_str(text),
                    draft => *draft = None,
                }
                self.length = index + text.chars().count();
            }
        }
    }

    fn forget(&mut self, window: Window) {
        while self.entries.len() > window.frames || self.bytes > LOG_BYTES_MAX {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.text.len();
        }
    }

    fn behind(&self, seen: &Place) -> Page {
        let unseen = if seen.epoch == self.place.epoch {
            usize::try_from(self.place.offset.saturating_sub(seen.offset)).unwrap_or(usize::MAX)
        } else {
            usize::MAX
        };
        let entries = self.entries.iter().skip(self.entries.len().saturating_sub(unseen)).cloned().collect();
        Page { place: self.place.clone(), entries, draft: self.draft.clone() }
    }
}

#[async_trait]
impl Exchange for MemoryExchange {
    async fn open(&self, user: UserId, seen: &Place, fresh: Option<&str>) -> Exchanged<Option<Page>> {
        Ok(self.with(user, |theirs| {
            if let (None, Some(epoch)) = (&theirs.log, fresh) {
                theirs.log = Some(Log::new(Place { epoch: epoch.to_owned(), offset: 0 }, None));
                theirs.tell(News::Renewed);
            }
            theirs.log.as_ref().map(|log| log.behind(seen))
        }))
    }

    async fn append(&self, user: UserId, epoch: &str, (by, items): (&str, &[Item])) -> Exchanged<Appended> {
        let (at, window) = (self.clock.wall(), self.window);
        Ok(self.with(user, |theirs| {
            let Some(log) = theirs.log.as_mut().filter(|log| log.place.epoch == epoch) else {
                return Appended::Gone;
            };
            let behind = log.place.clone();
            for item in items {
                log.take(item, at);
            }
            log.forget(window);
            let offset = behind.offset;
            theirs.tell(News::Told { behind, by: by.to_owned(), items: items.to_vec() });
            Appended::Behind(offset)
        }))
    }

    async fn renew(&self, user: UserId, place: &Place, draft: Option<&Draft>) -> Exchanged<()> {
        self.with(user, |theirs| {
            theirs.log = Some(Log::new(place.clone(), draft.cloned()));
            theirs.tell(News::Renewed);
        });
        Ok(())
    }

    async fn listen(&self, user: UserId) -> Exchanged<Listening> {
        let news = self.with(user, |theirs| theirs.listeners.subscribe());
        Ok(Listening::new(news, Box::new(())))
    }

    async fn stop(&self, user: UserId, reply: MessageId) -> Exchanged<()> {
        self.with(user, |theirs| theirs.tell(News::Stop(reply)));
        Ok(())
    }

    async fn hold(&self, user: UserId, holder: &str, life: Duration) -> Exchanged<bool> {
        let now = self.clock.now();
        Ok(self.with(user, |theirs| {
            let is_free = theirs.held.as_ref().is_none_or(|(other, until)| other == holder || *until <= now);
            if is_free {
                theirs.held = Some((holder.to_owned(), now + life));
            }
            is_free
        }))
    }

    async fn release(&self, user: UserId, holder: &str) -> Exchanged<()> {
        self.with(user, |theirs| theirs.held.take_if(|(other, _)| other == holder));
        Ok(())
    }
}
