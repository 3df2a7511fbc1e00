//! Asks the model for one answer: breaker, attempts, limits.
//!
//! Invariant: an attempt is repeated only while nothing of it was shown, and the breaker hears of one
//! result per turn. Dropping the future of [`Model::answer`] closes the upstream connection and tells
//! the breaker nothing bad.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clock::{Clock, Instant, SharedClock, timeout_at};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tracing::Instrument;

use super::{
    budget::Budget,
    client::Client,
    failure::Failure,
    meter::{Bill, Meter},
    prompt::Turn,
    reader::{Progress, Reader},
};
use crate::{
    breaker::{Breaker, Cause, Permit, Refusal, SharedPolicy, State, TurnEnd, Verdict},
    config::Llm,
    deadline::Deadline,
};

/// Pause before a retry: at least and at most, drawn evenly.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 50..=250;

/// One model with all that guards it.
#[derive(Debug)]
pub struct Model {
    settings: Llm,
    clock: SharedClock,
    client: Client,
    breaker: Mutex<Breaker>,
    policy: SharedPolicy,
    budget: Mutex<Budget>,
    chance: Mutex<StdRng>,
    /// A place for each request at once.
    places: Semaphore,
}

/// What is asked, until when, and where the answer goes.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The prompt.
    pub prompt: &'a [Turn],
    /// Who asks, as the provider is told it.
    pub user_id: Option<&'a str>,
    /// Counts what it costs.
    pub meter: &'a Meter,
    /// The time of the turn.
    pub deadline: &'a Deadline,
    /// Takes what is to be shown, piece by piece.
    pub text: &'a mpsc::Sender<String>,
}

/// An answer that did not come, or not whole.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Why.
    pub failure: Failure,
    /// Whether something of it was shown.
    pub has_shown: bool,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, has_shown: false }
    }
}

impl Model {
    /// Makes a model by its settings; `policy` says what the breaker counts, `seed` draws the pauses.
    pub fn new(settings: &Llm, clock: SharedClock, policy: SharedPolicy, seed: u64) -> Self {
        Self {
            client: Client::new(settings, SharedClock::clone(&clock)),
            breaker: Mutex::new(Breaker::new(settings.breaker.clone())),
            policy,
            budget: Mutex::new(Budget::new(settings.retry_budget)),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            places: Semaphore::new(settings.concurrency),
            settings: settings.clone(),
            clock,
        }
    }

    /// Asks, at most so many times more when nothing came, and sends what is to be shown piece by piece.
    ///
    /// Ends at the deadline at the latest, also when nobody takes what is shown: a full `text` holds the upstream
    /// back. Cancellation drops the upstream connection at once and counts as nothing.
    pub async fn answer(&self, question: Question<'_>, retries: u32) -> Result<(), Failed> {
        if self.clock.now() >= question.deadline.answer_by() {
            return Err(Failure::Late.into());
        }
        let _place = self.place(question.deadline).await?;
        let pass = self.pass()?;
        let outcome = self.attempts(question, retries).await;
        pass.report(match &outcome {
            Ok(()) => TurnEnd::Answered,
            Err(failed) => TurnEnd::Failed(&failed.failure),
        });
        if let Err(Failed { failure: Failure::Account(status), .. }) = &outcome {
            tracing::error!(status, "model refuses the account; check `llm.api_key` and the balance");
        }
        outcome
    }

    /// Returns whether its breaker lets everybody through.
    pub fn is_open_to_all(&self) -> bool {
        lock(&self.breaker).state() == State::Closed
    }

    /// Waits for a place among those that the model is asked by at once: in order of arrival, for the time of the setting
    /// and within that of the turn.
    async fn place(&self, deadline: &Deadline) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        metrics::counter!("llm_waits_total").increment(1);
        let until = (self.clock.now() + self.settings.concurrency_wait).min(deadline.answer_by());
        let place = timeout_at(&*self.clock, until, self.places.acquire()).await;
        place.ok().and_then(Result::ok).ok_or(Failure::Crowded)
    }

    async fn attempts(&self, question: Question<'_>, mut retries: u32) -> Result<(), Failed> {
        lock(&self.budget).deposit();
        loop {
            let span = tracing::info_span!("attempt", model = self.settings.model);
            let failed = match self.attempt(question).instrument(span).await {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            tracing::warn!(failure = %failed.failure, shown = failed.has_shown, "attempt failed");
            if retries == 0 || !self.may_retry(&failed, question.deadline) {
                return Err(failed);
            }
            retries -= 1;
            let pause = lock(&self.chance).random_range(PAUSE_MS);
            self.clock.sleep(Duration::from_millis(pause)).await;
        }
    }

    fn may_retry(&self, failed: &Failed, deadline: &Deadline) -> bool {
        let now = self.clock.now();
        !failed.has_shown
            && failed.failure.is_retriable()
            && deadline.allows_retry(now)
            && lock(&self.budget).withdraw(now)
    }

    async fn attempt(
        &self,
        Question { prompt, user_id, meter, deadline, text }: Question<'_>,
    ) -> Result<(), Failed> {
        let began = self.clock.now();
        let mut limit = Limit::first(deadline, began);
        let mut stream = limit.hold(&*self.clock, self.client.send(prompt, user_id)).await?;
        let mut bill = Bill::new(meter, prompt);
        let mut reader = Reader::new(&self.settings).answering(prompt);
        let mut has_shown = false;
        loop {
            let failed = |failure| Failed { failure, has_shown };
            let bytes = limit.hold(&*self.clock, stream.next()).await.map_err(failed)?;
            let step = match bytes {
                Some(bytes) => reader.push(&bytes),
                None => reader.finish(),
            };
            bill.told(reader.tokens());
            let (piece, end) = match step {
                Ok(Progress::More(piece)) => (piece, None),
                Ok(Progress::Finished(piece)) => (piece, Some(Ok(()))),
                Err(broken) => (broken.text, Some(Err(broken.failure))),
            };
            let piece = if has_shown { &piece } else { piece.trim_start() };
            if !piece.is_empty() {
                has_shown = true;
                bill.said(piece);
                // A closed receiver means that nobody reads on: this future is about to be dropped.
                let taken = timeout_at(&*self.clock, deadline.end(), text.send(piece.to_owned()));
                let Ok(_) = taken.await else { return Err(Failed { failure: Failure::Unread, has_shown }) };
                limit = Limit::next(deadline, self.clock.now());
            }
            if let Some(end) = end {
                return end.map_err(|failure| Failed { failure, has_shown });
            }
        }
    }

    fn pass(&self) -> Result<Pass<'_>, Failure> {
        let admitted = lock(&self.breaker).admit(self.clock.now());
        match admitted {
            Ok(permit) => {
                let verdict = self.policy.verdict(TurnEnd::Abandoned);
                Ok(Pass { model: self, permit, verdict })
            }
            Err(Refusal { cause: Cause::Open, retry_after }) => Err(Failure::CircuitOpen { retry_after }),
            Err(Refusal { cause: Cause::Slowed, retry_after }) => Err(Failure::RateLimited { retry_after }),
        }
    }
}

/// The next moment at which patience ends, and with what.
struct Limit {
    at: Instant,
    failure: Failure,
}

impl Limit {
    fn first(deadline: &Deadline, began: Instant) -> Self {
        let at = deadline.first_token(began);
        Self { at, failure: if deadline.is_fair(began) { Failure::FirstToken } else { Failure::Late } }
    }

    fn next(deadline: &Deadline, last: Instant) -> Self {
        let at = deadline.next_token(last);
        Self { at, failure: if at == deadline.end() { Failure::Total } else { Failure::Gap } }
    }

    async fn hold<T>(
        &self,
        clock: &dyn Clock,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // Also when bytes are always at hand: signs of life must not outrun the limit.
        if clock.now() >= self.at {
            return Err(self.failure.clone());
        }
        timeout_at(clock, self.at, work).await.unwrap_or_else(|_| Err(self.failure.clone()))
    }
}

/// A permit that is reported in any case: as abandoned, unless the turn comes to an end.
struct Pass<'a> {
    model: &'a Model,
    permit: Permit,
    verdict: Verdict,
}

impl Pass<'_> {
    fn report(mut self, end: TurnEnd<'_>) {
        self.verdict = self.model.policy.verdict(end);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let now = self.model.clock.now();
        lock(&self.model.breaker).report(&self.permit, self.verdict, now);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
