//! A cassette: recorded requests and their answers, as a file.
//!
//! The file is JSON Lines, with a line for each thing that happened: the request, the head of the answer,
//! each piece of the body with its time, the end. It begins with its version:
//!
//! ```text
//! {"cassette":{"version":1}}
//! {"request":{"method":"POST","path":"/chat/completions","headers":["accept: */*"],"json":{"model":"…"}}}
//! {"answer":{"at_ms":210,"status":200,"framing":"chunked","headers":["content-type: text/event-stream"]}}
//! {"piece":{"at_ms":412,"text":"data: {…}\n\n"}}
//! {"end":{"at_ms":980,"how":"complete"}}
//! ```
//!
//! Why not TOML: an exchange is *appended* when it ends, without reading the file again; a broken line has
//! a number; a token that differs is one line in a diff; and every byte of a body has an unmistakable
//! spelling. Times count from the request. Bodies are text, and base64 where they are no UTF-8.
//!
//! Invariant: what was read is whole: each request has its answer, and times do not run backwards.

mod line;

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use bytes::Bytes;
use serde_json::Value;

use line::Line;
pub(crate) use line::{BodyEnd, How};

/// The largest file that is read or written.
pub const CASSETTE_MAX: u64 = 64 * 1024 * 1024;
/// The version of the format that is written, and the only one that is read.
pub const CASSETTE_VERSION: u32 = 1;

/// Recorded exchanges, in the order in which they ended.
///
/// ```
/// let cassette: mock_deepseek::Cassette = r#"{"cassette":{"version":1}}
/// {"request":{"method":"GET","path":"/models"}}
/// {"answer":{"at_ms":40,"status":200,"framing":"length","headers":["content-type: application/json"]}}
/// {"piece":{"at_ms":40,"text":"{\"object\":\"list\",\"data\":[]}"}}
/// {"end":{"at_ms":40,"how":"complete"}}
/// "#.parse()?;
/// assert_eq!(cassette.len(), 1);
/// # Ok::<(), mock_deepseek::CassetteError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cassette {
    pub(crate) tracks: Vec<Arc<Track>>,
}

/// A cassette cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// The file cannot be read.
    #[error("cassette `{}` cannot be read: {source}; record one with `gauntlet mock --record URL --cassette FILE`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is too large to be one.
    #[error("cassette `{}` is larger than {CASSETTE_MAX} bytes; split it, or record less", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The content is wrong.
    #[error(
        "cassette is damaged in line {line}: {reason}; mend the line, or delete the file and record it again"
    )]
    Damaged {
        /// Counts from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Track {
    /// The line of the request; 0 when it has not been read from a file.
    pub(crate) line: usize,
    pub(crate) request: Asked,
    pub(crate) answer: Answered,
}

/// A recorded request, scrubbed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// `name: value`.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Content,
}

/// A body, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// An object or a list.
    Json(Value),
    Raw(Bytes),
}

/// A recorded answer, scrubbed. Times are milliseconds since the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) at_ms: u64,
    pub(crate) status: u16,
    pub(crate) framing: BodyEnd,
    pub(crate) headers: Vec<String>,
    /// How the bytes are compressed; such a body could not be scrubbed.
    pub(crate) compressed: Option<String>,
    pub(crate) pieces: Vec<(u64, Bytes)>,
    pub(crate) end_ms: u64,
    pub(crate) how: How,
    /// Bytes that the head had promised and that never came.
    pub(crate) missing: u64,
}

impl Cassette {
    /// Reads a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CassetteError> {
        let path = path.as_ref();
        let failed = |source| CassetteError::Read { path: path.to_owned(), source };
        if fs::metadata(path).map_err(failed)?.len() > CASSETTE_MAX {
            return Err(CassetteError::TooLarge { path: path.to_owned() });
        }
        fs::read_to_string(path).map_err(failed)?.parse()
    }

    /// Returns how many exchanges it holds.
    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    /// Says whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }
}

impl FromStr for Cassette {
    type Err = CassetteError;

    fn from_str(text: &str) -> Result<Self, CassetteError> {
        line::read(text)
    }
}

impl Track {
    /// Writes the lines of this exchange.
    pub(crate) fn lines(&self) -> String {
        line::write(self)
    }
}

/// Returns the first line of a cassette.
pub(crate) fn label() -> String {
    Line::label().to_text()
}

impl Content {
    /// Takes a scrubbed body: as JSON where it is an object or a list.
    pub(crate) fn of(body: Vec<u8>) -> Self {
        match serde_json::from_slice(&body) {
            Ok(json @ (Value::Object(_) | Value::Array(_))) => Self::Json(json),
            _ => Self::Raw(body.into()),
        }
    }
}

#[cfg(test)]
mod tests;
