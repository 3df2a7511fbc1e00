//! A user's room: what all devices of `chat.v1` share.
//!
//! The turns of a room belong to nobody: they go on when the device that began them leaves, and another one may stop
//! them. What is told goes into the room's stream, which is kept for those who come back.
//!
//! The devices of a user may sit at several replicas: each has a room for them, and an [`Exchange`] between the rooms.
//!
//! Invariants: a room that has devices or a running turn is never forgotten; of the others, at most
//! `conversation.resume_users` are kept, the last left first.
//!
//! [`Exchange`]: crate::exchange::Exchange

mod driver;
mod note;
mod relay;
mod stream;
mod teller;
mod view;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use clock::{Instant, SharedClock};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{
    effect::{Effect, Step},
    event::Event,
    protocol::{self, Kind},
    v1::{Outgoing, Wrong},
    voice::Voice,
};
use crate::{
    exchange::{SharedExchange, Window},
    ids::{MessageId, UserId},
    limit::Caller,
    texts::SharedTexts,
};
pub(super) use driver::RoomDriver;
pub(super) use note::{Piece, Told};
use relay::Relay;
pub(super) use stream::{Attached, Stream, Word};
use teller::Teller;

/// Frames of all devices of a user that wait to be looked at.
const COMMANDS_MAX: usize = 64;

/// The share of the rooms that is forgotten when there are too many.
const FORGOTTEN_SHARE: usize = 10;

/// A frame of a device.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) device: u64,
    /// Who pays for it; nobody for what comes from another replica.
    pub(super) caller: Option<Caller>,
    pub(super) wish: Wish,
}

/// What a device wants.
#[derive(Debug)]
pub(super) enum Wish {
    /// Say something, or end the conversation.
    Say(protocol::Incoming, Option<String>),
    /// Stop this answer.
    Stop(MessageId),
    /// Nothing that can be read.
    Wrong(Wrong),
    /// Nothing any more: it has left.
    Nothing,
}

impl Wish {
    /// Returns the client's id of the message, if it has one.
    pub(super) fn client_msg_id(&self) -> Option<String> {
        match self {
            Self::Say(_, client_msg_id) => client_msg_id.clone(),
            Self::Wrong(wrong) => wrong.client_msg_id.clone(),
            Self::Stop(_) | Self::Nothing => None,
        }
    }
}

/// The rooms of this process. `Clone` shares them.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    clock: SharedClock,
    window: Window,
    most: usize,
    users: Arc<Mutex<HashMap<UserId, Room>>>,
    others: Option<Others>,
}

/// The way to the rooms of other replicas.
#[derive(Clone, Debug)]
struct Others {
    exchange: SharedExchange,
    /// What this replica is called.
    name: Arc<str>,
    relays: TaskTracker,
}

/// A user's room. `Clone` shares it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stream: Arc<Stream>,
    /// Speaks to all devices of the user.
    voice: OnceLock<Voice>,
    entrance: Mutex<Entrance>,
}

#[derive(Debug)]
struct Entrance {
    /// Where commands go, as long as somebody looks there.
    commands: mpsc::WeakSender<Box<Command>>,
    /// How many devices came, and how many are there.
    devices: u64,
    present: usize,
    entered: Instant,
}

/// A device's way in, and its number in the room.
#[derive(Debug)]
pub(super) struct Entered {
    room: Room,
    pub(super) number: u64,
    /// Boxed, since a channel keeps room for many.
    pub(super) commands: mpsc::Sender<Box<Command>>,
    /// What comes out at the other end, if nobody looks there yet.
    pub(super) unattended: Option<mpsc::Receiver<Box<Command>>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.room.entrance().present -= 1;
        // When there is no room for it, something else is looked at, and then who is left.
        let nothing = Command { device: self.number, caller: None, wish: Wish::Nothing };
        let _ = self.commands.try_send(Box::new(nothing));
    }
}

impl Rooms {
    /// Opens no room yet. With an exchange, rooms of the same user at other replicas are one.
    pub(super) fn new(
        clock: SharedClock,
        (window, most): (Window, usize),
        exchange: Option<SharedExchange>,
    ) -> Self {
        let named = |exchange| {
            let name = Uuid::new_v4().to_string().into();
            Others { exchange, name, relays: TaskTracker::new() }
        };
        Self { clock, window, most, users: Arc::default(), others: exchange.map(named) }
    }

    /// Returns the room of a user, made if there is none.
    pub(super) fn enter(&self, user: UserId) -> Room {
        let mut rooms = self.rooms();
        if !rooms.contains_key(&user) && rooms.len() >= self.most {
            forget(&mut rooms, self.most);
        }
        let room = rooms.entry(user).or_insert_with(|| self.open(user));
        room.entrance().entered = self.clock.now();
        room.clone()
    }

    /// Makes a room, and has it attended to where others share it.
    fn open(&self, user: UserId) -> Room {
        let clock = SharedClock::clone(&self.clock);
        let room = Room::new(Stream::new(self.window, clock, self.others.is_some()), self.clock.now());
        if let Some(Others { exchange, name, relays }) = &self.others {
            let relay = Relay {
                exchange: Arc::clone(exchange),
                clock: SharedClock::clone(&self.clock),
                name: Arc::clone(name),
                user,
                room: Arc::downgrade(&room.0),
                stream: Arc::clone(room.stream()),
                ear: None,
                retry_at: None,
            };
            if relays.is_closed() {
                // The server stops: what is told is brought, and nobody comes any more.
                room.stream().close();
            }
            relays.spawn(relay.run());
        }
        room
    }

    /// Returns the room of a user whose devices may be somewhere: here, or at other replicas if there are any.
    pub(super) fn find(&self, user: UserId) -> Option<Room> {
        if self.others.is_some() {
            return Some(self.enter(user));
        }
        self.rooms().get(&user).cloned()
    }

    /// Returns the stream of a user, if other replicas hear what is told in it.
    pub(super) fn shared(&self, user: UserId) -> Option<Arc<Stream>> {
        self.others.is_some().then(|| Arc::clone(self.enter(user).stream()))
    }

    /// Tells all devices of a user something that happened elsewhere.
    pub(super) fn tell(&self, user: UserId, frame: &Outgoing) {
        if let Some(room) = self.find(user) {
            room.stream().tell(frame, None);
        }
    }

    /// Returns a mirror of what happens to a user on a connection of v0; waits until it is known whether anybody looks.
    pub(super) async fn mirror(&self, user: UserId) -> Mirror {
        let shared = self.others.as_ref().map(|_| self.enter(user));
        if let Some(room) = &shared {
            room.stream().up_to_date().await;
        }
        Mirror { rooms: self.clone(), user, _shared: shared, teller: None }
    }

    /// Brings what waits to the other replicas, and is not told anything any more.
    pub(super) async fn close(&self) {
        let Some(others) = &self.others else { return };
        self.rooms().values().for_each(|room| room.stream().close());
        others.relays.close();
        others.relays.wait().await;
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<UserId, Room>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to where nobody looks.
fn nobody() -> mpsc::WeakSender<Box<Command>> {
    mpsc::channel(1).0.downgrade()
}

/// Makes place: those who left first are forgotten, never one in use.
fn forget(rooms: &mut HashMap<UserId, Room>, most: usize) {
    let unused = rooms.iter().filter(|(_, room)| room.is_unused());
    let mut unused: Vec<_> = unused.map(|(user, room)| (room.entrance().entered, *user)).collect();
    unused.sort_unstable_by_key(|(entered, _)| *entered);
    for (_, user) in unused.into_iter().take(most / FORGOTTEN_SHARE + 1) {
        rooms.remove(&user);
    }
}

impl Room {
    fn new(stream: Stream, now: Instant) -> Self {
        let entrance = Entrance { commands: nobody(), devices: 0, present: 0, entered: now };
        let (stream, voice) = (Arc::new(stream), OnceLock::new());
        Self(Arc::new(Inner { stream, voice, entrance: Mutex::new(entrance) }))
    }

    /// Returns the voice that speaks to the user here; in this language, if it has not spoken yet.
    pub(super) fn voice(&self, texts: &SharedTexts, language: &str) -> Voice {
        self.0.voice.get_or_init(|| Voice::new(Arc::clone(texts), language)).clone()
    }

    /// Lets a device in.
    pub(super) fn open(&self) -> Entered {
        self.stream().want();
        let mut entrance = self.entrance();
        entrance.devices += 1;
        entrance.present += 1;
        let (room, number) = (self.clone(), entrance.devices);
        if let Some(commands) = entrance.commands.upgrade() {
            return Entered { room, number, commands, unattended: None };
        }
        let (commands, unattended) = mpsc::channel(COMMANDS_MAX);
        entrance.commands = commands.downgrade();
        Entered { room, number, commands, unattended: Some(unattended) }
    }

    /// Lets nobody look at commands any more; gives the way in back if a device still has it.
    fn close(&self, own: mpsc::Sender<Box<Command>>) -> Option<mpsc::Sender<Box<Command>>> {
        // Nobody comes in meanwhile, nor afterwards to where nobody looks.
        let mut entrance = self.entrance();
        if entrance.present > 0 {
            return Some(own);
        }
        entrance.commands = nobody();
        None
    }

    pub(super) fn stream(&self) -> &Arc<Stream> {
        &self.0.stream
    }

    /// Returns whether neither a device nor a running turn holds it.
    fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    fn entrance(&self) -> MutexGuard<'_, Entrance> {
        self.0.entrance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stream.close();
    }
}

/// Shows the devices in a room what happens on a connection of v0; costs nothing where there is no room.
#[derive(Debug)]
pub(super) struct Mirror {
    rooms: Rooms,
    user: UserId,
    /// Keeps the room from being forgotten, where there may be others elsewhere.
    _shared: Option<Room>,
    teller: Option<Teller>,
}

impl Mirror {
    /// Sees what happens to the connection's machine.
    pub(super) fn event(&mut self, event: &Event) {
        if let Some(teller) = &mut self.teller {
            teller.event(event);
        }
    }

    /// Sees what the machine wants. A turn is shown whole or not at all; a safety text comes before its turn.
    pub(super) fn effect(&mut self, effect: &Effect) {
        let begins = match effect {
            Effect::Run(Step::Wait(_)) => true,
            Effect::Send(frame) => frame.kind == Some(Kind::Safety),
            _ => false,
        };
        if self.teller.is_none()
            && begins
            && let Some(room) = self.rooms.find(self.user)
            && room.stream().is_watched()
        {
            self.teller = Some(Teller::new(Arc::clone(room.stream()), SharedClock::clone(&self.rooms.clock)));
        }
        if let Some(teller) = &mut self.teller {
            teller.effect(effect);
        }
        if matches!(effect, Effect::Send(frame) if frame.is_terminal()) {
            // Asked for anew with the next turn: the room may have been forgotten.
            self.teller = None;
        }
    }

    /// Sees that the connection is over.
    pub(super) fn abandoned(&mut self) {
        if let Some(teller) = &mut self.teller {
            teller.abandoned();
        }
    }
}

#[cfg(test)]
mod tests;
