//! One user: a socket, a pace, and what is asked.

use std::{future::pending, time::Duration};

use clock::{Instant, timeout};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use scenarios::{Guest, model::Protocol};
use tokio_tungstenite::tungstenite::Message;

use super::{
    cast::Player,
    figures::Time,
    frame::{Frame, Ids, Meaning, Place, Welcome},
    pace::Pace,
    profile::Does,
    promise::Promise,
    recorder::count,
    socket::{self, Door, Socket},
    stage::{self, Stage},
};

/// A connection may take so long to come about.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// Pause of a user who did not get in, or was thrown out, before the next try.
const COME_BACK: Duration = Duration::from_secs(1);
/// So long a user listens before leaving: something may still come that should not.
const LISTEN: Duration = Duration::from_millis(100);
/// So many turns of a user are remembered that nobody waits for any more.
const LEFT_MAX: usize = 16;
/// Closing may take so long.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// A user.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Place among all users of the profile.
    pub(crate) n: usize,
    /// The person whose account this user has.
    pub(crate) person: usize,
    /// The step of the load with which this user comes.
    pub(crate) step: usize,
    pub(crate) socket: Option<Socket>,
    /// None for those who ask nothing.
    pub(crate) pace: Option<Pace>,
    /// When this user was free to ask, last.
    pub(crate) free: Instant,
    /// What is asked; nothing by those who ask nothing.
    pub(crate) question: String,
    /// Questions so far.
    pub(crate) asked: u64,
    /// Whether the question tells of an emergency.
    pub(crate) emergency: bool,
    /// Whether each turn has a socket of its own.
    pub(crate) reconnects: bool,
    /// How long the socket is lost in the middle of an answer, if it is.
    pub(crate) tunnel: Option<Duration>,
    /// Up to where this user has read.
    place: Place,
    /// Messages whose turns go on although nobody waits for their end any more.
    left: Vec<Ids>,
    /// Whether this user chats at all.
    pub(crate) has_socket: bool,
    /// Whether what is done once has been done.
    pub(crate) is_done: bool,
}

impl Seat {
    /// Seats a user, who has yet to connect.
    pub(crate) fn new(stage: &Stage, does: &Does, player: Player) -> Self {
        let Player { n, person, step, .. } = player;
        let now = stage.recorder.now();
        let (pace, question) = match does {
            Does::Chat(chat) => (Some(Pace::new(chat, stage.seed, n, now)), Some(&chat.message)),
            Does::Flood(flood) => (None, Some(&flood.message)),
            Does::Idle(_) | Does::Facts(_) => (None, None),
        };
        let (emergency, reconnects, tunnel) = match does {
            Does::Chat(chat) => (chat.emergency, chat.reconnects, chat.tunnel),
            _ => (false, false, None),
        };
        Self {
            n,
            person,
            step,
            socket: None,
            pace,
            free: now,
            question: question.map(|text| format!("{text} {}", stage::mark(n))).unwrap_or_default(),
            asked: 0,
            emergency,
            reconnects,
            tunnel,
            place: Place::default(),
            left: Vec::new(),
            has_socket: !matches!(does, Does::Facts(_)),
            is_done: false,
        }
    }

    /// Connects and begins anew. Whoever does not get in has had a promise broken.
    pub(crate) async fn connect(&mut self, stage: &Stage) -> Result<(), String> {
        self.enter(stage, None).await.map(drop)
    }

    /// Loses the socket for so long, without a word, and takes the stream up where it was; says whether it goes on there.
    pub(crate) async fn pass_tunnel(&mut self, stage: &Stage, length: Duration) -> Result<bool, String> {
        if self.socket.take().is_some() {
            stage.recorder.seen().sockets -= 1;
        }
        stage.clock().sleep(length).await;
        let place = self.place.clone();
        self.enter(stage, Some(&place)).await
    }

    /// Connects, and says whether the stream goes on at the place that is named.
    async fn enter(&mut self, stage: &Stage, place: Option<&Place>) -> Result<bool, String> {
        let Some(guest) = stage.guests.get(&self.person) else {
            return Err("there are more users than signed in".to_owned());
        };
        let begun = stage.recorder.now();
        let door = self.door(stage, guest, place);
        // On the heap for as long as it takes: otherwise each user who is connected would keep the room for it.
        let opening = Box::pin(socket::open(door));
        let opened = timeout(stage.clock(), CONNECT_MAX, opening).await;
        match opened.unwrap_or_else(|_| Err(format!("no socket within {CONNECT_MAX:?}"))) {
            Ok((socket, welcome)) => {
                self.free = stage.recorder.now();
                let goes_on = welcome.is_some_and(|welcome| self.goes_on(stage, welcome, place));
                stage.recorder.took(if goes_on { Time::Resume } else { Time::Connect }, begun, self.free);
                stage.recorder.seen().sockets += 1;
                self.socket = Some(socket);
                Ok(goes_on)
            }
            Err(error) => {
                stage.recorder.broke(Promise::LetsIn, || error.clone());
                Err(error)
            }
        }
    }

    /// Says whether a stream goes on at the place that was named; if not, it begins where the welcome says.
    fn goes_on(&mut self, stage: &Stage, welcome: Welcome, named: Option<&Place>) -> bool {
        let Welcome { place, recovered } = welcome;
        if let Some(named) = named.filter(|_| recovered) {
            if place.epoch == named.epoch && place.offset >= named.offset {
                return true;
            }
            let n = self.n;
            stage
                .recorder
                .broke(Promise::NoGap, || format!("user {n} left at {named:?}, goes on at {place:?}"));
        }
        self.place = place;
        false
    }

    fn door<'a>(&self, stage: &'a Stage, guest: &'a Guest, place: Option<&'a Place>) -> Door<'a> {
        let (target, host) = (stage.target, stage.host.as_str());
        let (protocol, is_silent) = (stage.protocol, self.question.is_empty());
        Door { target, host, guest, protocol, n: self.n, is_silent, place }
    }

    /// Connects again where the socket was lost, after a pause; says whether this user has one.
    pub(crate) async fn come_back(&mut self, stage: &Stage) -> bool {
        if self.socket.is_some() {
            return true;
        }
        if self.reconnects {
            return self.connect(stage).await.is_ok();
        }
        if stage.rest(COME_BACK).await {
            return false;
        }
        stage.recorder.seen().reconnects += 1;
        self.connect(stage).await.is_ok()
    }

    /// Notes that the socket is gone although nobody here wanted it to be.
    pub(crate) fn lose(&mut self, stage: &Stage, how: &str) {
        if self.socket.take().is_some() {
            stage.recorder.seen().sockets -= 1;
            stage.recorder.broke(Promise::StaysOpen, || format!("user {}: {how}", self.n));
        }
    }

    /// Looks whether something has come that nobody asked for, without waiting for it.
    pub(crate) fn overhear(&mut self, stage: &Stage) {
        while let Some(socket) = &mut self.socket
            && let Some(came) = socket.next().now_or_never()
        {
            self.judge_unasked(stage, came);
        }
    }

    /// Waits for so long, or until it is over, and answers pings meanwhile; says whether it is over.
    pub(crate) async fn rest(&mut self, stage: &Stage, span: Duration) -> bool {
        tokio::select! {
            biased;
            () = stage.over.cancelled() => true,
            () = self.linger(stage, span) => false,
        }
    }

    /// Waits for so long and answers pings meanwhile.
    pub(crate) async fn linger(&mut self, stage: &Stage, span: Duration) {
        let heard = async {
            self.hear(stage).await;
            pending::<()>().await;
        };
        // That the time has passed is what was waited for.
        _ = timeout(stage.clock(), span, heard).await;
    }

    /// Listens until it is over, or the socket is lost, and answers pings meanwhile.
    pub(crate) async fn listen(&mut self, stage: &Stage) {
        tokio::select! {
            () = self.hear(stage) => {}
            () = stage.over.cancelled() => {}
        }
    }

    /// Judges all that comes, as long as there is a socket.
    async fn hear(&mut self, stage: &Stage) {
        while let Some(socket) = &mut self.socket {
            let came = socket.next().await;
            self.judge_unasked(stage, came);
        }
    }

    /// Judges what came while no turn was running.
    fn judge_unasked(
        &mut self,
        stage: &Stage,
        came: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
    ) {
        match came {
            Some(Ok(Message::Text(text))) => {
                let frame = Frame::read(&text, stage.protocol);
                self.claim(stage, &frame);
                self.follow(stage, &frame);
                if self.excuses(&frame) {
                    return;
                }
                match frame.meaning() {
                    Meaning::Aside | Meaning::Sign | Meaning::Welcome | Meaning::Safety => {}
                    Meaning::Refused(code) => count(&mut stage.recorder.seen().refused, code),
                    Meaning::Garbage => stage.recorder.broke(Promise::CleanFrames, || text.to_string()),
                    _ => stage.recorder.broke(Promise::OneEnd, || format!("user {}: {text}", self.n)),
                }
            }
            Some(Ok(Message::Close(reason))) => self.lose(stage, &format!("closed: {reason:?}")),
            Some(Ok(_)) => {}
            Some(Err(error)) => self.lose(stage, &error.to_string()),
            None => self.lose(stage, "the connection ended"),
        }
    }

    /// Says whether a frame is of a turn that nobody waits for any more; its end is the last one that is.
    pub(crate) fn excuses(&mut self, frame: &Frame<'_>) -> bool {
        let Some(nth) = self.left.iter_mut().position(|left| frame.is_of_left(left)) else { return false };
        if matches!(frame.meaning(), Meaning::Done | Meaning::Refused(_)) {
            self.left.swap_remove(nth);
        }
        true
    }

    /// Waits for the end of a turn no more. On v0 that ends with its socket; a turn of `chat.v1` goes on.
    pub(crate) fn leave_turn(&mut self, stage: &Stage, message: Ids) {
        if stage.protocol == Protocol::V1 {
            self.left.truncate(LEFT_MAX - 1);
            self.left.insert(0, message);
        }
    }

    /// Checks that what a frame names is this user's.
    pub(crate) fn claim(&self, stage: &Stage, frame: &Frame<'_>) {
        for id in frame.ids() {
            if !stage.recorder.belongs(id, self.n) {
                stage.recorder.broke(Promise::OwnFrames, || format!("`{id}` reached user {} too", self.n));
            }
        }
    }

    /// Follows the stream: what is kept comes next. Says whether it goes on; a welcome begins it anew.
    pub(crate) fn follow(&mut self, stage: &Stage, frame: &Frame<'_>) -> bool {
        if let Some(welcome) = frame.welcome() {
            return self.goes_on(stage, welcome, None);
        }
        if let Some(offset) = frame.offset() {
            let (n, last) = (self.n, std::mem::replace(&mut self.place.offset, offset));
            if last.checked_add(1) != Some(offset) {
                stage.recorder.broke(Promise::NoGap, || format!("user {n} read {offset} after {last}"));
            }
        }
        true
    }

    /// Leaves in order.
    pub(crate) async fn leave(&mut self, stage: &Stage) {
        stage.clock().sleep(LISTEN).await;
        self.hang_up(stage).await;
    }

    /// Closes the socket in order.
    pub(crate) async fn hang_up(&mut self, stage: &Stage) {
        self.overhear(stage);
        if let Some(mut socket) = self.socket.take() {
            stage.recorder.seen().sockets -= 1;
            let farewell = async {
                // A server that is gone needs no farewell.
                _ = socket.send(Message::Close(None)).await;
                while let Some(Ok(_)) = socket.next().await {}
            };
            _ = timeout(stage.clock(), CLOSE_MAX, farewell).await;
        }
    }
}
