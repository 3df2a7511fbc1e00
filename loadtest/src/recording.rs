//! An answer of the target, cut into the pieces that the floor plays back.
//!
//! The pieces are the head with the first HTTP chunk, and each further HTTP chunk; an answer in one piece is
//! one piece. Invariant: put together they are the recorded bytes, every one of them.

use std::{io, net::SocketAddr, time::Duration};

use bytes::{Buf as _, Bytes};
use clock::{Clock, timeout};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    broken::Broken,
    profile::{Case, Flush, Request},
    scanner::{Expected, Scanner},
};

/// The longest answer that is recorded.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// A target that is not ours may pace its answer; so long may the whole of it take.
const TIME_MAX: Duration = Duration::from_mins(2);

/// What the floor writes, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Pause before each piece, and its bytes.
    pub(crate) pieces: Vec<(Duration, Bytes)>,
}

/// No answer could be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The target could not be asked.
    #[error("cannot ask `{address}`: {source}\n  hint: is it running, and is it the right port?")]
    Ask {
        /// Where it should be.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The answer is not what the case expects.
    #[error(
        "`{address}` does not answer as case `{case}` expects: {broken}\n  hint: the answer begins with {begin:?}"
    )]
    Broken {
        /// Who was asked.
        address: SocketAddr,
        /// For which case.
        case: String,
        /// What is wrong.
        broken: Broken,
        /// The first bytes.
        begin: String,
    },
    /// A recording that was handed over cannot be read.
    #[error("this is no recording")]
    Unreadable,
}

/// Renders the request of a case.
pub(crate) fn request(request: &Request, case: &Case, address: SocketAddr) -> Bytes {
    let body = serde_json::json!({
        "model": request.model,
        "messages": [{"role": "user", "content": request.message}],
        "stream": case.stream,
    })
    .to_string();
    let Request { path, key, .. } = request;
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// Returns what an answer of the case must be.
pub(crate) fn expected(case: &Case) -> Expected {
    if case.stream { Expected::Chunks(case.chunks as u64) } else { Expected::Object }
}

impl Recording {
    /// Makes a recording of an answer that goes out whole, at once.
    pub fn at_once(answer: Bytes) -> Self {
        Self { pieces: vec![(Duration::ZERO, answer)] }
    }

    /// Asks the target once and records its answer.
    pub(crate) async fn take(
        clock: &dyn Clock,
        address: SocketAddr,
        wanted: &Request,
        case: &Case,
    ) -> Result<Self, RecordingError> {
        let asked = ask(address, request(wanted, case, address), expected(case));
        let (bytes, verdict) = timeout(clock, TIME_MAX, asked)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|source| RecordingError::Ask { address, source })?;
        match verdict {
            Ok(()) => Ok(Self::of(&bytes, case)),
            Err(broken) => Err(RecordingError::Broken {
                address,
                case: case.name.clone(),
                broken,
                begin: String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned(),
            }),
        }
    }

    /// Cuts a whole answer and gives its pieces the case's timing: a gap before each text chunk but the first.
    fn of(bytes: &Bytes, case: &Case) -> Self {
        let mut pieces: Vec<_> = cut(bytes).into_iter().map(|piece| (Duration::ZERO, piece)).collect();
        // The first event and the last two are no text, and text begins at once.
        let texts = 2..case.chunks.saturating_sub(1);
        for (wait, _) in pieces.get_mut(texts).into_iter().flatten() {
            *wait = case.gap;
        }
        if case.flush == Flush::Merge {
            pieces = merge(pieces);
        }
        Self { pieces }
    }

    /// Writes the recording for another process.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = (self.pieces.len() as u64).to_be_bytes().to_vec();
        for (wait, bytes) in &self.pieces {
            out.extend(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).to_be_bytes());
            out.extend((bytes.len() as u64).to_be_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and leaves what follows it.
    pub async fn read(input: &mut (impl tokio::io::AsyncRead + Unpin)) -> Result<Self, RecordingError> {
        let mut total = 0;
        let mut pieces = Vec::new();
        let count = input.read_u64().await.map_err(|_| RecordingError::Unreadable)?;
        for _ in 0..count {
            let wait = input.read_u64().await.map_err(|_| RecordingError::Unreadable)?;
            let length = input.read_u64().await.map_err(|_| RecordingError::Unreadable)?;
            let length = usize::try_from(length).map_err(|_| RecordingError::Unreadable)?;
            total += length;
            if total > BYTES_MAX {
                return Err(RecordingError::Unreadable);
            }
            let mut bytes = vec![0; length];
            input.read_exact(&mut bytes).await.map_err(|_| RecordingError::Unreadable)?;
            pieces.push((Duration::from_micros(wait), bytes.into()));
        }
        Ok(Self { pieces })
    }
}

/// Reads one answer, with the verdict on it.
async fn ask(
    address: SocketAddr,
    request: Bytes,
    expected: Expected,
) -> io::Result<(Bytes, Result<(), Broken>)> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(&request).await?;
    let (mut scanner, mut bytes) = (Scanner::new(expected), Vec::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = socket.read(&mut buffer).await?;
        bytes.extend_from_slice(&buffer[..count]);
        let verdict = match count {
            0 => scanner.end().map(Some),
            _ => scanner.feed(&buffer[..count]).map(|fed| fed.end),
        };
        match verdict {
            Ok(None) if bytes.len() < BYTES_MAX => {}
            Ok(None) => return Err(io::ErrorKind::FileTooLarge.into()),
            Ok(Some(_)) => return Ok((bytes.into(), Ok(()))),
            Err(broken) => return Ok((bytes.into(), Err(broken))),
        }
    }
}

/// Cuts a sound answer after its head and after each HTTP chunk; the head goes with the first piece.
fn cut(answer: &Bytes) -> Vec<Bytes> {
    let head = memchr::memmem::find(answer, b"\r\n\r\n").map_or(answer.len(), |end| end + 4);
    let chunked =
        answer[..head].to_ascii_lowercase().windows(26).any(|part| part == b"transfer-encoding: chunked");
    if !chunked {
        return vec![answer.clone()];
    }
    let (mut rest, mut start, mut pieces) = (answer.clone(), 0, Vec::new());
    let mut at = head;
    while let Some(size) = chunk_length(&answer[at..]) {
        at += size;
        pieces.push(rest.copy_to_bytes(at - start));
        start = at;
    }
    if rest.has_remaining() {
        pieces.push(rest);
    }
    pieces
}

/// Returns the length of the HTTP chunk that stands here, framing included; none at the end.
fn chunk_length(bytes: &[u8]) -> Option<usize> {
    let line = memchr::memchr(b'\n', bytes)?;
    let digits = str::from_utf8(&bytes[..line]).ok()?.trim_end().split(';').next()?;
    let size = usize::from_str_radix(digits, 16).ok()?;
    Some(line + 1 + size + 2).filter(|length| *length <= bytes.len())
}

/// Puts pieces that follow each other without a pause together.
fn merge(pieces: Vec<(Duration, Bytes)>) -> Vec<(Duration, Bytes)> {
    let mut merged: Vec<(Duration, Vec<u8>)> = Vec::new();
    for (wait, bytes) in pieces {
        match merged.last_mut() {
            Some((_, last)) if wait.is_zero() => last.extend_from_slice(&bytes),
            _ => merged.push((wait, bytes.to_vec())),
        }
    }
    merged.into_iter().map(|(wait, bytes)| (wait, bytes.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        1\r\na\r\n2\r\nbb\r\n1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n1\r\nf\r\n0\r\n\r\n";

    fn case(flush: &str) -> Case {
        let text = format!(
            "about = \"x\"\n[[cases]]\nname = \"a\"\ntitle = \"x\"\nconnections = 1\nstream = true\nchunks = 5\n\
             gap = \"20ms\"\nflush = \"{flush}\"\nwindow = \"1s\"\nwarm_up = \"0s\"\n"
        );
        crate::Profile::parse("x", &text).unwrap().cases.remove(0)
    }

    fn bytes(recording: &Recording) -> Vec<u8> {
        recording.pieces.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect()
    }

    #[test]
    fn no_byte_is_lost_and_text_has_its_gaps_m18() {
        let recording = Recording::of(&Bytes::from_static(ANSWER.as_bytes()), &case("event"));

        let waits: Vec<_> = recording.pieces.iter().map(|(wait, _)| wait.as_millis()).collect();
        assert_eq!(bytes(&recording), ANSWER.as_bytes());
        // The role, three of text, the finish, `[DONE]` and the end of the body.
        assert_eq!(waits, [0, 0, 20, 20, 0, 0, 0]);
    }

    #[test]
    fn pieces_without_a_pause_may_merge_m18() {
        let recording = Recording::of(&Bytes::from_static(ANSWER.as_bytes()), &case("merge"));

        assert_eq!(bytes(&recording), ANSWER.as_bytes());
        assert_eq!(recording.pieces.len(), 3);
    }

    #[tokio::test]
    async fn a_recording_survives_the_way_to_another_process() {
        let recording = Recording::of(&Bytes::from_static(ANSWER.as_bytes()), &case("event"));

        let mut sent: &[u8] = &recording.to_bytes();

        assert_eq!(Recording::read(&mut sent).await.unwrap(), recording);
    }
}
