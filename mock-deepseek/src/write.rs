//! Carries a program out on a socket, on the clock, and tells the journal what really happened.
//!
//! Pieces that follow each other without a pause are written together. Pauses are counted from when
//! the one before was due, so that a stream does not drift. Invariant: the journal hears of a byte, an
//! event or a fault only after the socket has taken it. Dropping the future that runs here leaves what
//! was not yet written unwritten.

use std::{collections::VecDeque, io, time::Duration};

use clock::Clock;

use crate::{
    answer::{Marks, Piece},
    journal::{How, Recorder},
    program::{self, Last, Program},
    wire::Wire,
};

/// Pieces are written together up to so many bytes.
const MERGE_MAX: usize = 64 * 1024;
/// A buffer that has grown beyond this is given back before a pause: thousands of streams pause at once.
const BUFFER_KEPT_MAX: usize = 1024;
/// A silent socket is closed after this time even if the client never leaves.
const HANG_MAX: Duration = Duration::from_hours(24);

/// What may be done with the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It can be used for another request, if both sides want that.
    Usable,
    /// It was promised to be usable, and dies at the next request.
    Stale { reset: bool },
    /// The last answer has been given; it is to be closed in good order.
    Closed,
    /// It is to be dropped without another word.
    Over,
}

/// Where an answer goes: the socket, the time and the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) recorder: &'a Recorder,
}

/// Carries out the program and says how it ended.
pub(crate) async fn run(mut program: Program, way: Way<'_>) -> After {
    let Way { wire, clock, recorder } = way;
    if write_all(&mut program, way).await.is_err() {
        recorder.end(How::ClientHungUp);
        return After::Over;
    }
    match program.end {
        Last::Complete => {
            recorder.end(How::Completed);
            return After::Usable;
        }
        Last::Stale { reset } => {
            recorder.end(How::Completed);
            return After::Stale { reset };
        }
        // A socket that cannot be told to reset is closed; the journal shows a cut either way.
        Last::Reset => drop(wire.reset_on_close()),
        Last::Hang => clock.sleep(HANG_MAX).await,
        Last::Close | Last::Repeat(_) => {}
    }
    recorder.end(How::Cut);
    After::Over
}

async fn write_all(program: &mut Program, way: Way<'_>) -> io::Result<()> {
    let framing = program.framing();
    let (mut buffer, mut due) = (Buffer::default(), way.clock.now());
    for piece in program.by_ref() {
        if !piece.wait.is_zero() {
            buffer.flush(way).await?;
            buffer.shrink();
            due = due + piece.wait;
            way.clock.sleep_until(due).await;
        }
        buffer.push(&piece, framing);
        if buffer.bytes.len() >= MERGE_MAX {
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
struct Buffer {
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
    fn push(&mut self, piece: &Piece, framing: crate::answer::Framing) {
        program::put(&mut self.bytes, piece, framing);
        if program::counts(piece) {
            let (end, is_event, marks) = (self.bytes.len(), piece.is_event(), piece.marks);
            self.stretches.push_back(Stretch { end, is_event, marks });
        }
    }

    async fn flush(&mut self, way: Way<'_>) -> io::Result<()> {
        let mut written = 0;
        self.settle(written, way.recorder);
        while written < self.bytes.len() {
            let count = way.wire.write(&self.bytes[written..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            way.recorder.wrote(way.clock.now(), &self.bytes[written..written + count]);
            written += count;
            self.settle(written, way.recorder);
        }
        self.bytes.clear();
        Ok(())
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

    /// Gives back what a burst has left behind.
    fn shrink(&mut self) {
        if self.bytes.capacity() > BUFFER_KEPT_MAX {
            *self = Self::default();
        }
    }
}
