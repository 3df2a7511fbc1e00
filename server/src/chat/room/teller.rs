//! Tells a conversation, as its machine sees it, in frames of `chat.v1`.
//!
//! Invariant: a turn is begun once, by `ack` and `message`, before anything else is told of it (a safety text aside),
//! and ended once, by `done`.

use std::{collections::HashMap, sync::Arc};

use clock::SharedClock;

use super::stream::Stream;
use crate::{
    chat::{
        effect::{Effect, Step},
        event::{Event, Outcome, Said, Wish},
        protocol::{Finish, Frame, FrameType, Kind},
        v1::{Outgoing, Role, SessionState},
    },
    ids::{MessageId, SessionId},
    storage::SessionReason,
};

/// Who sent a message, and how they call it.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub(super) device: Option<u64>,
    pub(super) client_msg_id: Option<String>,
}

/// Tells one machine's turns to a stream.
#[derive(Debug)]
pub(super) struct Teller {
    stream: Arc<Stream>,
    clock: SharedClock,
    origins: HashMap<u64, Origin>,
    turn: Option<Turn>,
}

/// The running turn.
#[derive(Debug)]
struct Turn {
    said: Arc<Said>,
    origin: Origin,
    is_begun: bool,
    is_stored: bool,
}

impl Turn {
    /// Returns the question that it has taken the place of.
    fn replaced(&self) -> Option<MessageId> {
        self.said.replaces.filter(|_| self.is_stored)
    }
}

impl Teller {
    pub(super) fn new(stream: Arc<Stream>, clock: SharedClock) -> Self {
        Self { stream, clock, origins: HashMap::new(), turn: None }
    }

    /// Remembers who sent a message, until its turn is over or it is refused.
    pub(super) fn sent(&mut self, turn: u64, origin: Origin) {
        self.origins.insert(turn, origin);
    }

    /// Sees what happens to the machine, before the machine does.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Did(Outcome::Opened(session, begun)) => self.opened(*session, *begun),
            Event::Did(Outcome::Known) => self.known(),
            Event::Did(Outcome::Ended(Some(session))) => self.session_ended(*session),
            _ => {}
        }
    }

    /// Sees what the machine wants.
    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Run(Step::Wait(said)) => {
                let origin = self.origins.remove(&said.turn).unwrap_or_default();
                let said = Arc::clone(said);
                self.turn = Some(Turn { said, origin, is_begun: false, is_stored: false });
            }
            Effect::Send(frame) => self.frame(frame.clone()),
            _ => {}
        }
    }

    /// Ends, for those who watch, a turn whose own client has left.
    pub(super) fn abandoned(&mut self) {
        if let Some(turn) = self.turn.take_if(|turn| turn.is_begun) {
            let done =
                Frame { finish: Some(Finish::Interrupted), ..Frame::new(FrameType::Done, turn.said.turn) };
            self.end(&turn, &done);
        }
    }

    fn opened(&mut self, session: SessionId, begun: Option<SessionReason>) {
        if self.stream.session() != Some(session) {
            let reason = begun.map(SessionReason::name);
            self.tell(&Outgoing::Session { id: session, state: SessionState::Open, reason });
        }
        if let Some(turn) = &mut self.turn {
            turn.is_stored = true;
        }
        self.begin();
    }

    fn session_ended(&self, id: SessionId) {
        self.tell(&Outgoing::Session { id, state: SessionState::Ended, reason: None });
    }

    fn known(&mut self) {
        let Some(Turn { said, origin, .. }) = self.turn.take() else { return };
        let Some(client_msg_id) = origin.client_msg_id else { return };
        let message_id = Some(said.ids.question);
        let ack = Outgoing::Ack { client_msg_id, message_id, reply_id: None, duplicate: true };
        self.tell_one(origin.device, &ack);
    }

    /// Begins the running turn, unless it was begun.
    fn begin(&mut self) {
        let Some(turn) = self.turn.as_mut().filter(|turn| !turn.is_begun) else { return };
        turn.is_begun = true;
        let Turn { said, origin, is_stored, .. } = &*turn;
        let message_id = is_stored.then_some(said.ids.question);
        let reply_id = (said.wish == Wish::Answer).then_some(said.ids.reply);
        let ack = origin.client_msg_id.clone().map(|client_msg_id| Outgoing::Ack {
            client_msg_id,
            message_id,
            reply_id,
            duplicate: false,
        });
        let message = (said.wish == Wish::Answer || !said.text.is_empty()).then(|| Outgoing::Message {
            message_id,
            client_msg_id: origin.client_msg_id.clone(),
            role: Role::User,
            kind: None,
            text: said.text.clone(),
            action: None,
            replaces: turn.replaced().map_or_else(Vec::new, |old| vec![old, old.reply()]),
        });
        let device = origin.device;
        if let Some(ack) = ack {
            self.tell_one(device, &ack);
        }
        if let Some(message) = message {
            self.tell(&message);
        }
    }

    fn frame(&mut self, frame: Frame) {
        match (frame.frame, frame.kind) {
            (FrameType::Error, _) => self.error(frame),
            (FrameType::Message, Some(Kind::Safety)) => self.safety(frame),
            (FrameType::Message, Some(kind)) => {
                self.begin();
                self.text(kind, frame);
            }
            (FrameType::Message, None) => {}
            (FrameType::Calendar, _) => {
                if let Some(suggestion) = frame.data {
                    self.tell(&Outgoing::Calendar { suggestion });
                }
            }
            (FrameType::Done, _) => {
                self.begin();
                if let Some(turn) = self.turn.take() {
                    self.end(&turn, &frame);
                }
            }
        }
    }

    fn text(&self, kind: Kind, frame: Frame) {
        let (Some(text), Some(turn)) = (frame.content, &self.turn) else { return };
        let (message_id, action) = (frame.id, frame.action);
        self.tell(&match kind {
            Kind::Answer => {
                let message_id = turn.said.ids.reply;
                Outgoing::Chunk { message_id, index: self.stream.next_index(message_id), text }
            }
            Kind::Notice => Outgoing::Notice { code: frame.code, text, action },
            Kind::Canned | Kind::Fallback | Kind::Safety => {
                let (role, kind) = (Role::Assistant, Some(kind));
                Outgoing::Message {
                    message_id,
                    client_msg_id: None,
                    role,
                    kind,
                    text,
                    action,
                    replaces: Vec::new(),
                }
            }
        });
    }

    fn safety(&self, frame: Frame) {
        let client_msg_id = self.origins.get(&frame.turn).and_then(|origin| origin.client_msg_id.clone());
        let actions = frame.action.into_iter().collect();
        let text = frame.content.unwrap_or_default();
        self.tell(&Outgoing::Safety { client_msg_id, level: "emergency", text, actions });
    }

    /// A refusal is for its sender; a turn that fails after it was begun ends for all.
    fn error(&mut self, frame: Frame) {
        let turn = self.turn.take_if(|turn| turn.said.turn == frame.turn);
        let origin = match &turn {
            Some(turn) => turn.origin.clone(),
            None => self.origins.remove(&frame.turn).unwrap_or_default(),
        };
        if let Some(turn) = turn.filter(|turn| turn.is_begun) {
            return self.end(&turn, &frame);
        }
        let Some(code) = frame.code else { return };
        let error = Outgoing::Error {
            code,
            text: frame.content.unwrap_or_default(),
            retry_after_ms: frame.retry_after_ms,
            client_msg_id: origin.client_msg_id,
            action: frame.action,
        };
        self.tell_one(origin.device, &error);
    }

    fn end(&self, turn: &Turn, frame: &Frame) {
        if let (FrameType::Error, Some(text)) = (frame.frame, &frame.content) {
            self.tell(&Outgoing::Notice { code: frame.code, text: text.clone(), action: frame.action });
        }
        self.tell(&Outgoing::Done {
            message_id: frame.id,
            client_msg_id: turn.origin.client_msg_id.clone(),
            replaces: turn.replaced().filter(|_| frame.id.is_some()).map(MessageId::reply),
            finish_reason: frame.finish.unwrap_or(Finish::Failed),
            degraded: frame.degraded || frame.finish.is_none(),
            used_fallback: frame.used_fallback,
            code: frame.code,
            action: frame.action,
            retry_after_ms: frame.retry_after_ms,
            session: frame.session,
            at: self.clock.wall(),
        });
    }

    fn tell(&self, frame: &Outgoing) {
        self.stream.tell(frame, None);
    }

    /// Tells a frame to one device; to nobody if the message came from elsewhere.
    fn tell_one(&self, device: Option<u64>, frame: &Outgoing) {
        if device.is_some() {
            self.stream.tell(frame, device);
        }
    }
}
