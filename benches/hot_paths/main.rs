//! Hot paths, each beside its floor: what the bare library, or the least that any code must do, costs.
//!
//! A figure here means something only as a ratio to the floor measured in the same run: `cargo bench -- limiter`,
//! or `ci/bench-compare` for the ratios of all. Under `cargo test` each bench runs once and is not measured.
//! The audit log has no bench: it is rows in a database, and nothing of it is computed.

#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up cannot go on")]

mod allocations;
mod beside;
mod limiter;
mod prompt;
mod stream;
mod turn;
mod understanding;

/// What the tests have too.
#[path = "../../tests/support"]
mod support {
    mod absence;
    mod port;
    pub(crate) mod redis;
}

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

/// Shorter than usual: ratios of one run are asked for, and there are many benches.
fn settings() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = settings();
    targets = limiter::bench, prompt::bench, understanding::bench, stream::bench, turn::bench
}
criterion_main!(benches);
