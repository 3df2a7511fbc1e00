//! Frames of RFC 6455 as bytes, right or wrong: what a library would refuse to write is written here.

use crate::model::{Opcode, WireFrame};

/// Bit of a frame's first byte: the message ends here.
pub(crate) const FIN: u8 = 0x80;
/// Bit of a frame's second byte: the content is masked.
pub(crate) const MASKED: u8 = 0x80;
/// The mask of every frame. A mask keeps proxies from mistaking content for HTTP; ours meets none.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Length of seven bits that says: the next two bytes are the length.
pub(crate) const LENGTH_16: u8 = 0x7e;
/// The same of eight bytes.
pub(crate) const LENGTH_64: u8 = 0x7f;

/// Returns a sound frame.
pub(crate) fn sound(opcode: Opcode, content: &[u8]) -> Vec<u8> {
    encode(FIN | code_of(opcode), (content, None), true)
}

/// Returns a frame as a scenario wants it, so often as it says.
pub(crate) fn as_told(frame: &WireFrame) -> Result<Vec<u8>, String> {
    let end = if frame.fin { FIN } else { 0 };
    let first = end | ((frame.reserved & 7) << 4) | code_of(frame.opcode);
    let one = encode(first, (&frame.content()?, frame.length), frame.masked);
    Ok(one.repeat(frame.times.unwrap_or(1) as usize))
}

/// Says what a frame is and what is wrong with it, in a few words.
pub(crate) fn describe(frame: &WireFrame) -> String {
    let size = frame.content().map_or(0, |content| content.len());
    let words = [
        frame.times.map(|times| format!("{times} times")),
        Some(format!("{} of {size} bytes", name_of(frame.opcode))),
        frame.code.map(|code| format!("with code {code}")),
        (!frame.fin).then(|| "to be continued".to_owned()),
        (!frame.masked).then(|| "without a mask".to_owned()),
        (frame.reserved != 0).then(|| format!("with reserved bits {:03b}", frame.reserved)),
        frame.length.map(|length| format!("announced as {length}")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

const fn name_of(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::Continuation => "continuation",
        Opcode::Text => "text",
        Opcode::Binary => "binary",
        Opcode::ReservedData => "reserved data",
        Opcode::Close => "close",
        Opcode::Ping => "ping",
        Opcode::Pong => "pong",
        Opcode::ReservedControl => "reserved control",
    }
}

/// Returns the number of an opcode.
pub(crate) const fn code_of(opcode: Opcode) -> u8 {
    match opcode {
        Opcode::Continuation => 0x0,
        Opcode::Text => 0x1,
        Opcode::Binary => 0x2,
        Opcode::ReservedData => 0x3,
        Opcode::Close => 0x8,
        Opcode::Ping => 0x9,
        Opcode::Pong => 0xa,
        Opcode::ReservedControl => 0xb,
    }
}

/// Puts a frame together; an announced length goes before the true one.
pub(crate) fn encode(first: u8, (content, announced): (&[u8], Option<u64>), is_masked: bool) -> Vec<u8> {
    let length = announced.unwrap_or(content.len() as u64);
    let bit = if is_masked { MASKED } else { 0 };
    let mut frame = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < LENGTH_16 => frame.push(bit | length),
        (_, Ok(length)) => {
            frame.push(bit | LENGTH_16);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(bit | LENGTH_64);
            frame.extend(length.to_be_bytes());
        }
    }
    if is_masked {
        frame.extend(MASK);
        frame.extend(content.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    } else {
        frame.extend(content);
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the bytes of a frame that is written in a scenario.
    fn told(frame: &str) -> Vec<u8> {
        as_told(&toml::from_str(frame).unwrap()).unwrap()
    }

    #[test]
    fn a_sound_text_is_that_of_the_standard_s8() {
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

        assert_eq!(sound(Opcode::Text, b"Hello"), hello);
        assert_eq!(told("opcode = \"text\"\npayload = \"Hello\""), hello);
    }

    #[test]
    fn every_wrong_thing_is_where_the_standard_has_it_s8() {
        assert_eq!(told("opcode = \"text\"\nmasked = false\npayload = \"a\""), [0x81, 0x01, b'a']);
        assert_eq!(told("opcode = \"ping\"\nmasked = false\nfin = false"), [0x09, 0x00]);
        assert_eq!(told("opcode = \"reserved_data\"\nmasked = false\nreserved = 5"), [0xd3, 0x00]);
        assert_eq!(told("opcode = \"close\"\nmasked = false\ncode = 999"), [0x88, 0x02, 0x03, 0xe7]);
        assert_eq!(
            told("opcode = \"continuation\"\nmasked = false\nhex = \"ff\"\ntimes = 2"),
            [0x80, 1, 0xff, 0x80, 1, 0xff]
        );
    }

    #[test]
    fn a_length_is_as_long_as_it_must_be_and_may_lie_s8() {
        let head = |frame: &str| told(frame)[..4].to_vec();

        assert_eq!(head("opcode = \"text\"\nmasked = false\ncharacters = 125")[..2], [0x81, 125]);
        assert_eq!(head("opcode = \"text\"\nmasked = false\ncharacters = 126"), [0x81, 126, 0, 126]);
        assert_eq!(head("opcode = \"text\"\nmasked = false\ncharacters = 65536")[..2], [0x81, 127]);
        assert_eq!(
            told("opcode = \"text\"\nmasked = false\npayload = \"a\"\nlength = 9223372036854775807"),
            [0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'a']
        );
    }

    #[test]
    fn a_frame_is_told_by_what_is_wrong_with_it_s8() {
        let tell = |frame: &str| describe(&toml::from_str(frame).unwrap());

        assert_eq!(tell("opcode = \"text\"\npayload = \"Hello\""), "text of 5 bytes");
        assert_eq!(
            tell(
                "opcode = \"close\"\ncode = 999\nfin = false\nmasked = false\nreserved = 5\ntimes = 2\nlength = 9"
            ),
            "2 times close of 2 bytes with code 999 to be continued without a mask with reserved bits 101 announced as 9"
        );
    }
}
