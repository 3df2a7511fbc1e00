//! An answer that comes piece by piece and is passed on so.

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::{sync::mpsc, time::timeout};

use super::{DONE, Defect, Way, finish, piece};

/// An answer that is passed on.
pub(super) struct Telling {
    way: Way,
    events: mpsc::Sender<String>,
    /// What was passed on, or will be.
    kept: Vec<String>,
    is_finished: bool,
    is_done: bool,
}

impl Telling {
    pub(super) const fn new(way: Way, events: mpsc::Sender<String>) -> Self {
        Self { way, events, kept: Vec::new(), is_finished: false, is_done: false }
    }

    /// Passes the events of the model on, as the defect wants it.
    pub(super) async fn run(mut self, asked: reqwest::Response) {
        let (mut bytes, mut rest) = (asked.bytes_stream(), Vec::new());
        while !self.is_done
            && let Ok(Some(Ok(more))) = timeout(self.way.defect.patience(), bytes.next()).await
        {
            match self.way.defect {
                Defect::NeverAnswers => return std::future::pending().await,
                Defect::TearsLetters => rest.extend_from_slice(String::from_utf8_lossy(&more).as_bytes()),
                _ => rest.extend_from_slice(&more),
            }
            while let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
                let event = String::from_utf8_lossy(&rest.drain(..end + 2).collect::<Vec<_>>()).into_owned();
                if event.contains(r#""error""#) {
                    return self.fail(event).await;
                }
                self.event(event).await;
            }
        }
        self.close().await;
    }

    /// Ends with an error of the model.
    async fn fail(self, event: String) {
        let events = if self.way.defect == Defect::SwallowsErrors {
            vec![finish(), DONE.to_owned()]
        } else {
            vec![event]
        };
        for event in events {
            self.send(event).await;
        }
    }

    async fn event(&mut self, event: String) {
        let defect = self.way.defect;
        if event.starts_with(':') {
            if defect == Defect::ReadsComments {
                self.send(format!("data: {}", event.trim_start_matches(": "))).await;
            }
            return;
        }
        if event.contains("[DONE]") {
            self.is_done = true;
            return;
        }
        self.is_finished |= event.contains(r#""finish_reason":"stop""#);
        self.kept.push(event.clone());
        match (defect, self.kept.len() % 4) {
            (Defect::Collects, _) | (Defect::Reorders, 2) => {}
            (Defect::Reorders, 3) => {
                self.send(event).await;
                self.send(self.kept[self.kept.len() - 2].clone()).await;
            }
            (Defect::Doubles, 3) => {
                self.send(event.clone()).await;
                self.send(event).await;
            }
            _ => self.send(event).await,
        }
    }

    async fn send(&self, event: String) {
        let all = self.way.clients.lock().unwrap().clone();
        for client in if self.way.defect == Defect::MixesUsers { all } else { vec![self.events.clone()] } {
            // Fails only when the client has left.
            let _ = client.send(event.clone()).await;
        }
    }

    /// Ends the stream.
    async fn close(self) {
        if self.way.defect == Defect::Collects {
            for event in &self.kept {
                self.send(event.clone()).await;
            }
        }
        let broken = || format!("data: {}\n\n", json!({"error": {"message": "the model broke off"}}));
        let done = || DONE.to_owned();
        let last = match (self.way.defect, self.is_finished && self.is_done) {
            (Defect::LosesTheEnd, true) => vec![],
            (Defect::EndsTwice, true) => vec![done(), done()],
            (Defect::SpeaksAfterTheEnd, true) => vec![done(), piece("By the way")],
            (Defect::BelievesTheHalf, false) => vec![finish(), done()],
            (Defect::Splices, false) => vec![piece("Sorry, please try again."), finish(), done()],
            (_, true) => vec![done()],
            (_, false) => vec![broken()],
        };
        for event in last {
            self.send(event).await;
        }
    }
}
