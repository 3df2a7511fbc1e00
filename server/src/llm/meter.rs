//! What answers cost in tokens: what the provider says, or an estimate where it says nothing.
//!
//! Invariant: an answer that has begun is counted once, also when it breaks off or is given up.

use std::sync::atomic::{AtomicU64, Ordering};

use super::prompt::{Turn, estimate};

/// No answer costs more, whatever a provider says: ten times the longest context of any model.
const TOLD_MAX: u64 = 10_000_000;

/// Tokens that were used and not written down yet.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// Adds some.
    pub fn add(&self, tokens: u64) {
        self.0.fetch_add(tokens, Ordering::Relaxed);
    }

    /// Takes all of them.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// The cost of one answer while it runs; dropped, it goes to the meter.
#[derive(Debug)]
pub(super) struct Bill<'a> {
    meter: &'a Meter,
    estimate: u64,
    told: Option<u64>,
}

impl<'a> Bill<'a> {
    /// Begins with what the prompt costs.
    pub(super) fn new(meter: &'a Meter, prompt: &[Turn]) -> Self {
        let asked: usize = prompt.iter().map(|turn| estimate(&turn.content)).sum();
        Self { meter, estimate: asked as u64, told: None }
    }

    /// Adds a piece of the answer.
    pub(super) fn said(&mut self, piece: &str) {
        self.estimate += estimate(piece) as u64;
    }

    /// Takes the provider's word, if it has given it and it can be right.
    pub(super) fn told(&mut self, tokens: Option<u64>) {
        self.told = tokens.filter(|tokens| *tokens <= TOLD_MAX).or(self.told);
    }
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        let source = if self.told.is_some() { "provider" } else { "estimate" };
        let tokens = self.told.unwrap_or(self.estimate);
        metrics::counter!("llm_tokens_total", "source" => source).increment(tokens);
        self.meter.add(tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_providers_word_goes_before_an_estimate_f109() {
        let meter = Meter::default();
        let mut estimated = Bill::new(&meter, &[]);
        estimated.said("some words of an answer");
        drop(estimated);
        assert_eq!(meter.take(), estimate("some words of an answer") as u64);

        let mut told = Bill::new(&meter, &[]);
        told.said("some words");
        told.told(Some(1234));
        told.told(None);
        drop(told);
        assert_eq!((meter.take(), meter.take()), (1234, 0));
    }
}
