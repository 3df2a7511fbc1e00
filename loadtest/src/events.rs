//! Counts server-sent events in a body, wherever the reads cut it, without parsing JSON.
//!
//! Invariant: the counts do not depend on how the body is cut into pieces. Only what an event's data
//! begins and ends with is looked at; what stands in between costs one search for the end of the line.

use memchr::memchr;

/// So much of a line's beginning is kept: `data: [DONE]` and a carriage return fit.
const KEPT: usize = 16;
const DONE: &[u8] = b"[DONE]";

/// A counter of events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    /// Events but `[DONE]`.
    pub(crate) chunks: u64,
    /// `[DONE]` events.
    pub(crate) done: u64,
    /// Events that came after the first `[DONE]`.
    pub(crate) after_done: u64,
    /// Chunks whose data is no JSON object by its first and last byte.
    pub(crate) odd: u64,
    line: Line,
    event: Event,
}

/// The line that is being read.
#[derive(Clone, Debug, Default)]
struct Line {
    begin: [u8; KEPT],
    length: usize,
    /// The last two bytes, so that a carriage return does not hide the one before it.
    last: [u8; 2],
}

/// The event that is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Event {
    #[default]
    Empty,
    Chunk,
    Odd,
    Done,
}

impl Events {
    /// Begins anew, for the next answer.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Reads the next part of the body and returns how many events, `[DONE]` included, it completed.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> u64 {
        let before = self.chunks + self.done;
        while let Some(end) = memchr(b'\n', bytes) {
            self.line.push(&bytes[..end]);
            self.end_line();
            bytes = &bytes[end + 1..];
        }
        self.line.push(bytes);
        self.chunks + self.done - before
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.is_blank() {
            self.end_event();
        } else if let Some(kind) = line.data() {
            // An event of several data lines is one event; one odd line makes it odd.
            self.event = if self.event == Event::Empty { kind } else { Event::Odd };
        }
    }

    fn end_event(&mut self) {
        let event = std::mem::take(&mut self.event);
        if event == Event::Empty {
            return;
        }
        if self.done > 0 {
            self.after_done += 1;
        }
        match event {
            Event::Done => self.done += 1,
            _ => self.chunks += 1,
        }
        if event == Event::Odd {
            self.odd += 1;
        }
    }
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        if self.length < KEPT {
            let taken = bytes.len().min(KEPT - self.length);
            self.begin[self.length..self.length + taken].copy_from_slice(&bytes[..taken]);
        }
        match bytes {
            [] => {}
            [only] => self.last = [self.last[1], *only],
            [.., before, last] => self.last = [*before, *last],
        }
        self.length += bytes.len();
    }

    /// Returns the length without a carriage return at the end.
    fn trimmed(&self) -> usize {
        if self.length > 0 && self.last[1] == b'\r' { self.length - 1 } else { self.length }
    }

    fn is_blank(&self) -> bool {
        self.trimmed() == 0
    }

    /// Returns what kind of data the line carries, if it carries any.
    fn data(&self) -> Option<Event> {
        let length = self.trimmed();
        let begin = &self.begin[..length.min(KEPT)];
        let data = begin.strip_prefix(b"data:")?;
        let (data, skipped) = data.strip_prefix(b" ").map_or((data, 5), |data| (data, 6));
        if data == DONE && length == skipped + DONE.len() {
            return Some(Event::Done);
        }
        let last = if self.trimmed() < self.length { self.last[0] } else { self.last[1] };
        let object = data.first() == Some(&b'{') && length > skipped + 1 && last == b'}';
        Some(if object { Event::Chunk } else { Event::Odd })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = ": keep-alive\n\ndata: {\"a\":1}\n\nid: 7\ndata:{}\r\n\r\n\
        data: {\"a\":\"[DONE]\"}\n\ndata: [DONE]x\n\ndata: [DONE]\n\ndata: {\"late\":1}\n\n";

    fn counts(events: &Events) -> [u64; 4] {
        [events.chunks, events.done, events.after_done, events.odd]
    }

    #[test]
    fn events_are_counted_alike_wherever_the_body_is_cut_m18() {
        for cut in 0..=BODY.len() {
            let mut events = Events::default();

            let (first, second) = BODY.as_bytes().split_at(cut);
            let fed = events.feed(first) + events.feed(second);

            assert_eq!((counts(&events), fed), ([5, 1, 1, 1], 6), "cut at {cut}");
        }
    }

    #[test]
    fn events_are_counted_alike_byte_by_byte_m18() {
        let mut events = Events::default();

        for byte in BODY.bytes() {
            events.feed(&[byte]);
        }

        assert_eq!(counts(&events), [5, 1, 1, 1]);
    }

    #[test]
    fn an_event_without_its_blank_line_is_none() {
        let mut events = Events::default();

        events.feed(b"data: {\"a\":1}\n");

        assert_eq!(counts(&events), [0, 0, 0, 0]);
    }

    #[test]
    fn data_that_is_cut_short_is_odd() {
        for data in ["{", "{\"a\":1", "\"a\"", "", "}"] {
            let mut events = Events::default();

            events.feed(format!("data: {data}\n\n").as_bytes());

            assert_eq!(counts(&events), [1, 0, 0, 1], "{data}");
        }
    }
}
