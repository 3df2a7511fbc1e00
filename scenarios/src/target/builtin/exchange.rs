//! What two built-in servers tell each other: each by a line with its own weather, or weakened.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use clock::{Instant, SharedClock};
use server::{
    exchange::{
        Appended, Draft, Exchange, Exchanged, Item, Listening, MemoryExchange, News, Page, Place,
        SharedExchange, Unreachable,
    },
    ids::{MessageId, UserId},
};
use tokio::{sync::broadcast, task::JoinHandle};

use crate::line::{Line, Weather};

/// The replicas know nothing of each other.
pub(super) const NO_EXCHANGE: &str = "no-exchange";
/// Everybody has the right to run a turn, whoever runs one.
pub(super) const TURNS_AT_ONCE: &str = "turns-at-once";
/// A wish to stop an answer stays where it was said.
pub(super) const STOP_STAYS_HERE: &str = "stop-stays-here";
/// After an outage all go on as if nothing had been missed.
pub(super) const OUTAGE_FORGOTTEN: &str = "outage-forgotten";
/// Without the exchange nobody is told anything.
pub(super) const WAITS_FOR_EXCHANGE: &str = "waits-for-exchange";

/// A right that was taken once is free when it is given back, and not before.
pub(super) const RIGHT_FOR_EVER: &str = "right-for-ever";

/// News that may wait on the line.
const NEWS_MAX: usize = 64;

/// An exchange as one replica has it.
#[derive(Clone, Debug)]
pub(super) struct OverLine {
    exchange: Arc<MemoryExchange>,
    clock: SharedClock,
    line: Line,
    /// How long a call may take.
    patience: Duration,
    twist: Option<&'static str>,
}

/// Returns what a replica exchanges with the others, weakened if the part is that.
pub(super) fn exchange(
    part: Option<&str>,
    exchange: &Arc<MemoryExchange>,
    (clock, line, patience): (SharedClock, Line, Duration),
) -> Option<SharedExchange> {
    let twists = [TURNS_AT_ONCE, STOP_STAYS_HERE, OUTAGE_FORGOTTEN, WAITS_FOR_EXCHANGE, RIGHT_FOR_EVER];
    let twist = twists.into_iter().find(|twist| part == Some(twist));
    let over_line = OverLine { exchange: Arc::clone(exchange), clock, line, patience, twist };
    (part != Some(NO_EXCHANGE)).then(|| Arc::new(over_line) as SharedExchange)
}

impl OverLine {
    /// Does a call as the weather is.
    async fn pass<T>(&self, call: impl Future<Output = Exchanged<T>> + Send) -> Exchanged<T> {
        let weather = *self.line.watch().borrow();
        match weather {
            Weather::Clear => call.await,
            _ if self.twist == Some(WAITS_FOR_EXCHANGE) => {
                // The line is sound again one day.
                let _ = self.line.watch().wait_for(|weather| *weather == Weather::Clear).await;
                call.await
            }
            Weather::Cut | Weather::Full => Err(Unreachable),
            Weather::Delayed(by) if by < self.patience => {
                self.clock.sleep(by).await;
                call.await
            }
            // It arrives, and its answer comes too late.
            Weather::Delayed(_) => {
                self.clock.sleep(self.patience).await;
                let _ = call.await;
                Err(Unreachable)
            }
            Weather::Stalled => {
                self.clock.sleep(self.patience).await;
                Err(Unreachable)
            }
        }
    }
}

/// Hands news on as the weather is; what gets lost is said to be missed when it is clear again.
async fn hand_on(mut from: Listening, to: broadcast::Sender<News>, (clock, line): (SharedClock, Line)) {
    let mut weather = line.watch();
    let mut has_missed = false;
    let mut late: VecDeque<(Instant, News)> = VecDeque::new();
    loop {
        let due = late.front().map(|(due, _)| *due);
        tokio::select! {
            biased;
            changed = weather.changed() => {
                if changed.is_err() {
                    return;
                }
                let passes = matches!(*weather.borrow_and_update(), Weather::Clear | Weather::Delayed(_));
                if passes && std::mem::take(&mut has_missed) {
                    late.push_back((clock.now(), News::Missed));
                }
            }
            () = clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {
                // Whoever listened may just have left.
                let _ = late.pop_front().map(|(_, news)| to.send(news));
            }
            news = from.next(), if late.len() < NEWS_MAX => match *weather.borrow() {
                Weather::Clear => late.push_back((clock.now(), news)),
                Weather::Delayed(by) => late.push_back((clock.now() + by, news)),
                Weather::Cut | Weather::Stalled | Weather::Full => has_missed = true,
            },
        }
    }
}

/// Ends what hands news on.
struct End(JoinHandle<()>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[async_trait]
impl Exchange for OverLine {
    async fn open(&self, user: UserId, seen: &Place, fresh: Option<&str>) -> Exchanged<Option<Page>> {
        self.pass(self.exchange.open(user, seen, fresh)).await
    }

    async fn append(&self, user: UserId, epoch: &str, told: (&str, &[Item])) -> Exchanged<Appended> {
        self.pass(self.exchange.append(user, epoch, told)).await
    }

    async fn renew(&self, user: UserId, place: &Place, draft: Option<&Draft>) -> Exchanged<()> {
        if self.twist == Some(OUTAGE_FORGOTTEN) {
            return Ok(());
        }
        self.pass(self.exchange.renew(user, place, draft)).await
    }

    async fn listen(&self, user: UserId) -> Exchanged<Listening> {
        let from = self.pass(self.exchange.listen(user)).await?;
        let (to, news) = broadcast::channel(NEWS_MAX);
        let handing = tokio::spawn(hand_on(from, to, (SharedClock::clone(&self.clock), self.line.clone())));
        Ok(Listening::new(news, Box::new(End(handing))))
    }

    async fn stop(&self, user: UserId, reply: MessageId) -> Exchanged<()> {
        if self.twist == Some(STOP_STAYS_HERE) {
            return Ok(());
        }
        self.pass(self.exchange.stop(user, reply)).await
    }

    async fn hold(&self, user: UserId, holder: &str, life: Duration) -> Exchanged<bool> {
        if self.twist == Some(TURNS_AT_ONCE) {
            return Ok(true);
        }
        let life = if self.twist == Some(RIGHT_FOR_EVER) { Duration::from_hours(24 * 365) } else { life };
        self.pass(self.exchange.hold(user, holder, life)).await
    }

    async fn release(&self, user: UserId, holder: &str) -> Exchanged<()> {
        self.pass(self.exchange.release(user, holder)).await
    }
}
