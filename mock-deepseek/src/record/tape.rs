//! The file that is recorded into.
//!
//! Invariant: the file is a whole cassette after every exchange; an exchange that could not be written to
//! its end is taken out again.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::Path,
};

use super::{RecordError, Recorded};
use crate::{
    cassette::{self, CASSETTE_MAX, Cassette, CassetteError, Track},
    scrub::Scrubber,
};

/// An open cassette, locked against other recorders.
#[derive(Debug)]
pub(super) struct Tape {
    file: File,
    length: u64,
    pub(super) scrubber: Scrubber,
    pub(super) recorded: Recorded,
}

impl Tape {
    /// Opens or makes the file. What it holds must be a cassette.
    pub(super) fn open(path: &Path) -> Result<Self, RecordError> {
        let failed = |source| RecordError::Open { path: path.to_owned(), source };
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => RecordError::Taken { path: path.to_owned() },
            TryLockError::Error(source) => failed(source),
        })?;
        let text = content(&mut file, path)?;
        let mut scrubber = Scrubber::default();
        scrubber.continue_after(&text);
        let mut tape = Self { file, length: text.len() as u64, scrubber, recorded: Recorded::default() };
        let begin = match text.as_str() {
            "" => cassette::label(),
            text if text.ends_with('\n') => String::new(),
            _ => "\n".to_owned(),
        };
        tape.append(&begin).map_err(failed)?;
        Ok(tape)
    }

    /// Writes an exchange, or says why it was left out.
    pub(super) fn save(&mut self, track: &Track) {
        let lines = track.lines();
        if self.length + lines.len() as u64 > CASSETTE_MAX {
            return self.leave_out(&format!("the cassette would become larger than {CASSETTE_MAX} bytes"));
        }
        match self.append(&lines) {
            Ok(()) => self.recorded.kept += 1,
            Err(error) => self.leave_out(&format!("the cassette cannot be written: {error}")),
        }
    }

    pub(super) fn leave_out(&mut self, reason: &str) {
        self.recorded.left_out += 1;
        self.recorded.reason = Some(reason.to_owned());
    }

    fn append(&mut self, text: &str) -> io::Result<()> {
        let outcome = self.file.write_all(text.as_bytes());
        if outcome.is_err() {
            self.file.set_len(self.length)?;
        } else {
            self.length += text.len() as u64;
        }
        outcome
    }
}

/// Reads what has been recorded before.
fn content(file: &mut File, path: &Path) -> Result<String, RecordError> {
    let failed = |source| RecordError::Open { path: path.to_owned(), source };
    if file.metadata().map_err(failed)?.len() > CASSETTE_MAX {
        let source = CassetteError::TooLarge { path: path.to_owned() };
        return Err(RecordError::Cassette { path: path.to_owned(), source });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed)?;
    if !text.is_empty() {
        let check = text.parse::<Cassette>();
        check.map_err(|source| RecordError::Cassette { path: path.to_owned(), source })?;
    }
    Ok(text)
}
