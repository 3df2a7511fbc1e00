//! A relay between users and server that treats sockets with one bad habit.
//!
//! It stands in for a server that is careless in one way about its clients: the server behind it sees sound
//! clients, and the users see a careless server, while nothing inside the server is touched. All else passes as it
//! is.

mod frames;
pub(super) mod habit;

use std::{io, net::SocketAddr, pin::pin, sync::Arc};

use axum::serve::Listener;
use clock::{Activity, Metered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpSocket},
    sync::Notify,
    task::{JoinHandle, JoinSet},
};

use self::{
    frames::{CLOSE, Frames, PING, PONG, TEXT, masked},
    habit::{Habit, Passage},
};
use super::listener::MeteredListener;

/// Longest head of a request or an answer, in bytes.
const HEAD_MAX: usize = 64 * 1024;
/// Bytes that are read at once.
const READ: usize = 16 * 1024;
/// Bytes that wait for one side before the other is read no more.
const BACKLOG_MAX: usize = 64 * 1024;
/// What ends a head.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// Smallest close code that says that the client was wrong.
const WRONG: u16 = 1002;

/// A running front. Dropping it stops it.
#[derive(Debug)]
pub(super) struct Front {
    url: String,
    serving: JoinHandle<()>,
}

impl Front {
    /// Starts a front before the server at `server` on a free port.
    pub(super) async fn start(habit: Habit, server: SocketAddr, activity: &Activity) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut listener = MeteredListener::new(listener, activity.clone());
        let house = House { habit, server, activity: activity.clone(), alarm: Arc::default() };
        let serving = tokio::spawn(async move {
            let mut visits = JoinSet::new();
            loop {
                tokio::select! {
                    (client, from) = listener.accept() => {
                        visits.spawn(house.clone().visit(client, from));
                    }
                    Some(_) = visits.join_next() => {}
                }
            }
        });
        Ok(Self { url, serving })
    }

    /// Returns where users find it.
    pub(super) fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What all connections share.
#[derive(Clone, Debug)]
struct House {
    habit: Habit,
    server: SocketAddr,
    activity: Activity,
    /// Cuts all sockets that are open.
    alarm: Arc<Notify>,
}

impl House {
    /// Leads one client to the server, until either leaves.
    async fn visit(self, mut client: Metered, from: SocketAddr) {
        let Ok(head) = read_head(&mut client).await else { return };
        let Ok(server) = self.dial(from).await else { return };
        let end = head.windows(HEAD_END.len()).position(|four| four == HEAD_END).unwrap_or_default();
        let (head, rest) = head.split_at(end + HEAD_END.len());
        let text = String::from_utf8_lossy(head);
        let is_upgrade = text.to_ascii_lowercase().contains("upgrade: websocket");
        let mut up = if is_upgrade { self.habit.head(&text).into_bytes() } else { head.to_vec() };
        up.extend_from_slice(rest);
        let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
        let line = Line {
            up: Way { from: from_client, to: to_server, backlog: up },
            down: Way { from: from_server, to: to_client, backlog: Vec::new() },
            frames: is_upgrade.then(|| Talk::new(self.habit)),
            house: self,
        };
        // A connection that breaks is over, and that is all.
        let _ = line.run().await;
    }

    async fn dial(&self, from: SocketAddr) -> io::Result<Metered> {
        let socket = TcpSocket::new_v4()?;
        // The server limits by address.
        socket.bind(SocketAddr::new(from.ip(), 0))?;
        let stream = socket.connect(self.server).await?;
        stream.set_nodelay(true)?;
        self.activity.metered(stream)
    }
}

/// Puts bytes in the place of as many others, where they stand.
fn replace<const N: usize>(bytes: &mut [u8], old: &[u8; N], new: &[u8; N]) {
    if let Some(place) = bytes.windows(N).position(|window| window == old) {
        bytes[place..place + N].copy_from_slice(new);
    }
}

/// Reads until a head is there, and what came with it.
async fn read_head(stream: &mut Metered) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while !bytes.windows(HEAD_END.len()).any(|four| four == HEAD_END) {
        if stream.read_buf(&mut bytes).await? == 0 || bytes.len() > HEAD_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(bytes)
}

/// One direction of a connection.
struct Way {
    from: ReadHalf<Metered>,
    to: WriteHalf<Metered>,
    /// What waits to be written.
    backlog: Vec<u8>,
}

/// A client's connection and the one that it has to the server.
struct Line {
    up: Way,
    down: Way,
    /// None where it is no WebSocket.
    frames: Option<Talk>,
    house: House,
}

/// What is known of a WebSocket's talk.
struct Talk {
    up: Frames,
    down: Frames,
    passage: Passage,
    /// What the server has said before it agreed to talk.
    head: Option<Vec<u8>>,
}

impl Talk {
    fn new(habit: Habit) -> Self {
        Self {
            up: Frames::default(),
            down: Frames::default(),
            passage: Passage::new(habit),
            head: Some(vec![]),
        }
    }
}

impl Line {
    async fn run(mut self) -> io::Result<()> {
        let most = if self.house.habit == Habit::EndlessBuffer { usize::MAX } else { BACKLOG_MAX };
        let (mut above, mut below) = (vec![0; READ], vec![0; READ]);
        let alarm = Arc::clone(&self.house.alarm);
        let mut alarmed = pin!(alarm.notified());
        let (is_talk, mut is_dead) = (self.frames.is_some(), false);
        loop {
            let Self { up, down, .. } = &mut self;
            tokio::select! {
                biased;
                () = &mut alarmed, if is_talk => return Ok(()),
                sent = up.to.write(&up.backlog), if !up.backlog.is_empty() => {
                    up.backlog.drain(..sent?);
                }
                sent = down.to.write(&down.backlog), if !down.backlog.is_empty() && !is_dead => {
                    down.backlog.drain(..sent?);
                }
                read = down.from.read(&mut below), if down.backlog.len() < most => match read? {
                    0 => return self.flush().await,
                    read => self.downwards(&below[..read]).await?,
                },
                read = up.from.read(&mut above), if up.backlog.len() < BACKLOG_MAX && !is_dead => match read {
                    Ok(read @ 1..) => self.upwards(&above[..read]),
                    _ if self.house.habit == Habit::KeepsTheDead && is_talk => is_dead = true,
                    _ => return Ok(()),
                },
            }
            if is_dead {
                self.down.backlog.clear();
            }
        }
    }

    fn upwards(&mut self, bytes: &[u8]) {
        match &mut self.frames {
            Some(Talk { up, passage, .. }) => {
                let passed = up.feed(bytes).into_iter().flat_map(|frame| passage.pass(frame));
                self.up.backlog.extend(passed);
            }
            None => self.up.backlog.extend_from_slice(bytes),
        }
    }

    async fn downwards(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.down.backlog.extend_from_slice(bytes);
        let Some(talk) = &mut self.frames else { return Ok(()) };
        let mut bytes = bytes.to_vec();
        if let Some(head) = &mut talk.head {
            head.append(&mut bytes);
            let Some(end) = head.windows(HEAD_END.len()).position(|four| four == HEAD_END) else {
                return Ok(());
            };
            bytes = head.split_off(end + HEAD_END.len());
            talk.head = None;
        }
        for frame in talk.down.feed(&bytes) {
            match (self.house.habit, frame.opcode) {
                (Habit::AnswersForTheDead, PING) => {
                    self.up.backlog.extend(masked(true, PONG, &frame.content));
                }
                (Habit::PiecesTwice, TEXT) if frame.is_of("chunk") => {
                    self.down.backlog.extend_from_slice(&frame.raw);
                }
                (Habit::ClaimsRecovery, TEXT) if frame.is_of("welcome") => {
                    replace(&mut self.down.backlog, br#""recovered":false"#, br#""recovered":true "#);
                }
                (Habit::HidesDecisions, TEXT) if frame.is_of("suggestion") || frame.is_of("language") => {
                    let rest = self.down.backlog.len() - frame.raw.len();
                    self.down.backlog.truncate(rest);
                }
                (Habit::NoGoodbye, CLOSE) => {
                    let rest = self.down.backlog.len() - frame.raw.len();
                    self.down.backlog.truncate(rest);
                    self.flush().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                (Habit::AllForOne, CLOSE) if frame.code().is_some_and(|code| code >= WRONG) => {
                    self.flush().await?;
                    self.house.alarm.notify_waiters();
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes what waits for the client.
    async fn flush(&mut self) -> io::Result<()> {
        self.down.to.write_all(&std::mem::take(&mut self.down.backlog)).await
    }
}
