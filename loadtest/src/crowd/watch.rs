//! Reads, second by second, what target and generator use, and how late the generator is.
//!
//! Invariant: what the system does not tell is absent.

use std::{sync::Arc, time::Duration};

use super::{
    figures::Time,
    progress::{Listener, Progress},
    recorder::{Recorder, Window},
    report::Second,
    stage::Stage,
};
use crate::process;

/// How often it is looked whether the generator is late. A timer of the system is late by up to a millisecond.
const TICK: Duration = Duration::from_millis(20);
const TICKS_PER_SECOND: u32 = 50;

/// What two processes have used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) target_cpu: Option<Duration>,
    pub(crate) target_rss: Option<u64>,
    pub(crate) generator_cpu: Option<Duration>,
    pub(crate) generator_rss: Option<u64>,
}

impl Usage {
    /// Asks the system.
    pub(crate) fn of(target: Option<u32>) -> Self {
        let own = std::process::id();
        Self {
            target_cpu: target.and_then(process::cpu),
            target_rss: target.and_then(process::resident),
            generator_cpu: process::cpu(own),
            generator_rss: process::resident(own),
        }
    }
}

/// Watches until it is over.
pub(crate) async fn watch(stage: Arc<Stage>, target: Option<u32>, listener: Listener) {
    let begun = stage.recorder.now();
    let (mut before, mut ticks) = (Usage::of(target), 0_u32);
    loop {
        ticks += 1;
        let due = begun + TICK * ticks;
        if stage.rest(due.remaining(stage.recorder.now())).await {
            return;
        }
        stage.recorder.took(Time::Lag, due, stage.recorder.now());
        if ticks.is_multiple_of(TICKS_PER_SECOND) {
            let now = Usage::of(target);
            close_second(&stage.recorder, &listener, (before, now));
            before = now;
        }
    }
}

/// Ends the second that is being filled, and tells of it.
fn close_second(recorder: &Recorder, listener: &Listener, (before, now): (Usage, Usage)) {
    let share =
        |before: Option<Duration>, now: Option<Duration>| Some(now?.saturating_sub(before?).as_secs_f64());
    let at = recorder.now();
    let mut seen = recorder.seen();
    let current = std::mem::take(&mut seen.second);
    let quantile = |share| (current.first.count() > 0).then(|| current.first.quantile_ms(share));
    let begun = seen.windows.first().map_or(at, |window| window.from);
    let second = Second {
        at_s: at.since(begun).as_secs_f64(),
        turns: current.turns,
        refused: current.refused,
        first_p50_ms: quantile(0.5),
        first_p99_ms: quantile(0.99),
        first_max_ms: quantile(1.0),
        sockets: seen.sockets,
        target_cpu: share(before.target_cpu, now.target_cpu),
        target_rss: now.target_rss,
        generator_cpu: share(before.generator_cpu, now.generator_cpu),
    };
    let broken = seen.promises.values().sum();
    // A second of which only a part is measured is none.
    let is_whole =
        |window: &Window| at.since(window.from) >= TICK * (TICKS_PER_SECOND - 1) && window.until.is_none();
    if seen.windows.last().is_some_and(is_whole) {
        seen.seconds.push(second.clone());
    }
    drop(seen);
    listener.tell(Progress::Second { second: Box::new(second), broken });
}
