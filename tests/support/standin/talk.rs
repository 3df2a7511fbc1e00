//! Sockets: frames in, frames out, and who is let in.

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{BURST, Caller, Defect, FRAME_BYTES, House, turn};

/// Frames that may wait for a socket, and messages for their turn.
const QUEUE: usize = 256;

/// A message was too large.
const TOO_LARGE: u16 = 1009;

pub(super) async fn open(
    State(house): State<House>,
    Caller(person): Caller,
    upgrade: WebSocketUpgrade,
) -> Response {
    let taken = house.rooms().left.filter(|_| house.defect == Defect::TakesOverTheSession);
    let person = taken.unwrap_or(person);
    let upgrade = upgrade.max_message_size(FRAME_BYTES).max_frame_size(FRAME_BYTES);
    upgrade.on_upgrade(move |socket| serve(house, person, socket))
}

async fn serve(house: House, person: usize, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let (frames, mut outgoing) = mpsc::channel::<Value>(QUEUE);
    let (messages, waiting) = mpsc::channel(QUEUE);
    house.rooms().doors.push(frames.clone());
    let turns = tokio::spawn(turn::all(house.clone(), person, waiting, frames.clone()));
    let mut sent = 0;
    let code = loop {
        tokio::select! {
            frame = outgoing.recv() => match frame {
                Some(Value::Null) | None => break Some(1000),
                Some(frame) if sink.send(Message::text(frame.to_string())).await.is_err() => break None,
                Some(_) => {}
            },
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    sent += 1;
                    if let Err(refused) = house.admit(person, sent, &text) {
                        let _ = frames.try_send(refused);
                    } else if let Some(content) = content(&text) {
                        let _ = messages.try_send(content);
                    }
                }
                Some(Ok(Message::Close(_))) | None => break None,
                Some(Ok(_)) => {}
                Some(Err(error)) => break error.to_string().contains("too l").then_some(TOO_LARGE),
            },
        }
    };
    turns.abort();
    house.shut(person, &frames);
    if let Some(code) = code {
        let _ = sink.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
    }
}

fn content(text: &str) -> Option<String> {
    let frame: Value = serde_json::from_str(text).ok()?;
    Some(frame.get("content")?.as_str()?.to_owned())
}

impl House {
    /// Forgets a socket.
    fn shut(&self, person: usize, frames: &mpsc::Sender<Value>) {
        let mut rooms = self.rooms();
        rooms.left = Some(person);
        rooms.doors.retain(|door| !door.same_channel(frames));
    }

    /// Lets a message in, or tells why not.
    fn admit(&self, person: usize, of_socket: usize, text: &str) -> Result<(), Value> {
        let mut rooms = self.rooms();
        if content(text).is_none() {
            if self.defect == Defect::ClosesAllSockets {
                for door in &rooms.doors {
                    let _ = door.try_send(Value::Null);
                }
            }
            return Err(json!({"type": "error", "code": "bad_request", "content": "That was not readable."}));
        }
        rooms.messages += 1;
        rooms.people[person].messages += 1;
        let counted = match self.defect {
            Defect::LimitsEachSocket => of_socket,
            Defect::OneLimitForAll => rooms.messages,
            _ => rooms.people[person].messages,
        };
        if counted <= BURST {
            return Ok(());
        }
        let text = "Too many messages; please wait.";
        Err(json!({"type": "error", "code": "rate_limited", "content": text, "retry_after_ms": 6000}))
    }
}
