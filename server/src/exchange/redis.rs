//! An exchange in Redis, for servers of several processes.
//!
//! A user's log is a list beside a hash with its place, the draft a string; they go when nothing was told for as long as
//! a device may be away. What is told is published in the same step in which it is kept, so that all who listen hear it
//! in the order of the log. Time comes in as a parameter.

use std::time::Duration;

use ::redis::Script;
use async_trait::async_trait;
use clock::SharedClock;
use jiff::Timestamp;

use super::{
    Appended, Draft, Entry, Exchange, Exchanged, Item, LOG_BYTES_MAX, Listening, News, Page, Place, Window,
    radio::Radio,
};
use crate::{
    ids::{MessageId, UserId},
    shared::Redis,
};

/// Returns a log, begun if there is none and an epoch for it is given: epoch, offset, texts, answer and text of the draft.
const OPEN: &str = r"
local place, log, draft = KEYS[1], KEYS[2], KEYS[3]
local seen, offset_seen, fresh, life, channel, news = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local epoch = redis.call('HGET', place, 'epoch')
if not epoch then
    if fresh == '' then return false end
    epoch = fresh
    redis.call('DEL', log, draft)
    redis.call('HSET', place, 'epoch', epoch, 'offset', 0, 'bytes', 0)
    redis.call('PUBLISH', channel, news)
end
redis.call('PEXPIRE', place, life)
local offset = tonumber(redis.call('HGET', place, 'offset'))
local unseen = epoch == seen and offset - offset_seen or offset
local texts = unseen > 0 and redis.call('LRANGE', log, -unseen, -1) or {}
return { epoch, offset, texts, redis.call('HGET', place, 'draft') or '', redis.call('GET', draft) or '' }
";

/// Adds to the log of an epoch; returns the offset before it, or -1 if there is no such log. Items come in fours: the
/// answer that it is about, where it begins in it and where it ends, and the text. What is kept begins nowhere, and ends
/// in `forgets` where all that was kept before it is forgotten.
const APPEND: &str = r"
local place, log, draft = KEYS[1], KEYS[2], KEYS[3]
local now, epoch, frames, most, life, channel, news = unpack(ARGV, 1, 7)
if redis.call('HGET', place, 'epoch') ~= epoch then return -1 end
local behind = tonumber(redis.call('HGET', place, 'offset'))
local bytes = redis.call('LLEN', log) > 0 and tonumber(redis.call('HGET', place, 'bytes')) or 0
local offset = behind
local drawn, length = unpack(redis.call('HMGET', place, 'draft', 'length'))
for n = 8, #ARGV, 4 do
    local of, from, to, text = unpack(ARGV, n, n + 3)
    if from == '' then
        if to == 'forgets' then
            redis.call('DEL', log)
            bytes = 0
        end
        redis.call('RPUSH', log, now .. ' ' .. text)
        offset, bytes = offset + 1, bytes + #text
        if of ~= '' and drawn == of then drawn, length = '', '' end
    elseif from == '0' then
        redis.call('SET', draft, text)
        drawn, length = of, to
    elseif drawn == of and length == from then
        redis.call('APPEND', draft, text)
        length = to
    else
        drawn, length = '', ''
    end
end
while redis.call('LLEN', log) > tonumber(frames) or bytes > tonumber(most) do
    local oldest = redis.call('LPOP', log)
    if not oldest then break end
    bytes = bytes - (#oldest - string.find(oldest, ' ', 1, true))
end
redis.call('HSET', place, 'offset', offset, 'bytes', bytes, 'draft', drawn or '', 'length', length or '')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, life) end
redis.call('PUBLISH', channel, string.format('%d', behind) .. ' ' .. news)
return behind
";

/// Begins a log at a place, with this draft if there is one.
const RENEW: &str = r"
local place, log, draft = KEYS[1], KEYS[2], KEYS[3]
local epoch, offset, drawn, length, text, life, channel, news = unpack(ARGV, 2, 9)
redis.call('DEL', log)
redis.call('HSET', place, 'epoch', epoch, 'offset', offset, 'bytes', 0, 'draft', drawn, 'length', length)
redis.call('PEXPIRE', place, life)
redis.call('SET', draft, text, 'PX', life)
return redis.call('PUBLISH', channel, news)
";

/// Takes a right unless another has it.
const HOLD: &str = r"
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
";

/// Gives a right back, if it is this holder's.
const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])
";

/// Tells whoever listens.
const TELL: &str = "return redis.call('PUBLISH', ARGV[2], ARGV[3])";

/// Logs and rights in Redis.
#[derive(Debug)]
pub struct RedisExchange {
    redis: Redis,
    window: Window,
    radio: Radio,
    scripts: Scripts,
}

#[derive(Debug)]
struct Scripts {
    open: Script,
    append: Script,
    renew: Script,
    hold: Script,
    release: Script,
    tell: Script,
}

impl RedisExchange {
    /// Exchanges through this Redis; a second connection hears what others tell. Needs a tokio runtime.
    pub fn new(redis: Redis, clock: SharedClock, window: Window) -> Self {
        let scripts = Scripts {
            open: Script::new(OPEN),
            append: Script::new(APPEND),
            renew: Script::new(RENEW),
            hold: Script::new(HOLD),
            release: Script::new(RELEASE),
            tell: Script::new(TELL),
        };
        let radio = Radio::new(redis.clone(), clock);
        Self { redis, window, radio, scripts }
    }

    fn life(&self) -> String {
        self.window.life.as_millis().to_string()
    }
}

/// Returns the keys of a user's log. The braces keep them on one node of a cluster.
fn log_keys(user: UserId) -> [String; 3] {
    ["place", "log", "draft"].map(|part| format!("gauntlet:1:{{{user}}}:{part}"))
}

fn turn_key(user: UserId) -> String {
    format!("gauntlet:1:{{{user}}}:turn")
}

fn channel(user: UserId) -> String {
    format!("gauntlet:1:{{{user}}}:news")
}

/// Returns an item as [`APPEND`] takes it.
fn foursome(item: &Item) -> [String; 4] {
    match item {
        Item::Kept { text, ends, forgets } => {
            let of = ends.map(|of| of.to_string()).unwrap_or_default();
            let to = if *forgets { "forgets" } else { "" };
            [of, String::new(), to.to_owned(), text.clone()]
        }
        Item::Piece { of, index, text } => {
            let end = index + text.chars().count();
            [of.to_string(), index.to_string(), end.to_string(), text.clone()]
        }
    }
}

fn entry(text: &str) -> Option<Entry> {
    let (at, text) = text.split_once(' ')?;
    let at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
    Some(Entry { at, text: text.to_owned() })
}

#[async_trait]
impl Exchange for RedisExchange {
    async fn open(&self, user: UserId, seen: &Place, fresh: Option<&str>) -> Exchanged<Option<Page>> {
        type Opened = Option<(String, u64, Vec<String>, String, String)>;
        let (offset, life, channel) = (seen.offset.to_string(), self.life(), channel(user));
        let fresh = fresh.unwrap_or_default();
        let news = Radio::written(&News::Renewed);
        let arguments = [&seen.epoch, &offset, fresh, &life, &channel, &news].map(str::to_owned);
        let opened: Opened = self.redis.run(&self.scripts.open, &log_keys(user), &arguments).await?;
        Ok(opened.map(|(epoch, offset, texts, drawn, text)| Page {
            place: Place { epoch, offset },
            entries: texts.iter().filter_map(|text| entry(text)).collect(),
            draft: drawn.parse().ok().map(|of| Draft { of, text }),
        }))
    }

    async fn append(&self, user: UserId, epoch: &str, (by, items): (&str, &[Item])) -> Exchanged<Appended> {
        let behind = Place { epoch: epoch.to_owned(), offset: 0 };
        let news = Radio::written(&News::Told { behind, by: by.to_owned(), items: items.to_vec() });
        let (frames, most) = (self.window.frames.to_string(), LOG_BYTES_MAX.to_string());
        let mut arguments = vec![epoch.to_owned(), frames, most, self.life(), channel(user), news];
        arguments.extend(items.iter().flat_map(foursome));
        let behind: i64 = self.redis.run(&self.scripts.append, &log_keys(user), &arguments).await?;
        Ok(u64::try_from(behind).map_or(Appended::Gone, Appended::Behind))
    }

    async fn renew(&self, user: UserId, place: &Place, draft: Option<&Draft>) -> Exchanged<()> {
        let of = draft.map(|draft| draft.of.to_string()).unwrap_or_default();
        let text = draft.map(|draft| draft.text.clone()).unwrap_or_default();
        let length = text.chars().count().to_string();
        let (offset, news) = (place.offset.to_string(), Radio::written(&News::Renewed));
        let arguments = [place.epoch.clone(), offset, of, length, text, self.life(), channel(user), news];
        self.redis.run::<i64>(&self.scripts.renew, &log_keys(user), &arguments).await.map(drop)
    }

    async fn listen(&self, user: UserId) -> Exchanged<Listening> {
        self.radio.listen(channel(user)).await
    }

    async fn stop(&self, user: UserId, reply: MessageId) -> Exchanged<()> {
        let arguments = [channel(user), Radio::written(&News::Stop(reply))];
        self.redis.run::<i64>(&self.scripts.tell, &[], &arguments).await.map(drop)
    }

    async fn hold(&self, user: UserId, holder: &str, life: Duration) -> Exchanged<bool> {
        let arguments = [holder.to_owned(), life.as_millis().to_string()];
        self.redis.run(&self.scripts.hold, &[turn_key(user)], &arguments).await
    }

    async fn release(&self, user: UserId, holder: &str) -> Exchanged<()> {
        let arguments = [holder.to_owned()];
        self.redis.run::<i64>(&self.scripts.release, &[turn_key(user)], &arguments).await.map(drop)
    }
}
