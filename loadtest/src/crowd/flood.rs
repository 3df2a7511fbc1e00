//! A flood: more messages at once than a user may send, and an exact account of what became of them.
//!
//! A limit that lets so many through at once and one more after each while has no choice: of a flood it handles that
//! many and one for each while that the flood lasted. How long it lasted for the server is known between two bounds:
//! from the first answer to the last question at least, from the first question to the last answer at most.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use clock::{Instant, timeout_at};
use futures_util::{SinkExt as _, StreamExt as _, future::join};
use tokio_tungstenite::tungstenite::Message;

use super::{
    profile::Flood,
    promise::Promise,
    recorder::{Ended, Recorder, count, count_more},
    seat::Seat,
    socket::Socket,
    stage::Stage,
    turn::Heard,
};

/// How often it is looked whether it is measured.
const LOOK: Duration = Duration::from_millis(5);
/// Refusals by the limit carry this code.
const LIMITED: &str = "rate_limited";

/// What became of a flood.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) handled: u64,
    pub(crate) refused: u64,
    /// Refused for another reason.
    pub(crate) others: u64,
    /// Answers that were broken, and messages that never ended.
    pub(crate) broken: u64,
    /// All refusals by their code.
    reasons: BTreeMap<String, u64>,
    first_answer: Option<Instant>,
    last_answer: Option<Instant>,
}

/// Floods once, when it is measured. Returns how long it took; nothing when it is over before.
pub(crate) async fn play(stage: &Stage, seat: &mut Seat, flood: &Flood) -> Option<(Duration, Account)> {
    while stage.recorder.seen().windows.len() <= seat.step {
        if stage.rest(LOOK).await {
            return None;
        }
    }
    if !seat.come_back(stage).await {
        return None;
    }
    seat.overhear(stage);
    let (mut sink, mut answers) = seat.socket.take()?.split();
    stage.recorder.seen().running += 1;
    let begun = stage.recorder.now();
    let (n, content) = (seat.n, seat.question.clone());
    let asking = async {
        for nth in 0..flood.messages {
            if sink.send(stage.question(&content, &stage.message_id(n, nth))).await.is_err() {
                break;
            }
        }
        stage.recorder.now()
    };
    let mut account = Account::default();
    let (asked, lost) = join(asking, account.read(stage, seat, (&mut answers, flood.messages))).await;
    account.judge(stage, seat, (flood, begun, asked));
    seat.socket = sink.reunite(answers).ok();
    account.broken += flood.messages.saturating_sub(account.ended());
    if let Some(how) = lost {
        seat.lose(stage, &how);
    }
    let took = stage.recorder.now().since(begun);
    stage.recorder.flooded(&account, begun);
    Some((took, account))
}

type Answers = futures_util::stream::SplitStream<Socket>;

impl Account {
    /// Reads until every message has its end. Says how the socket was lost, if it was.
    async fn read(
        &mut self,
        stage: &Stage,
        seat: &mut Seat,
        (answers, messages): (&mut Answers, u64),
    ) -> Option<String> {
        let limit = stage.recorder.now() + stage.patience;
        let mut heard = Heard::default();
        while self.ended() < messages {
            let text = match timeout_at(stage.clock(), limit, answers.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => text,
                Ok(Some(Ok(Message::Close(reason)))) => {
                    return Some(format!("closed in a flood: {reason:?}"));
                }
                Ok(Some(Ok(_))) => continue,
                Ok(Some(Err(error))) => return Some(error.to_string()),
                Ok(None) => return Some("the connection ended in a flood".to_owned()),
                Err(_) => return None,
            };
            let now = stage.recorder.now();
            self.first_answer.get_or_insert(now);
            if let Some(ended) = heard.take(stage, seat, &text) {
                self.last_answer = Some(now);
                // A refusal may come between two pieces of an answer to another message.
                if !matches!(ended, Ended::Refused(_)) {
                    heard = Heard::default();
                }
                self.count(&ended);
            }
        }
        None
    }

    fn count(&mut self, ended: &Ended) {
        match ended {
            Ended::Whole | Ended::Instead => self.handled += 1,
            Ended::Left | Ended::Broken => self.broken += 1,
            Ended::Refused(code) => {
                count(&mut self.reasons, code);
                if code == LIMITED { self.refused += 1 } else { self.others += 1 }
            }
        }
    }

    /// Returns of how many messages it is known what became of them.
    const fn ended(&self) -> u64 {
        self.handled + self.refused + self.others + self.broken
    }

    /// Holds the account against what was sent and what the limit lets through.
    fn judge(&self, stage: &Stage, seat: &Seat, (flood, begun, asked): (&Flood, Instant, Instant)) {
        let ended = self.ended();
        for _ in ended..flood.messages {
            stage.recorder.broke(Promise::Ended, || {
                format!("user {}: {ended} of {} messages of a flood got an end", seat.n, flood.messages)
            });
        }
        let shortest = self.first_answer.map_or(Duration::ZERO, |first| asked.since(first));
        let longest = self.last_answer.unwrap_or(asked).since(begun);
        let due = allowed(flood, shortest, longest);
        if !due.contains(&self.handled) {
            let (least, most) = due.into_inner();
            stage.recorder.broke(Promise::ExactLimit, || {
                let (Self { handled, refused, .. }, others) = (self, self.others + self.broken);
                format!(
                    "user {}: of {} messages within {longest:?} {handled} were handled, {refused} refused and {others} \
                     neither; the limit lets {least} to {most} through",
                    seat.n, flood.messages
                )
            });
        }
    }
}

/// Returns how many messages the limit lets through of a flood that lasted so long.
fn allowed(flood: &Flood, shortest: Duration, longest: Duration) -> RangeInclusive<u64> {
    let through = |lasted: Duration| {
        let more = lasted.as_nanos() / flood.refill.as_nanos().max(1);
        flood.burst.saturating_add(u64::try_from(more).unwrap_or(u64::MAX)).min(flood.messages)
    };
    through(shortest)..=through(longest)
}

impl Recorder {
    /// Keeps an account.
    fn flooded(&self, account: &Account, begun: Instant) {
        let now = self.now();
        let mut seen = self.seen();
        seen.running = seen.running.saturating_sub(1);
        if let Some(sums) = seen.measured(begun) {
            sums.turns += account.handled;
        }
        if let Some(sums) = seen.measured(now) {
            sums.worked += account.handled;
        }
        seen.second.turns += account.handled;
        seen.second.refused += account.refused + account.others;
        for (reason, times) in &account.reasons {
            count_more(&mut seen.refused, reason, *times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: Flood =
        Flood { messages: 100, burst: 10, refill: Duration::from_secs(6), message: String::new() };

    #[test]
    fn a_short_flood_gets_the_burst_and_not_one_more_l1() {
        assert_eq!(allowed(&FLOOD, Duration::from_millis(900), Duration::from_millis(1100)), 10..=10);
    }

    #[test]
    fn a_long_flood_gets_one_more_for_each_while_that_it_lasted_l1() {
        assert_eq!(allowed(&FLOOD, Duration::from_secs(13), Duration::from_secs(17)), 12..=12);
        assert_eq!(allowed(&FLOOD, Duration::from_millis(5900), Duration::from_millis(6100)), 10..=11);
        assert_eq!(allowed(&FLOOD, Duration::from_hours(1), Duration::from_hours(2)), 100..=100);
    }
}
