//! Leaves a failing model alone for a while.
//!
//! *Trips* after a number of consecutive failed turns, or at once when the account is refused.
//! *Recovers* by one probe after the cool-down: its success closes the circuit, its failure opens it
//! again. A request for fewer calls (429) closes the way for its own, shorter time and is not counted.
//! *Ignores* what says nothing about the model: users who hang up, requests that were wrong, content
//! filters, and results that belong to an earlier state.
//!
//! Invariant: while half open, at most one turn is under way. It counts turns, not attempts, and has
//! no clock: the moment comes in with each call.

use std::{sync::Arc, time::Duration};

use clock::Instant;

use crate::{config::llm, llm::Failure};

/// What a turn says about the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A whole answer.
    Success,
    /// The model's fault.
    Failure,
    /// Nothing.
    Excluded,
    /// The account is refused: no further call can succeed for now.
    Locked,
    /// It wants fewer calls, for the given time or for the usual one.
    Slowed(Option<Duration>),
}

/// A policy that many parts share.
pub type SharedPolicy = Arc<dyn Policy>;

/// How a turn ended, as far as the model is concerned.
#[derive(Clone, Copy, Debug)]
pub enum TurnEnd<'a> {
    /// With a whole answer.
    Answered,
    /// With this failure of the last attempt.
    Failed(&'a Failure),
    /// The user went away while it was running.
    Abandoned,
}

/// Decides what a turn says about the model.
pub trait Policy: std::fmt::Debug + Send + Sync + 'static {
    /// Returns the verdict on a turn that ended so.
    fn verdict(&self, end: TurnEnd<'_>) -> Verdict;
}

/// The classes of REFERENCE §2.2: what the model did counts, what users or we did does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByBlame;

impl Policy for ByBlame {
    fn verdict(&self, end: TurnEnd<'_>) -> Verdict {
        match end {
            TurnEnd::Answered => Verdict::Success,
            TurnEnd::Failed(failure) => failure.verdict(),
            TurnEnd::Abandoned => Verdict::Excluded,
        }
    }
}

/// The right to make one turn, to be given back by [`Breaker::report`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not reported blocks the probe"]
pub struct Permit {
    generation: u64,
}

/// The breaker does not let a turn through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// Time until asking again makes sense; `None` while that hangs on another turn's outcome.
    pub retry_after: Option<Duration>,
}

/// Why a turn is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Open, or another turn is the probe.
    Open,
    /// The model wants fewer calls.
    Slowed,
}

/// The states, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Turns pass.
    Closed,
    /// No turn passes.
    Open,
    /// One turn passes.
    HalfOpen,
}

impl State {
    /// Returns the name, as in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The circuit of one model.
#[derive(Debug)]
pub struct Breaker {
    policy: llm::Breaker,
    phase: Phase,
    generation: u64,
    slowed_until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { is_probing: bool },
}

impl Breaker {
    /// Makes a closed circuit.
    pub const fn new(policy: llm::Breaker) -> Self {
        Self { policy, phase: Phase::Closed { failures: 0 }, generation: 0, slowed_until: Instant::ZERO }
    }

    /// Returns the state without changing it.
    pub const fn state(&self) -> State {
        match self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Asks to make a turn at `now`. This is where an open circuit becomes half open.
    pub fn admit(&mut self, now: Instant) -> Result<Permit, Refusal> {
        if let Phase::Open { until } = self.phase {
            if now < until {
                return Err(Refusal { cause: Cause::Open, retry_after: Some(until.remaining(now)) });
            }
            self.enter(Phase::HalfOpen { is_probing: false });
        }
        if now < self.slowed_until {
            let retry_after = Some(self.slowed_until.remaining(now));
            return Err(Refusal { cause: Cause::Slowed, retry_after });
        }
        if let Phase::HalfOpen { is_probing } = &mut self.phase
            && std::mem::replace(is_probing, true)
        {
            return Err(Refusal { cause: Cause::Open, retry_after: None });
        }
        Ok(Permit { generation: self.generation })
    }

    /// Takes the result of a turn. A result from before the last change of state is ignored, except
    /// that the model wants fewer calls.
    pub fn report(&mut self, permit: &Permit, verdict: Verdict, now: Instant) {
        if let Verdict::Slowed(wanted) = verdict {
            // A model that asks for hours is asked again after the cool-down.
            let pause = wanted.unwrap_or(self.policy.rate_limit_cooldown).min(self.policy.cooldown);
            self.slowed_until = self.slowed_until.max(now + pause);
        }
        if permit.generation != self.generation {
            return;
        }
        match (self.phase, verdict) {
            (Phase::Closed { .. }, Verdict::Success) => self.phase = Phase::Closed { failures: 0 },
            (Phase::Closed { failures }, Verdict::Failure) if failures + 1 < self.policy.failures => {
                self.phase = Phase::Closed { failures: failures + 1 };
            }
            (Phase::HalfOpen { .. }, Verdict::Success) => self.enter(Phase::Closed { failures: 0 }),
            (_, Verdict::Failure | Verdict::Locked) => {
                self.enter(Phase::Open { until: now + self.policy.cooldown });
            }
            (Phase::HalfOpen { .. }, Verdict::Excluded | Verdict::Slowed(_)) => {
                self.phase = Phase::HalfOpen { is_probing: false };
            }
            (Phase::Closed { .. } | Phase::Open { .. }, _) => {}
        }
    }

    fn enter(&mut self, phase: Phase) {
        let from = self.state();
        self.phase = phase;
        self.generation += 1;
        let to = self.state();
        metrics::counter!("breaker_transitions_total", "from" => from.name(), "to" => to.name()).increment(1);
        tracing::warn!(from = from.name(), to = to.name(), "circuit of the model changed");
    }
}

#[cfg(test)]
mod tests;
