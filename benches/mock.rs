//! What mock-deepseek costs to render a stream, beside its floor: copying the same bytes.
//!
//! A figure here means something only as a ratio to the floor measured in the same run:
//! `cargo bench --bench mock`. Memory allocations per chunk are printed first; they do not depend on the machine.

#![expect(clippy::print_stdout, reason = "criterion has no place for counts")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mock_deepseek::{Reply, stream_bytes};

/// Events of the stream, `[DONE]` not counted; two of them are no text.
const CHUNKS: usize = 200;

fn rendering(c: &mut Criterion) {
    let reply = Reply {
        thinking: Some(String::new()),
        pieces: Some(vec![" word".to_owned(); CHUNKS - 2]),
        ..Reply::default()
    };
    let bytes = stream_bytes(&reply);
    report_allocations(&reply, &bytes);

    let mut group = c.benchmark_group("mock rendering");
    group.throughput(Throughput::Elements(CHUNKS as u64));
    group.bench_function("ours, a stream of 200 chunks", |b| b.iter(|| stream_bytes(black_box(&reply))));
    group.bench_function("floor: a copy of the same bytes", |b| b.iter(|| black_box(&bytes).clone()));
    group.finish();
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

criterion_group!(benches, rendering);
criterion_main!(benches);
