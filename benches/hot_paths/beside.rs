//! A bench beside its floor.
//!
//! The names tie them together: `ours, X` stands beside `floor: …, X`, and `ci/bench-compare` fails where one of them
//! is missing.

use std::time::Duration;

use clock::{Clock as _, SystemClock};
use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};

use crate::allocations;

/// Threads that do the same at once.
const THREADS: usize = 2;

/// A group of benches and their floors.
pub(crate) struct Theme<'a> {
    name: &'static str,
    group: BenchmarkGroup<'a, WallTime>,
}

impl<'a> Theme<'a> {
    pub(crate) fn new(c: &'a mut Criterion, name: &'static str) -> Self {
        Self { name, group: c.benchmark_group(name) }
    }

    /// Says how many bytes the next benches go through in one call.
    pub(crate) fn bytes(&mut self, count: usize) {
        self.group.throughput(Throughput::Bytes(count.try_into().unwrap()));
    }

    /// Measures what the server does, and counts the allocations of one call after the first.
    pub(crate) fn ours<T>(&mut self, what: &str, mut run: impl FnMut() -> T) {
        let (group, name) = (self.name, format!("ours, {what}"));
        let mut is_counted = false;
        self.group.bench_function(&name, |b| {
            if !std::mem::replace(&mut is_counted, true) {
                drop(run());
                allocations::note(group, &name, &mut run);
            }
            b.iter(&mut run);
        });
    }

    /// Measures the least that any code must do for the same; `how` says what that is.
    pub(crate) fn floor<T>(&mut self, what: &str, how: &str, run: impl FnMut() -> T) {
        let mut run = run;
        self.group.bench_function(format!("floor: {how}, {what}"), |b| b.iter(&mut run));
    }

    /// Measures what one call costs while another thread makes the same call.
    pub(crate) fn together<T>(&mut self, name: &str, run: impl Fn() -> T + Sync) {
        self.group.bench_function(name, |b| b.iter_custom(|times| together(times, &run)));
    }
}

fn together<T>(times: u64, run: &(impl Fn() -> T + Sync)) -> Duration {
    let clock = SystemClock::new();
    let began = clock.now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..times).for_each(|_| drop(std::hint::black_box(run()))));
        }
    });
    clock.now().since(began)
}
