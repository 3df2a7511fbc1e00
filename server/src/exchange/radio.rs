//! Hears what is published to the channels that somebody listens to, over one connection to Redis for all of them.
//!
//! When the connection is lost it is made anew, and everybody is told that something may have been missed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clock::{SharedClock, timeout};
use futures_util::StreamExt;
use redis::{
    Msg,
    aio::{PubSub, PubSubSink},
};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Exchanged, Listening, NEWS_MAX, News, Unreachable};
use crate::shared::{REST, Redis};

/// After so long without news it is asked whether the connection still stands.
const PING_EVERY: Duration = Duration::from_secs(1);

/// A receiver. It is silent when dropped.
#[derive(Debug)]
pub(super) struct Radio {
    air: Air,
    _end: DropGuard,
}

/// What its task knows. `Clone` shares it.
#[derive(Clone, Debug)]
struct Air {
    redis: Redis,
    clock: SharedClock,
    channels: Arc<Mutex<Channels>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Channels {
    wanted: HashMap<String, Channel>,
    /// Those that are wanted or not wanted since they were last looked at.
    changed: HashSet<String>,
}

#[derive(Debug)]
struct Channel {
    news: broadcast::Sender<News>,
    is_heard: watch::Sender<bool>,
    /// Whether it was heard before, and then not.
    was_lost: bool,
}

/// The connection is gone.
struct Lost;

impl Radio {
    /// Begins to receive. Needs a tokio runtime.
    pub(super) fn new(redis: Redis, clock: SharedClock) -> Self {
        let air = Air { redis, clock, channels: Arc::default(), changed: Arc::default() };
        let end = CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(air.clone().receive()));
        Self { air, _end: end.drop_guard() }
    }

    /// Returns news as they are published without a place.
    pub(super) fn written(news: &News) -> String {
        serde_json::to_string(news).unwrap_or_default()
    }

    /// Listens to a channel, as soon as it is heard.
    pub(super) async fn listen(&self, channel: String) -> Exchanged<Listening> {
        let (news, mut is_heard) = self.air.want(&channel);
        let end = Box::new(End { air: self.air.clone(), channel });
        let listening = Listening::new(news, end);
        let heard = is_heard.wait_for(|is_heard| *is_heard);
        match timeout(&*self.air.clock, self.air.redis.patience(), heard).await {
            Ok(Ok(_)) => Ok(listening),
            _ => Err(Unreachable),
        }
    }
}

/// Wants a channel no longer when dropped, unless others listen.
struct End {
    air: Air,
    channel: String,
}

impl Drop for End {
    fn drop(&mut self) {
        let mut channels = self.air.channels();
        if channels.wanted.get(&self.channel).is_some_and(|channel| channel.news.receiver_count() == 0) {
            channels.wanted.remove(&self.channel);
            channels.changed.insert(std::mem::take(&mut self.channel));
            self.air.changed.notify_one();
        }
    }
}

impl Air {
    fn want(&self, name: &str) -> (broadcast::Receiver<News>, watch::Receiver<bool>) {
        let mut channels = self.channels();
        if !channels.wanted.contains_key(name) {
            channels.changed.insert(name.to_owned());
            self.changed.notify_one();
        }
        let channel = channels.wanted.entry(name.to_owned()).or_insert_with(|| Channel {
            news: broadcast::Sender::new(NEWS_MAX),
            is_heard: watch::Sender::new(false),
            was_lost: false,
        });
        (channel.news.subscribe(), channel.is_heard.subscribe())
    }

    async fn receive(self) {
        loop {
            if let Ok(Ok(connection)) = timeout(&*self.clock, REST, self.redis.hearing()).await {
                let Lost = self.hear(connection).await;
                metrics::counter!("redis_lost_total").increment(1);
                tracing::warn!("what other replicas tell is not heard until Redis answers again");
            }
            self.lost();
            self.clock.sleep(REST).await;
        }
    }

    /// Hears until the connection is gone.
    async fn hear(&self, connection: PubSub) -> Lost {
        let (mut sink, mut messages) = connection.split();
        self.all_changed();
        loop {
            tokio::select! {
                biased;
                message = messages.next() => match message {
                    Some(message) => self.heard(&message),
                    None => return Lost,
                },
                () = self.changed.notified() => {
                    if self.tune(&mut sink).await.is_err() {
                        return Lost;
                    }
                }
                () = self.clock.sleep(PING_EVERY) => {
                    let answered = timeout(&*self.clock, self.redis.patience(), sink.ping::<redis::Value>());
                    if !matches!(answered.await, Ok(Ok(_))) {
                        return Lost;
                    }
                }
            }
        }
    }

    fn heard(&self, message: &Msg) {
        let channels = self.channels();
        let Some(channel) = channels.wanted.get(message.get_channel_name()) else { return };
        // News that cannot be read are of a newer version.
        let news =
            std::str::from_utf8(message.get_payload_bytes()).ok().and_then(read).unwrap_or(News::Missed);
        // Whoever listened may just have left.
        let _ = channel.news.send(news);
    }

    /// Subscribes to what is wanted since, and no longer to what is not.
    async fn tune(&self, sink: &mut PubSubSink) -> Result<(), Lost> {
        let (on, off) = self.take_changed();
        let work = async {
            if !off.is_empty() {
                sink.unsubscribe(&off).await?;
            }
            if !on.is_empty() {
                sink.subscribe(&on).await?;
            }
            Ok::<_, redis::RedisError>(())
        };
        // So much longer than one call: at a start there may be thousands of channels.
        match timeout(&*self.clock, self.redis.patience() + REST, work).await {
            Ok(Ok(())) => {}
            _ => return Err(Lost),
        }
        let mut channels = self.channels();
        for name in on {
            if let Some(channel) = channels.wanted.get_mut(&name) {
                channel.is_heard.send_replace(true);
                if std::mem::take(&mut channel.was_lost) {
                    let _ = channel.news.send(News::Missed);
                }
            }
        }
        Ok(())
    }

    fn take_changed(&self) -> (Vec<String>, Vec<String>) {
        let mut channels = self.channels();
        let changed = std::mem::take(&mut channels.changed);
        changed.into_iter().partition(|name| channels.wanted.contains_key(name))
    }

    fn all_changed(&self) {
        let mut channels = self.channels();
        channels.changed = channels.wanted.keys().cloned().collect();
        self.changed.notify_one();
    }

    fn lost(&self) {
        for channel in self.channels().wanted.values_mut() {
            channel.was_lost |= channel.is_heard.send_replace(false);
        }
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads news; what was told has its place before it.
fn read(text: &str) -> Option<News> {
    let (place, news) = match text.split_once(' ') {
        Some((place, news)) if !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit()) => {
            (place.parse().ok()?, news)
        }
        _ => (0, text),
    };
    let mut news = serde_json::from_str(news).ok()?;
    if let News::Told { behind, .. } = &mut news {
        behind.offset = place;
    }
    Some(news)
}
