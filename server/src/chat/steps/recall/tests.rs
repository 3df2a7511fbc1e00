//! What is recalled is what would be read.

use proptest::prelude::*;

use super::*;
use crate::{
    classify::{Intent, Meaning},
    ids::{MessageId, UserId},
    session::Shift,
    storage::{MessageKind, SessionReason},
};

const REACH: Reach = Reach { messages: 5, remarks: 3 };
/// So many of the newest context messages a reading returns; more than what is kept.
const READ: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Deed {
    /// This server stores a message.
    Store(MessageKind, usize),
    /// Another one does.
    StoreElsewhere(MessageKind, usize),
    /// The past is read, and kept if it may be.
    Read,
    /// The session is read anew.
    Begin,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let kind = || {
        prop::sample::select(vec![
            MessageKind::Said,
            MessageKind::Said,
            MessageKind::Answer,
            MessageKind::Answer,
            MessageKind::Interrupted,
            MessageKind::Safety,
        ])
    };
    let bytes = || prop_oneof![9 => 1usize..40, 1 => TEXT_BYTES_MAX / 2..TEXT_BYTES_MAX];
    let deed = prop_oneof![
        8 => (kind(), bytes()).prop_map(|(kind, bytes)| Deed::Store(kind, bytes)),
        1 => (kind(), bytes()).prop_map(|(kind, bytes)| Deed::StoreElsewhere(kind, bytes)),
        3 => Just(Deed::Read),
        1 => Just(Deed::Begin),
    ];
    prop::collection::vec(deed, 1..60)
}

/// What the store holds.
struct Stored {
    session: Session,
    messages: Vec<Message>,
}

impl Stored {
    fn new() -> Self {
        let at = Timestamp::UNIX_EPOCH;
        let session = Session {
            id: SessionId::random(),
            user: UserId::random(),
            number: 1,
            reason: SessionReason::First,
            started_at: at,
            active_at: at,
            ended_at: None,
            messages: 0,
        };
        Self { session, messages: Vec::new() }
    }

    fn store(&mut self, kind: MessageKind, bytes: usize) -> Message {
        let position = self.session.messages + 1;
        let role = if kind == MessageKind::Said { Role::User } else { Role::Assistant };
        let at = Timestamp::from_second(i64::from(position)).unwrap();
        (self.session.messages, self.session.active_at) = (position, at);
        let message = Message {
            id: MessageId::random(),
            session: self.session.id,
            user: self.session.user,
            position,
            role,
            kind,
            language: "en".to_owned(),
            text: "x".repeat(bytes),
            at,
            replaced_by: None,
        };
        self.messages.push(message.clone());
        message
    }

    fn past(&self) -> Past {
        let context: Vec<_> = self.messages.iter().filter(|one| one.kind.is_context()).cloned().collect();
        Past::new(context[context.len().saturating_sub(READ)..].to_vec(), remark, REACH)
    }
}

/// Differs from one message to the next.
fn remark(message: &Message) -> Remark {
    let shift = Shift { messages: 2, confidence: 0.5 };
    let confidence = if message.position.is_multiple_of(2) { 1.0 } else { 0.0 };
    shift.remark(&Meaning { intent: Intent::SymptomReport, confidence, small_talk: None }, false)
}

fn seen(past: &Past) -> (Vec<u32>, Vec<(Timestamp, Remark)>) {
    (past.messages.iter().map(|one| one.position).collect(), past.remarks.iter().copied().collect())
}

proptest! {
    #[test]
    fn what_is_recalled_is_what_would_be_read_as_long_as_the_next_place_is_right(deeds in deeds()) {
        let (recall, mut stored) = (Recall::default(), Stored::new());
        for deed in deeds {
            match deed {
                Deed::Store(kind, bytes) => {
                    let message = stored.store(kind, bytes);
                    let says = (message.role == Role::User).then(|| remark(&message));
                    recall.add(&message, says, REACH);
                }
                Deed::StoreElsewhere(kind, bytes) => drop(stored.store(kind, bytes)),
                Deed::Read => recall.keep(stored.session.id, stored.past()),
                Deed::Begin => recall.begin(stored.session.clone()),
            }
            let Some(known) = recall.session().filter(|known| known.messages == stored.session.messages) else {
                continue;
            };
            prop_assert_eq!(&known, &stored.session);
            if let Some(past) = recall.past(known.id) {
                prop_assert!(past.is_small());
                let read = stored.past();
                let in_reach = read.remarks.len().min(past.remarks.len());
                let (messages, remarks) = seen(&past);
                let (read_messages, read_remarks) = seen(&read);
                prop_assert_eq!(messages, read_messages);
                // A reading looks among so many messages of both sides; what is kept may reach further back.
                prop_assert_eq!(&remarks[remarks.len() - in_reach..], &read_remarks[read_remarks.len() - in_reach..]);
            }
        }
    }
}

#[test]
fn what_was_said_elsewhere_is_found_out_by_the_place_of_the_next_message() {
    let (recall, mut stored) = (Recall::default(), Stored::new());
    recall.begin(stored.session.clone());
    recall.add(&stored.store(MessageKind::Said, 1), None, REACH);
    recall.keep(stored.session.id, stored.past());
    assert_eq!(recall.past(stored.session.id).map(|past| past.messages.len()), Some(1));

    stored.store(MessageKind::Answer, 1);
    recall.add(&stored.store(MessageKind::Said, 1), None, REACH);

    assert_eq!(recall.session(), None);
}

#[test]
fn texts_that_are_too_long_are_read_anew_each_time() {
    let (recall, mut stored) = (Recall::default(), Stored::new());
    recall.begin(stored.session.clone());
    recall.keep(stored.session.id, stored.past());
    assert!(recall.past(stored.session.id).is_some());

    recall.add(&stored.store(MessageKind::Said, TEXT_BYTES_MAX + 1), None, REACH);

    assert!(recall.past(stored.session.id).is_none());
    assert_eq!(
        recall.session().map(|session| session.messages),
        Some(1),
        "the place of the next one is known"
    );
}
