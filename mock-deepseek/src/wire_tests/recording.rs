//! A mock that records another: what its client sees, what the file holds, how a replay compares.

mod faithful;
mod left_out;
mod secrets;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use clock::Lab;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::observe::{Seen, ask};
use crate::{Builder, Cassette, Exchange, MockDeepSeek};

pub(super) const SPAN: Duration = Duration::from_mins(1);

pub(super) const MESSAGES: &str =
    r#"{"model":"deepseek-flash","max_tokens":64,"messages":[{"role":"user","content":"hi"}],"stream":true}"#;

pub(super) fn builder(lab: &Lab) -> Builder {
    MockDeepSeek::builder().clock(Arc::new(lab.clock().clone())).activity(lab.activity().clone()).seed(7)
}

/// What a client saw of one request, and the journal of the mock that answered.
pub(super) struct Told {
    pub(super) seen: Seen,
    pub(super) exchange: Exchange,
}

/// Asks each request of a mock that records `upstream`, and then of a mock that replays it.
pub(super) async fn both(lab: &Lab, upstream: &str, requests: &[String]) -> (Vec<Told>, Vec<Told>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cassette.jsonl");
    let recorder = builder(lab).record(upstream, &path).start().await.unwrap();
    let live = told(lab, &recorder, requests).await;
    assert_eq!(recorder.recorded().unwrap().reason, None);
    recorder.stop().await;
    let player = builder(lab).replay(Cassette::read(&path).unwrap()).start().await.unwrap();
    let replayed = told(lab, &player, requests).await;
    player.stop().await;
    (live, replayed, std::fs::read_to_string(&path).unwrap())
}

async fn told(lab: &Lab, mock: &MockDeepSeek, requests: &[String]) -> Vec<Told> {
    let mut all = Vec::new();
    for request in requests {
        let seen = ask(lab, mock.address(), request, SPAN).await;
        all.push(Told { seen, exchange: mock.journal().pop().unwrap() });
    }
    all
}

fn body(bytes: &[u8]) -> &[u8] {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    &bytes[head + 4..]
}

/// Serves one connection with these bytes, each after its pause, and closes; tells what was asked.
async fn raw_upstream(
    lab: &Lab,
    parts: Vec<(u64, Vec<u8>)>,
) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lab = lab.clone();
    let serve = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = lab.activity().metered(stream).unwrap();
        let mut asked = vec![0; 64 * 1024];
        let count = stream.read(&mut asked).await.unwrap();
        for (pause, bytes) in parts {
            clock::Clock::sleep(lab.clock(), Duration::from_millis(pause)).await;
            stream.write_all(&bytes).await.unwrap();
        }
        asked.truncate(count);
        String::from_utf8_lossy(&asked).into_owned()
    });
    (address, serve)
}
