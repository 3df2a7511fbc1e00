//! Rooms of one user at several replicas, with an exchange between them that is not always there.

use std::{collections::BTreeSet, sync::Mutex};

use async_trait::async_trait;
use clock::{Clock, ManualClock};
use proptest::prelude::*;
use serde_json::Value;
use tokio::sync::broadcast;

use super::*;
use crate::{
    chat::{
        room::{Attached, Rooms, Word, tests::done},
        v1::Outgoing,
    },
    exchange::{Draft, Exchange, Item, MemoryExchange, Page, Place, Window},
};

/// A replica's line to the exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Sound,
    /// Nothing arrives.
    Cut,
    /// What is asked for happens, and no answer comes.
    Mute,
}

fn answered<T>(line: Line, answer: T) -> Exchanged<T> {
    if line == Line::Sound { Ok(answer) } else { Err(Unreachable) }
}

/// An exchange behind a line.
#[derive(Clone, Debug)]
struct Behind {
    exchange: Arc<MemoryExchange>,
    line: Arc<Mutex<Line>>,
}

impl Behind {
    /// Returns what the line is, if anything arrives at its other end.
    fn reach(&self) -> Exchanged<Line> {
        let line = *self.line.lock().unwrap();
        if line == Line::Cut { Err(Unreachable) } else { Ok(line) }
    }
}

#[async_trait]
impl Exchange for Behind {
    async fn open(&self, user: UserId, seen: &Place, fresh: Option<&str>) -> Exchanged<Option<Page>> {
        let line = self.reach()?;
        answered(line, self.exchange.open(user, seen, fresh).await?)
    }

    async fn append(&self, user: UserId, epoch: &str, told: (&str, &[Item])) -> Exchanged<Appended> {
        let line = self.reach()?;
        answered(line, self.exchange.append(user, epoch, told).await?)
    }

    async fn renew(&self, user: UserId, place: &Place, draft: Option<&Draft>) -> Exchanged<()> {
        let line = self.reach()?;
        answered(line, self.exchange.renew(user, place, draft).await?)
    }

    async fn listen(&self, user: UserId) -> Exchanged<Listening> {
        let line = self.reach()?;
        let mut inner = self.exchange.listen(user).await?;
        let (sender, news) = broadcast::channel(64);
        let behind = self.clone();
        let passing = tokio::spawn(async move {
            let mut has_missed = false;
            loop {
                let next = inner.next().await;
                let is_heard = behind.reach().is_ok();
                let next = if has_missed { News::Missed } else { next };
                has_missed = !is_heard;
                if is_heard {
                    let _ = sender.send(next);
                }
            }
        });
        answered(line, Listening::new(news, Box::new(passing)))
    }

    async fn stop(&self, user: UserId, reply: MessageId) -> Exchanged<()> {
        self.exchange.stop(user, reply).await
    }

    /// Whoever answers here lives, and has the right to it.
    async fn hold(&self, _: UserId, _: &str, _: Duration) -> Exchanged<bool> {
        Ok(false)
    }

    async fn release(&self, user: UserId, holder: &str) -> Exchanged<()> {
        self.exchange.release(user, holder).await
    }
}

/// One replica with a device.
struct Replica {
    line: Arc<Mutex<Line>>,
    stream: Arc<Stream>,
    _rooms: (Rooms, Room),
    device: Option<Attached>,
    client: Client,
}

/// What a client knows: it reads the history when it is told that something may be missing.
#[derive(Debug, Default)]
struct Client {
    epoch: String,
    offset: u64,
    notices: BTreeSet<String>,
    running: Option<(String, String)>,
}

impl Client {
    fn welcomed(&mut self, attached: &Attached, history: &BTreeSet<String>) {
        self.epoch.clone_from(&attached.epoch);
        if !attached.recovered {
            self.offset = attached.offset;
            self.notices.extend(history.iter().cloned());
            self.running = None;
        }
        attached.missed.iter().for_each(|told| self.take(&told.json, told.offset));
    }

    fn take(&mut self, json: &str, offset: Option<u64>) {
        let frame: Value = serde_json::from_str(json).unwrap();
        let text = |key: &str| frame[key].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str() {
            Some("chunk") if frame["index"] == 0 => self.running = Some((text("message_id"), text("text"))),
            Some("chunk") => {
                let (id, so_far) = self.running.as_mut().expect("a piece has pieces before it");
                assert_eq!(
                    (&*id, so_far.len() as u64),
                    (&text("message_id"), frame["index"].as_u64().unwrap())
                );
                so_far.push_str(&text("text"));
            }
            Some("snapshot") => self.running = Some((text("message_id"), text("text"))),
            Some("done") => {
                let (id, whole) = self.running.take().expect("an answer was told before its end");
                assert_eq!((id, whole.as_str()), (text("message_id"), "one two three"));
                self.notices.insert(text("message_id"));
            }
            _ => {
                self.notices.insert(text("text"));
            }
        }
        if let Some(offset) = offset {
            assert_eq!(offset, self.offset + 1, "a gap or a frame twice");
            self.offset = offset;
        }
    }
}

impl Replica {
    fn new(clock: &ManualClock, exchange: &Arc<MemoryExchange>, user: UserId) -> Self {
        let line = Arc::<Mutex<Line>>::default();
        let behind = Behind { exchange: Arc::clone(exchange), line: Arc::clone(&line) };
        let rooms = Rooms::new(Arc::new(clock.clone()), (WINDOW, 10), Some(Arc::new(behind)));
        let room = rooms.enter(user);
        room.stream().want();
        let stream = Arc::clone(room.stream());
        Self { line, stream, _rooms: (rooms, room), device: None, client: Client::default() }
    }

    async fn come(&mut self, history: &BTreeSet<String>) {
        settle().await;
        self.stream.up_to_date().await;
        let attached = self.stream.attach(Some((&self.client.epoch, self.client.offset)));
        self.client.welcomed(&attached, history);
        self.device = Some(attached);
    }

    /// Tells the next piece of an answer, or its end; returns whether there is more of it.
    async fn answer(&self, id: MessageId, piece: usize) -> bool {
        let next = ["one ", "two ", "three"].get(piece);
        if let Some(text) = next {
            let (index, text) = (self.stream.next_index(id), (*text).to_owned());
            self.stream.tell(&Outgoing::Chunk { message_id: id, index, text }, None);
        } else {
            self.stream.tell(&done(id), None);
            // The right to the next turn is given back after that.
            self.stream.all_told().await;
        }
        next.is_some()
    }

    fn hear(&mut self, history: &BTreeSet<String>) {
        let Some(device) = &mut self.device else { return };
        loop {
            match device.words.try_recv() {
                Ok(Word::Told(told)) => self.client.take(&told.json, told.offset),
                Ok(Word::Anew) => {
                    *device = self.stream.attach(None);
                    self.client.welcomed(device, history);
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

const WINDOW: Window = Window { frames: 1000, life: Duration::from_hours(1) };

/// Lets everything run that can.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Notice(usize),
    Answer(usize),
    Line(usize, Line),
    Leave(usize),
    Come(usize),
    /// The devices change places.
    Move,
    /// The second replica is killed.
    Die,
    Settle,
    Rest,
}

fn deed() -> impl Strategy<Value = Deed> {
    let line = prop_oneof![4 => Just(Line::Sound), 1 => Just(Line::Cut), 1 => Just(Line::Mute)];
    prop_oneof![
        3 => (0..2usize).prop_map(Deed::Notice),
        3 => (0..2usize).prop_map(Deed::Answer),
        2 => (0..2usize, line).prop_map(|(who, line)| Deed::Line(who, line)),
        1 => (0..2usize).prop_map(Deed::Leave),
        1 => (0..2usize).prop_map(Deed::Come),
        1 => Just(Deed::Move),
        1 => Just(Deed::Die),
        4 => Just(Deed::Settle),
        1 => Just(Deed::Rest),
    ]
}

/// What was told at each replica, and what each device knows in the end.
#[derive(Default)]
struct Ended {
    told: [BTreeSet<String>; 2],
    clients: Vec<Client>,
    has_died: bool,
}

impl Ended {
    /// Returns what is in the history: all that was told, wherever.
    fn history(&self) -> BTreeSet<String> {
        self.told.iter().flatten().cloned().collect()
    }
}

/// Plays the deeds, then lets everything heal but a replica that was killed; its device moves to the other.
async fn play(deeds: &[Deed]) -> Ended {
    let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
    let exchange = Arc::new(MemoryExchange::new(Arc::new(clock.clone()), WINDOW));
    let user = UserId::random();
    let mut replicas = [(); 2].map(|()| Replica::new(&clock, &exchange, user));
    let mut ended = Ended::default();
    for replica in &mut replicas {
        replica.come(&BTreeSet::new()).await;
    }
    // One turn at a time: an answer goes on, a piece each time.
    let mut running: Option<(usize, MessageId, usize)> = None;
    for (n, deed) in deeds.iter().enumerate() {
        match *deed {
            Deed::Notice(1) | Deed::Line(1, _) | Deed::Leave(1) | Deed::Come(1) | Deed::Move
                if ended.has_died => {}
            Deed::Notice(who) => {
                let text = format!("{n:03}");
                ended.told[who].insert(text.clone());
                replicas[who].stream.tell(&Outgoing::Notice { code: None, text, action: None }, None);
            }
            Deed::Answer(who) => {
                let who = if ended.has_died { 0 } else { who };
                let (who, id, piece) = running.take().unwrap_or((who, MessageId::random(), 0));
                running = replicas[who].answer(id, piece).await.then_some((who, id, piece + 1));
                if running.is_none() {
                    ended.told[who].insert(id.to_string());
                }
            }
            Deed::Line(who, line) => *replicas[who].line.lock().unwrap() = line,
            Deed::Leave(who) => replicas[who].device = None,
            Deed::Come(who) if replicas[who].device.is_none() => replicas[who].come(&ended.history()).await,
            Deed::Come(_) => {}
            Deed::Move => {
                let [one, other] = &mut replicas;
                std::mem::swap(&mut one.client, &mut other.client);
                for replica in [one, other] {
                    replica.come(&ended.history()).await;
                }
            }
            Deed::Die => {
                ended.has_died = true;
                replicas[1].hear(&ended.history());
                replicas[1].device = None;
                *replicas[1].line.lock().unwrap() = Line::Cut;
                running = running.filter(|(who, _, _)| *who == 0);
            }
            Deed::Settle => settle().await,
            Deed::Rest => clock.jump(clock.now() + REST),
        }
        let history = ended.history();
        for replica in &mut replicas {
            replica.hear(&history);
        }
    }
    heal(&clock, &mut replicas, &mut ended).await;
    ended
}

async fn heal(clock: &ManualClock, replicas: &mut [Replica; 2], ended: &mut Ended) {
    *replicas[0].line.lock().unwrap() = Line::Sound;
    if !ended.has_died {
        *replicas[1].line.lock().unwrap() = Line::Sound;
    }
    for _ in 0..4 {
        settle().await;
        clock.jump(clock.now() + REST);
    }
    // The first sign of life after a silence shows what was missed in it.
    replicas[0].stream.tell(&Outgoing::Notice { code: None, text: "last".to_owned(), action: None }, None);
    ended.told[0].insert("last".to_owned());
    settle().await;
    let history = ended.history();
    for (n, replica) in replicas.iter_mut().enumerate() {
        replica.hear(&history);
        if replica.device.is_none() && (n == 0 || !ended.has_died) {
            replica.come(&history).await;
        }
        ended.clients.push(std::mem::take(&mut replica.client));
    }
    if ended.has_died {
        let moved = &mut ended.clients[1];
        let attached = replicas[0].stream.attach(Some((&moved.epoch, moved.offset)));
        moved.welcomed(&attached, &history);
    }
}

proptest! {
    /// Whatever becomes of the lines between the replicas, no device is left with a gap that it does not know of.
    #[test]
    fn devices_at_two_replicas_know_all_in_the_end_f90(deeds in proptest::collection::vec(deed(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

        let ended = runtime.block_on(play(&deeds));

        // Word of what a replica told that was killed may be lost with it, until the history is read.
        let known = if ended.has_died { ended.told[0].clone() } else { ended.history() };
        for client in &ended.clients {
            prop_assert!(client.notices.is_superset(&known), "{:?} of {known:?}", client.notices);
        }
    }
}
