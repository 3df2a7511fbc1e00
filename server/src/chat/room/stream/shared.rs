//! The side of a stream that its relay attends to.

use super::{
    BATCH_MAX, Course, Draft, Inner, MessageId, Piece, Place, Renewal, Running, Stream, Telling, View, Word,
    fresh_place,
};
use crate::{
    chat::{room::note::Note, v1::Outgoing},
    exchange::{Item, Page, Window},
};

impl Stream {
    /// Waits until there is something to do. Cancellation-safe.
    pub(in crate::chat::room) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Has the relay look for what waits.
    pub(in crate::chat::room) fn nudge(&self) {
        self.wake.notify_one();
    }

    /// Lets the relay end, after it has told what waits.
    pub(in crate::chat::room) fn close(&self) {
        self.inner().is_closed = true;
        self.wake.notify_one();
    }

    pub(in crate::chat::room) fn is_closed(&self) -> bool {
        self.inner().is_closed
    }

    /// Returns whether the exchange was not there when it was asked last.
    pub(in crate::chat::room) fn is_apart(&self) -> bool {
        matches!(self.inner().course, Course::Apart { .. })
    }

    /// Returns whether an answer is read here that another replica tells.
    pub(in crate::chat::room) fn follows_others(&self) -> bool {
        let inner = self.inner();
        matches!(inner.course, Course::Together { .. }) && inner.view.running.is_some() && inner.own.is_none()
    }

    /// Ends the answer that is read here, whoever told it.
    pub(in crate::chat::room) fn break_off(&self) {
        let end = Outgoing::broken_off(self.clock.wall());
        let mut inner = self.inner();
        let note = Note::new(&end, inner.view.running.clone());
        self.bring(&mut inner, Telling::Note(Some(Box::new(note))));
    }

    /// Returns how often somebody wanted the exchange to be asked, if that is more often than it was.
    pub(in crate::chat::room) fn asked(&self) -> Option<u64> {
        Some(self.inner().asked).filter(|asked| *asked > *self.looked.borrow())
    }

    /// Notes that the exchange was asked, or does not answer.
    pub(in crate::chat::room) fn looked(&self, asked: u64) {
        self.looked.send_replace(asked);
    }

    /// Returns what the exchange is asked for: the last place of its log that is known, and an epoch if it is to begin
    /// one.
    pub(in crate::chat::room) fn question(&self) -> (Place, Option<String>) {
        let inner = self.inner();
        let place = match &inner.course {
            Course::Apart { left, .. } => left.clone(),
            Course::Alone | Course::Together { .. } => inner.view.place.clone(),
        };
        (place, inner.is_wanted.then(|| fresh_place(0).epoch))
    }

    /// Takes the end of the exchange's log. Returns how the log is to be begun anew, where something was told here
    /// that is missing in it.
    pub(in crate::chat::room) fn take_page(&self, page: Option<Page>) -> Option<Renewal> {
        let mut inner = self.inner();
        let course = std::mem::replace(&mut inner.course, Course::Together { owing: None });
        inner.exists = page.is_some();
        let Some(page) = page else {
            // Nobody has ever come, or all has been forgotten.
            inner.outbox.clear();
            inner.sent.clear();
            inner.view = View::new(self.window, Place::default());
            return None;
        };
        let owing = match course {
            Course::Apart { left, has_told: true } => Some(left),
            Course::Apart { left, has_told: false } => {
                inner.view.place = left;
                None
            }
            Course::Together { owing } => owing,
            Course::Alone => None,
        };
        let Some(left) = owing else {
            self.catch_up(&mut inner, page);
            return None;
        };
        let has_missed = page.place != left;
        inner.course = Course::Together { owing: Some(left) };
        if has_missed {
            // Nor may whoever was told something here meanwhile take it for all there was.
            inner.begin_anew(self.window);
        }
        let draft = inner.view.running.as_ref().map(Running::draft);
        Some(Renewal { place: inner.view.place.clone(), draft, has_missed })
    }

    /// Notes that the log was begun anew.
    pub(in crate::chat::room) fn renewed(&self, has_missed: bool) {
        if let Course::Together { owing } = &mut self.inner().course {
            *owing = None;
        }
        if has_missed {
            self.say(Word::Anew);
        }
    }

    /// Goes on alone: the exchange does not answer.
    pub(in crate::chat::room) fn go_apart(&self) {
        self.part(&mut self.inner());
    }

    /// Returns the next items for the exchange, and the epoch of the log that they belong to. They are on their way
    /// then, until their place is known.
    pub(in crate::chat::room) fn batch(&self) -> Option<(String, Vec<Item>)> {
        let mut inner = self.inner();
        if !matches!(inner.course, Course::Together { .. }) {
            return None;
        }
        if !inner.exists {
            // Nobody is there to be told.
            inner.outbox.clear();
        }
        while inner.sent.len() < BATCH_MAX
            && let Some(telling) = inner.outbox.pop_front()
        {
            inner.send(telling);
        }
        let items: Vec<_> = inner.sent.iter().map(Telling::item).collect();
        (!items.is_empty()).then(|| (inner.view.place.epoch.clone(), items))
    }

    /// Takes the place of what was on its way; returns whether nothing is missing before it.
    pub(in crate::chat::room) fn placed(&self, behind: u64) -> bool {
        let mut inner = self.inner();
        if !matches!(inner.course, Course::Together { .. }) {
            return true;
        }
        let sent = std::mem::take(&mut inner.sent);
        behind <= inner.view.place.offset && self.settle(&mut inner, behind, sent)
    }

    /// Takes what another replica told; returns whether nothing is missing before it.
    pub(in crate::chat::room) fn heard(&self, behind: &Place, items: Vec<Item>) -> bool {
        let mut inner = self.inner();
        if !matches!(inner.course, Course::Together { .. }) {
            return true;
        }
        let is_next = behind.epoch == inner.view.place.epoch && behind.offset <= inner.view.place.offset;
        is_next && self.settle(&mut inner, behind.offset, items.into_iter().map(Telling::of))
    }

    /// Returns the answer that is to be stopped elsewhere, once.
    pub(in crate::chat::room) fn to_stop(&self) -> Option<MessageId> {
        self.inner().stop.take()
    }

    /// Takes what is new in a log, or, where that cannot be said, all of it, and then all is told anew.
    fn catch_up(&self, inner: &mut Inner, page: Page) {
        let known = &inner.view.place;
        let new = page.place.offset.checked_sub(known.offset).and_then(|new| usize::try_from(new).ok());
        let first = new.and_then(|new| page.entries.len().checked_sub(new));
        if let (true, Some(first)) = (page.place.epoch == known.epoch, first) {
            for entry in page.entries.into_iter().skip(first) {
                self.say_all(inner.view.take(Note::read(&entry.text), entry.at));
            }
            self.say_all(inner.view.take_draft(page.draft));
            return;
        }
        inner.view = View::of(self.window, page);
        inner.tell_own_again();
        self.say(Word::Anew);
    }
}

impl Inner {
    /// Begins a new epoch at the same offset: what was kept is out of reach.
    pub(super) fn begin_anew(&mut self, window: Window) {
        let fresh = View::new(window, fresh_place(self.view.place.offset));
        let before = std::mem::replace(&mut self.view, fresh);
        (self.view.running, self.view.session) = (before.running, before.session);
    }

    /// Sends something on its way; pieces that follow each other go as one.
    fn send(&mut self, telling: Telling) {
        if let (Some(Telling::Piece(piece)), Telling::Piece(next)) = (self.sent.last_mut(), &telling)
            && piece.message_id == next.message_id
        {
            return piece.text.push_str(&next.text);
        }
        self.sent.push(telling);
    }

    /// Tells the answer that is told here from its beginning: the log that knew it is gone.
    fn tell_own_again(&mut self) {
        let waiting = std::mem::take(&mut self.sent).into_iter().chain(self.outbox.drain(..));
        self.outbox = waiting.filter(|telling| matches!(telling, Telling::Note(_))).collect();
        if let Some(Running { message_id, text, .. }) = self.own.clone() {
            self.outbox.push_back(Telling::Piece(Piece { message_id, index: 0, text }));
        }
    }
}

impl Running {
    fn draft(&self) -> Draft {
        Draft { of: self.message_id, text: self.text.clone() }
    }
}
