//! Keeps a connection: reads it into the record, and does what it is ordered to.
//!
//! Invariant: an order is answered at once, whatever the server does. The keeper ends with the connection.

use futures_util::StreamExt;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    sync::{mpsc, oneshot},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

use super::{Seat, line::Line};
use crate::{
    model::{ClientDoing, Opcode},
    record::{Frame, Recorder, What},
    wire,
};

/// What a connection that just ends is told as.
const ABNORMAL: u16 = 1006;
/// What a goodbye without a code is told as.
const NO_CODE: u16 = 1005;

/// What a keeper is to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Sends bytes, one after the other and without reading in between, and tells the record this of each.
    Send(Vec<(Vec<u8>, What)>),
    /// Behaves in a way; so many times, if that means anything.
    Behave(ClientDoing, u32),
    /// Says goodbye and leaves.
    Leave,
}

/// An order, and where to say that it was carried out.
pub(super) type Ordered = (Order, oneshot::Sender<()>);

/// A connection and who keeps it.
#[derive(Debug)]
pub(super) struct Keeper {
    socket: WebSocketStream<Line>,
    name: String,
    recorder: Recorder,
    /// None on v0.
    seat: Option<Seat>,
    /// What the user has read of the running answer.
    answer: String,
    /// Content of the last ping that was sent, until its answer comes.
    pinged: Option<Vec<u8>>,
    /// The server has said goodbye.
    is_closed: bool,
}

/// Whether there is still something to keep.
type IsOpen = bool;

impl Keeper {
    pub(super) fn new(
        socket: WebSocketStream<Line>,
        (name, recorder): (String, Recorder),
        seat: Option<Seat>,
    ) -> Self {
        Self { socket, name, recorder, seat, answer: String::new(), pinged: None, is_closed: false }
    }

    /// Keeps the connection until it ends or nobody gives orders any more.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Ordered>) {
        loop {
            let is_open = tokio::select! {
                biased;
                message = self.socket.next() => self.read(message),
                ordered = orders.recv() => match ordered {
                    Some((order, done)) => {
                        let is_open = self.obey(order).await;
                        // Whoever gave the order may have gone.
                        let _ = done.send(());
                        is_open
                    }
                    None => false,
                },
            };
            if !is_open {
                return;
            }
        }
    }

    fn note(&self, what: What) {
        self.recorder.note(&*self.name, what);
    }

    fn read(&mut self, message: Option<tungstenite::Result<Message>>) -> IsOpen {
        match message {
            Some(Ok(Message::Text(text))) => {
                let json = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.to_string()));
                let frame = match &self.seat {
                    Some(seat) => seat.take(json),
                    None => Frame::new(json, &mut self.answer),
                };
                self.note(What::Frame(frame));
            }
            Some(Ok(Message::Close(frame))) => {
                self.is_closed = true;
                let code = frame.map_or(NO_CODE, |frame| frame.code.into());
                self.note(What::Closed { code, by_client: false });
            }
            Some(Ok(Message::Pong(content))) if self.pinged.as_deref() == Some(&*content) => {
                self.pinged = None;
                self.note(What::Pong);
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                if !self.is_closed {
                    self.note(What::Closed { code: ABNORMAL, by_client: false });
                }
                return false;
            }
        }
        true
    }

    fn line(&mut self) -> &mut Line {
        self.socket.get_mut()
    }

    async fn obey(&mut self, order: Order) -> IsOpen {
        match order {
            Order::Send(all) => {
                for (bytes, what) in all {
                    if self.line().push(&bytes) {
                        self.note(what);
                    }
                }
            }
            Order::Behave(doing, times) => return self.behave(doing, times),
            Order::Leave => {
                self.line().push(&wire::sound(Opcode::Close, &[]));
                // Offers it to the other side, which may be gone.
                let _ = self.line().flush().await;
                return false;
            }
        }
        true
    }

    fn behave(&mut self, doing: ClientDoing, times: u32) -> IsOpen {
        let told = match doing {
            ClientDoing::StopReading => {
                self.line().stop_reading();
                "stops reading".to_owned()
            }
            ClientDoing::ReadOn => {
                self.line().go_on();
                "reads on".to_owned()
            }
            ClientDoing::IgnorePings => {
                self.line().ignore_pings();
                "answers no pings from now on".to_owned()
            }
            ClientDoing::Vanish => {
                self.line().vanish();
                "is gone, its connection still open".to_owned()
            }
            ClientDoing::CloseHalf => {
                self.line().close_half();
                "ends its side of the connection".to_owned()
            }
            ClientDoing::Ping => self.ping(times),
            ClientDoing::Reset => return self.reset(),
        };
        self.note(What::Note(told));
        true
    }

    fn ping(&mut self, times: u32) -> String {
        let frames = (1..=times).flat_map(|n| wire::sound(Opcode::Ping, n.to_string().as_bytes()));
        let frames: Vec<u8> = frames.collect();
        self.line().push(&frames);
        self.pinged = Some(times.to_string().into_bytes());
        format!("sends {times} pings")
    }

    fn reset(&mut self) -> IsOpen {
        let told = match self.line().reset() {
            Ok(()) => What::Closed { code: ABNORMAL, by_client: true },
            Err(error) => What::Missing(format!("the connection cannot be reset: {error}")),
        };
        self.note(told);
        false
    }
}
