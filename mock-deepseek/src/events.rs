//! Sees where server-sent events end in a stream of bytes.
//!
//! Lines end with LF or CR LF; a lone CR is text. Invariant: it keeps no bytes, so its memory does not
//! grow with the stream.

const FIELD: &[u8] = b"data:";

/// Reads a stream byte by byte.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Events {
    /// Bytes of this line.
    length: usize,
    /// So many bytes of `data:` the line begins with.
    matched: usize,
    has_data: bool,
}

/// What a blank line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Lines of which one is `data:`.
    Event,
    /// Comments, or nothing at all.
    Silent,
}

impl Events {
    /// Takes the next byte, and says what ends with it.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Block> {
        if byte == b'\r' {
            return None;
        }
        if byte != b'\n' {
            if self.matched == self.length && FIELD.get(self.length) == Some(&byte) {
                self.matched += 1;
            }
            self.length += 1;
            return None;
        }
        let (length, matched) = (std::mem::take(&mut self.length), std::mem::take(&mut self.matched));
        if length > 0 {
            self.has_data |= matched == FIELD.len();
            return None;
        }
        Some(if std::mem::take(&mut self.has_data) { Block::Event } else { Block::Silent })
    }

    /// Counts the events that end in these bytes.
    pub(crate) fn count(&mut self, bytes: &[u8]) -> u64 {
        bytes.iter().map(|&byte| u64::from(self.take(byte) == Some(Block::Event))).sum()
    }
}

/// Returns the ends of all blocks in a whole body, and what each is.
pub(crate) fn blocks(body: &[u8]) -> Vec<(usize, Block)> {
    let mut events = Events::default();
    let ends = body.iter().enumerate();
    ends.filter_map(|(at, &byte)| Some((at + 1, events.take(byte)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_from_comments_and_blank_lines() {
        let body = b"\n: keep-alive\n\nevent: x\r\ndata: 1\r\n\r\ndata:2\ndata:3\n\ndatum: 4\n\ndata: cut\n";

        let found = blocks(body);

        assert_eq!(
            found,
            [
                (1, Block::Silent),
                (15, Block::Silent),
                (36, Block::Event),
                (51, Block::Event),
                (61, Block::Silent)
            ]
        );
    }

    #[test]
    fn it_does_not_matter_where_the_stream_is_cut() {
        let body = b"data: 1\n\n: x\n\ndata: 2\n\n";

        for cut in 0..body.len() {
            let mut events = Events::default();
            assert_eq!(events.count(&body[..cut]) + events.count(&body[cut..]), 2, "{cut}");
        }
    }
}
