//! Frames of a WebSocket as a relay sees them, sound or not.

use serde_json::Value;

use crate::{
    model::Opcode,
    wire::{FIN, LENGTH_16, LENGTH_64, MASKED, code_of, encode},
};

/// Longest frame that is taken apart; a longer one is nothing that scenarios send.
const FRAME_MAX: usize = 32 * 1024 * 1024;

pub(super) const CONTINUATION: u8 = code_of(Opcode::Continuation);
pub(super) const TEXT: u8 = code_of(Opcode::Text);
pub(super) const BINARY: u8 = code_of(Opcode::Binary);
pub(super) const CLOSE: u8 = code_of(Opcode::Close);
pub(super) const PING: u8 = code_of(Opcode::Ping);
pub(super) const PONG: u8 = code_of(Opcode::Pong);

/// A frame, its content unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) is_last: bool,
    pub(super) opcode: u8,
    /// The bytes as they came.
    pub(super) raw: Vec<u8>,
    pub(super) content: Vec<u8>,
}

impl Frame {
    pub(super) const fn is_control(&self) -> bool {
        self.opcode >= CLOSE
    }

    /// Returns whether it is a frame of `chat.v1` of this type.
    pub(super) fn is_of(&self, kind: &str) -> bool {
        let json = serde_json::from_slice::<Value>(&self.content).ok().filter(|_| self.opcode == TEXT);
        json.is_some_and(|json| json.get("type").and_then(Value::as_str) == Some(kind))
    }

    /// Returns the code of a frame that closes.
    pub(super) fn code(&self) -> Option<u16> {
        let code = self.content.first_chunk().filter(|_| self.opcode == CLOSE)?;
        Some(u16::from_be_bytes(*code))
    }
}

/// Returns a sound frame as a client sends it.
pub(super) fn masked(is_last: bool, opcode: u8, content: &[u8]) -> Vec<u8> {
    let end = if is_last { FIN } else { 0 };
    encode(end | opcode, (content, None), true)
}

/// Cuts bytes into frames.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<u8>);

impl Frames {
    /// Takes bytes and returns the frames that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Frame> {
        self.0.extend_from_slice(bytes);
        let (mut frames, mut place) = (Vec::new(), 0);
        while let Some((frame, length)) = first(&self.0[place..]) {
            frames.push(frame);
            place += length;
        }
        self.0.drain(..place);
        frames
    }
}

/// Reads the first frame and its length, if it is there whole.
fn first(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (head, lengths) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match head[1] & !MASKED {
        LENGTH_16 => lengths
            .split_first_chunk()
            .map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest))?,
        LENGTH_64 => lengths.split_first_chunk().map(|(length, rest)| (u64::from_be_bytes(*length), rest))?,
        length => (u64::from(length), lengths),
    };
    let length = usize::try_from(length).ok().filter(|length| *length <= FRAME_MAX)?;
    let (mask, rest) = if head[1] & MASKED == 0 {
        ([0; 4], rest)
    } else {
        rest.split_first_chunk().map(|(mask, rest)| (*mask, rest))?
    };
    let content = rest.get(..length)?;
    let end = bytes.len() - rest.len() + length;
    let content = content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    let frame =
        Frame { is_last: head[0] & FIN != 0, opcode: head[0] & 0xf, raw: bytes[..end].to_vec(), content };
    Some((frame, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_the_same_wherever_the_bytes_are_cut() {
        let long = "x".repeat(70_000);
        let bytes = [
            masked(false, TEXT, b"Hel"),
            masked(true, PING, b""),
            masked(true, CONTINUATION, "l".repeat(200).as_bytes()),
            masked(true, TEXT, long.as_bytes()),
        ]
        .concat();

        for size in [1, 2, 7, 200, bytes.len()] {
            let mut frames = Frames::default();
            let found: Vec<_> = bytes.chunks(size).flat_map(|piece| frames.feed(piece)).collect();

            let told: Vec<_> =
                found.iter().map(|frame| (frame.is_last, frame.opcode, frame.content.len())).collect();
            assert_eq!(told, [(false, 1, 3), (true, 9, 0), (true, 0, 200), (true, 1, 70_000)], "{size}");
            assert_eq!(found.iter().map(|frame| frame.raw.clone()).collect::<Vec<_>>().concat(), bytes);
        }
    }
}
