//! What a user's devices are told, in one order.
//!
//! Durable frames get an offset and are kept, so that a device that was away can be told what it missed: all of it or
//! nothing. Where replicas share an exchange, it is the exchange that gives the offsets, and the room's
//! [`Relay`](super::relay::Relay) brings what is told here there, and what is told elsewhere here. Without it, as long as
//! it does not answer, what is told here has its place at once.
//!
//! Invariant: a device that is attached at offset *n* gets *n + 1*, *n + 2* … and nothing twice, or is welcomed anew.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clock::SharedClock;
use tokio::sync::{Notify, broadcast, watch};
use uuid::Uuid;

use super::{
    note::{Note, Piece, Running, Telling, Told},
    view::{Fit, View},
};
use crate::{
    chat::v1::Outgoing,
    exchange::{Draft, Place, Window},
    ids::{MessageId, SessionId},
};

/// Frames that a device may be behind; it then takes up the stream anew.
const BEHIND_MAX: usize = 256;
/// What is told here and waits for its place; with more, it is not waited for.
pub(super) const OUTBOX_MAX: usize = 256;
/// Items that go to the exchange at once.
pub(super) const BATCH_MAX: usize = 64;

/// What a device hears.
#[derive(Clone, Debug)]
pub(in crate::chat) enum Word {
    Told(Arc<Told>),
    /// Something may have been missed: the stream begins anew.
    Anew,
    /// This device has asked for too much, and must leave.
    Dismissed(u64),
    /// The server stops, and nothing follows.
    Goodbye,
}

/// A user's stream.
#[derive(Debug)]
pub(in crate::chat) struct Stream {
    clock: SharedClock,
    window: Window,
    inner: Mutex<Inner>,
    sender: broadcast::Sender<Word>,
    /// Wakes the relay.
    wake: Notify,
    /// How often the relay has asked the exchange, or found that it does not answer.
    looked: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    view: View,
    course: Course,
    /// The answer that is told here; the view may not know its end yet.
    own: Option<Running>,
    /// What waits for its place, and of that, what is on its way.
    outbox: VecDeque<Telling>,
    sent: Vec<Telling>,
    /// An answer that is to be stopped wherever it runs.
    stop: Option<MessageId>,
    /// Whether a device is or was here.
    is_wanted: bool,
    /// Whether there is a log in the exchange.
    exists: bool,
    /// How often somebody wanted the relay to look.
    asked: u64,
    is_closed: bool,
}

/// Who gives the offsets.
#[derive(Debug)]
enum Course {
    /// This process; nothing is shared.
    Alone,
    /// The exchange.
    Together {
        /// Where it was left, if something was told since that it does not have yet.
        owing: Option<Place>,
    },
    /// This process, while the exchange does not answer.
    Apart {
        /// The last place that the exchange gave.
        left: Place,
        /// Whether something was told since.
        has_told: bool,
    },
}

/// How the exchange's log is to be begun anew.
pub(super) struct Renewal {
    pub(super) place: Place,
    pub(super) draft: Option<Draft>,
    /// Whether something was missed here, too.
    pub(super) has_missed: bool,
}

/// What a device is told at first, and how it hears the rest.
#[derive(Debug)]
pub(in crate::chat) struct Attached {
    pub(in crate::chat) epoch: String,
    pub(in crate::chat) offset: u64,
    pub(in crate::chat) recovered: bool,
    pub(in crate::chat) session: Option<SessionId>,
    pub(in crate::chat) missed: Vec<Arc<Told>>,
    pub(in crate::chat) words: broadcast::Receiver<Word>,
}

impl Stream {
    /// Makes a stream; where it is shared, a relay has to attend to it.
    pub(in crate::chat) fn new(window: Window, clock: SharedClock, is_shared: bool) -> Self {
        let (place, course) = if is_shared {
            (Place::default(), Course::Together { owing: None })
        } else {
            (fresh_place(0), Course::Alone)
        };
        let inner = Inner {
            view: View::new(window, place),
            course,
            own: None,
            outbox: VecDeque::new(),
            sent: Vec::new(),
            stop: None,
            is_wanted: false,
            exists: false,
            asked: 0,
            is_closed: false,
        };
        Self {
            clock,
            window,
            inner: Mutex::new(inner),
            sender: broadcast::Sender::new(BEHIND_MAX),
            wake: Notify::new(),
            looked: watch::Sender::new(0),
        }
    }

    /// Tells a frame to all devices, or to one of those here. Never waits.
    pub(in crate::chat) fn tell(&self, frame: &Outgoing, to: Option<u64>) {
        if let Some(device) = to {
            return self.say(Word::Told(Told::to_one(frame, device)));
        }
        let mut inner = self.inner();
        let telling = inner.telling(frame);
        self.bring(&mut inner, telling);
    }

    /// Brings something to its place, by way of the exchange where there is one.
    fn bring(&self, inner: &mut Inner, telling: Telling) {
        if let Course::Together { .. } = inner.course {
            inner.outbox.push_back(telling);
            if inner.outbox.len() > OUTBOX_MAX {
                self.part(inner);
            }
            return self.wake.notify_one();
        }
        self.place(inner, telling);
    }

    /// Lets a device leave.
    pub(in crate::chat) fn dismiss(&self, device: u64) {
        self.say(Word::Dismissed(device));
    }

    /// Says that nothing follows.
    pub(in crate::chat) fn goodbye(&self) {
        self.say(Word::Goodbye);
    }

    /// Asks for this answer to be stopped at whatever replica runs it.
    pub(super) fn stop_elsewhere(&self, reply: MessageId) {
        self.inner().stop = Some(reply);
        self.wake.notify_one();
    }

    /// Notes that a device comes: there is something worth keeping from here on.
    pub(super) fn want(&self) {
        self.inner().is_wanted = true;
    }

    /// Waits until all is known here that was told so far; as long as the exchange takes to answer, or not to.
    pub(in crate::chat) async fn up_to_date(&self) {
        let asked = {
            let mut inner = self.inner();
            inner.asked += 1;
            match inner.course {
                Course::Together { .. } => inner.asked,
                Course::Alone | Course::Apart { .. } => return,
            }
        };
        self.wake.notify_one();
        // The stream lives as long as it is waited for.
        let _ = self.looked.subscribe().wait_for(|looked| *looked >= asked).await;
    }

    /// Waits until all that was told here has its place; as long as the exchange takes to answer, or not to.
    pub(in crate::chat) async fn all_told(&self) {
        let is_waiting = {
            let inner = self.inner();
            !inner.outbox.is_empty() || !inner.sent.is_empty()
        };
        if is_waiting {
            self.up_to_date().await;
        }
    }

    /// Begins to hear, from behind the place that was seen last, if there is one.
    pub(in crate::chat) fn attach(&self, seen: Option<(&str, u64)>) -> Attached {
        let mut inner = self.inner();
        inner.view.forget(self.clock.wall());
        let view = &inner.view;
        let from = seen.filter(|seen| view.reaches(*seen)).map(|(_, offset)| offset);
        Attached {
            epoch: view.place.epoch.clone(),
            offset: view.place.offset,
            recovered: from.is_some(),
            session: view.session,
            missed: view.missed(from),
            words: self.sender.subscribe(),
        }
    }

    /// Returns where the next piece of an answer begins, in characters.
    pub(in crate::chat) fn next_index(&self, answer: MessageId) -> usize {
        let inner = self.inner();
        inner.own.as_ref().filter(|own| own.message_id == answer).map_or(0, |own| own.characters)
    }

    /// Returns the session that was told last, unless it has ended.
    pub(in crate::chat) fn session(&self) -> Option<SessionId> {
        self.inner().view.session
    }

    /// Returns whether anybody may be there, here or at another replica, to whom something is worth telling.
    pub(super) fn is_watched(&self) -> bool {
        let inner = self.inner();
        match inner.course {
            Course::Alone => true,
            Course::Together { .. } => inner.exists,
            Course::Apart { .. } => inner.is_wanted,
        }
    }

    fn say(&self, word: Word) {
        // Nobody may be there to hear it.
        let _ = self.sender.send(word);
    }

    fn say_all(&self, told: impl IntoIterator<Item = Arc<Told>>) {
        told.into_iter().for_each(|told| self.say(Word::Told(told)));
    }

    /// Gives what is told the next place.
    fn place(&self, inner: &mut Inner, telling: Telling) {
        if let Course::Apart { has_told, .. } = &mut inner.course
            && !std::mem::replace(has_told, true)
        {
            // Its offset means something in this epoch alone.
            self.say(Word::Anew);
        }
        let offset = inner.view.place.offset;
        self.settle(inner, offset, std::iter::once(telling));
    }

    /// Takes what has its place behind an offset; returns whether nothing is missing before it.
    fn settle(&self, inner: &mut Inner, behind: u64, all: impl IntoIterator<Item = Telling>) -> bool {
        let mut at = behind;
        for telling in all {
            match telling {
                Telling::Note(note) => {
                    at += 1;
                    if at > inner.view.place.offset {
                        let is_readable = note.is_some();
                        self.say_all(inner.view.take(note, self.clock.wall()));
                        if !is_readable {
                            self.say(Word::Anew);
                        }
                    }
                }
                // What is told before a place that is known has ended there.
                Telling::Piece(_) if at < inner.view.place.offset => {}
                Telling::Piece(piece) => match inner.view.lengthen(&piece) {
                    Fit::Next => self.say(Word::Told(Told::piece(piece))),
                    Fit::Known => {}
                    Fit::Gap => return false,
                },
            }
        }
        true
    }

    /// Goes on alone; what waits is told here at once.
    fn part(&self, inner: &mut Inner) {
        let Course::Together { owing } = &mut inner.course else { return };
        metrics::counter!("chat_apart_total").increment(1);
        let owing = owing.take();
        let has_told = owing.is_some();
        inner.course = Course::Apart { left: owing.unwrap_or_else(|| inner.view.place.clone()), has_told };
        inner.begin_anew(self.window);
        let waiting = std::mem::take(&mut inner.sent);
        let waiting: Vec<_> = waiting.into_iter().chain(inner.outbox.drain(..)).collect();
        for telling in waiting {
            self.place(inner, telling);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Notes a frame for all devices.
    fn telling(&mut self, frame: &Outgoing) -> Telling {
        if let Outgoing::Chunk { message_id, index, text } = frame {
            match &mut self.own {
                Some(own) if own.message_id == *message_id => own.push(text),
                own => *own = Some(Running::new(*message_id, text.clone())),
            }
            return Telling::Piece(Piece { message_id: *message_id, index: *index, text: text.clone() });
        }
        let answer = self.own.take_if(|_| matches!(frame, Outgoing::Done { .. }));
        Telling::Note(Some(Box::new(Note::new(frame, answer))))
    }
}

fn fresh_place(offset: u64) -> Place {
    Place { epoch: Uuid::new_v4().to_string(), offset }
}

mod shared;
#[cfg(test)]
mod tests;
