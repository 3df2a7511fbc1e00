//! Carries a program out on a socket, on the clock, and tells the journal what really happened.
//!
//! Writes that follow each other without a wait are merged. Invariant: the journal hears of a byte,
//! an event or a fault only after the socket has taken it. When the client leaves, hyper drops the
//! future that runs here, at whatever step it is.

use std::{collections::VecDeque, io, time::Duration};

use clock::Clock;

use crate::{
    answer::Marks,
    journal::{How, Recorder},
    program::{Last, Program, Step},
    wire::Wire,
};

/// Writes are merged up to so many bytes.
const MERGE_MAX: usize = 64 * 1024;
/// A silent socket is closed after this time even if the client never leaves.
const HANG_MAX: Duration = Duration::from_hours(24);

/// The connection cannot be used for another request.
#[derive(Debug, thiserror::Error)]
#[error("connection ended by plan or by the client")]
pub(crate) struct Over;

/// Carries out the program. Dropping the future leaves what was not yet written unwritten.
pub(crate) async fn run(
    program: Program,
    wire: &Wire,
    clock: &dyn Clock,
    recorder: &Recorder,
) -> Result<(), Over> {
    let end = match write_all(program, wire, clock, recorder).await {
        Ok(end) => end,
        Err(_gone) => {
            recorder.end(How::ClientHungUp);
            return Err(Over);
        }
    };
    match end {
        Last::Complete => {
            recorder.end(How::Completed);
            return Ok(());
        }
        Last::Stale { reset } => {
            wire.die_at_next_request(reset);
            recorder.end(How::Completed);
            return Ok(());
        }
        // A socket that cannot be told to reset is closed; the journal shows a cut either way.
        Last::Reset => drop(wire.reset_on_close()),
        Last::Hang => clock.sleep(HANG_MAX).await,
        Last::Close | Last::Repeat { .. } => {}
    }
    recorder.end(How::Cut);
    Err(Over)
}

async fn write_all(
    program: Program,
    wire: &Wire,
    clock: &dyn Clock,
    recorder: &Recorder,
) -> io::Result<Last> {
    let mut buffer = Buffer::default();
    for step in program.steps {
        match step {
            Step::Write { bytes, is_event, marks } => buffer.push(&bytes, is_event, marks),
            Step::Wait(pause) => {
                buffer.flush(wire, clock, recorder).await?;
                clock.sleep(pause).await;
            }
        }
        if buffer.bytes.len() >= MERGE_MAX {
            buffer.flush(wire, clock, recorder).await?;
        }
    }
    buffer.flush(wire, clock, recorder).await?;
    if let Last::Repeat { every, bytes, is_event } = &program.end {
        loop {
            clock.sleep(*every).await;
            buffer.push(bytes, *is_event, Marks::default());
            buffer.flush(wire, clock, recorder).await?;
        }
    }
    Ok(program.end)
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
    fn push(&mut self, bytes: &[u8], is_event: bool, marks: Marks) {
        self.bytes.extend_from_slice(bytes);
        self.stretches.push_back(Stretch { end: self.bytes.len(), is_event, marks });
    }

    async fn flush(&mut self, wire: &Wire, clock: &dyn Clock, recorder: &Recorder) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut written = 0;
        self.settle(written, recorder);
        while written < bytes.len() {
            let count = wire.write(&bytes[written..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            recorder.wrote(clock.now(), &bytes[written..written + count]);
            written += count;
            self.settle(written, recorder);
        }
        Ok(())
    }

    /// Reports the stretches that lie wholly within what has been written.
    fn settle(&mut self, written: usize, recorder: &Recorder) {
        while let Some(stretch) = self.stretches.pop_front_if(|stretch| stretch.end <= written) {
            recorder.passed(stretch.is_event, stretch.marks);
        }
    }
}
