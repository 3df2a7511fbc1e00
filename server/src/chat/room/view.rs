//! What is known here of what a user's devices were told.
//!
//! What is kept is bounded by number, bytes and age; whatever lies before is in the history.

use std::{collections::VecDeque, sync::Arc};

use jiff::Timestamp;

use super::note::{Mark, Note, Piece, Running, Told};
use crate::{
    exchange::{Draft, LOG_BYTES_MAX, Page, Place, Window},
    ids::SessionId,
};

/// The end of a user's stream.
#[derive(Debug)]
pub(super) struct View {
    window: Window,
    pub(super) place: Place,
    pub(super) running: Option<Running>,
    pub(super) session: Option<SessionId>,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
}

#[derive(Debug)]
struct Kept {
    at: Timestamp,
    told: Arc<Told>,
    /// The answer that ended here.
    answer: Option<Running>,
}

/// How a piece goes with what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the next one, and known now.
    Next,
    /// It was known.
    Known,
    /// Something between is not known.
    Gap,
}

impl View {
    pub(super) fn new(window: Window, place: Place) -> Self {
        Self { window, place, running: None, session: None, kept: VecDeque::new(), kept_bytes: 0 }
    }

    /// Sees the end of a log.
    pub(super) fn of(window: Window, page: Page) -> Self {
        let first = page.place.offset.saturating_sub(page.entries.len() as u64);
        let mut view = Self::new(window, Place { offset: first, ..page.place });
        for entry in page.entries {
            view.take(Note::read(&entry.text), entry.at);
        }
        view.running = page.draft.map(running);
        view
    }

    /// Takes the next durable frame, if it can be read. Returns what is to be told: the frame, and before it what was
    /// not yet told of the answer that ends with it.
    pub(super) fn take(&mut self, note: Option<Box<Note>>, at: Timestamp) -> Vec<Arc<Told>> {
        self.place.offset += 1;
        let Some(note) = note else {
            // Nobody can be told what was before it without a gap.
            self.forget_all();
            return Vec::new();
        };
        let told = note.told(self.place.offset);
        let mut all = Vec::new();
        let mut answer = None;
        match note.mark {
            Mark::Nothing | Mark::Over(None) => {}
            Mark::Opened(session) => self.session = Some(session),
            Mark::Closed => self.session = None,
            Mark::Deleted(session) => {
                self.session.take_if(|open| *open == session);
                self.forget_all();
            }
            Mark::Over(Some(whole)) => {
                let known = self.running.take_if(|running| running.message_id == whole.message_id);
                all.extend(rest(known.as_ref(), &whole).map(Told::piece));
                answer = Some(whole);
            }
        }
        all.push(Arc::clone(&told));
        let kept = Kept { at, told, answer };
        self.kept_bytes += kept.bytes();
        self.kept.push_back(kept);
        self.forget(at);
        all
    }

    /// Takes a piece of an answer.
    pub(super) fn lengthen(&mut self, piece: &Piece) -> Fit {
        match &mut self.running {
            Some(running) if running.message_id == piece.message_id => {
                if piece.index == running.characters {
                    running.push(&piece.text);
                    return Fit::Next;
                }
                if piece.index < running.characters { Fit::Known } else { Fit::Gap }
            }
            running if piece.index == 0 => {
                *running = Some(Running::new(piece.message_id, piece.text.clone()));
                Fit::Next
            }
            _ => Fit::Gap,
        }
    }

    /// Takes what a draft is now; returns what is new in it.
    pub(super) fn take_draft(&mut self, draft: Option<Draft>) -> Option<Arc<Told>> {
        let known = std::mem::replace(&mut self.running, draft.map(running));
        let rest = rest(known.as_ref(), self.running.as_ref()?)?;
        Some(Told::piece(rest))
    }

    /// Returns whether everything behind this place is still here.
    pub(super) fn reaches(&self, (epoch, offset): (&str, u64)) -> bool {
        let first = self.kept.front().and_then(|kept| kept.told.offset).unwrap_or(self.place.offset + 1);
        epoch == self.place.epoch && offset <= self.place.offset && offset + 1 >= first
    }

    /// Returns what a device is told that has seen everything up to an offset; without one, the running answer only.
    pub(super) fn missed(&self, from: Option<u64>) -> Vec<Arc<Told>> {
        let mut missed = Vec::new();
        for kept in self.kept.iter().filter(|kept| from.is_some_and(|from| kept.told.offset > Some(from))) {
            missed.extend(kept.answer.as_ref().map(Running::told));
            missed.push(Arc::clone(&kept.told));
        }
        missed.extend(self.running.as_ref().map(Running::told));
        missed
    }

    /// Drops the oldest until what is kept is within its bounds.
    pub(super) fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.kept.front() {
            let is_old = now.duration_since(oldest.at).unsigned_abs() > self.window.life && now > oldest.at;
            if !is_old && self.kept.len() <= self.window.frames && self.kept_bytes <= LOG_BYTES_MAX {
                return;
            }
            self.kept_bytes -= oldest.bytes();
            self.kept.pop_front();
        }
    }

    fn forget_all(&mut self) {
        (self.kept, self.kept_bytes) = (VecDeque::new(), 0);
    }

    /// Returns how much is kept, in frames and bytes.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.kept.len(), self.kept_bytes)
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.told.json.len() + self.answer.as_ref().map_or(0, |answer| answer.text.len())
    }
}

/// Returns what is not known yet of an answer.
fn rest(known: Option<&Running>, whole: &Running) -> Option<Piece> {
    let known = known.filter(|known| known.message_id == whole.message_id);
    whole.rest(known.map_or(0, |known| known.characters))
}

fn running(draft: Draft) -> Running {
    Running::new(draft.of, draft.text)
}
