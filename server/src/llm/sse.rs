//! Server-sent events out of bytes, however the bytes are cut.
//!
//! Follows the event-stream format of the HTML standard: lines end in LF, CRLF or CR, a byte order
//! mark may come first, a line that begins with a colon is a comment, the space after `data:` is
//! optional, several `data` lines of one event are joined by LF.
//!
//! Invariant: the events depend on the bytes alone, never on how they were split into reads. It knows
//! nothing of JSON or of what ends an answer.

use memchr::{memchr, memchr2};

/// What the bytes held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The data of one event, lines joined by LF. Bytes that are not UTF-8 have been replaced.
    Data(String),
    /// The data of one event was not UTF-8.
    Garbled,
    /// A line or an event went over what the parser may hold, once more each time that a line holds as much again. Its
    /// event is skipped.
    TooLong,
    /// A comment: a sign of life, not of progress.
    Comment,
}

/// An incremental parser. Holds at most one line and one event, each at most `line_bytes` long.
#[derive(Debug)]
pub struct Parser {
    line_bytes: usize,
    /// The line that came in parts: its text, unless that is too long, and its length.
    line: Vec<u8>,
    length: usize,
    data: Option<Vec<u8>>,
    /// Whether something of the event was too long.
    is_lost: bool,
    after_cr: bool,
    at_start: bool,
}

impl Parser {
    /// Makes a parser that skips events with a line of more than `line_bytes`, and those that are longer.
    pub fn new(line_bytes: usize) -> Self {
        let (line, length, data) = (Vec::new(), 0, None);
        Self { line_bytes, line, length, data, is_lost: false, after_cr: false, at_start: true }
    }

    /// Reads the next bytes and returns what they completed.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Item> {
        let mut items = Vec::new();
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                self.grow(rest, &mut items);
                break;
            };
            self.after_cr = rest[end] == b'\r';
            if self.length == 0 && end <= self.line_bytes {
                self.end_line(&rest[..end], &mut items);
            } else {
                self.grow(&rest[..end], &mut items);
                self.end_begun_line(&mut items);
            }
            rest = &rest[end + 1..];
        }
        items
    }

    /// Says that no more bytes will come. An event without its closing blank line still counts: some
    /// upstreams end `data: [DONE]` without one.
    pub fn finish(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        if self.length > 0 {
            self.end_begun_line(&mut items);
        }
        self.end_event(&mut items);
        items
    }

    /// Adds to the line. What is too long is counted and not held.
    fn grow(&mut self, text: &[u8], items: &mut Vec<Item>) {
        let before = self.overruns();
        self.length += text.len();
        items.extend(std::iter::repeat_n(Item::TooLong, self.overruns() - before));
        if self.overruns() == 0 {
            self.line.extend_from_slice(text);
        } else {
            self.line.clear();
        }
    }

    /// Returns how often the line has gone over what may be held.
    const fn overruns(&self) -> usize {
        self.length.saturating_sub(1) / self.line_bytes
    }

    /// Ends the line that came in parts, and keeps its memory for the next one of that kind.
    fn end_begun_line(&mut self, items: &mut Vec<Item>) {
        let mut line = std::mem::take(&mut self.line);
        if self.overruns() == 0 {
            self.end_line(&line, items);
        } else {
            self.lose();
        }
        line.clear();
        (self.line, self.length) = (line, 0);
    }

    fn end_line(&mut self, line: &[u8], items: &mut Vec<Item>) {
        let is_first = std::mem::take(&mut self.at_start);
        let line = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| is_first).unwrap_or(line);
        match line {
            [] => self.end_event(items),
            [b':', ..] => items.push(Item::Comment),
            _ => self.field(line, items),
        }
    }

    fn field(&mut self, line: &[u8], items: &mut Vec<Item>) {
        let (name, value) = match memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        if name != b"data" || self.is_lost {
            return;
        }
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let held = self.data.as_ref().map_or(0, |data| data.len() + 1);
        if held + value.len() > self.line_bytes {
            items.push(Item::TooLong);
            return self.lose();
        }
        match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            none => *none = Some(value.to_owned()),
        }
    }

    /// Skips the event.
    fn lose(&mut self) {
        (self.data, self.is_lost, self.at_start) = (None, true, false);
    }

    fn end_event(&mut self, items: &mut Vec<Item>) {
        self.is_lost = false;
        if let Some(data) = self.data.take() {
            items.push(String::from_utf8(data).map_or(Item::Garbled, Item::Data));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 1024;

    fn whole(bytes: &[u8]) -> Vec<Item> {
        let mut parser = Parser::new(LIMIT);
        let mut items = parser.push(bytes);
        items.extend(parser.finish());
        items
    }

    fn data(text: &str) -> Item {
        Item::Data(text.to_owned())
    }

    #[test]
    fn lf_crlf_and_cr_end_lines_alike() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["data: a", "", ": alive", "data:b", "data: c", "", ""].join(end);

            assert_eq!(whole(text.as_bytes()), [data("a"), Item::Comment, data("b\nc")], "{end:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_does_not_hide_the_first_event() {
        assert_eq!(whole(b"\xEF\xBB\xBFdata: a\n\n"), [data("a")]);
    }

    #[test]
    fn unicode_line_separators_are_text() {
        assert_eq!(whole("data: a\u{2028}b\u{85}c\n\n".as_bytes()), [data("a\u{2028}b\u{85}c")]);
    }

    #[test]
    fn an_event_without_its_blank_line_counts_at_the_end() {
        assert_eq!(whole(b"data: [DONE]"), [data("[DONE]")]);
    }

    #[test]
    fn other_fields_are_skipped() {
        assert_eq!(whole(b"event: x\nid: 7\nretry: 3\ndatabase: y\ndata: a\n\n"), [data("a")]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_as_such() {
        assert_eq!(whole(b"data: \xFF\xFE\n\n"), [Item::Garbled]);
    }

    #[test]
    fn an_event_with_a_line_over_the_limit_is_skipped_alone_f14() {
        let text = format!("data: a\n\ndata: b\ndata: {}\ndata: c\n\ndata: d\n\n", "x".repeat(LIMIT));

        assert_eq!(whole(text.as_bytes()), [data("a"), Item::TooLong, data("d")]);
    }

    #[test]
    fn a_line_without_end_is_counted_as_often_as_it_fills_the_limit_and_never_held_f14() {
        let mut parser = Parser::new(8);
        let items: Vec<_> = (0..80).flat_map(|_| parser.push(b"x")).collect();

        assert_eq!(items, vec![Item::TooLong; 9]);
        assert!(parser.line.is_empty());
    }

    #[test]
    fn many_data_lines_cannot_grow_an_event_over_the_limit_f14() {
        let text = "data: 0123456789\n".repeat(200) + "\ndata: a\n\n";

        assert_eq!(whole(text.as_bytes()), [Item::TooLong, data("a")]);
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just("data: é€😀".to_owned()),
            Just("data:{\"x\":1}".to_owned()),
            Just(": keep-alive".to_owned()),
            Just("\u{feff}data: a".to_owned()),
            Just(String::new()),
            "[a-z:é ]{0,12}",
        ];
        let line = (piece, prop_oneof![Just("\n"), Just("\r\n"), Just("\r")]);
        proptest::collection::vec(line, 0..12)
            .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| (line + end).into_bytes()).collect())
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_items(
            bytes in stream(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
            limit in prop_oneof![Just(LIMIT), 4..20usize],
        ) {
            let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();

            let mut parser = Parser::new(limit);
            let mut items = Vec::new();
            for place in places.windows(2) {
                items.extend(parser.push(&bytes[place[0]..place[1]]));
            }
            items.extend(parser.finish());

            let mut at_once = Parser::new(limit);
            let mut expected = at_once.push(&bytes);
            expected.extend(at_once.finish());
            prop_assert_eq!(items, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut parser = Parser::new(64);
            parser.push(&bytes);
            parser.finish();
        }
    }
}
