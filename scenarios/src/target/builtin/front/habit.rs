//! What a careless front does with the frames that pass it.

use serde_json::{Value, json};

use super::frames::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, masked};

/// Frames that break the protocol are put right, so that nobody is told.
pub(in super::super) const FRAMES_PUT_RIGHT: &str = "frames-put-right";
/// Each fragment is taken for a message.
pub(in super::super) const FRAGMENTS_ARE_MESSAGES: &str = "fragments-are-messages";
/// A control frame between two fragments makes the first one forgotten.
pub(in super::super) const CONTROLS_CUT_MESSAGES: &str = "controls-cut-messages";
/// Frames without content are dropped.
pub(in super::super) const NOTHING_IS_NO_FRAME: &str = "nothing-is-no-frame";
/// Pings and pongs of clients are dropped.
pub(in super::super) const DEAF_TO_CONTROLS: &str = "deaf-to-controls";
/// Pings of the server are answered for clients that are gone.
pub(in super::super) const ANSWERS_FOR_THE_DEAD: &str = "answers-for-the-dead";
/// A connection stays with the server when its client has gone.
pub(in super::super) const KEEPS_THE_DEAD: &str = "keeps-the-dead";
/// What a client does not read is read for it, without an end.
pub(in super::super) const ENDLESS_BUFFER: &str = "endless-buffer";
/// The server's goodbye gets lost, and its code with it.
pub(in super::super) const NO_GOODBYE: &str = "no-goodbye";
/// When one socket is closed for a bad frame, so are all the others.
pub(in super::super) const ALL_FOR_ONE: &str = "all-for-one";
/// Whoever asks for a socket gets one, whatever the page and the version.
pub(in super::super) const ANY_HANDSHAKE: &str = "any-handshake";

/// Where a device of `chat.v1` was is forgotten: it always begins anew.
pub(in super::super) const FORGETS_WHERE_YOU_WERE: &str = "forgets-where-you-were";
/// A message that is sent again by its id is taken for another one.
pub(in super::super) const TAKES_ALL_FOR_NEW: &str = "takes-all-for-new";
/// The wish to stop an answer gets lost.
pub(in super::super) const DEAF_TO_STOP: &str = "deaf-to-stop";
/// Pieces of answers are told twice.
pub(in super::super) const PIECES_TWICE: &str = "pieces-twice";

/// Every device of `chat.v1` is told that nothing was lost.
pub(in super::super) const CLAIMS_RECOVERY: &str = "claims-recovery";

/// What has become of a suggestion is told to nobody.
pub(in super::super) const HIDES_DECISIONS: &str = "hides-decisions";

/// Longest content of a control frame.
const CONTROL_MAX: usize = 125;

/// The bad habit of a front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Habit {
    FramesPutRight,
    FragmentsAreMessages,
    ControlsCutMessages,
    NothingIsNoFrame,
    DeafToControls,
    AnswersForTheDead,
    KeepsTheDead,
    EndlessBuffer,
    NoGoodbye,
    AllForOne,
    AnyHandshake,
    ForgetsWhereYouWere,
    TakesAllForNew,
    DeafToStop,
    PiecesTwice,
    ClaimsRecovery,
    HidesDecisions,
}

impl Habit {
    /// Returns the habit of this name; none when the name is of another part.
    pub(in super::super) fn named(part: &str) -> Option<Self> {
        Some(match part {
            FRAMES_PUT_RIGHT => Self::FramesPutRight,
            FRAGMENTS_ARE_MESSAGES => Self::FragmentsAreMessages,
            CONTROLS_CUT_MESSAGES => Self::ControlsCutMessages,
            NOTHING_IS_NO_FRAME => Self::NothingIsNoFrame,
            DEAF_TO_CONTROLS => Self::DeafToControls,
            ANSWERS_FOR_THE_DEAD => Self::AnswersForTheDead,
            KEEPS_THE_DEAD => Self::KeepsTheDead,
            ENDLESS_BUFFER => Self::EndlessBuffer,
            NO_GOODBYE => Self::NoGoodbye,
            ALL_FOR_ONE => Self::AllForOne,
            ANY_HANDSHAKE => Self::AnyHandshake,
            FORGETS_WHERE_YOU_WERE => Self::ForgetsWhereYouWere,
            TAKES_ALL_FOR_NEW => Self::TakesAllForNew,
            DEAF_TO_STOP => Self::DeafToStop,
            PIECES_TWICE => Self::PiecesTwice,
            CLAIMS_RECOVERY => Self::ClaimsRecovery,
            HIDES_DECISIONS => Self::HidesDecisions,
            _ => return None,
        })
    }

    /// Returns what the server gets to see of the head of a request.
    pub(super) fn head(self, head: &str) -> String {
        if self != Self::AnyHandshake {
            return head.to_owned();
        }
        let lines = head.split_inclusive("\r\n").filter_map(|line| {
            let name = line.split(':').next().unwrap_or_default();
            if name.eq_ignore_ascii_case("sec-websocket-version") {
                return Some("sec-websocket-version: 13\r\n");
            }
            (!name.eq_ignore_ascii_case("origin")).then_some(line)
        });
        lines.collect()
    }
}

/// The frames of one client on their way to the server.
#[derive(Debug)]
pub(super) struct Passage {
    habit: Habit,
    /// A message has begun and not ended.
    is_open: bool,
    /// Fragments that are held back.
    held: Vec<u8>,
    /// Messages that were taken for new ones.
    renamed: usize,
}

impl Passage {
    pub(super) const fn new(habit: Habit) -> Self {
        Self { habit, is_open: false, held: Vec::new(), renamed: 0 }
    }

    /// Returns what the server gets to see of a frame.
    pub(super) fn pass(&mut self, frame: Frame) -> Vec<u8> {
        match self.habit {
            Habit::FramesPutRight => self.put_right(frame),
            Habit::FragmentsAreMessages if !frame.is_control() => masked(true, TEXT, &frame.content),
            Habit::ControlsCutMessages => self.cut(frame),
            Habit::NothingIsNoFrame if frame.content.is_empty() => Vec::new(),
            Habit::DeafToControls if matches!(frame.opcode, PING | PONG) => Vec::new(),
            Habit::DeafToStop if frame.is_of("stop") => Vec::new(),
            Habit::ForgetsWhereYouWere if frame.is_of("resume") => {
                masked(true, TEXT, br#"{"type":"resume"}"#)
            }
            Habit::TakesAllForNew if frame.is_of("send") => self.rename(&frame),
            _ => frame.raw,
        }
    }

    /// Gives a message another id than its client has.
    fn rename(&mut self, frame: &Frame) -> Vec<u8> {
        self.renamed += 1;
        let Some(Value::Object(mut keys)) = serde_json::from_slice(&frame.content).ok() else {
            return frame.raw.clone();
        };
        keys.insert("client_msg_id".to_owned(), json!(format!("new-{}", self.renamed)));
        masked(true, TEXT, Value::Object(keys).to_string().as_bytes())
    }

    fn put_right(&mut self, frame: Frame) -> Vec<u8> {
        let Frame { is_last, opcode, mut content, .. } = frame;
        match opcode {
            CLOSE if content.is_empty() => masked(true, CLOSE, &content),
            PING | PONG => {
                content.truncate(CONTROL_MAX);
                masked(true, opcode, &content)
            }
            CONTINUATION | TEXT | BINARY => {
                let is_first = !std::mem::replace(&mut self.is_open, !is_last);
                let opcode = if is_first { opcode.max(TEXT) } else { CONTINUATION };
                if is_first && is_last {
                    content = String::from_utf8_lossy(&content).into_owned().into_bytes();
                }
                masked(is_last, opcode, &content)
            }
            _ => Vec::new(),
        }
    }

    fn cut(&mut self, frame: Frame) -> Vec<u8> {
        if frame.is_control() {
            self.held.clear();
            return frame.raw;
        }
        self.held.extend(frame.content);
        if frame.is_last { masked(true, TEXT, &std::mem::take(&mut self.held)) } else { Vec::new() }
    }
}
