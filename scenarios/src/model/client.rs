//! What a client does wrong below its messages: how it reads, how it leaves, and what it puts on the wire.

use std::{collections::BTreeMap, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Name;

/// Most times that one frame or ping may be repeated.
pub const TIMES_MAX: u32 = 100_000;

/// How a client knocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Further headers of the request, or others in their place.
    pub headers: BTreeMap<String, String>,
    /// What is asked for behind the path.
    pub query: Option<String>,
    /// Bytes that the system may keep for it unread, roughly.
    pub receive_buffer: Option<u32>,
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it takes up its stream; it begins anew if that is not said.
    pub resume: Option<Resume>,
}

/// What a client of the WebSocket chat speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Protocol {
    /// `{"content"}` in; `message`, `calendar`, `error`, `done` out.
    #[default]
    #[serde(rename = "v0")]
    V0,
    /// With ids, offsets and resuming; the subprotocol of this name.
    #[serde(rename = "chat.v1")]
    V1,
}

impl Protocol {
    /// Returns the name: that of a subprotocol, but for the oldest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V1 => "chat.v1",
        }
    }
}

impl FromStr for Protocol {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = [Self::V0, Self::V1].into_iter().find(|protocol| protocol.name() == text);
        named.ok_or("write `v0` or `chat.v1`")
    }
}

/// Where a device takes up its stream: behind the last frame that it has seen, if nothing else is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// So many frames later, or earlier.
    #[serde(default)]
    pub shift: i64,
    /// Another stream than the one that it knows.
    pub epoch: Option<String>,
}

/// What a client can do to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientDoing {
    /// Reads nothing any more; it still sends.
    StopReading,
    /// Reads and writes again as a sound client does, with all that waits for it.
    ReadOn,
    /// Reads on, and answers no pings.
    IgnorePings,
    /// Sends pings, all at once.
    Ping,
    /// Cuts the connection with a reset, and loses what is under way.
    Reset,
    /// Keeps the connection open and does nothing at all, as a phone without a network.
    Vanish,
    /// Ends its own side of the connection, without a goodbye, and reads on.
    CloseHalf,
}

/// A client does something to its connection.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `user.device`.
    #[schemars(with = "String")]
    pub device: Name,
    /// What.
    pub r#do: ClientDoing,
    /// How many pings; one when not given.
    pub times: Option<u32>,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of RFC 6455 say it all")]
pub enum Opcode {
    Continuation,
    Text,
    Binary,
    /// One of the numbers that RFC 6455 keeps for data to come.
    ReservedData,
    Close,
    Ping,
    Pong,
    /// One of the numbers that RFC 6455 keeps for control frames to come.
    ReservedControl,
}

/// A frame as it is on the wire, right or wrong.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WireFrame {
    /// What it is.
    pub opcode: Opcode,
    /// Whether it is the last of its message; it is when not given.
    #[serde(default = "yes")]
    pub fin: bool,
    /// Its content as text; none when no content is given.
    pub payload: Option<String>,
    /// Instead of a text: bytes in hexadecimal, such as `"c3 28"`.
    pub hex: Option<String>,
    /// Instead of a text: so many letters.
    pub characters: Option<usize>,
    /// The code of a `close` frame, right or wrong, before its content.
    pub code: Option<u16>,
    /// The three reserved bits as a number from 0 to 7; 0 when not given.
    #[serde(default)]
    pub reserved: u8,
    /// Whether it is masked, as a client's frames must be; it is when not given.
    #[serde(default = "yes")]
    pub masked: bool,
    /// The length that it announces instead of its own.
    pub length: Option<u64>,
    /// How many of it, one after the other; one when not given.
    pub times: Option<u32>,
}

const fn yes() -> bool {
    true
}

/// Frames as they are on the wire, in one piece.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendFrames {
    /// `user.device`.
    #[schemars(with = "String")]
    pub device: Name,
    /// The frames, one after the other.
    pub frames: Vec<WireFrame>,
    /// The user's message that they make, if they make one: an answer is then owed.
    pub says: Option<String>,
}

impl WireFrame {
    /// Returns its content.
    ///
    /// # Errors
    ///
    /// When its `hex` is none.
    pub fn content(&self) -> Result<Vec<u8>, String> {
        let mut content = self.code.map(u16::to_be_bytes).map(Vec::from).unwrap_or_default();
        match (&self.payload, &self.hex, self.characters) {
            (Some(text), _, _) => content.extend_from_slice(text.as_bytes()),
            (_, Some(hex), _) => content.extend(bytes(hex)?),
            (_, _, count) => content.extend(std::iter::repeat_n(b'a', count.unwrap_or_default())),
        }
        Ok(content)
    }
}

/// Reads bytes in hexadecimal, with or without spaces between them.
fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<_> = hex.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect();
    let byte = |pair: &[Option<u32>]| match pair {
        [Some(high), Some(low)] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    let bytes = digits.chunks(2).map(byte).collect::<Option<_>>();
    bytes.ok_or_else(|| format!("`{hex}` is not hexadecimal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytes("c3 28FF"), Ok(vec![0xc3, 0x28, 0xff]));
        assert_eq!(bytes(""), Ok(Vec::new()));
        assert!(bytes("c").is_err());
        assert!(bytes("gg").is_err());
    }
}
