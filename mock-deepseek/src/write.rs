//! Carries a program out, on the clock, and tells the journal what really happened.
//!
//! Pieces that follow each other without a pause are written together. Pauses are counted from when
//! the one before was due, so that a stream does not drift. Invariant: the journal hears of a byte, an
//! event or a fault only after the outlet has taken it. Dropping the future that runs here leaves what
//! was not yet written unwritten.

use std::{cell::Cell, collections::VecDeque, io, mem};

use clock::Clock;

use crate::{
    answer::{Cut, Framing, Marks, Piece},
    duration,
    journal::{How, Recorder},
    program::{self, Last, Program},
};

/// Pieces are written together up to so many bytes.
const MERGE_MAX: usize = 64 * 1024;
/// A larger buffer is not kept for the next.
const SPARE_MAX: usize = 4 * MERGE_MAX;
/// So much room for stretches is kept from one write to the next.
const STRETCHES_KEPT_MAX: usize = 4;

thread_local! {
    /// Memory for the next buffer of this thread. Between two writes an answer holds none: thousands may pause at once.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Takes the bytes of an answer: a socket, or a stream of HTTP/2.
pub(crate) trait Outlet: Sync {
    /// Takes some of the bytes, and waits until it can.
    fn write(&self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Sees to it that what was taken goes out.
    fn flush(&self) -> impl Future<Output = io::Result<()>> + Send;
}

/// What is to become of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The message is complete; the connection can be used again, if both sides want that.
    Usable,
    /// It was promised to be usable, and dies at the next request.
    Stale { reset: bool },
    /// It ends in the middle of the message.
    Cut(Cut),
    /// The client has left, or nothing more can be said to it.
    Gone,
}

/// Where an answer goes: the socket, the time and the journal.
#[derive(Debug)]
pub(crate) struct Way<'a, O> {
    pub(crate) outlet: &'a O,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) recorder: &'a Recorder,
}

impl<O> Copy for Way<'_, O> {}

impl<O> Clone for Way<'_, O> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Carries out the program and says how it ended.
pub(crate) async fn run<O: Outlet>(program: &mut Program, way: Way<'_, O>) -> After {
    let Way { clock, recorder, .. } = way;
    if write_all(program, way).await.is_err() {
        recorder.end(How::ClientHungUp);
        return After::Gone;
    }
    let (how, after) = match program.end {
        Last::Complete => (How::Completed, After::Usable),
        Last::Stale { reset } => (How::Completed, After::Stale { reset }),
        Last::Cut(cut) => (How::Cut, After::Cut(cut)),
        Last::Hang => {
            clock.sleep(duration::FOREVER).await;
            (How::Cut, After::Cut(Cut::Close))
        }
        Last::Repeat(_) => (How::Cut, After::Cut(Cut::Close)),
    };
    recorder.end(how);
    after
}

async fn write_all<O: Outlet>(program: &mut Program, way: Way<'_, O>) -> io::Result<()> {
    let (framing, apart) = (program.framing(), program.flushes_events());
    let (mut buffer, mut due) = (Buffer::default(), way.clock.now());
    while let Some(piece) = program.next() {
        if !piece.wait.is_zero() {
            buffer.flush(way).await?;
            due = due + piece.wait;
            way.clock.sleep_until(due).await;
        }
        program.rise_if_told();
        buffer.push(&piece, framing);
        if buffer.bytes.len() >= MERGE_MAX || apart && piece.is_event() {
            buffer.flush(way).await?;
        }
    }
    buffer.flush(way).await?;
    if let Last::Repeat(piece) = &program.end {
        loop {
            way.clock.sleep(piece.wait).await;
            buffer.push(piece, framing);
            buffer.flush(way).await?;
        }
    }
    Ok(())
}

/// Bytes to be written together, and what each stretch of them means.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    stretches: VecDeque<Stretch>,
}

#[derive(Debug)]
struct Stretch {
    end: usize,
    is_event: bool,
    marks: Marks,
}

impl Buffer {
    pub(crate) fn push(&mut self, piece: &Piece, framing: Framing) {
        if self.bytes.capacity() == 0 {
            self.bytes = SPARE.take();
        }
        program::put(&mut self.bytes, piece, framing);
        if program::counts(piece) {
            let (end, is_event, marks) = (self.bytes.len(), piece.is_event(), piece.marks);
            self.stretches.push_back(Stretch { end, is_event, marks });
        }
    }

    /// Hands everything to the outlet.
    pub(crate) async fn flush<O: Outlet>(&mut self, way: Way<'_, O>) -> io::Result<()> {
        let mut written = 0;
        self.settle(written, way.recorder);
        while written < self.bytes.len() {
            let count = way.outlet.write(&self.bytes[written..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            way.recorder.wrote(way.clock.now(), &self.bytes[written..written + count]);
            written += count;
            self.settle(written, way.recorder);
        }
        self.put_away();
        if written > 0 { way.outlet.flush().await } else { Ok(()) }
    }

    /// Reports the stretches that lie wholly within what has been written.
    fn settle(&mut self, written: usize, recorder: &Recorder) {
        let (mut events, mut fired) = (0, Marks::default());
        while let Some(stretch) = self.stretches.pop_front_if(|stretch| stretch.end <= written) {
            events += u64::from(stretch.is_event);
            fired = fired | stretch.marks;
        }
        if events > 0 || !fired.is_empty() {
            recorder.passed(events, fired);
        }
    }

    /// Gives the memory back, now that all is written.
    fn put_away(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        bytes.clear();
        if (1..=SPARE_MAX).contains(&bytes.capacity()) {
            SPARE.set(bytes);
        }
        self.stretches.shrink_to(STRETCHES_KEPT_MAX);
    }
}
