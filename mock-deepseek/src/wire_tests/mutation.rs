//! Requests that are broken at random: whatever a client sends, the mock answers or closes, and lives on.
//!
//! Every input follows from a seed, which a failure names. No time passes: an input that waits for more
//! bytes is ended by the client, and the mock must let go at once.

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clock::Lab;
use rand::{Rng, RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use super::{
    ends::in_lab,
    observe::{ask, chat, script},
    recording::builder,
};
use crate::{Cassette, MockDeepSeek, transcript};

/// Inputs that are under way at once.
const BATCH: usize = 40;
/// The most changes of one input.
const CHANGES_MAX: usize = 4;

thread_local! {
    /// Panics on this thread, on which the whole laboratory runs.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

fn count_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.with(|count| count.set(count.get() + 1));
            before(info);
        }));
    });
}

const CHAT: &str = r#"{"model":"deepseek-flash","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Wie geht’s?"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_00_a","type":"function","function":{"name":"week","arguments":"{\"day\":3}"}}]},{"role":"tool","tool_call_id":"call_00_a","content":"12"}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":64,"temperature":0.7,"top_p":1,"stop":["x"],"tools":[{"type":"function","function":{"name":"week","parameters":{"type":"object","properties":{"day":{"type":"integer"}}}}}],"tool_choice":"auto","logprobs":true,"top_logprobs":2,"thinking":{"type":"disabled"},"response_format":{"type":"json_object"},"user_id":"anna-1"}"#;
const FIM: &str = r#"{"model":"deepseek-flash","prompt":"def f(","suffix":"return 1","max_tokens":8,"echo":false,"logprobs":3,"stream":false}"#;
const ANTHROPIC: &str = r#"{"model":"claude-opus","max_tokens":32,"system":"Be brief.","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}],"stream":true,"metadata":{"user_id":"anna-1"},"thinking":{"type":"enabled","budget_tokens":1024}}"#;
const RESPONSES: &str = r#"{"model":"deepseek-flash","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]}],"stream":true,"max_output_tokens":16,"reasoning":{"effort":"low"},"text":{"format":{"type":"text"}}}"#;

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n";

/// A request of each surface: method, path, body.
const SURFACES: [(&str, &str, &str); 18] = [
    ("POST", "/chat/completions", CHAT),
    ("POST", "/v1/chat/completions", CHAT),
    ("POST", "/beta/chat/completions", CHAT),
    ("POST", "/completions", FIM),
    ("POST", "/beta/completions", FIM),
    ("POST", "/anthropic/v1/messages", ANTHROPIC),
    ("POST", "/anthropic/messages", ANTHROPIC),
    ("POST", "/responses", RESPONSES),
    ("POST", "/v1/responses", RESPONSES),
    ("GET", "/models", ""),
    ("GET", "/v1/models?limit=3", ""),
    ("GET", "/user/balance", ""),
    ("GET", "/", ""),
    ("POST", "/files", FORM),
    ("POST", "/v1/files", FORM),
    ("GET", "/files?limit=2&order=desc&after=file-1", ""),
    ("GET", "/files/file-1", ""),
    ("DELETE", "/v1/files/file-1", ""),
];

/// Headers that make more of the mock's code run.
const EXTRAS: [&str; 9] = [
    "",
    "x-mock-fault: crlf, stall;after_events=2;lasts=8s, utf8-split\r\n",
    "x-mock-fault: token-drip\r\n",
    "x-mock-fault: accept-no-answer\r\n",
    "x-mock-fault: crlf, bom, data-no-space, duplicate-role\r\n",
    "x-mock-fault: \r\n",
    "connection: close\r\n",
    "expect: 100-continue\r\n",
    "accept-encoding: gzip\r\nx-api-key: sk-0123456789\r\n",
];

fn pick<'a, T>(chance: &mut StdRng, from: &'a [T]) -> &'a T {
    &from[chance.random_range(0..from.len())]
}

/// Makes the bytes of one input.
fn input(chance: &mut StdRng) -> Vec<u8> {
    if chance.random_ratio(1, 10) {
        return http2(chance);
    }
    let extra = pick(chance, &EXTRAS);
    let mut bytes = request(chance, extra);
    while chance.random_ratio(1, 5) {
        let extra = pick(chance, &EXTRAS);
        bytes.extend(request(chance, extra));
    }
    if chance.random_ratio(1, 2) {
        change(chance, &mut bytes);
    }
    bytes
}

/// Makes a request whose body may be broken, with a head that is true to it.
fn request(chance: &mut StdRng, extra: &str) -> Vec<u8> {
    let (method, path, body) = *pick(chance, &SURFACES);
    let mut body = body.as_bytes().to_vec();
    if chance.random_ratio(2, 3) {
        change(chance, &mut body);
    }
    let kind = if path.ends_with("/files") { "multipart/form-data; boundary=b" } else { "application/json" };
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\ncontent-type: {kind}\r\n{extra}"
    )
    .into_bytes();
    if chance.random_ratio(1, 3) {
        bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
        for chunk in body.chunks(chance.random_range(1..200)).take(64) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
    } else {
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend(body);
    }
    bytes
}

/// Makes a connection of HTTP/2 with one request, broken anywhere behind its preface.
fn http2(chance: &mut StdRng) -> Vec<u8> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let (_, path, body) = *pick(chance, &SURFACES);
    let mut body = body.as_bytes().to_vec();
    if chance.random_ratio(1, 2) {
        change(chance, &mut body);
    }
    // POST and http are entries of the static table; path, authority and authorization are spelled out.
    let mut fields = vec![0x83, 0x86];
    for (index, value) in [(&[0x04][..], path), (&[0x01], "mock"), (&[0x0f, 0x08], "Bearer sk-test")] {
        fields.extend(index);
        fields.push(u8::try_from(value.len()).unwrap());
        fields.extend(value.bytes());
    }
    body.truncate(16_384);
    let mut frames = [frame(4, 0, 0, &[]), frame(1, 4, 1, &fields), frame(0, 1, 1, &body)].concat();
    if chance.random_ratio(2, 3) {
        change(chance, &mut frames);
    }
    [PREFACE, &frames].concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn change(chance: &mut StdRng, bytes: &mut Vec<u8>) {
    for _ in 0..chance.random_range(1..=CHANGES_MAX) {
        let (a, b) = (place(chance, bytes), place(chance, bytes));
        let range = a.min(b)..a.max(b);
        match chance.random_range(0..11) {
            0 if a < bytes.len() => bytes[a] ^= 1 << chance.random_range(0..8),
            1 if a < bytes.len() => bytes[a] = chance.random(),
            2 => bytes.truncate(a),
            3 => drop(bytes.drain(range)),
            4 => {
                let copy = bytes[range].to_vec();
                bytes.splice(b..b, copy);
            }
            5 => bytes[range].reverse(),
            6 => number(chance, bytes),
            7 => nest(chance, bytes, a),
            8 => drop(bytes.splice(a..a, pick(chance, &ODD).iter().copied())),
            9 => flood(chance, bytes),
            _ => {
                let noise: [u8; 7] = chance.random();
                bytes.splice(a..a, noise);
            }
        }
    }
}

fn place(chance: &mut impl Rng, bytes: &[u8]) -> usize {
    chance.random_range(0..=bytes.len())
}

/// Texts that readers stumble over.
const ODD: [&[u8]; 12] = [
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\0",
    b"\\ud800",
    b"\xef\xbb\xbf",
    b"\r\n\r\n",
    b"\r",
    b"+crlf+stall;after_events=x",
    b"%00%ff/../",
    b"\"}",
    b"null",
];

/// Puts a monstrous number in the place of the first one after a random place.
fn number(chance: &mut StdRng, bytes: &mut Vec<u8>) {
    const MONSTERS: [&str; 8] = [
        "-1",
        "0",
        "18446744073709551616",
        "99999999999999999999999999",
        "1e999",
        "-0.0",
        "ffffffffffffffffff",
        "NaN",
    ];
    let from = place(chance, bytes);
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|offset| from + offset) else {
        return;
    };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.splice(start..start + length, pick(chance, &MONSTERS).bytes());
}

fn nest(chance: &mut StdRng, bytes: &mut Vec<u8>, at: usize) {
    let depth = *pick(chance, &[10, 127, 129, 20_000]);
    let open = *pick(chance, &["[", "{\"a\":", "[[{\"content\":["]);
    bytes.splice(at..at, open.repeat(depth).into_bytes());
}

/// Puts many headers, or a huge one, behind the first line.
fn flood(chance: &mut StdRng, bytes: &mut Vec<u8>) {
    let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else { return };
    let flood = match chance.random_range(0..4) {
        0 => "a: b\r\n".repeat(300),
        1 => format!("x-huge: {}\r\n", "h".repeat(70_000)),
        2 => "content-length: 3\r\n".repeat(2),
        _ => format!("x-mock-fault: {}\r\n", "crlf,".repeat(40)),
    };
    bytes.splice(end + 2..end + 2, flood.into_bytes());
}

/// What every input of a batch shares with its client.
#[derive(Clone)]
struct Batch {
    address: SocketAddr,
    ended: Arc<AtomicUsize>,
    leave: watch::Receiver<bool>,
}

/// Sends the bytes, reads to the end, and stops sending when told.
async fn talk(batch: Batch, bytes: Vec<u8>) {
    let Batch { address, ended, mut leave } = batch;
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let send = async {
        // A mock that has refused may have closed already.
        _ = writer.write_all(&bytes).await;
        _ = leave.wait_for(|leave| *leave).await;
        _ = writer.shutdown().await;
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut buffer = vec![0; 16 * 1024];
        while matches!(reader.read(&mut buffer).await, Ok(1..)) {}
    };
    tokio::select! {
        () = send => {}
        () = read => {}
    }
    ended.fetch_add(1, Ordering::Relaxed);
}

/// Sends batch after batch; fails with the seed of the batch that did harm.
async fn batter(lab: &Lab, mock: &MockDeepSeek, seeds: std::ops::Range<u64>) {
    count_panics();
    PANICS.with(|count| count.set(0));
    for seed in seeds {
        let mut chance = StdRng::seed_from_u64(seed);
        let inputs: Vec<_> = (0..BATCH).map(|_| input(&mut chance)).collect();
        let (tell, leave) = watch::channel(false);
        let batch = Batch { address: mock.address(), ended: Arc::default(), leave };
        let clients: Vec<_> =
            inputs.iter().map(|bytes| tokio::spawn(talk(batch.clone(), bytes.clone()))).collect();
        lab.settled().await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        tell.send(true).unwrap();
        lab.settled().await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));

        let stuck = clients.iter().position(|client| !client.is_finished());
        let told = stuck.map(|place| told(&inputs[place]));
        assert_eq!(PANICS.with(Cell::get), 0, "seed {seed}: a task panicked");
        assert!(told.is_none(), "seed {seed}: neither answered nor closed: {}", told.unwrap_or_default());
        assert_eq!(batch.ended.load(Ordering::Relaxed), BATCH, "seed {seed}");
        let text = ask(lab, mock.address(), &chat("", ""), Duration::ZERO).await.text();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "seed {seed}: a sound request got {text}");
    }
}

fn told(bytes: &[u8]) -> String {
    let mut text = String::new();
    transcript::escape(&mut text, &bytes[..bytes.len().min(2000)]);
    text
}

#[tokio::test]
async fn a_panic_of_a_task_would_be_seen() {
    count_panics();
    PANICS.with(|count| count.set(0));

    let task = tokio::spawn(async { panic!("on purpose") });

    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(PANICS.with(Cell::get), 1);
}

#[test]
fn no_request_makes_the_mock_panic_or_hang_m16() {
    in_lab(|lab| async move {
        let mock = builder(&lab).script(script("")).start().await.unwrap();

        batter(&lab, &mock, 0..60).await;

        let ends = mock.journal();
        assert!(ends.len() > 1000, "only {} requests were understood at all", ends.len());
        assert!(ends.iter().all(|exchange| exchange.end.is_some()));
    });
}

#[test]
fn no_request_makes_a_recorder_or_its_replay_panic_or_hang_m16() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let upstream = builder(&lab).script(script("")).start().await.unwrap();
        let recorder = builder(&lab).record(upstream.url(), &path).start().await.unwrap();

        batter(&lab, &recorder, 1000..1008).await;
        assert!(recorder.recorded().unwrap().kept > 60, "{:?}", recorder.recorded());
        recorder.stop().await;

        let player = builder(&lab).replay(Cassette::read(&path).unwrap()).start().await.unwrap();
        batter(&lab, &player, 2000..2008).await;
    });
}
