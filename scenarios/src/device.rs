//! What a user chats with, as a stranger would write it: nothing is known of the server's types.
//!
//! Each kind of door has a file of its own; all of them tell the record the same words: what was sent, `message`
//! frames with `content`, and one `done` or `error` at the end.

mod completions;
mod socket;

use std::net::{IpAddr, SocketAddr};

use clock::Activity;

use crate::{
    model::{ClientDoing, Manner, SendFrames},
    record::Recorder,
    target::{Chat, Words},
};
use completions::Completions;
use socket::Socket;
pub(crate) use socket::{Naming, Seat};

/// How to reach the chat.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// `host:port` of the target.
    pub(crate) target: SocketAddr,
    /// What requests name as their host, if that is not `target`.
    pub(crate) host: Option<String>,
    /// The address to come from.
    pub(crate) from: IpAddr,
    /// The chat.
    pub(crate) chat: Chat,
    /// The user's token, where one is asked for.
    pub(crate) token: Option<String>,
    /// How to knock, where it is a WebSocket.
    pub(crate) manner: Manner,
    /// What the device knows from earlier connections.
    pub(crate) seat: Seat,
}

/// An open device. Dropping it cuts its connections.
#[derive(Debug)]
pub(crate) enum Device {
    Socket(Socket),
    Completions(Completions),
}

impl Device {
    /// Opens it and reads what comes into the recorder; `None` when the server refused (recorded).
    pub(crate) async fn open(
        name: &str,
        door: &Door,
        recorder: &Recorder,
        activity: &Activity,
    ) -> Result<Option<Self>, String> {
        match &door.chat {
            Chat::Socket(path) => {
                let words = Words::from([("token", door.token.clone().unwrap_or_default())]);
                let mut path = words.fill(path);
                if let Some(query) = &door.manner.query {
                    path = format!("{path}{}{query}", if path.contains('?') { '&' } else { '?' });
                }
                let opened = Socket::open(name, (door, &path), recorder, activity).await?;
                Ok(opened.map(Self::Socket))
            }
            Chat::Completions(asked) => {
                Completions::open(name, door, asked, recorder).map(|open| Some(Self::Completions(open)))
            }
        }
    }

    /// Sends messages of the user in one breath, as they are called; a device that is closed takes nothing, and the
    /// record shows why.
    pub(crate) async fn send(&mut self, texts: &[String], called: Naming<'_>) {
        match self {
            Self::Socket(socket) => socket.send(texts, called).await,
            Self::Completions(completions) => texts.iter().for_each(|text| completions.send(text)),
        }
    }

    /// Stops the answer to the last message.
    pub(crate) async fn stop(&self) -> Result<(), String> {
        self.socket()?.stop().await
    }

    /// Sends a frame or a body as it stands.
    pub(crate) async fn send_raw(&mut self, text: String) {
        match self {
            Self::Socket(socket) => socket.send_raw(&text).await,
            Self::Completions(completions) => completions.send_raw(text),
        }
    }

    /// Sends frames of a WebSocket as they are told.
    pub(crate) async fn send_frames(&self, step: &SendFrames) -> Result<(), String> {
        self.socket()?.send_frames(step).await
    }

    /// Behaves in a way; `times` is how many pings it sends, if it sends any.
    pub(crate) async fn behave(&self, doing: ClientDoing, times: u32) -> Result<(), String> {
        self.socket()?.behave(doing, times).await;
        Ok(())
    }

    fn socket(&self) -> Result<&Socket, String> {
        match self {
            Self::Socket(socket) => Ok(socket),
            Self::Completions(_) => Err("chat completions have no WebSocket that could misbehave".to_owned()),
        }
    }

    /// Hangs up without waiting for the running turn.
    pub(crate) async fn hang_up(self) {
        match self {
            Self::Socket(socket) => socket.hang_up().await,
            Self::Completions(completions) => completions.hang_up().await,
        }
    }
}
