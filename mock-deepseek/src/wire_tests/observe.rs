//! A client that is nothing but a socket: it notes which bytes came when, and how it ended.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use clock::{Clock, Lab, SystemClock, Timestamp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{ApiProfile, Exchange, How, MockDeepSeek, Script, transcript};

/// How the connection looked to the client in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    #[default]
    Open,
    Closed,
    Reset,
}

/// What a client saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) reads: Vec<(Duration, Vec<u8>)>,
    pub(super) end: End,
    pub(super) ended: Duration,
}

/// What was seen, and what the journal says: while the client waits, and after it has left.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) seen: Seen,
    pub(super) journal: Vec<Exchange>,
    pub(super) afterwards: Vec<Exchange>,
}

impl Seen {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.reads.iter().flat_map(|(_, bytes)| bytes.clone()).collect()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Tells what came when, byte for byte.
    pub(super) fn full_story(&self) -> String {
        let mut text = String::new();
        for (at, bytes) in &self.reads {
            let _ = writeln!(text, "[{at:?}]");
            transcript::escape(&mut text, bytes);
            text.push_str(if text.ends_with('\n') { "" } else { "\n" });
        }
        if self.end != End::Open {
            let _ = writeln!(text, "[{:?}]", self.ended);
        }
        let _ = write!(text, "{:?}", self.end);
        text
    }

    /// Tells what came when, with the fixed parts of heads and chunks left out.
    pub(super) fn story(&self) -> String {
        shorten(&self.full_story())
    }
}

/// Takes out what is the same everywhere; the sound transcripts show it in full.
fn shorten(text: &str) -> String {
    const DULL: [&str; 7] = [
        "date:",
        "vary:",
        "access-control",
        "x-ds-trace",
        "strict-transport",
        "x-content-type",
        "cache-control",
    ];
    let lines = text.lines().filter(|line| !DULL.iter().any(|dull| line.starts_with(dull)));
    let short = lines.map(|line| match (line.find(r#""id":""#), line.find(r#""choices":"#)) {
        (Some(from), Some(to)) if from < to => format!("{}…{}", &line[..from], &line[to..]),
        _ => line.to_owned(),
    });
    let cut =
        short.map(|line| if line.len() > 2000 { format!("{}… {}", &line[..200], line.len()) } else { line });
    cut.collect::<Vec<_>>().join("\n")
}

/// A chat request; `extra` goes into the body, `headers` are whole lines with CR LF.
pub(super) fn chat(extra: &str, headers: &str) -> String {
    let body =
        format!(r#"{{"model":"deepseek-flash","messages":[{{"role":"user","content":"hi"}}]{extra}}}"#);
    post(&body, headers)
}

pub(super) fn post(body: &str, headers: &str) -> String {
    post_to("/chat/completions", body, headers)
}

pub(super) fn post_to(path: &str, body: &str, headers: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The reply of most tests: four chunks, the first with a character of three bytes.
pub(super) fn script(extra: &str) -> Script {
    let toml = format!(
        "[default]\nreply = {{ thinking = \"\", pieces = [\"It’s\", \" week\", \" 12\", \".\"] }}\n{extra}"
    );
    Script::from_toml(&toml).unwrap()
}

/// Sends the bytes on one connection, lets `span` of virtual time pass, and leaves.
pub(super) fn observe(script: Script, request: &str, span: Duration) -> Observed {
    observe_api(ApiProfile::Current, script, request, span)
}

/// Does the same against this state of the API.
pub(super) fn observe_api(api: ApiProfile, script: Script, request: &str, span: Duration) -> Observed {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
    let request = request.to_owned();
    runtime.block_on(async move {
        let builder =
            MockDeepSeek::builder().clock(Arc::new(lab.clock().clone())).activity(lab.activity().clone());
        let mock = builder.seed(7).api(api).script(script).start().await.unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let client = tokio::spawn(talk(lab.clone(), mock.address(), request, Arc::clone(&seen)));
        lab.advance(span).await.unwrap();
        let cut = |exchange: &Exchange| exchange.end.is_some_and(|end| end.how == How::Cut);
        arrived(&lab, || client.is_finished() || !mock.journal().iter().any(cut)).await;
        let (seen, journal) = (seen.lock().unwrap().clone(), mock.journal());
        client.abort();
        lab.settled().await.unwrap();
        arrived(&lab, || mock.journal().iter().all(|exchange| exchange.end.is_some())).await;
        let afterwards = mock.journal();
        mock.stop().await;
        Observed { seen, journal, afterwards }
    })
}

/// Waits for the end of a connection to arrive: unlike a byte, the laboratory does not count it, and a
/// busy machine may deliver it late.
pub(super) async fn arrived(lab: &Lab, reached: impl Fn() -> bool) {
    let clock = SystemClock::new();
    let limit = clock.now() + Duration::from_secs(10);
    while !reached() && clock.now() < limit {
        lab.settled().await.unwrap();
    }
}

/// Sends the bytes to any address, lets `span` pass, and leaves.
pub(super) async fn ask(lab: &Lab, address: SocketAddr, request: &str, span: Duration) -> Seen {
    ask_at_once(lab, address, &[request], span).await.remove(0)
}

/// Sends each of the requests on a connection of its own, lets `span` pass, and leaves.
pub(super) async fn ask_at_once(
    lab: &Lab,
    address: SocketAddr,
    requests: &[&str],
    span: Duration,
) -> Vec<Seen> {
    let clients = requests.iter().map(|request| {
        let seen = Arc::new(Mutex::new(Seen::default()));
        (tokio::spawn(talk(lab.clone(), address, (*request).to_owned(), Arc::clone(&seen))), seen)
    });
    let clients: Vec<_> = clients.collect();
    lab.advance(span).await.unwrap();
    for (client, _) in &clients {
        client.abort();
    }
    lab.settled().await.unwrap();
    clients.iter().map(|(_, seen)| seen.lock().unwrap().clone()).collect()
}

async fn talk(lab: Lab, address: SocketAddr, request: String, seen: Arc<Mutex<Seen>>) {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = lab.activity().metered(stream).unwrap();
    let began = lab.clock().now();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let outcome = stream.read(&mut buffer).await;
        let at = lab.clock().now().since(began);
        let mut seen = seen.lock().unwrap();
        match outcome {
            Ok(0) => seen.end = End::Closed,
            Err(_) => seen.end = End::Reset,
            Ok(count) => {
                match seen.reads.last_mut() {
                    Some((last, bytes)) if *last == at => bytes.extend_from_slice(&buffer[..count]),
                    _ => seen.reads.push((at, buffer[..count].to_vec())),
                }
                continue;
            }
        }
        seen.ended = at;
        return;
    }
}
