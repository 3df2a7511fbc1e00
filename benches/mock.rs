//! What mock-deepseek costs, beside its floors: to render a stream, beside copying the same bytes; and the whole
//! path from request to answer, beside a bare responder that writes the same bytes.
//!
//! A figure here means something only as a ratio to the floor measured in the same run:
//! `cargo bench --bench mock`. Memory allocations per chunk are printed first; they do not depend on the machine.
//! Under `cargo test` each bench runs once and is not measured.
//! Client and responder of the whole path take turns on one thread, so that no change of threads is measured.

#![expect(clippy::print_stdout, reason = "criterion has no place for counts")]
#![expect(clippy::expect_used, reason = "a bench that cannot be set up cannot go on")]

#[path = "hot_paths/allocations.rs"]
mod allocations;

use std::{hint::black_box, net::SocketAddr, sync::Arc};

use clock::SystemClock;
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use loadtest::Recording;
use mock_deepseek::{MockDeepSeek, Reply, Script, stream_bytes};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

/// Events of the stream, `[DONE]` not counted; two of them are no text.
const CHUNKS: usize = 200;

fn reply() -> Reply {
    Reply {
        thinking: Some(String::new()),
        pieces: Some(vec![" word".to_owned(); CHUNKS - 2]),
        ..Reply::default()
    }
}

fn rendering(c: &mut Criterion) {
    let reply = reply();
    let bytes = stream_bytes(&reply);
    report_allocations(&reply, &bytes);
    allocations::note("mock rendering", "ours, a stream of 200 chunks", || stream_bytes(&reply));

    let mut group = c.benchmark_group("mock rendering");
    group.throughput(Throughput::Elements(CHUNKS as u64));
    group.bench_function("ours, a stream of 200 chunks", |b| b.iter(|| stream_bytes(black_box(&reply))));
    group.bench_function("floor: a copy of the same bytes", |b| b.iter(|| black_box(&bytes).clone()));
    group.finish();
}

fn whole_path(c: &mut Criterion) {
    for (name, streams) in [("an answer in one piece", false), ("a stream of 200 chunks", true)] {
        let mut group = c.benchmark_group(format!("mock whole path, {name}"));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let request = request(streams);
        let mut script = Script::default();
        script.default.reply = reply();
        let mock = runtime
            .block_on(MockDeepSeek::builder().script(script).start())
            .expect("a port of the loopback is free");
        let answer = runtime.block_on(async {
            let mut socket = TcpStream::connect(mock.address()).await.expect("the mock listens");
            exchange(&mut socket, &request).await
        });
        let floor = runtime.block_on(floor(answer));
        for (who, address) in [("ours", mock.address()), ("floor: a bare responder", floor)] {
            measure(&mut group, &runtime, (who, address), &request);
        }
        group.finish();
    }
}

fn request(streams: bool) -> Vec<u8> {
    let body = serde_json::json!({
        "model": "deepseek-flash",
        "messages": [{"role": "user", "content": "Which week am I in?"}],
        "stream": streams,
    })
    .to_string();
    let length = body.len();
    // The floor reads the names in lower case.
    format!(
        "POST /chat/completions HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-bench-0123456789\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Starts the floor, which lives as long as its runtime.
async fn floor(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(loadtest::floor(listener, Recording::at_once(answer.into()), Arc::new(SystemClock::new())));
    address
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    (who, address): (&str, SocketAddr),
    request: &[u8],
) {
    let mut socket = runtime.block_on(TcpStream::connect(address)).expect("somebody listens");
    socket.set_nodelay(true).expect("it is a socket of TCP");
    group.bench_function(who, |b| b.iter(|| runtime.block_on(exchange(&mut socket, request))));
}

/// Asks, and reads the answer to the end of its chunks.
async fn exchange(socket: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    socket.write_all(request).await.expect("the responder reads");
    let mut answer = Vec::with_capacity(64 * 1024);
    while !answer.ends_with(b"\r\n0\r\n\r\n") {
        let count = socket.read_buf(&mut answer).await.expect("the responder writes");
        assert_ne!(count, 0, "the responder stays: {}", String::from_utf8_lossy(&answer));
    }
    answer
}

fn report_allocations(reply: &Reply, bytes: &[u8]) {
    let counted = allocation_counter::measure(|| drop(black_box(stream_bytes(reply))));
    println!(
        "mock rendering: {} bytes; {:.2} allocations and {:.0} allocated bytes per chunk",
        bytes.len(),
        per_chunk(counted.count_total),
        per_chunk(counted.bytes_total),
    );
}

#[expect(clippy::cast_precision_loss, reason = "counts of one stream are small")]
fn per_chunk(count: u64) -> f64 {
    count as f64 / CHUNKS as f64
}

criterion_group!(benches, rendering, whole_path);
criterion_main!(benches);
