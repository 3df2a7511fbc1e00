//! Finds the end of an HTTP/1.1 answer and says whether it was whole.
//!
//! It reads what a client must read to know where an answer ends (status, length, chunk sizes) and
//! nothing else. Invariant: its verdict does not depend on how the reads cut the bytes.

use crate::{broken::Broken, events::Events};

/// The longest head of an answer.
const HEAD_MAX: usize = 64 * 1024;
/// The most hexadecimal digits of a chunk size: 1 TiB.
const SIZE_DIGITS_MAX: u32 = 10;

/// What an answer must be to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// One JSON object.
    Object,
    /// A stream of so many chunks and `[DONE]`.
    Chunks(u64),
}

/// What a part of the answer brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fed {
    /// Events that were completed.
    pub(crate) events: u64,
    /// Whether the answer is complete, and so, whether the connection may be used again.
    pub(crate) end: Option<Reuse>,
}

/// Whether the connection may carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// It may.
    Yes,
    /// The server closes it.
    No,
}

/// Reads one answer after the other.
#[derive(Debug)]
pub(crate) struct Scanner {
    expected: Expected,
    state: State,
    head: Vec<u8>,
    closes: bool,
    events: Events,
    object: Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// A body of known length, of which so much is to come.
    Length(u64),
    /// A body that ends with the connection.
    Closing,
    Size {
        value: u64,
        digits: u32,
        extension: bool,
    },
    Data(u64),
    /// After the data of a chunk: so many bytes of CRLF were seen.
    DataEnd(usize),
    /// After the last chunk: the length of the trailer line so far.
    Trailer(usize),
    Complete,
}

/// First and last byte of a body that is not streamed.
#[derive(Clone, Copy, Debug, Default)]
struct Object {
    first: Option<u8>,
    last: u8,
}

impl Scanner {
    pub(crate) fn new(expected: Expected) -> Self {
        Self {
            expected,
            state: State::Head,
            head: Vec::new(),
            closes: false,
            events: Events::default(),
            object: Object::default(),
        }
    }

    /// Makes ready for the next answer.
    pub(crate) fn reset(&mut self) {
        self.state = State::Head;
        self.head.clear();
        self.closes = false;
        self.events.reset();
        self.object = Object::default();
    }

    /// Returns whether nothing of the answer has come yet.
    pub(crate) fn is_fresh(&self) -> bool {
        self.state == State::Head && self.head.is_empty()
    }

    /// Returns how many chunks of the answer have come.
    #[cfg(test)]
    pub(crate) fn chunks(&self) -> u64 {
        self.events.chunks
    }

    /// Reads the next bytes; bytes after the end of the answer are an error.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<Fed, Broken> {
        let mut events = 0;
        while !bytes.is_empty() {
            let used = self.step(bytes, &mut events)?;
            bytes = &bytes[used..];
        }
        let end = if self.state == State::Complete { Some(self.judge()?) } else { None };
        Ok(Fed { events, end })
    }

    /// The connection has ended: the answer is whole only if its end is told that way.
    pub(crate) fn end(&mut self) -> Result<Reuse, Broken> {
        match self.state {
            State::Closing => {
                self.closes = true;
                self.judge()
            }
            _ => Err(Broken::Cut),
        }
    }

    /// Reads some bytes and returns how many.
    fn step(&mut self, bytes: &[u8], events: &mut u64) -> Result<usize, Broken> {
        match self.state {
            State::Head => self.head(bytes),
            State::Length(left) => {
                let used = self.body(bytes, left, events);
                self.state = after(left, used, State::Length, State::Complete);
                Ok(used)
            }
            State::Closing => Ok(self.body(bytes, u64::MAX, events)),
            State::Size { value, digits, extension } => {
                self.state = size(bytes[0], value, digits, extension)?;
                Ok(1)
            }
            State::Data(left) => {
                let used = self.body(bytes, left, events);
                self.state = after(left, used, State::Data, State::DataEnd(0));
                Ok(used)
            }
            State::DataEnd(seen) => {
                self.state = match (seen, bytes[0]) {
                    (0, b'\r') => State::DataEnd(1),
                    (1, b'\n') => State::Size { value: 0, digits: 0, extension: false },
                    _ => return Err(Broken::Framing),
                };
                Ok(1)
            }
            State::Trailer(length) => {
                self.state = match bytes[0] {
                    b'\r' => State::Trailer(length),
                    b'\n' if length == 0 => State::Complete,
                    b'\n' => State::Trailer(0),
                    _ if length < HEAD_MAX => State::Trailer(length + 1),
                    _ => return Err(Broken::Framing),
                };
                Ok(1)
            }
            State::Complete => Err(Broken::Surplus),
        }
    }

    /// Counts what stands in the body; `left` bytes of it are to come at most.
    fn body(&mut self, bytes: &[u8], left: u64, events: &mut u64) -> usize {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let part = &bytes[..used];
        match (self.expected, part) {
            (Expected::Chunks(_), _) => *events += self.events.feed(part),
            (Expected::Object, [first, ..]) => {
                self.object.first.get_or_insert(*first);
                self.object.last = part[used - 1];
            }
            (Expected::Object, []) => {}
        }
        used
    }

    /// Collects the head and, when it is complete, learns how the body ends.
    fn head(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let seen = self.head.len();
        self.head.extend_from_slice(bytes);
        let from = seen.saturating_sub(3);
        let Some(end) = memchr::memmem::find(&self.head[from..], b"\r\n\r\n") else {
            return if self.head.len() > HEAD_MAX { Err(Broken::Framing) } else { Ok(bytes.len()) };
        };
        let length = from + end + 4;
        self.head.truncate(length);
        let head = Head::read(&self.head)?;
        if head.status != 200 {
            return Err(Broken::Status);
        }
        self.closes = head.closes;
        self.state = match (head.chunked, head.length) {
            (true, _) => State::Size { value: 0, digits: 0, extension: false },
            (false, Some(0)) => State::Complete,
            (false, Some(length)) => State::Length(length),
            (false, None) => State::Closing,
        };
        Ok(length - seen)
    }

    fn judge(&self) -> Result<Reuse, Broken> {
        match self.expected {
            Expected::Object if self.object.first != Some(b'{') || self.object.last != b'}' => {
                return Err(Broken::NotAnObject);
            }
            Expected::Object => {}
            Expected::Chunks(expected) => judge_events(&self.events, expected)?,
        }
        Ok(if self.closes { Reuse::No } else { Reuse::Yes })
    }
}

fn judge_events(events: &Events, expected: u64) -> Result<(), Broken> {
    match events {
        Events { after_done: 1.., .. } => Err(Broken::AfterDone),
        Events { done: 0, .. } => Err(Broken::NotDone),
        Events { chunks, .. } if *chunks < expected => Err(Broken::TooFew),
        Events { chunks, .. } if *chunks > expected => Err(Broken::TooMany),
        Events { odd: 1.., .. } => Err(Broken::NotAnObject),
        Events { .. } => Ok(()),
    }
}

fn after(left: u64, used: usize, more: fn(u64) -> State, end: State) -> State {
    match left - used as u64 {
        0 => end,
        left => more(left),
    }
}

/// Reads a byte of the line that tells the size of a chunk.
fn size(byte: u8, value: u64, digits: u32, extension: bool) -> Result<State, Broken> {
    match byte {
        b'\n' if digits == 0 => Err(Broken::Framing),
        b'\n' if value == 0 => Ok(State::Trailer(0)),
        b'\n' => Ok(State::Data(value)),
        b'\r' | b';' => Ok(State::Size { value, digits, extension: true }),
        _ if extension => Ok(State::Size { value, digits, extension }),
        _ => {
            let digit = char::from(byte).to_digit(16).ok_or(Broken::Framing)?;
            if digits == SIZE_DIGITS_MAX {
                return Err(Broken::Framing);
            }
            Ok(State::Size { value: value * 16 + u64::from(digit), digits: digits + 1, extension })
        }
    }
}

/// What the head says about the body.
#[derive(Debug, Default)]
struct Head {
    status: u16,
    chunked: bool,
    length: Option<u64>,
    closes: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Self, Broken> {
        let text = str::from_utf8(bytes).map_err(|_| Broken::Framing)?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).ok_or(Broken::Framing)?;
        let status = status.get(..3).and_then(|code| code.parse().ok()).ok_or(Broken::Framing)?;
        let mut head = Self { status, ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Some(value.parse().map_err(|_| Broken::Framing)?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.chunked = value.eq_ignore_ascii_case("chunked");
            } else if name.eq_ignore_ascii_case("connection") {
                head.closes = value.eq_ignore_ascii_case("close");
            }
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests;
