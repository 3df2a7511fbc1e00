//! Brings what is told in a room to the other replicas, and what is told there to the room.
//!
//! Nobody waits for it: as long as the exchange does not answer, the room goes on alone. When it answers again, and
//! something was told meanwhile that the others do not know, the log is begun anew and all devices are told so.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use clock::{Instant, SharedClock};

use super::{
    Command, Inner, Room, Stream, Wish,
    stream::{BATCH_MAX, OUTBOX_MAX, Renewal},
};
use crate::{
    chat::turns::RIGHT_LIFE,
    exchange::{Appended, Exchanged, Listening, News, SharedExchange, Unreachable},
    ids::{MessageId, UserId},
    shared::REST,
};

/// After so long without a piece it is asked whether the replica that runs an answer is still there.
const SILENCE: Duration = RIGHT_LIFE;
/// Batches that are brought in a row: all that waited when the first was.
const BATCHES_MAX: usize = OUTBOX_MAX / BATCH_MAX + 1;
/// How often a log may be found gone while something is added to it, until the exchange counts as not answering.
const GONE_MAX: usize = 3;

/// The way between a room and an exchange.
pub(super) struct Relay {
    pub(super) exchange: SharedExchange,
    pub(super) clock: SharedClock,
    /// What this replica is called.
    pub(super) name: Arc<str>,
    pub(super) user: UserId,
    pub(super) room: Weak<Inner>,
    pub(super) stream: Arc<Stream>,
    pub(super) ear: Option<Listening>,
    /// When the exchange is asked again that did not answer.
    pub(super) retry_at: Option<Instant>,
}

/// What the loop woke up for.
enum Wake {
    Asked,
    Retry,
    News(News),
    Silence,
}

impl Relay {
    /// Attends to the room until it is forgotten or the server stops.
    pub(super) async fn run(mut self) {
        self.share(Wake::Retry).await;
        while !self.stream.is_closed() {
            let wake = self.wake().await;
            self.share(wake).await;
        }
        // What came last is brought, if it can be; whoever still waits is not to wait for ever.
        let _ = self.bring(true).await;
        self.stream.looked(u64::MAX);
    }

    /// Waits for the next thing to happen. Cancellation-safe.
    async fn wake(&mut self) -> Wake {
        let is_apart = self.stream.is_apart();
        let retry_at = *self.retry_at.get_or_insert(self.clock.now() + REST);
        if !is_apart {
            self.retry_at = None;
        }
        let ear = &mut self.ear;
        let news = async {
            match ear {
                Some(ear) => ear.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.clock.sleep_until(retry_at), if is_apart => Wake::Retry,
            news = news => Wake::News(news),
            () = self.stream.woken() => Wake::Asked,
            () = self.clock.sleep(SILENCE), if self.stream.follows_others() => Wake::Silence,
        }
    }

    async fn share(&mut self, wake: Wake) {
        let asked = self.stream.asked();
        // Who is apart comes back at its own pace.
        let waits = self.stream.is_apart() && !matches!(wake, Wake::Retry);
        let looks = match wake {
            Wake::News(News::Stop(reply)) => return self.stop(reply),
            Wake::Silence => {
                if self.end_if_abandoned().await.is_err() {
                    self.stream.go_apart();
                }
                return;
            }
            Wake::News(News::Told { by, .. }) if *by == *self.name => return,
            Wake::News(News::Told { behind, items, .. }) => !self.stream.heard(&behind, items),
            Wake::News(News::Renewed | News::Missed) | Wake::Retry => true,
            Wake::Asked => asked.is_some(),
        };
        if !waits {
            self.retry_at = None;
            if self.bring(looks).await.is_err() {
                self.stream.go_apart();
            }
        }
        if let Some(asked) = asked {
            self.stream.looked(asked);
        }
    }

    /// Looks what there is, if that is wanted, and brings what waits now.
    async fn bring(&mut self, looks: bool) -> Exchanged<()> {
        if looks {
            self.look().await?;
        }
        if let Some(reply) = self.stream.to_stop() {
            self.exchange.stop(self.user, reply).await?;
        }
        let mut gone = 0;
        for _ in 0..BATCHES_MAX {
            let Some((epoch, items)) = self.stream.batch() else { return Ok(()) };
            match self.exchange.append(self.user, &epoch, (&self.name, &items)).await? {
                Appended::Behind(offset) => {
                    if !self.stream.placed(offset) {
                        self.look().await?;
                    }
                }
                Appended::Gone if gone == GONE_MAX => return Err(Unreachable),
                Appended::Gone => {
                    gone += 1;
                    self.look().await?;
                }
            }
        }
        // What came meanwhile waits for its turn, behind what others tell.
        self.stream.nudge();
        Ok(())
    }

    /// Takes the end of the log; begins it anew if something is missing in it.
    async fn look(&mut self) -> Exchanged<()> {
        if self.ear.is_none() {
            self.ear = Some(self.exchange.listen(self.user).await?);
        }
        let (seen, fresh) = self.stream.question();
        let page = self.exchange.open(self.user, &seen, fresh.as_deref()).await?;
        if let Some(Renewal { place, draft, has_missed }) = self.stream.take_page(page) {
            self.exchange.renew(self.user, &place, draft.as_ref()).await?;
            self.stream.renewed(has_missed);
        }
        Ok(())
    }

    /// Ends the answer of another replica for those who wait for it, if that replica is gone: then nobody has the right
    /// to the turn. What was shown of it is lost with the replica.
    async fn end_if_abandoned(&mut self) -> Exchanged<()> {
        if !self.exchange.hold(self.user, &self.name, RIGHT_LIFE).await? {
            return Ok(());
        }
        let ended = self.end_abandoned().await;
        // If the exchange does not answer, the right is free after its life.
        let _ = self.exchange.release(self.user, &self.name).await;
        ended
    }

    /// Ends it, unless its end is told by now.
    async fn end_abandoned(&mut self) -> Exchanged<()> {
        self.look().await?;
        if self.stream.follows_others() {
            metrics::counter!("turns_abandoned_total").increment(1);
            self.stream.break_off();
            self.bring(false).await?;
        }
        Ok(())
    }

    /// Stops an answer, if it runs here.
    fn stop(&self, reply: MessageId) {
        let Some(room) = self.room.upgrade().map(Room) else { return };
        if let Some(commands) = room.entrance().commands.upgrade() {
            // With too many frames before it, the answer goes on; whoever wants it stopped asks again.
            let stop = Command { device: 0, caller: None, wish: Wish::Stop(reply) };
            let _ = commands.try_send(Box::new(stop));
        }
    }
}

#[cfg(test)]
mod tests;
