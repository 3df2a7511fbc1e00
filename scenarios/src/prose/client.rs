//! What a client does wrong, in words.

use super::{listed, owner, quoted};
use crate::model::{Client, ClientDoing, Opcode, SendFrames, WireFrame};

pub(super) fn does(client: &Client) -> String {
    let who = owner(client.device.get_ref());
    match client.r#do {
        ClientDoing::StopReading => format!("{who} reads nothing any more."),
        ClientDoing::ReadOn => format!("{who} reads on."),
        ClientDoing::IgnorePings => format!("{who} reads on and answers no pings."),
        ClientDoing::Ping => format!("{who} sends {} pings at once.", client.times.unwrap_or(1)),
        ClientDoing::Reset => format!("{who} cuts its connection with a reset."),
        ClientDoing::Vanish => format!("{who} does nothing any more, its connection open."),
        ClientDoing::CloseHalf => format!("{who} ends its own side of the connection and reads on."),
    }
}

pub(super) fn sends(send: &SendFrames) -> String {
    let frames: Vec<_> = send.frames.iter().map(frame).collect();
    let says = send.says.as_ref().map(|text| format!("; together they say {}", quoted(text)));
    format!(
        "{} puts on the wire {}{}.",
        owner(send.device.get_ref()),
        listed(&frames),
        says.unwrap_or_default()
    )
}

fn frame(frame: &WireFrame) -> String {
    let kind = match frame.opcode {
        Opcode::Continuation => "a continuation",
        Opcode::Text => "a text frame",
        Opcode::Binary => "a binary frame",
        Opcode::ReservedData => "a frame of a reserved opcode",
        Opcode::Close => "a close frame",
        Opcode::Ping => "a ping",
        Opcode::Pong => "a pong",
        Opcode::ReservedControl => "a control frame of a reserved opcode",
    };
    let mut with = Vec::new();
    with.extend(frame.code.map(|code| format!("the code {code}")));
    with.extend(frame.payload.as_ref().map(|text| quoted(text)));
    with.extend(frame.hex.as_ref().map(|hex| format!("the bytes {hex}")));
    with.extend(frame.characters.map(|count| format!("{count} letters")));
    with.extend(frame.length.map(|length| format!("an announced length of {length}")));
    with.extend((frame.reserved > 0).then(|| format!("the reserved bits {}", frame.reserved)));
    with.extend((!frame.masked).then(|| "no mask".to_owned()));
    with.extend((!frame.fin).then(|| "more to follow".to_owned()));
    let with = if with.is_empty() { String::new() } else { format!(" with {}", listed(&with)) };
    let times = frame.times.map(|times| format!(", {times} times")).unwrap_or_default();
    format!("{kind}{with}{times}")
}
