//! A chat that answers each question after a known time, and, if it is wanted, does nothing at all for a second now and
//! then: what a load finds of it is known beforehand.

use std::{net::SocketAddr, time::Duration};

use clock::{Clock as _, SystemClock};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    /// From the question to the answer.
    pub(crate) delay: Duration,
    /// Once in so long it pauses, from the end of the first such while on.
    pub(crate) every: Duration,
    /// For so long; questions wait meanwhile.
    pub(crate) pause: Duration,
}

/// A running one; it ends with its handle.
pub(crate) struct Metronome {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Metronome {
    pub(crate) async fn start(beat: Beat) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let clock = SystemClock::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, clock, beat));
            }
        });
        Self { address, serving }
    }
}

/// Answers on one connection, until the client leaves.
async fn answer(stream: TcpStream, clock: SystemClock, beat: Beat) {
    stream.set_nodelay(true).unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let asked = clock.now();
        let question: Value = serde_json::from_str(&text).unwrap();
        // The last word is the user's mark, and the only piece of the model's answer begins with it.
        let mark = question["content"].as_str().unwrap().rsplit(' ').next().unwrap().to_owned();
        clock.sleep_until(asked + beat.delay + beat.held(asked.since_origin())).await;
        let piece = json!({"type": "message", "content": format!("{mark} first")});
        for frame in [piece, json!({"type": "done"})] {
            if socket.send(Message::text(frame.to_string())).await.is_err() {
                return;
            }
        }
    }
}

impl Beat {
    /// Returns how long what comes at this time waits for the end of a pause.
    fn held(self, at: Duration) -> Duration {
        let place = at.as_nanos() % self.every.as_nanos();
        let is_first = at < self.every;
        if is_first || place >= self.pause.as_nanos() {
            return Duration::ZERO;
        }
        self.pause.saturating_sub(Duration::from_nanos(u64::try_from(place).unwrap()))
    }
}
