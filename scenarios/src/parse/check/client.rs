//! What clients put on the wire: enough of it to mean something, and not more than a wire can have.

use super::{Checked, Scope, about, at, device, network::replica};
use crate::model::{
    Client, ClientDoing, Device, Name, Opcode, Protocol, Send, SendFrames, SendRaw, TIMES_MAX, WireFrame,
};

/// Most bytes that one step may send.
const BYTES_MAX: usize = 16 * 1024 * 1024;

pub(super) fn connect(connect: &Device, scope: &Scope) -> Checked {
    device(&connect.device, scope)?;
    replica(connect.replica, scope)?;
    if connect.manner() == crate::model::Manner::default() {
        return Ok(());
    }
    if connect.protocol == Protocol::V1 {
        return speaks_v1("`protocol = \"chat.v1\"`", &connect.device, scope);
    }
    if connect.resume.is_some() {
        let help = "add `protocol = \"chat.v1\"`, or leave it out";
        return at(&connect.device, "v0 has nothing to `resume`".to_owned(), help);
    }
    has_socket("`headers`, `query` and `receive_buffer`", &connect.device, scope)
}

pub(super) fn stop(stopping: &Name, scope: &Scope) -> Checked {
    device(stopping, scope)?;
    speaks_v1("`stop`", stopping, scope)
}

pub(super) fn send(send: &Send, scope: &Scope) -> Checked {
    device(&send.device, scope)?;
    match (&send.id, &send.replaces) {
        (_, Some(_)) => speaks_v1("`replaces`", &send.device, scope),
        (Some(_), None) => speaks_v1("`id`", &send.device, scope),
        (None, None) => Ok(()),
    }
}

fn speaks_v1(what: &str, device: &Name, scope: &Scope) -> Checked {
    if scope.needs.contains("chat-v1") {
        return Ok(());
    }
    at(device, format!("{what} is about clients of `chat.v1`"), "add `needs = [\"chat-v1\"]`")
}

pub(super) fn send_raw(raw: &SendRaw, scope: &Scope) -> Checked {
    device(&raw.device, scope)?;
    match (&raw.text, raw.characters) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        _ => at(&raw.device, "`send_raw` needs either `text` or `characters`".to_owned(), "give one of them"),
    }
}

pub(super) fn behave(client: &Client, scope: &Scope) -> Checked {
    device(&client.device, scope)?;
    has_socket("`client`", &client.device, scope)?;
    match client.times {
        Some(_) if client.r#do != ClientDoing::Ping => {
            at(&client.device, "only pings have `times`".to_owned(), "write `do = \"ping\"`, or no `times`")
        }
        times => bounded(times, &client.device),
    }
}

pub(super) fn send_frames(step: &SendFrames, scope: &Scope) -> Checked {
    device(&step.device, scope)?;
    has_socket("`send_frames`", &step.device, scope)?;
    if step.frames.is_empty() {
        return at(&step.device, "`frames` is empty".to_owned(), "write `frames = [{ opcode = \"text\" }]`");
    }
    let mut bytes = 0_usize;
    for one in &step.frames {
        frame(one, &step.device)?;
        let times = one.times.unwrap_or(1) as usize;
        let content = one.payload.as_ref().map_or(0, String::len) + one.characters.unwrap_or_default();
        bytes = bytes.saturating_add(content.saturating_mul(times));
    }
    if bytes > BYTES_MAX {
        let help = format!("one step may send {BYTES_MAX}; `length` announces more than it sends");
        return at(&step.device, format!("these frames have {bytes} bytes"), &help);
    }
    Ok(())
}

fn frame(frame: &WireFrame, device: &Name) -> Checked {
    let contents = [frame.payload.is_some(), frame.hex.is_some(), frame.characters.is_some()];
    if contents.iter().filter(|is_given| **is_given).count() > 1 {
        let help = "give one of `payload`, `hex`, `characters`";
        return at(device, "a frame has one content".to_owned(), help);
    }
    if frame.reserved > 7 {
        let help = "write the three bits as a number from 0 to 7";
        return at(device, format!("`reserved` is {}", frame.reserved), help);
    }
    if frame.code.is_some() && frame.opcode != Opcode::Close {
        let help = "write `opcode = \"close\"`, or no `code`";
        return at(device, "only a frame that closes has a `code`".to_owned(), help);
    }
    if let (Some(hex), Err(error)) = (&frame.hex, frame.content()) {
        return about(hex, error, "write two digits for each byte, such as `c3 28`".to_owned());
    }
    bounded(frame.times, device)
}

/// What the door of chat completions has no place for.
fn has_socket(what: &str, device: &Name, scope: &Scope) -> Checked {
    if scope.needs.contains("completions") {
        let message = format!("chat completions have no WebSocket for {what}");
        return at(device, message, "leave it out, or take `completions` out of `needs`");
    }
    Ok(())
}

fn bounded(times: Option<u32>, device: &Name) -> Checked {
    match times {
        Some(times) if !(1..=TIMES_MAX).contains(&times) => {
            at(device, format!("`times` is {times}"), &format!("write a number from 1 to {TIMES_MAX}"))
        }
        _ => Ok(()),
    }
}
